# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The negotiation of protobuf with a TAK server, as takproto/README.md of ATAK-CIV describes it."""

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tak_server import AGREED, OFFER, OTHER, REFUSED, control_event

from aegis.bridge.outputs import tak_negotiation
from aegis.bridge.outputs.tak_negotiation import Form, Negotiation


def test_asks_for_what_is_offered_and_waits_for_the_answer():
    client = Negotiation()
    assert client.form is Form.XML
    assert client.take(OTHER) == b""
    request = client.take(OFFER)
    event = fromstring(request)
    assert request.startswith(b"<?xml")
    assert request.endswith(b"</event>")
    assert (event.get("type"), event.get("uid"), event.get("how")) == ("t-x-takp-q", "protouid-1", "m-g")
    assert event.find("detail/TakControl/TakRequest").get("version") == "1"
    assert client.form is Form.NOTHING
    assert client.take(OTHER) == b""
    assert client.form is Form.NOTHING
    assert client.take(AGREED) == b""
    assert client.form is Form.PROTOBUF
    assert client.take(b"\xbf\x05" + OFFER) == b""
    assert client.form is Form.PROTOBUF
    client.restart()
    assert client.form is Form.XML


def test_goes_on_in_xml_where_the_server_refuses():
    client = Negotiation()
    client.take(OFFER)
    client.take(REFUSED)
    assert client.form is Form.XML


@pytest.mark.parametrize(
    "data",
    [
        control_event("t-x-takp-v", '<TakProtocolSupport version="2"/>'),
        control_event("t-x-takp-v", ""),
        AGREED,  # to what nobody asked for
        b"<event type='t-x-takp-v'><broken></event>",
        b"</event></event>\x00\xff</event>",
    ],
)
def test_asks_for_nothing_else(data):
    client = Negotiation()
    assert client.take(data) == b""
    assert client.form is Form.XML


def test_a_server_that_does_not_answer_is_given_up(monkeypatch):
    client = Negotiation()
    assert not client.overdue
    client.take(OFFER)
    assert not client.overdue
    monkeypatch.setattr(tak_negotiation, "ANSWER_S", 0.0)
    assert client.overdue
    client.take(AGREED)
    assert not client.overdue


@given(st.lists(st.integers(1, 50), max_size=30))
def test_it_does_not_matter_how_the_network_cuts(lengths):
    stream = OTHER + OFFER + OTHER + AGREED
    client, answers = Negotiation(), b""
    for length in [*lengths, len(stream)]:
        piece, stream = stream[:length], stream[length:]
        answers += client.take(piece)
    assert fromstring(answers).get("type") == "t-x-takp-q"
    assert client.form is Form.PROTOBUF


def test_a_server_cannot_fill_the_memory():
    client = Negotiation()
    for _ in range(100):
        client.take(b"x" * 10_000)
    assert len(client._pending) <= 1 << 16
    assert client.take(b"</event>" + OFFER)
