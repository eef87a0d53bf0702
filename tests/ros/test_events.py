# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Events on the wire and back."""

import json

import pytest
from event_messages import event_message

from aegis.core.events import Severity, TrackLost
from aegis.ros.messages.reports import event_from_msg, event_to_msg


def test_an_event_comes_back_with_its_origin():
    m = event_to_msg(TrackLost(7), stage="tracking", stamp_ns=1_500_000_001, run_id="run", epoch=2, sequence=9)
    event = event_from_msg(m)
    assert (event.name, event.severity, event.data) == ("TRACKING_LOST", Severity.INFO, {"track_id": 7})
    assert (event.stamp_ns, event.run_id, event.epoch, event.sequence) == (1_500_000_001, "run", 2, 9)
    assert event.data_json == m.data
    assert event.document() == {
        "stamp_s": 1.500000001, "stamp_ns": 1_500_000_001, "run_id": "run", "epoch": 2, "sequence": 9,
        "name": "TRACKING_LOST", "stage": "tracking", "severity": "INFO", "data": {"track_id": 7},
    }  # fmt: skip


@pytest.mark.parametrize("text", ['{"b":  1,\n"a": 99999999999999999999999}', '{"half": "\\ud800"}', '{"a": 1e5}'])
def test_the_text_of_the_data_stays_as_it_came(text):
    m = event_message("ODD", stage="stranger")
    m.data = text
    event = event_from_msg(m)
    assert event.data_json == text
    assert event.data == json.loads(text)


def test_what_json_has_not_is_null_in_both_forms():
    m = event_message("ODD", data={"a": [float("nan"), 1.5], "b": -float("inf")}, stage="stranger")
    event = event_from_msg(m)
    assert event.data == json.loads(event.data_json, parse_constant=pytest.fail) == {"a": [None, 1.5], "b": None}


def test_no_data_is_an_empty_object():
    m = event_message("ODD", stage="stranger")
    m.data = ""
    assert (event_from_msg(m).data, event_from_msg(m).data_json) == ({}, "{}")


@pytest.mark.parametrize(("field", "value"), [("data", "{"), ("data", "None"), ("severity", 9)])
def test_what_is_no_event_is_refused(field, value):
    m = event_message("ODD", stage="stranger")
    setattr(m, field, value)
    with pytest.raises(ValueError, match=r"9 is not|Expecting"):
        event_from_msg(m)
