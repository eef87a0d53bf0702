# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""CPU time of zone rules on a picture of many tracks, beside a plain numpy loop over the zones that only tells who is inside."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from aegis.bench import Row, three_digits
from aegis.core.threat.settings import ThreatSettings
from aegis.core.threat.zone_watch import ZoneWatch
from aegis.core.types import N_CLASSES, Floats, Tracks, TrackStatus

TRACKS, ZONES, CORNERS = 5000, 50, 12
SIDE_M = 40_000.0  # of the square in which they are
PICTURES = 40
KINDS = ("inside", "enter", "leave", "stay")


def zones_and_rules(rng: np.random.Generator, kinds: tuple[str, ...]) -> ThreatSettings:
    """Return random zones, each with one rule; the kinds in turn."""
    given: dict[str, object] = {}
    for k in range(ZONES):
        angle = np.sort(rng.uniform(0.0, 2.0 * np.pi, CORNERS))
        radius = rng.uniform(300.0, 3000.0) * rng.uniform(0.5, 1.0, CORNERS)
        x, y = rng.uniform(-SIDE_M / 2.0, SIDE_M / 2.0, 2)
        corners = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)
        given[f"zones.zone{k}.polygon"] = corners.ravel().tolist()
        given[f"zones.zone{k}.ceiling_m"] = 2000.0
        given[f"rules.rule{k}.zone"] = f"zone{k}"
        given[f"rules.rule{k}.when"] = kinds[k % len(kinds)]
    return ThreatSettings.load(given)  # type: ignore[arg-type]


def picture(rng: np.random.Generator, n: int) -> Tracks:
    """Return n tracks anywhere."""
    state = np.zeros((n, 6))
    state[:, :2] = rng.uniform(-SIDE_M / 2.0, SIDE_M / 2.0, (n, 2))
    state[:, 2], state[:, 3:5] = rng.uniform(0.0, 3000.0, n), rng.normal(0.0, 60.0, (n, 2))
    return Tracks(
        stamp_ns=0, frame_id="map", sequence=0, sensor_id="radar", track_id=np.arange(1, n + 1),
        status=np.full(n, int(TrackStatus.CONFIRMED)), state=state, covariance=np.tile(np.diag([400.0] * 3 + [4.0] * 3), (n, 1, 1)),
        class_id=np.zeros(n, np.int64), class_probability=np.full((n, N_CLASSES), 1.0 / N_CLASSES),
        existence_probability=np.ones(n), rcs_dbsm=np.zeros(n), age=np.ones(n), time_since_update=np.zeros(n), hits=np.full(n, 5),
    )  # fmt: skip


def numpy_loop(state: Floats, watch: ZoneWatch) -> Floats:
    """Return which tracks are in which zones: the crossing number, zone by zone, edge by edge, over all tracks."""
    x, y, z = state[:, :3].T
    out = np.zeros((len(watch.zones.names), len(state)), bool)
    for k, box in enumerate(watch.zones.box):
        corners = watch.zones.vertex[watch.zones.first[k] : watch.zones.first[k + 1]]
        for (ax, ay), (bx, by) in zip(corners, np.roll(corners, 1, axis=0), strict=True):
            with np.errstate(divide="ignore", invalid="ignore"):
                out[k] ^= ((ay > y) != (by > y)) & (x < ax + (y - ay) * (bx - ax) / (by - ay))
        out[k] &= (z >= box[4]) & (z <= box[5])
    return out


def run(runs: int) -> Iterator[Row]:
    """Measure `runs` times: the picture moves by a second each, and one in ten has a new track in the place of an old one."""
    for name, kinds in (("inside to stay", KINDS), ("cpa", ("cpa",)), ("entry", ("entry",))):
        ours: list[float] = []
        loops: list[float] = []
        changes = 0
        for seed in range(runs):
            rng = np.random.default_rng(seed)
            watch = ZoneWatch(settings := zones_and_rules(rng, kinds), settings.zones)
            tracks = picture(rng, TRACKS)
            for k in range(PICTURES):
                tracks.stamp_ns = k * 1_000_000_000
                tracks.state[:, :3] += tracks.state[:, 3:]
                if k % 10 == 9:
                    tracks.track_id = np.append(tracks.track_id[1:], tracks.track_id[-1] + 1)
                begin = time.process_time()
                changes += len(watch.step(tracks))
                ours.append(time.process_time() - begin)
            for _ in range(3):
                begin = time.process_time()
                numpy_loop(tracks.state, watch)
                loops.append(time.process_time() - begin)
        yield {
            "bench": "zones",
            "rules": name,
            "tracks": TRACKS,
            "zones": ZONES,
            "corners": CORNERS,
            "ms": three_digits(1e3 * float(np.median(ours))),
            "ms_p95": three_digits(1e3 * float(np.quantile(ours, 0.95))),
            "numpy_loop_inside_only_ms": three_digits(1e3 * float(np.median(loops))),
            "changes_a_picture": three_digits(changes / (runs * PICTURES)),
        }
