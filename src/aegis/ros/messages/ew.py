# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""EW: what a receiver hears, pulse descriptors, signals and advice."""

from __future__ import annotations

from aegis_msgs.msg import EwAdviceArray, EwSignalArray, PulseArray
from aegis_msgs.msg import ReceiverNoise as ReceiverNoiseMsg

from aegis.core.ew.descriptors import Pulses
from aegis.core.types import Advice, ReceiverNoise, Signal
from aegis.ros.messages.columns import ArrayConverter, RecordConverter, read_from_msg
from aegis.ros.messages.fields import check_lengths, make_header, pack

_SIGNALS = RecordConverter(Signal, EwSignalArray, apart=("sequence", "sensor_id"))
_ADVICE = RecordConverter(Advice, EwAdviceArray, apart=("valid_until_ns", "valid_until", "requires_acknowledgement"))
_NOISE = ArrayConverter(ReceiverNoise, ReceiverNoiseMsg)
_PULSES = ArrayConverter(Pulses, PulseArray)

noise_to_msg, noise_from_msg = _NOISE.to_msg, read_from_msg(_NOISE.from_msg)
pulses_to_msg, pulses_from_msg = _PULSES.to_msg, read_from_msg(_PULSES.from_msg)


def signals_to_msg(
    signals: list[Signal], *, stamp_ns: int, frame_id: str, sequence: int, sensor_id: str
) -> EwSignalArray:
    """Return the message of all active signals."""
    m = EwSignalArray()
    m.header = make_header(stamp_ns, frame_id)
    m.sequence = int(sequence)
    m.sensor_id = sensor_id
    _SIGNALS.fill(m, signals)
    return m


@read_from_msg
def signals_from_msg(m: EwSignalArray) -> list[Signal]:
    """Return the active signals of a message.

    Raises:
        MalformedError: arrays of different lengths, or a kind that does not exist.
    """
    return _SIGNALS.read(m)


def advice_to_msg(advice: list[Advice], *, stamp_ns: int) -> EwAdviceArray:
    """Return the message of all advice."""
    m = EwAdviceArray()
    m.header = make_header(stamp_ns, "")
    _ADVICE.fill(m, advice)
    m.valid_until = pack("d", [a.valid_until_ns * 1e-9 for a in advice])
    m.requires_acknowledgement = [True for _ in advice]  # Aegis acts on nothing by itself
    return m


@read_from_msg
def advice_from_msg(m: EwAdviceArray) -> list[Advice]:
    """Return the advice of a message.

    Raises:
        MalformedError: arrays of different lengths, or a state that does not exist.
    """
    check_lengths(m, len(m.id), ["valid_until"])
    return _ADVICE.read(m, valid_until_ns=[round(seconds * 1e9) for seconds in m.valid_until])
