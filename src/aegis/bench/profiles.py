# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The profiles of config/ beside the defaults that know the same sensor: on what they were chosen on, and on what they were not.

"Defaults" are told the sensor's facts, as the profile's are: its view, misses, false alarms and errors (`tracking.sensor`, and
`detection` as a whole for the automotive radar); all else is as it ships.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from aegis.bench import BenchmarkError, Row, profile_scenes
from aegis.bench.profile_scenes import CHOSEN, SHOWN, UAV, Scene
from aegis.bench.threat_recordings import CAT062
from aegis.core import metrics
from aegis.core.detection.settings import DetectionSettings
from aegis.core.evaluation import errors
from aegis.core.evaluation.identity import id_changes, lives
from aegis.core.evaluation.matching import Kind, match, pairs, shown
from aegis.core.evaluation.scene import scene_at
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Detections, Tracks, TrackStatus
from aegis.graph.config import Parameters
from aegis.resources import config_file

RECORDINGS = Path("../shared/data")
PICTURES = 300  # that are judged of a scene, at most about
PERSONS = ("walk___20_walk_6", "jump___20_jump_4")
SEEDS = {CHOSEN: 1, SHOWN: 101}  # the first of each part


@dataclass(frozen=True)
class Profile:
    """What the nodes of a graph are told."""

    detection: DetectionSettings
    tracking: TrackingSettings

    @classmethod
    def read(cls, name: str) -> Profile:
        """Return that of config/`name`.yaml."""
        parameters = Parameters.read(config_file(f"{name}.yaml"), [])
        return cls(
            parameters.settings_as(DetectionSettings, "detection"), parameters.settings_as(TrackingSettings, "tracking")
        )

    def defaults(self) -> Profile:
        """Return the defaults, told what is known of the sensor."""
        accuracy = self.detection.accuracy.model_copy(
            update={"object_sigma_m": 0.0, "object_range_rate_sigma_mps": 0.0}
        )
        return Profile(
            DetectionSettings(accuracy=accuracy, limits=self.detection.limits), TrackingSettings(sensor=self.tracking.sensor)
        )  # fmt: skip


Make = Callable[[Profile, Path, str, int], Scene]  # of a profile, recordings, part and seed


def _air(radar: str, other: str) -> dict[str, Make]:
    """Return the scenes of a radar: the one to choose on, and others to show besides."""
    here, there = getattr(profile_scenes, radar), getattr(profile_scenes, other)
    return {
        "": lambda _, folder, part, seed: profile_scenes.air_traffic(folder, part, here, (0.0, 0.0), seed),
        f", {there.period_s:g} s a turn, elsewhere": lambda _, folder, part, seed: profile_scenes.air_traffic(
            folder, part, there, profile_scenes.OTHER_PLACE_M, seed
        ),
    }


# The first of each is what the profile was chosen on, the part "chosen" of it; all others are only shown.
SCENES: dict[str, dict[str, Make]] = {
    "atc_en_route": _air("EN_ROUTE", "OTHER_EN_ROUTE"),
    "atc_terminal": _air("TERMINAL", "OTHER_TERMINAL"),
    "drone_site": {"": lambda _, folder, part, seed: profile_scenes.drone_site(folder, part, seed)},
    "automotive": {"": lambda profile, _, part, seed: profile_scenes.street(part, seed, profile.detection)},
}


@dataclass(frozen=True)
class Score:
    """How good the pictures of a scene are."""

    gospa: float  # mean over the pictures [m]
    coverage: float  # share of the objects in view that a track showed, over all pictures
    rms_m: float
    within_95: float  # share of positions in their own 95 % ellipse
    id_changes: float
    false_tracks: float  # that showed nothing for most of their lives
    duplicates: float


def run(runs: int, recordings: Path = RECORDINGS, profiles: Sequence[str] = tuple(SCENES)) -> Iterator[Row]:
    """Yield rows for each profile: means over `runs` seeds, the profile's beside the defaults'.

    Raises:
        BenchmarkError: a recording is not there.
    """
    absent = [name for name in (CAT062, UAV) if not (recordings / name).is_file()]
    if absent:
        raise BenchmarkError(f"{recordings} has no {absent[0]}; --recordings names the folder that has")
    for name in tqdm(profiles, unit="profile", disable=None):
        profile = Profile.read(name)
        for k, (where, make) in enumerate(SCENES[name].items()):
            for part in (CHOSEN, SHOWN) if k == 0 else (SHOWN,):
                row: dict[str, object] = {"bench": "profiles", "profile": name, "part": part + where, "runs": runs}
                for prefix, told in (("", profile), ("defaults_", profile.defaults())):
                    scores = [
                        score(scene, follow(told, scene.detections))
                        for scene in (make(told, recordings, part, SEEDS[part] + seed) for seed in range(runs))
                    ]
                    row |= {prefix + key: _mean(scores, key) for key in Score.__dataclass_fields__}
                yield row
    if "automotive" in profiles:
        yield from _persons(recordings)


def _mean(scores: Sequence[Score], key: str) -> float:
    return float(f"{np.mean([getattr(one, key) for one in scores]):.4g}")


def _persons(recordings: Path) -> Iterator[Row]:
    """Yield in how many pictures one person is one track."""
    profile = Profile.read("automotive")
    ways = {
        "": profile,
        "defaults_": profile.defaults(),
        "nothing_told_": Profile(DetectionSettings(), TrackingSettings()),
    }
    for activity in PERSONS:
        row: dict[str, object] = {"bench": "profiles", "profile": "automotive", "part": f"shown, {activity}"}
        for prefix, told in ways.items():
            pictures = follow(told, profile_scenes.person(recordings, activity, told.detection))
            counts = np.array([int((one.status != TrackStatus.TENTATIVE).sum()) for one in pictures])
            row[f"{prefix}one_track"] = round(float((counts == 1).mean()), 3)
        yield row


def follow(profile: Profile, detections: Sequence[Detections]) -> list[Tracks]:
    """Return the pictures of the tracker; a scan that is dropped makes none."""
    tracker = Tracker(profile.tracking)
    return [tracks for tracks in (tracker.step(one).tracks for one in detections) if tracks is not None]


def score(scene: Scene, pictures: Sequence[Tracks]) -> Score:
    """Return the score of pictures, some of them. What shows an object out of view is neither right nor wrong."""
    believed = [shown(one) for one in pictures[:: max(1, len(pictures) // PICTURES)]]
    truth = scene_at(scene.objects, np.array([one.stamp_ns for one in believed], dtype=np.int64), 2.0)
    matches = match(truth, believed, scene.gate_m)
    found = pairs(truth, believed, matches)
    off = errors.errors(found)
    totals = [
        metrics.gospa(
            truth.state[k, truth.in_view[k], :2], one.state[how.kind != Kind.OUT_OF_VIEW, :2], c=scene.gate_m
        ).total
        for k, (one, how) in enumerate(zip(believed, matches, strict=True))
    ]
    kinds = [life.kind for life in lives(believed, matches, found)]
    return Score(
        gospa=float(np.mean(totals)),
        coverage=len(found) / max(1, int(truth.in_view.sum())),
        rms_m=errors.rms(off.ground)[0],
        within_95=errors.nees_summary(off.nees).within_95,
        id_changes=float(sum(id_changes(found, len(truth.id))[1])),
        false_tracks=float(kinds.count(Kind.FALSE)),
        duplicates=float(kinds.count(Kind.DUPLICATE)),
    )
