# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which detections say something of a track's class: those strong enough, and not jammed."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.classification.settings import TrackClassificationSettings
from aegis.core.classification.stated import log_ratios
from aegis.core.tracking.rows import Rows
from aegis.core.types import Detections, Floats, Ints

QUIET_STEP_DB = 0.5  # by which the usual level of a sensor's noise follows that of a scan
QUIET_QUANTILE = 0.25  # of the scans' levels is the usual one


class ClassLooks(NamedTuple):
    """What detections say, besides place and speed; arrays (D,)."""

    rcs: Floats  # [dBsm]
    snr: Floats  # [dB]
    counts: Floats  # 1 or 0
    stated: Floats  # (len(LOOK_STATED), D) log-likelihood ratios of the classes; NaN: it states nothing

    def take(self, index: Ints) -> ClassLooks:
        """Return the chosen ones."""
        return ClassLooks(*(values[..., index] for values in self))

    def merged(self, group: Ints, n: int) -> ClassLooks:
        """Return those of `n` objects whose detections are grouped."""
        counts: Floats = (np.bincount(group, self.counts, minlength=n) > 0.0).astype(np.float64)
        return ClassLooks(
            total_power(self.rcs, group, n),
            total_power(self.snr, group, n),
            counts,
            _mean_stated(self.stated, group, n),
        )

    def note(self, rows: Rows, found: Ints, detection: Ints) -> None:
        """Write what the detections (F,) say into the rows that they showed (F,)."""
        for name, values in zip(("look_rcs", "look_snr", "look_counts"), self[:3], strict=True):
            rows[name][found] = values[detection]
        rows.look_stated[:, found] = self.stated[:, detection]


def total_power(values: Floats, group: Ints, n: int) -> Floats:
    """Return the sum (n,) of powers (D,) [dB], of `n` objects whose detections are grouped: the echo is that of all parts."""
    out: Floats = 10.0 * np.log10(np.bincount(group, 10.0 ** (values / 10.0), minlength=n))
    return out


def _mean_stated(stated: Floats, group: Ints, n: int) -> Floats:
    """Return what `n` objects' detections state on average: those of one scan are one look."""
    said = np.isfinite(stated[0])
    if not said.any():
        return np.full((len(stated), n), np.nan)
    count = np.bincount(group[said], minlength=n)
    sums = np.array([np.bincount(group[said], row[said], minlength=n) for row in stated])
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)


def class_looks(d: Detections, quiet_db: float, settings: TrackClassificationSettings) -> tuple[ClassLooks, float]:
    """Return what detections say, and the sensor's usual noise level after them.

    Args:
        d: D detections.
        quiet_db: the usual level before; NaN where none is known.
        settings: from which SNR, and up to which rise of the noise, a look counts.
    """
    stated = np.isfinite(d.noise_db)
    level = float(np.median(d.noise_db[stated])) if stated.any() else math.nan
    if math.isnan(quiet_db):
        quiet_db = level
    elif level > quiet_db:
        quiet_db = min(level, quiet_db + QUIET_STEP_DB * QUIET_QUANTILE)
    elif level < quiet_db:
        quiet_db = max(level, quiet_db - QUIET_STEP_DB * (1.0 - QUIET_QUANTILE))
    weak = d.snr_db < settings.min_snr_db  # of NaN nothing is said
    jammed: NDArray[np.bool_] = d.noise_db > quiet_db + settings.max_noise_rise_db
    counts: Floats = np.where(weak | jammed, 0.0, 1.0)
    return ClassLooks(d.rcs_dbsm, d.snr_db, counts, log_ratios(d, settings.stated)), quiet_db
