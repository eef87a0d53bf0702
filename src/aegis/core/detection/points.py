# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From a sensor's named columns to a `Scan` in our units and signs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from aegis.core.angles import wrapped
from aegis.core.detection.settings import (
    CLASS_FIELDS,
    POWER_NAMES,
    RANGE_RATE_NAMES,
    SECONDS_NAMES,
    SIGMA_NAMES,
    SNR_NAMES,
    TIME_NAMES,
    AccuracySettings,
    DetectionSettings,
    FieldSettings,
)
from aegis.core.rows import take_rows
from aegis.core.signal.equation import decibels
from aegis.core.types import Floats, Scan, Sector, unknown

SCALES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
DAY_S = 86_400.0

# What no radar measures is unknown, as NaN and inf are: sensors write the largest number, or one of no meaning, for what they do
# not know. Within these bounds nothing overflows, as power or as variance.
MOST_DB = 1000.0
MOST_AZIMUTH = 4.0 * np.pi
MOST_ELEVATION = np.pi
MOST_RANGE_RATE_MPS = 299_792_458.0
LEAST_RANGE_M = 1e-3  # at the sensor itself there is no direction
LEAST_SIGMA = 1e-6
MOST_SIGMA = (1e8, np.pi, np.pi, MOST_RANGE_RATE_MPS)  # in the order of variances


MISSING_FIELD = "missing field"
IN_DEGREES = "angles look like degrees"
# Angles that are none in radians and are some in degrees: of so large a share of a cloud, and so many, they are no garbage.
DEGREES_SHARE, DEGREES_LEAST = 0.1, 3


class PointsError(ValueError):
    """The columns cannot be read; `reason` is a short key for counting."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@np.errstate(over="ignore")  # what overflows is as little finite as what was so before
def read_points(
    columns: Mapping[str, Floats], settings: DetectionSettings, *, stamp_ns: int, frame_id: str, sequence: int
) -> tuple[Scan, Counter[str]]:
    """Return the scan and how many points were dropped, by reason.

    What is not finite is unknown: a point without a position is dropped, of one without anything else the rest counts.

    Args:
        columns: field name to (N,) values, as the sensor gives them.
        settings: names, units and signs of the fields.
        stamp_ns, frame_id, sequence: carried into the scan.

    Raises:
        PointsError: a field that the settings ask for is missing.
    """
    n = len(next(iter(columns.values()), ()))
    fields, limits = settings.fields, settings.limits
    columns = {name: np.where(np.isfinite(values), values, np.nan) for name, values in columns.items()}
    r, azimuth, elevation = _position(columns, settings, n)
    range_rate = unknown(n)
    if settings.has_doppler:
        name = _first(columns, fields.range_rate, RANGE_RATE_NAMES)
        if name is None:
            asked = " or ".join(RANGE_RATE_NAMES) if fields.range_rate == "auto" else fields.range_rate
            raise _missing(asked, "fields.range_rate names another, has_doppler: false says there is none")
        range_rate = _within(columns[name] * fields.range_rate_scale, MOST_RANGE_RATE_MPS)
    noise = _within(columns.get(fields.noise, unknown(n)), MOST_DB)
    rcs = columns.get(fields.rcs, unknown(n))
    if fields.rcs_unit == "m2":
        rcs = decibels(rcs)
    rcs = _within(rcs, MOST_DB)
    snr = _within(_snr(columns, fields, noise), MOST_DB)
    variance = _variance(columns, settings.accuracy, n)
    offset = _time_offset(columns, fields, stamp_ns, n)
    timed = np.abs(offset) <= limits.max_time_offset_s
    scan = Scan(
        stamp_ns, frame_id, sequence, r, azimuth, elevation, range_rate, snr, rcs, noise, variance, np.where(timed, offset, 0.0),
        class_probability=_classes(columns, n),
    )  # fmt: skip
    beam = timed & np.isnan(r) & (_time_name(columns, fields) is not None)
    looked = azimuth
    if _is_cartesian(columns, fields):  # where a point without a place says its angle beside
        looked = _azimuth(columns, fields) if fields.azimuth in columns else unknown(n)
        beam &= np.isfinite(looked)
    scan.sector = _sector(offset[timed], offset[beam], looked[beam]) if beam.any() else None
    scan = take_rows(scan, ~beam)
    r, azimuth, elevation, timed = r[~beam], azimuth[~beam], elevation[~beam], timed[~beam]
    dropped: Counter[str] = Counter()
    finite = np.isfinite(r) & np.isfinite(azimuth)
    if settings.has_elevation:
        known = np.isfinite(elevation)
        if settings.elevation_optional and not _is_cartesian(columns, fields):
            known |= np.isnan(columns[fields.elevation])[~beam]  # but not one that cannot be
        finite &= known
    within = (r >= limits.min_range_m) & (r <= limits.max_range_m) & (r >= LEAST_RANGE_M)
    dropped["point not finite"] = int((~finite).sum())
    dropped["point out of range"] = int((finite & ~within).sum())
    scan.untimed = int((finite & within & ~timed).sum())
    return take_rows(scan, finite & within), +dropped


def _time_name(columns: Mapping[str, Floats], fields: FieldSettings) -> str | None:
    """Return the field of the points' own times, if there is one."""
    return _first(columns, fields.time, TIME_NAMES) if fields.time else None


def _time_offset(columns: Mapping[str, Floats], fields: FieldSettings, stamp_ns: int, n: int) -> Floats:
    """Return (N,) when each point was measured [s] after the stamp; NaN where its own time is unknown."""
    name = _time_name(columns, fields)
    if name is None:
        if fields.time not in ("auto", ""):
            raise _missing(fields.time, "fields.time names another, or auto")
        return np.zeros(n)
    raw = columns[name]
    known = raw[np.isfinite(raw)]
    if not len(known):
        return raw.copy()
    unit = fields.time_unit
    middle, stamp_s = float(np.median(known)), stamp_ns * 1e-9
    for scale in SCALES.values() if unit == "auto" else (SCALES[unit],):
        if abs(middle * scale - stamp_s) < DAY_S < abs(middle * scale):  # since 1970
            return raw * scale - stamp_s
    if unit == "auto":
        unit = "s" if name in SECONDS_NAMES or (known != np.rint(known)).any() else "ns"
    return raw * SCALES[unit]


def _sector(times: Floats, beam_times: Floats, azimuth: Floats) -> Sector:
    """Return what an antenna has looked at, from points without a range: beams in which nothing was detected.

    Args:
        times: of all points and beams [s] after the stamp.
        beam_times, azimuth: of the beams, less than half a turn from one to the next; the azimuth is NaN where nobody knows it.
    """
    begin, end = float(times.min()), float(times.max())
    known = np.isfinite(azimuth)
    order = np.argsort(beam_times[known])
    when, where = beam_times[known][order], np.unwrap(azimuth[known][order])
    if not len(when):
        return Sector(begin, end)
    span = float(when[-1] - when[0])
    rate = float(where[-1] - where[0]) / span if span > 0.0 else np.nan
    at_stamp = where[-1] - (rate * when[-1] if span > 0.0 else 0.0)
    return Sector(begin, end, float(wrapped(at_stamp)), rate)


def _position(columns: Mapping[str, Floats], settings: DetectionSettings, n: int) -> tuple[Floats, Floats, Floats]:
    """Return (range, azimuth, elevation), each (N,)."""
    f, has_elevation = settings.fields, settings.has_elevation
    if _is_cartesian(columns, f):
        for name in (f.x, f.y, *([f.z] if has_elevation else [])):
            if name not in columns:
                raise _missing(name, "fields.x, y and z name others, has_elevation: false needs no z")
        x, y = columns[f.x], columns[f.y]
        if not has_elevation:
            return np.hypot(x, y), np.arctan2(y, x), unknown(n)
        z = columns[f.z]
        ground = np.hypot(x, y)
        return np.hypot(ground, z), np.arctan2(y, x), np.arctan2(z, ground)
    for name in (f.range, f.azimuth, *([f.elevation] if has_elevation else [])):
        if name not in columns:
            raise _missing(name, "x, y, z or fields.range, azimuth and elevation give the position")
    unit = np.pi / 180.0 if f.angle_unit == "deg" else 1.0
    if f.angle_unit == "rad":
        check_radians(columns, f.azimuth, f.elevation)
    azimuth = _azimuth(columns, f)
    elevation = unknown(n)
    if has_elevation:
        elevation = _within(columns[f.elevation] * (unit * f.elevation_sign), MOST_ELEVATION)
    return columns[f.range].copy(), azimuth, elevation


def check_radians(columns: Mapping[str, Floats], azimuth: str, elevation: str) -> None:
    """Refuse angles that look like degrees: those of a few degrees would be put somewhere else, the others dropped.

    Args:
        columns: of a cloud.
        azimuth, elevation: names of its angles, where it has them.

    Raises:
        PointsError: too many of one of them are none in radians, and are some in degrees.
    """
    for name, most, most_deg in ((azimuth, 2.0 * np.pi, 360.0), (elevation, np.pi / 2.0, 90.0)):
        size = np.abs(columns.get(name, np.empty(0)))
        beyond = size[(size > most) & (size <= most_deg)]
        if len(beyond) >= DEGREES_LEAST and len(beyond) > DEGREES_SHARE * np.isfinite(size).sum():
            raise PointsError(
                IN_DEGREES,
                f"field '{name}' is up to {beyond.max():.4g}, and radians are expected: fields.angle_unit: deg says that they are"
                " degrees",
            )


def _azimuth(columns: Mapping[str, Floats], f: FieldSettings) -> Floats:
    """Return (N,) azimuths [rad]; NaN for what is none."""
    unit = np.pi / 180.0 if f.angle_unit == "deg" else 1.0
    return wrapped(_within(columns[f.azimuth] * (unit * f.azimuth_sign), MOST_AZIMUTH))


def _is_cartesian(columns: Mapping[str, Floats], f: FieldSettings) -> bool:
    """Tell whether the position is x, y, z."""
    return f.position == "cartesian" or (f.position == "auto" and f.x in columns)


def _snr(columns: Mapping[str, Floats], fields: FieldSettings, noise: Floats) -> Floats:
    """Return (N,) SNR in dB, NaN where the cloud does not say."""
    name = _first(columns, fields.snr, SNR_NAMES)
    if name is not None:
        return columns[name] if fields.snr_unit == "db" else decibels(columns[name])
    if fields.snr != "auto":
        raise _missing(fields.snr, "fields.snr names another, or auto")
    power = _first(columns, "auto", POWER_NAMES)
    # Power alone has no reference: it orders points but is no SNR.
    return columns[power] - noise if power is not None else unknown(len(noise))


def _variance(columns: Mapping[str, Floats], accuracy: AccuracySettings, n: int) -> Floats | None:
    """Return (N, 4) variances that the sensor states, NaN where it does not; None where it states none."""
    if accuracy.stated_errors == "ignore" or not any(name in columns for name in SIGMA_NAMES):
        return None
    sigma = np.column_stack([columns.get(name, unknown(n)) for name in SIGMA_NAMES])
    return np.where((sigma >= LEAST_SIGMA) & (sigma <= MOST_SIGMA), sigma, np.nan) ** 2


def _classes(columns: Mapping[str, Floats], n: int) -> Floats | None:
    """Return (N, N_CLASSES) class probabilities that the sensor states, NaN of classes that it does not; None: it states none."""
    if not any(name in columns for name in CLASS_FIELDS):
        return None
    return np.column_stack([columns.get(name, unknown(n)) for name in CLASS_FIELDS])


def _within(values: Floats, most: float) -> Floats:
    """Return values, with NaN for those that are larger than `most` either way."""
    out: Floats = np.where(np.abs(values) <= most, values, np.nan)
    return out


def _first(columns: Mapping[str, Floats], name: str, candidates: tuple[str, ...]) -> str | None:
    names = candidates if name == "auto" else (name,)
    return next((candidate for candidate in names if candidate in columns), None)


def _missing(name: str, cure: str) -> PointsError:
    return PointsError(MISSING_FIELD, f"the cloud has no field '{name}'; {cure}")
