# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the API shows of EW signals and advice."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aegis.bridge.live.columns import Table, each
from aegis.bridge.live.encoded import EncodedRows
from aegis.core.finite import finite_or_none
from aegis.core.types import Advice, Signal

SIGNAL: Table[Sequence[Signal]] = Table(
    each("id", "integer", lambda s: s.id),
    each("sensor_id", "text", lambda s: s.sensor, "whose it is: its bearing is in this sensor's frame", "radar"),
    each(
        "kind",
        "text",
        lambda s: s.kind.name,
        "NOISE_JAMMING, DECEPTION, INTERFERENCE, EMITTER",
        "NOISE_JAMMING",
    ),
    each(
        "azimuth_deg",
        "number",
        lambda s: finite_or_none(math.degrees(s.bearing), 3),
        "in the sensor's frame, anticlockwise from forward; null: none known",
    ),
    each("azimuth_sigma_deg", "number", lambda s: finite_or_none(math.degrees(s.bearing_sigma), 3)),
    each("power_db", "number", lambda s: finite_or_none(s.power_db, 2), "above the quiet noise floor", 8.3),
    each("frequency_hz", "number", lambda s: finite_or_none(s.frequency, 0)),
    each(
        "confidence",
        "number",
        lambda s: finite_or_none(s.confidence, 6),
        "1 - probability that quiet noise does this",
        0.999999,
    ),
    each("evidence", "text", lambda s: s.evidence),
    each("track_id", "integer or null", lambda s: s.track_id or None, "the track that it deceives about"),
    each("emitter", "text or null", lambda s: s.emitter or None, "name in the library of emitters"),
    each("x_m", "number", lambda s: finite_or_none(s.x, 1), "east in map, where strobes of several sites cross"),
    each("y_m", "number", lambda s: finite_or_none(s.y, 1), "north in map"),
    each("xx_m2", "number", lambda s: finite_or_none(s.xx, 1), "variance of x_m"),
    each("xy_m2", "number", lambda s: finite_or_none(s.xy, 1), "covariance of x_m and y_m"),
    each("yy_m2", "number", lambda s: finite_or_none(s.yy, 1), "variance of y_m"),
)

ADVICE: Table[Sequence[Advice]] = Table(
    each("id", "integer", lambda a: a.id, example=3),
    each("track_id", "integer or null", lambda a: a.track_id or None, "the threat it answers"),
    each("signal_id", "integer or null", lambda a: a.signal_id or None, "the signal it answers"),
    each(
        "technique",
        "text",
        lambda a: a.technique,
        example="frequency agility: move the carrier out of the jammed band through set_mode",
    ),
    each("priority", "integer", lambda a: a.priority, "1 is most urgent", 2),
    each("rationale", "text", lambda a: a.rationale),
    each(
        "expected_benefit_db",
        "number",
        lambda a: finite_or_none(a.expected_benefit_db, 2),
        "null where it cannot be computed",
    ),
    each(
        "valid_until_s",
        "known number",
        lambda a: round(a.valid_until_ns / 1e9, 3),
        "seconds since 1970, in the graph's time",
    ),
    each("state", "text", lambda a: a.state.name, "PROPOSED, ACKNOWLEDGED, REJECTED, EXPIRED, WITHDRAWN", "PROPOSED"),
    each("decided_by", "text or null", lambda a: a.decided_by or None),
)


def signal_rows(signals: Sequence[Signal]) -> EncodedRows:
    """Return the active signals; bearings are anticlockwise from the sensor's forward axis, as the azimuths of targets."""
    return EncodedRows(lambda: SIGNAL.rows(signals))


def advice_rows(advice: Sequence[Advice]) -> EncodedRows:
    """Return the advice that is not forgotten, open and decided."""
    return EncodedRows(lambda: ADVICE.rows(advice))
