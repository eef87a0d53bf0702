# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A simulated radar that turns, over objects whose ways are known: plots with times of their own, sector by sector.

No physics of echoes: each look finds an object with a probability, unless it is hidden for some turns, and errors are normal. Its
frame is east, north, up; the ground is flat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aegis.core.angles import wrapped
from aegis.core.evaluation.scene import TrueObject
from aegis.core.types import N_CLASSES, Detections, Floats, Sector, unknown

WHEN, RANGE, BEARING, HEIGHT, RANGE_RATE = range(5)  # columns of plots; bearing clockwise from north [rad]


@dataclass(frozen=True)
class TurningRadar:
    """What it does, and what it tells."""

    period_s: float
    max_range_m: float
    range_sigma_m: float
    azimuth_sigma_deg: float
    height_sigma_m: float
    pd: float
    false_per_turn: float
    highest_m: float  # of a false plot
    range_rate_sigma_mps: float = np.nan  # NaN: it measures none
    range_rate_span_mps: float = 200.0  # of false plots
    visible_s: float = 400.0  # misses come in runs too: how long an object is in sight on average,
    hidden_turns: float = 2.0  # and how long it is hidden then
    sector_s: float = 1.0  # that is sent at once

    @property
    def rate(self) -> float:
        """How fast it turns, clockwise [rad/s]."""
        return 2.0 * np.pi / self.period_s


def in_view(objects: Sequence[TrueObject], radar: TurningRadar) -> list[TrueObject]:
    """Return the objects, each with whether it is within the radar's range."""
    return [
        replace(one, in_view=np.asarray(np.linalg.norm(one.state[:, :3], axis=1) <= radar.max_range_m))
        for one in objects
    ]


def plots(
    objects: Sequence[TrueObject], radar: TurningRadar, span_s: tuple[float, float], rng: np.random.Generator
) -> Floats:
    """Return what the antenna meets, (P, 5), by time: when [s], range, bearing, height, range rate, as they are measured.

    Args:
        objects: their states a second or less apart, from the radar.
        radar: it looks north at the begin.
        span_s: begin and end [s]; rng: random numbers.
    """
    rows = []
    for one in objects:
        time = one.time_ns * 1e-9
        # The bearing that the antenna has reached less the object's: it meets it at whole turns.
        ahead = radar.rate * (time - span_s[0]) - np.unwrap(np.arctan2(one.state[:, 0], one.state[:, 1]))
        turns = 2.0 * np.pi * np.arange(np.ceil(ahead[0] / (2.0 * np.pi)), np.floor(ahead[-1] / (2.0 * np.pi)) + 1)
        when = np.interp(turns, ahead, time)
        state = np.column_stack([np.interp(when, time, one.state[:, k]) for k in range(6)])
        reach = np.linalg.norm(state[:, :3], axis=1)
        seen = (rng.random(len(when)) < radar.pd) & ~_hidden(len(when), radar, rng) & (reach <= radar.max_range_m)
        seen &= (span_s[0] <= when) & (when < span_s[1])
        closing = (state[:, :3] * state[:, 3:]).sum(axis=1) / reach
        rows.append(np.column_stack([when, reach, np.arctan2(state[:, 0], state[:, 1]), state[:, 2], closing])[seen])
    found = np.concatenate(rows)
    rate_sigma = 0.0 if np.isnan(radar.range_rate_sigma_mps) else radar.range_rate_sigma_mps
    sigma = [0.0, radar.range_sigma_m, np.radians(radar.azimuth_sigma_deg), radar.height_sigma_m, rate_sigma]
    found += rng.normal(size=found.shape) * sigma
    n = rng.poisson(radar.false_per_turn * (span_s[1] - span_s[0]) / radar.period_s)
    when, reach = rng.uniform(*span_s, n), radar.max_range_m * np.sqrt(rng.random(n))
    height = np.minimum(rng.uniform(0.0, radar.highest_m, n), 0.9 * reach)
    half = radar.range_rate_span_mps / 2.0
    false = np.column_stack([when, reach, radar.rate * (when - span_s[0]), height, rng.uniform(-half, half, n)])
    out = np.concatenate([found, false])
    return out[np.argsort(out[:, WHEN], kind="stable")]


def _hidden(n: int, radar: TurningRadar, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which of n looks find something in the way."""
    begins, length = rng.random(n) < radar.period_s / radar.visible_s, rng.geometric(1.0 / radar.hidden_turns, n)
    out = np.zeros(n, dtype=bool)
    for k in np.flatnonzero(begins):
        out[k : k + length[k]] = True
    return out


def sectors(plotted: Floats, radar: TurningRadar, span_s: tuple[float, float]) -> Iterator[Detections]:
    """Yield the detections of one sector after another; they say where the antenna has looked."""
    edges = np.arange(span_s[0], span_s[1] + 1e-9, radar.sector_s)
    first = np.searchsorted(plotted[:, WHEN], edges)
    measures_rate = not np.isnan(radar.range_rate_sigma_mps)
    for k, end in enumerate(edges[1:].tolist()):
        mine = plotted[first[k] : first[k + 1]]
        n, reach = len(mine), mine[:, RANGE]
        angle = np.full(n, np.radians(radar.azimuth_sigma_deg) ** 2)
        variance = [np.full(n, radar.range_sigma_m**2), angle, (radar.height_sigma_m / reach) ** 2, unknown(n)]
        if measures_rate:
            variance[3] = np.full(n, radar.range_rate_sigma_mps**2)
        looked = float(wrapped(np.array([np.pi / 2.0 - radar.rate * (end - span_s[0])]))[0])
        yield Detections(
            stamp_ns=round(end * 1e9), frame_id="radar", sequence=k + 1, sensor_id="radar", cartesian_accuracy=False,
            id=np.arange(1, n + 1), range=reach, azimuth=wrapped(np.pi / 2.0 - mine[:, BEARING]),
            elevation=np.arcsin(np.clip(mine[:, HEIGHT] / reach, -1.0, 1.0)),
            range_rate=mine[:, RANGE_RATE] if measures_rate else unknown(n), variance=np.column_stack(variance),
            snr_db=unknown(n), rcs_dbsm=unknown(n), noise_db=unknown(n), points=np.ones(n, dtype=np.int64),
            class_id=np.zeros(n, dtype=np.int64), confidence=np.zeros(n), class_probability=np.zeros((n, N_CLASSES)),
            time_offset=mine[:, WHEN] - end, sector=Sector(-radar.sector_s, 0.0, looked, -radar.rate),
        )  # fmt: skip
