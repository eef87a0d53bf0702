# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recorded traffic as pictures: vessels (AIS), aircraft of an air traffic centre (CAT062), about places drawn near their ways.

What is recorded is taken for the tracks, with errors added; what a classifier would say of them is assumed to be mostly right.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asterix.generated as specifications
import numpy as np
import pymap3d
from asterix.base import Bits, ParsingMode

from aegis.bench import BenchmarkError
from aegis.core.evaluation.scene import Scene, TrueObject, scene_at
from aegis.core.site import Site
from aegis.core.threat.settings import Asset
from aegis.core.types import N_CLASSES, ClassId, Tracks, TrackStatus
from aegis.drivers.asterix_files import FINAL_FOOTER, FINAL_HEADER
from aegis.drivers.asterix_records import FLIGHT_LEVEL_M, TICK_NS, datablocks
from aegis.graph.evaluation.truth_files import read_truth

AIS, CAT062 = (
    "stonesoup_demos/SolentAIS_20160112_130211.csv",
    "cat062_30min/final_frame_062_065_large_packet_30min.ff.gz",
)
STEP_S = 2.0
LONGEST_GAP_S = {AIS: 60.0, CAT062: 15.0}
PLACES = 10  # for which the traffic is assessed, each by itself
OFF_M = (300.0, 3000.0)  # how far a place is from a point of somebody's way
AROUND_M = 30_000.0  # what is farther from the place is not in its picture
POSITION_SIGMA_M, VELOCITY_SIGMA_MPS = 20.0, 1.0
SURE = 0.6  # probability of the right class
_SEED = 5


@dataclass(frozen=True)
class RecordedScene:
    """The traffic about one place."""

    asset: Asset
    tracks: list[Tracks]
    hours: float
    entered: dict[int, list[float]]  # track id to the times at which it enters the asset [s]


def recorded(folder: Path) -> Iterator[tuple[str, Iterator[RecordedScene]]]:
    """Yield a name and the scenes of each recording that the folder has.

    Raises:
        BenchmarkError: it has none.
    """
    found = [(name, file) for name, file in (("AIS", AIS), ("air traffic", CAT062)) if (folder / file).exists()]
    if not found:
        raise BenchmarkError(f"{folder} has neither {AIS} nor {CAT062}")
    for name, file in found:
        path = folder / file
        objects = vessels(path) if file == AIS else aircraft(path)
        yield name, _scenes(objects, ClassId.VESSEL if file == AIS else ClassId.AIRCRAFT, LONGEST_GAP_S[file])


def vessels(path: Path) -> list[TrueObject]:
    """Return the vessels of a recording of AIS, at sea level."""
    objects = read_truth(path, site=Site(50.78, -1.1, 0.0), near_ns=0).objects
    for one in objects:  # heights above the ellipsoid come to metres below the site's plane, far away
        one.state[:, 2], one.state[:, 5] = 0.0, 0.0
    return objects


def aircraft(path: Path) -> list[TrueObject]:
    """Return the tracks of CAT062 records: I062/070 time, 040 number, 105 place, 185 velocity, 136 flight level."""
    read = specifications.Cat_062_1_20.cv_record
    rows: dict[int, dict[int, list[float]]] = {}
    data = gzip.decompress(path.read_bytes())
    begin = 0
    while begin + FINAL_HEADER < len(data):
        length = int.from_bytes(data[begin : begin + 2], "big")
        content = data[begin + FINAL_HEADER : begin + length - len(FINAL_FOOTER)]
        begin += length
        for category, block in datablocks(content):
            rest = Bits.from_bytes(block)
            while category == 62 and len(rest):
                record, rest = read.parse(ParsingMode.StrictParsing, rest)
                time, number, place, velocity, level = (record.get_item(x) for x in ("070", "040", "105", "185", "136"))
                if None in (time, number, place, velocity, level):
                    continue
                degree = [place.variation.get_item(x).variation.content.as_quantity("°") for x in ("LAT", "LON")]
                speed = [velocity.variation.get_item(x).variation.content.as_quantity("m/s") for x in ("VX", "VY")]
                height = level.variation.content.as_quantity("FL") * FLIGHT_LEVEL_M
                rows.setdefault(number.as_uint(), {})[time.as_uint()] = [*degree, height, *speed]
    site = np.median([row[:2] for track in rows.values() for row in track.values()], axis=0)
    out = []
    for number, track in rows.items():
        ticks = sorted(track)
        if len(ticks) < 3:
            continue
        latitude, longitude, height, vx, vy = np.array([track[t] for t in ticks]).T
        east, north, _ = pymap3d.geodetic2enu(latitude, longitude, 0.0 * height, *site, 0.0)
        climb = np.gradient(height, np.array(ticks) * TICK_NS * 1e-9)
        state = np.stack([east, north, height, vx, vy, climb], axis=1)
        stamps = np.array(ticks, np.int64) * TICK_NS
        out.append(TrueObject(number, str(number), int(ClassId.AIRCRAFT), stamps, state, np.ones(len(ticks), bool)))
    return out


def _scenes(objects: list[TrueObject], class_id: ClassId, gap_s: float) -> Iterator[RecordedScene]:
    rng = np.random.default_rng(_SEED)
    begin, end = min(o.time_ns[0] for o in objects), max(o.time_ns[-1] for o in objects)
    scene = scene_at(objects, np.arange(begin, end, round(STEP_S * 1e9)), gap_s)
    whens, whos = np.nonzero(scene.there)
    low = np.flatnonzero(
        scene.state[whens, whos, 2] < 2000.0
    )  # nobody protects a place against what is above it at 10 km
    for k in rng.choice(low if len(low) else np.arange(len(whens)), PLACES, replace=False):
        angle, off = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(*OFF_M)
        x, y = scene.state[whens[k], whos[k], :2] + off * np.array([np.cos(angle), np.sin(angle)])
        yield _about(scene, Asset(x=float(x), y=float(y)), class_id, rng)


def _about(scene: Scene, asset: Asset, class_id: ClassId, rng: np.random.Generator) -> RecordedScene:
    """Return the pictures of what is around an asset."""
    offset = scene.state[:, :, :3] - np.array([asset.x, asset.y, asset.z])
    distance = np.where(scene.there, np.linalg.norm(np.nan_to_num(offset), axis=2), np.inf)
    stamps = (scene.time_ns * 1e-9).tolist()
    entered = {
        i + 1: [stamps[s] for s in np.flatnonzero(distance[:, i] <= asset.radius_m)] for i in range(len(scene.id))
    }
    pictures = [_picture(scene, s, np.flatnonzero(distance[s] <= AROUND_M), class_id, rng) for s in range(len(stamps))]
    return RecordedScene(asset, pictures, scene.hours, entered)


def _picture(scene: Scene, s: int, index: np.ndarray, class_id: ClassId, rng: np.random.Generator) -> Tracks:
    n = len(index)
    probability = np.full((n, N_CLASSES), (1.0 - SURE) / (N_CLASSES - 1))
    probability[:, class_id] = SURE
    sigma = np.array([POSITION_SIGMA_M] * 3 + [VELOCITY_SIGMA_MPS] * 3)
    state = np.nan_to_num(scene.state[s, index]) + rng.normal(size=(n, 6)) * sigma
    return Tracks(
        stamp_ns=int(scene.time_ns[s]), frame_id="map", sequence=s, sensor_id="radar", track_id=index + 1,
        status=np.full(n, int(TrackStatus.CONFIRMED)), state=state,
        covariance=np.broadcast_to(np.diag(sigma**2), (n, 6, 6)).copy(), class_id=np.zeros(n, np.int64),
        class_probability=probability, existence_probability=np.ones(n), rcs_dbsm=np.zeros(n), age=np.ones(n),
        time_since_update=np.zeros(n), hits=np.full(n, 5),
    )  # fmt: skip
