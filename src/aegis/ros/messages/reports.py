# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Events, status and diagnostics."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from aegis_msgs.msg import Event as EventMsg
from aegis_msgs.msg import PipelineStatus
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from aegis.core.events import Event, Severity
from aegis.core.health import Health
from aegis.ros.messages.columns import RecordConverter, read_from_msg
from aegis.ros.messages.fields import make_header, stamp_of


def event_to_msg(event: Event, *, stage: str, stamp_ns: int, run_id: str, epoch: int, sequence: int) -> EventMsg:
    """Return the message of an event."""
    message = EventMsg()
    message.header = make_header(stamp_ns, "")
    message.run_id = run_id
    message.epoch = int(epoch)
    message.sequence = int(sequence)
    message.name = event.name
    message.stage = stage
    message.severity = int(event.severity)
    message.data = json.dumps(event.data(), sort_keys=True)
    return message


@dataclass(frozen=True)
class ReceivedEvent:
    """An event with its origin. Its data is there decoded, and as the JSON text that came, to be passed on uncoded."""

    stamp_ns: int
    run_id: str
    epoch: int
    sequence: int
    name: str
    stage: str
    severity: Severity
    data: dict[str, object]  # null in place of what is not finite
    data_json: str  # without NaN and infinity too: JSON has none
    site: str = ""  # that it was brought from; its stage begins with it. Empty: this one

    def document(self) -> dict[str, object]:
        """Return it for JSON: stamp_s, stamp_ns, run_id, epoch, sequence, name, stage, severity (its name), data (decoded)."""
        return {
            "stamp_s": self.stamp_ns / 1e9,
            "stamp_ns": self.stamp_ns,
            "run_id": self.run_id,
            "epoch": self.epoch,
            "sequence": self.sequence,
            "name": self.name,
            "stage": self.stage,
            "severity": self.severity.name,
            "data": self.data,
        }


@read_from_msg
def event_from_msg(m: EventMsg) -> ReceivedEvent:
    """Return the event of a message.

    Raises:
        MalformedError: an unknown severity, or data that is not JSON.
    """
    text = str(m.data) or "{}"
    not_finite: list[str] = []
    data = json.loads(text, parse_constant=not_finite.append)  # which returns None
    return ReceivedEvent(
        stamp_ns=stamp_of(m),
        run_id=str(m.run_id),
        epoch=int(m.epoch),
        sequence=int(m.sequence),
        name=str(m.name),
        stage=str(m.stage),
        severity=Severity(m.severity),
        data=data,
        data_json=json.dumps(data, sort_keys=True) if not_finite else text,
    )


@dataclass(frozen=True)
class StageStatus:
    """One stage's row of a PipelineStatus; in seconds, NaN where there is no clock."""

    stage: str
    rate_hz: float
    step_p50: float
    step_p99: float
    latency_p50: float
    latency_p99: float
    received: int
    published: int
    dropped: int
    objects_dropped: int
    sequence_gaps: int
    errors: int
    detail: str  # a JSON object


STATUS_COUNTS = tuple(f.name for f in fields(StageStatus) if f.type == "int")
_STATUS = RecordConverter(StageStatus, PipelineStatus, apart=["run_id"])


def status_to_msg(rows: Sequence[StageStatus], *, run_id: str, stamp_ns: int) -> PipelineStatus:
    """Return the message of the rows of stages."""
    m = PipelineStatus()
    m.header = make_header(stamp_ns, "")
    m.run_id = run_id
    _STATUS.fill(m, rows)
    return m


@read_from_msg
def status_rows(m: PipelineStatus) -> list[dict[str, object]]:
    """Return the rows of a status, one per stage, with the message's field names and SI units; `detail` is decoded.

    Raises:
        MalformedError: arrays of different lengths, or a detail that is not JSON.
    """
    return [vars(row) | {"detail": json.loads(row.detail) if row.detail else {}} for row in _STATUS.read(m)]


def diagnostics_to_msg(name: str, health: Health, values: Mapping[str, object], stamp_ns: int) -> DiagnosticArray:
    """Return a DiagnosticArray of one status."""
    status = DiagnosticStatus(level=bytes([health.level]), name=name, message=health.text, hardware_id="")
    status.values = [KeyValue(key=str(key), value=str(value)) for key, value in values.items()]
    return DiagnosticArray(header=make_header(stamp_ns, ""), status=[status])
