# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Events on disk: the right file, the right level, valid JSON whatever somebody put into an event."""

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.bridge.telemetry.settings import LogSettings
from aegis.bridge.telemetry.stage_log import StageLog
from aegis.core.events import EVENT_NAMES, Severity
from aegis.ros.messages.reports import ReceivedEvent

# As bridge.md has it: a file for each of these.
FILES = {"radar", "detection", "tracking", "threat", "ew", "pipeline", "websocket"}


def heard(name, severity=Severity.INFO, stamp_ns=1_700_000_000_123_456_789, sequence=1, data=None) -> ReceivedEvent:
    """An event as the bridge has it."""
    data = {"sequence": 7} if data is None else data
    return ReceivedEvent(stamp_ns, "run", 2, sequence, name, "threat", severity, data, json.dumps(data))


def logged(events, level="INFO") -> dict[str, list[dict]]:
    """Log events, and return what is then in each file."""
    with TemporaryDirectory() as folder:
        log = StageLog(Path(folder), LogSettings(level=level))
        for event in events:
            log.take(event)
        log.writer.close()
        return {
            path.name: [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
            for path in Path(folder).iterdir()
        }


def test_every_event_goes_to_the_file_of_its_stage():
    files = logged([heard(name, sequence=number) for number, name in enumerate([*EVENT_NAMES, "ROCKET_LAUNCHED", ""])])
    assert set(files) == {f"{name}.log" for name in FILES}
    prefix = {"websocket": ("BROADCAST_",), "threat": ("THREAT_", "ALARM_")}
    others = []
    for file, rows in files.items():
        word = file.removesuffix(".log")
        own = prefix.get(word, (f"{word.upper()}_",))
        others += [row["event"] for row in rows if not row["event"].startswith(own)]
    without = [
        name
        for name in EVENT_NAMES
        if name.startswith(("PARAMETERS_", "SOURCE_", "ANOTHER_", "HISTORY_", "DECISION_", "STAGE_"))
    ]
    assert others == [*without, "ROCKET_LAUNCHED", ""]
    assert sum(map(len, files.values())) == len(EVENT_NAMES) + 2


def test_a_line_says_everything():
    ((row,),) = logged([heard("THREAT_CRITICAL", Severity.WARNING)]).values()
    assert row.pop("timestamp") == "2023-11-14T22:13:20.123Z"  # date -u -d @1700000000
    assert row == {
        "event": "THREAT_CRITICAL", "stage": "threat", "severity": "WARNING", "data": {"sequence": 7},
        "run_id": "run", "epoch": 2, "sequence": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("level", "kept"), [("DEBUG", 4), ("INFO", 3), ("WARNING", 2), ("ERROR", 1)])
def test_the_level_leaves_out_what_is_less_severe(level, kept):
    (rows,) = logged([heard("EW_DETECTION", severity) for severity in Severity], level).values()
    assert [row["severity"] for row in rows] == [severity.name for severity in Severity][-kept:]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec=None)), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=50)
@given(st.lists(_JSON, min_size=1, max_size=10), st.integers(0, 2**31 * 10**9 - 1))
def test_any_data_makes_a_line_of_valid_json(data, stamp_ns):
    (rows,) = logged([heard("PIPELINE_ERROR", stamp_ns=stamp_ns, data={"d": one}) for one in data]).values()
    for row, one in zip(rows, data, strict=True):
        told = row["data"] if isinstance(row["data"], dict) else json.loads(row["data"])
        wanted = json.dumps({"d": one})
        if "NaN" not in wanted and "Infinity" not in wanted:
            assert told == json.loads(wanted)
        when = datetime.fromisoformat(row["timestamp"])
        assert when.tzinfo == UTC
        assert abs(when.timestamp() - stamp_ns / 1e9) <= 0.001
