"""From a sensor's named columns to a `Scan` in our units and signs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from aegis.core.angles import wrapped
from aegis.core.detection.settings import POWER_NAMES, RANGE_RATE_NAMES, SIGMA_NAMES, SNR_NAMES, DetectionSettings
from aegis.core.signal.equation import decibels
from aegis.core.types import Floats, Scan, take_rows, unknown


class PointsError(ValueError):
    """The columns cannot be read; `reason` is a short key for counting."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def read_points(
    columns: Mapping[str, Floats], settings: DetectionSettings, *, stamp_ns: int, frame_id: str, sequence: int
) -> tuple[Scan, Counter[str]]:
    """Return the scan and how many points were dropped, by reason.

    Args:
        columns: field name to (N,) values, as the sensor gives them.
        settings: names, units and signs of the fields.
        stamp_ns, frame_id, sequence: carried into the scan.

    Raises:
        PointsError: a field that the settings ask for is missing.
    """
    n = len(next(iter(columns.values()), ()))
    r, azimuth, elevation = _position(columns, settings, n)
    range_rate = unknown(n)
    if settings.has_doppler:
        name = _first(columns, settings.range_rate_field, RANGE_RATE_NAMES)
        if name is None:
            asked = " or ".join(RANGE_RATE_NAMES) if settings.range_rate_field == "auto" else settings.range_rate_field
            raise _missing(asked, columns, "range_rate_field names another, has_doppler: false says there is none")
        range_rate = columns[name] * settings.range_rate_scale
    noise = columns.get(settings.noise_field, unknown(n))
    rcs = columns.get(settings.rcs_field, unknown(n))
    if settings.rcs_unit == "m2":
        rcs = decibels(rcs)

    snr, variance = _snr(columns, settings, noise), _variance(columns, settings, n)
    scan = Scan(stamp_ns, frame_id, sequence, r, azimuth, elevation, range_rate, snr, rcs, noise, variance)
    dropped: Counter[str] = Counter()
    finite = np.isfinite(r) & np.isfinite(azimuth) & (np.isfinite(elevation) | (not settings.has_elevation))
    within = (r >= settings.min_range_m) & (r <= settings.max_range_m) & (r > 0.0)
    dropped["point not finite"] = int((~finite).sum())
    dropped["point out of range"] = int((finite & ~within).sum())
    return take_rows(scan, finite & within), +dropped


def _position(columns: Mapping[str, Floats], s: DetectionSettings, n: int) -> tuple[Floats, Floats, Floats]:
    """Return (range, azimuth, elevation), each (N,)."""
    cartesian = s.position == "cartesian" or (s.position == "auto" and s.x_field in columns)
    if cartesian:
        for name in (s.x_field, s.y_field, *([s.z_field] if s.has_elevation else [])):
            if name not in columns:
                raise _missing(name, columns, "x_field, y_field, z_field name others, has_elevation: false needs no z")
        x, y = columns[s.x_field], columns[s.y_field]
        if not s.has_elevation:
            return np.hypot(x, y), np.arctan2(y, x), unknown(n)
        z = columns[s.z_field]
        ground = np.hypot(x, y)
        return np.hypot(ground, z), np.arctan2(y, x), np.arctan2(z, ground)
    for name in (s.range_field, s.azimuth_field, *([s.elevation_field] if s.has_elevation else [])):
        if name not in columns:
            raise _missing(name, columns, "x, y, z or range_field, azimuth_field, elevation_field give the position")
    unit = np.pi / 180.0 if s.angle_unit == "deg" else 1.0
    azimuth = wrapped(columns[s.azimuth_field] * (unit * s.azimuth_sign))
    elevation = columns[s.elevation_field] * (unit * s.elevation_sign) if s.has_elevation else unknown(n)
    return columns[s.range_field].copy(), azimuth, elevation


def _snr(columns: Mapping[str, Floats], s: DetectionSettings, noise: Floats) -> Floats:
    """Return (N,) SNR in dB, NaN where the cloud does not say."""
    name = _first(columns, s.snr_field, SNR_NAMES)
    if name is not None:
        return columns[name] if s.snr_unit == "db" else decibels(columns[name])
    if s.snr_field != "auto":
        raise _missing(s.snr_field, columns, "snr_field names another, or auto")
    power = _first(columns, "auto", POWER_NAMES)
    # Power alone has no reference: it orders points but is no SNR.
    return columns[power] - noise if power is not None else unknown(len(noise))


def _variance(columns: Mapping[str, Floats], s: DetectionSettings, n: int) -> Floats | None:
    """Return (N, 4) variances that the sensor states, NaN where it does not; None where it states none."""
    if s.stated_errors == "ignore" or not any(name in columns for name in SIGMA_NAMES):
        return None
    sigma = np.column_stack([columns.get(name, unknown(n)) for name in SIGMA_NAMES])
    return np.where(sigma > 0.0, sigma, np.nan) ** 2


def _first(columns: Mapping[str, Floats], name: str, candidates: tuple[str, ...]) -> str | None:
    names = candidates if name == "auto" else (name,)
    return next((candidate for candidate in names if candidate in columns), None)


def _missing(name: str, columns: Mapping[str, Floats], cure: str) -> PointsError:
    return PointsError(
        "missing field", f"the cloud has no field '{name}' (of those asked for: {', '.join(columns)}); {cure}"
    )
