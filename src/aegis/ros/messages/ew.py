"""EW signals and advice."""

from __future__ import annotations

from aegis_msgs.msg import (
    EwAdviceArray,
    EwSignalArray,
)

from aegis.core.types import (
    Advice,
    AdviceState,
    Signal,
    SignalKind,
)
from aegis.ros.messages.fields import check_lengths, make_header, pack


def signals_to_msg(
    signals: list[Signal], *, stamp_ns: int, frame_id: str, sequence: int, sensor_id: str
) -> EwSignalArray:
    """Return the message of all active signals."""
    m = EwSignalArray()
    m.header = make_header(stamp_ns, frame_id)
    m.sequence = int(sequence)
    m.sensor_id = sensor_id
    m.id = pack("I", [s.id for s in signals])
    m.kind = pack("B", [s.kind for s in signals])
    m.bearing = pack("d", [s.bearing for s in signals])
    m.bearing_sigma = pack("d", [s.bearing_sigma for s in signals])
    m.power_db = pack("d", [s.power_db for s in signals])
    m.frequency = pack("d", [s.frequency for s in signals])
    m.confidence = pack("f", [s.confidence for s in signals])
    m.evidence = [str(s.evidence) for s in signals]
    return m


def signals_from_msg(m: EwSignalArray) -> list[Signal]:
    """Return the active signals of a message."""
    check_lengths(m, len(m.id), "kind bearing bearing_sigma power_db frequency confidence evidence")
    return [
        Signal(
            id=int(m.id[i]),
            kind=SignalKind(m.kind[i]),
            bearing=float(m.bearing[i]),
            bearing_sigma=float(m.bearing_sigma[i]),
            power_db=float(m.power_db[i]),
            frequency=float(m.frequency[i]),
            confidence=float(m.confidence[i]),
            evidence=str(m.evidence[i]),
        )
        for i in range(len(m.id))
    ]


def advice_to_msg(advice: list[Advice], *, stamp_ns: int) -> EwAdviceArray:
    """Return the message of all advice."""
    m = EwAdviceArray()
    m.header = make_header(stamp_ns, "")
    m.id = pack("I", [a.id for a in advice])
    m.track_id = pack("I", [a.track_id for a in advice])
    m.signal_id = pack("I", [a.signal_id for a in advice])
    m.technique = [str(a.technique) for a in advice]
    m.priority = pack("B", [a.priority for a in advice])
    m.rationale = [str(a.rationale) for a in advice]
    m.expected_benefit_db = pack("d", [a.expected_benefit_db for a in advice])
    m.valid_until = pack("d", [a.valid_until_ns * 1e-9 for a in advice])
    m.requires_acknowledgement = [True for _ in advice]  # Aegis acts on nothing by itself
    m.state = pack("B", [a.state for a in advice])
    m.decided_by = [str(a.decided_by) for a in advice]
    return m


def advice_from_msg(m: EwAdviceArray) -> list[Advice]:
    """Return the advice of a message."""
    check_lengths(
        m, len(m.id), "track_id signal_id technique priority rationale expected_benefit_db valid_until state decided_by"
    )
    return [
        Advice(
            id=int(m.id[i]),
            track_id=int(m.track_id[i]),
            signal_id=int(m.signal_id[i]),
            technique=str(m.technique[i]),
            priority=int(m.priority[i]),
            rationale=str(m.rationale[i]),
            expected_benefit_db=float(m.expected_benefit_db[i]),
            valid_until_ns=round(float(m.valid_until[i]) * 1e9),
            state=AdviceState(m.state[i]),
            decided_by=str(m.decided_by[i]),
        )
        for i in range(len(m.id))
    ]
