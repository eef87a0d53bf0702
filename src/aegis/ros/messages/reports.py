"""Events, status and diagnostics."""

from __future__ import annotations

import json
from typing import Any

from aegis_msgs.msg import (
    Event as EventMsg,
)
from aegis_msgs.msg import (
    PipelineStatus,
)
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from aegis.core.events import Event, Severity
from aegis.ros.messages.fields import check_lengths, make_header, stamp_of


def event_to_msg(event: Event, *, stage: str, stamp_ns: int, run_id: str, epoch: int, sequence: int) -> EventMsg:
    """Return the message of an event."""
    message = EventMsg()
    message.header = make_header(stamp_ns, "")
    message.run_id = run_id
    message.epoch = int(epoch)
    message.sequence = int(sequence)
    message.name = str(event.name)
    message.stage = stage
    message.severity = int(event.severity)
    message.data = json.dumps(event.data, sort_keys=True)
    return message


def event_from_msg(m: EventMsg) -> dict[str, Any]:
    """Return an event with its origin: stamp_s, stamp_ns, run_id, epoch, sequence, name, stage, severity (its name), data.

    Raises:
        ValueError: an unknown severity, or data that is not JSON.
    """
    return {
        "stamp_s": stamp_of(m) / 1e9,
        "stamp_ns": stamp_of(m),
        "run_id": str(m.run_id),
        "epoch": int(m.epoch),
        "sequence": int(m.sequence),
        "name": str(m.name),
        "stage": str(m.stage),
        "severity": Severity(m.severity).name,
        "data": json.loads(m.data) if m.data else {},
    }


def status_rows(m: PipelineStatus) -> list[dict[str, Any]]:
    """Return the rows of a status, one per stage, with the message's field names and SI units; `detail` is decoded.

    Raises:
        ValueError: arrays of different lengths, or a detail that is not JSON.
    """
    counts = ["received", "published", "dropped", "objects_dropped", "sequence_gaps", "errors"]
    times = ["rate_hz", "step_p50", "step_p99", "latency_p50", "latency_p99"]
    check_lengths(m, len(m.stage), [*counts, *times, "detail"])
    return [
        {
            "stage": str(m.stage[i]),
            **{name: float(getattr(m, name)[i]) for name in times},
            **{name: int(getattr(m, name)[i]) for name in counts},
            "detail": json.loads(m.detail[i]) if m.detail[i] else {},
        }
        for i in range(len(m.stage))
    ]


def diagnostics_to_msg(name: str, level: bytes, text: str, values: dict[str, Any], stamp_ns: int) -> DiagnosticArray:
    """Return a DiagnosticArray of one status."""
    status = DiagnosticStatus(level=level, name=name, message=text, hardware_id="")
    status.values = [KeyValue(key=str(key), value=str(value)) for key, value in values.items()]
    return DiagnosticArray(header=make_header(stamp_ns, ""), status=[status])
