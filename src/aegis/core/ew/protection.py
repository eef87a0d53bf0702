# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the radar protects itself against what it hears: what a person is advised to do through `set_mode`, and what that is worth.

Nothing here acts. Spot noise: another carrier, hopping. Barrage noise, on every carrier: the range at which echoes burn through,
and the strobe. Noise through the sidelobes: the sector of the strobe blanked. Pull-off: leading edge, another waveform. Another
FMCW radar: chirps at random times.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from aegis.core.angles import compass_text
from aegis.core.ew.burn_through import range_share
from aegis.core.ew.receiver import Heard
from aegis.core.ew.settings import OwnRadarSettings
from aegis.core.types import Signal, SignalKind

AGILITY = "frequency agility: hop in the tuning range through set_mode (set_agility)"
RETUNE = "frequency agility: move the carrier out of the jammed band through set_mode"
BURN_THROUGH = "barrage: rely on burn-through range and the strobe's bearing; look longer where it matters"
BLANKING = "blank the strobe's sector through set_mode (set_blanking); sidelobe blanking where the receiver has a guard channel"
WAVEFORM = "track the leading edge and change the waveform from pulse to pulse"
CHIRP_JITTER = "chirp jitter: send chirps at random times through set_mode (set_chirp_jitter)"
FALSE_TARGETS = "change the waveform from pulse to pulse, and hop in the tuning range through set_mode (set_agility)"


class Protection(NamedTuple):
    """A measure against one signal."""

    signal_id: int
    technique: str
    rationale: str
    benefit_db: float  # NaN where it cannot be computed
    priority: int = 2


def protections(heard: Heard, radar: OwnRadarSettings, ahead: float) -> list[Protection]:
    """Return the measures against what a receiver hears.

    Args:
        heard: by one sensor; radar: what it can do.
        ahead: direction of a strobe in map, anticlockwise from east [rad]; what a person reads of it is clockwise from north.
    """
    signal = heard.signal
    if signal.kind is SignalKind.INTERFERENCE and heard.bursts:
        # Energy that came together in one place of every chirp is spread over the frame.
        return [Protection(signal.id, CHIRP_JITTER, signal.evidence, 10.0 * math.log10(radar.chirps))]
    if not heard.barrage:
        out = [Protection(signal.id, AGILITY, signal.evidence, signal.power_db)]
    else:
        # The mean over all beams, of which few look at the jammer, is the noise of none of them.
        where, elsewhere_db = "", heard.rise_db
        if math.isfinite(ahead):
            where = f"; strobe on bearing {compass_text(90.0 - math.degrees(ahead), 1)} deg"
        if math.isfinite(ahead) and math.isfinite(heard.elsewhere_db):
            elsewhere_db = heard.elsewhere_db
            where = f", towards the strobe at {_range_left(elsewhere_db + heard.strobe_excess_db)}{where}"
        text = f"{signal.evidence}; echoes burn through at {_range_left(elsewhere_db)} of the quiet range{where}"
        text += "; four times the dwell gives 6 dB"
        out = [Protection(signal.id, BURN_THROUGH, text, 10.0 * math.log10(4.0))]
    if heard.through_sidelobes:
        text = f"{signal.evidence}; the strobe's sector is {heard.strobe_excess_db:.0f} dB above the others"
        out.append(Protection(signal.id, BLANKING, text, heard.strobe_excess_db, 3))
    return out


def _range_left(rise_db: float) -> str:
    """Return the share of the quiet range that is left where the noise has risen by so much."""
    return f"{100 * float(range_share(max(10.0 ** (rise_db / 10.0) - 1.0, 0.0))):.0f} %"


def against(signal: Signal, radar: OwnRadarSettings) -> list[Protection]:
    """Return the measures against a signal of which no more is known than its message says."""
    if signal.kind is SignalKind.NOISE_JAMMING:
        # Outside the jammed band the noise falls back to the quiet floor.
        return [Protection(signal.id, RETUNE, signal.evidence, signal.power_db)]
    if signal.kind is SignalKind.DECEPTION and signal.track_id:
        # A copy of an earlier pulse is not compressed.
        return [Protection(signal.id, WAVEFORM, signal.evidence, 10.0 * math.log10(radar.pulse_compression))]
    if signal.kind is SignalKind.DECEPTION:
        return [Protection(signal.id, FALSE_TARGETS, signal.evidence, 10.0 * math.log10(radar.pulse_compression))]
    if signal.kind is SignalKind.INTERFERENCE:
        return [Protection(signal.id, CHIRP_JITTER, signal.evidence, 10.0 * math.log10(radar.chirps))]
    return []  # an emitter that is only heard needs no answer
