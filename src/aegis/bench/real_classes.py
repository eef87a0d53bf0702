# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What recorded objects are called by the classes that ship: people, road traffic, vessels, aircraft.

The network has learned from nothing of it. Each recording is followed twice: every class may be answered, also where the profile
knows better; and with the classes and priors that the profile ships. Ways recorded by AIS or an air traffic centre are seen by a
simulated antenna that turns: it tells neither RCS nor SNR. "Right" is the class that is there; UNKNOWN is no mistake.
"""

from __future__ import annotations

import io
import lzma
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from aegis.bench import BenchmarkError, Row, profile_scenes
from aegis.bench.profile_scenes import SHOWN
from aegis.bench.profiles import PERSONS, Profile
from aegis.bench.threat_recordings import AIS, CAT062, vessels
from aegis.bench.turning_radar import TurningRadar, plots, sectors
from aegis.core.classification.settings import ClassificationSettings
from aegis.core.detection.detector import Detector
from aegis.core.detection.points import read_points
from aegis.core.rows import take_rows
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import ClassId, Detections, Scan, Tracks, TrackStatus, unknown
from aegis.graph.decode import Capture
from aegis.models.store import track_model
from aegis.resources import config_file
from aegis.ros.messages.clouds import cloud_fields
from aegis.ros.messages.fields import stamp_of

RECORDINGS = Path("../shared/data")
WALKERS = "mmwave_people/mot.tar.xz"
TRAFFIC = "smartmicro_umrr96/Radar_data_recording.pcapng"
LOOKS = 10  # that a track has had before its class counts
SURE = 0.9
STANDS_MPS = 0.1  # of a walkers' point: slower ones are walls and tables
MOVES_MPS = 2.0  # of a track in traffic
COAST_RADAR = TurningRadar(2.5, 20e3, 15.0, 0.4, 1.0, 0.9, 5.0, 1.0)  # of a harbour; it tells no heights
SECONDS = 1500.0
EVERY = tuple(ClassId.__members__)

Scenes = Iterable[Detections]


def run(runs: int, recordings: Path = RECORDINGS) -> Iterator[Row]:
    """Yield two rows for each recording that is there; `runs` changes nothing, as there is nothing random but the antenna's errors.

    Raises:
        BenchmarkError: none is there.
    """
    found = 0
    for name, (file, profile, right, make) in _SOURCES.items():
        if not (recordings / file).exists():
            continue
        found += 1
        shipped = Profile.read(profile)
        for classes, told in (("every", _free(shipped)), ("the profile's", shipped)):
            yield {
                "bench": "real_classes",
                "recording": name,
                "profile": profile,
                "classes": classes,
                **_counted(told, right, make(recordings, told)),
            }
    if not found:
        raise BenchmarkError(f"{recordings} has none of the recordings; --recordings names the folder that has")


def _free(profile: Profile) -> Profile:
    """Return a profile in which every class may be answered, and is as common as the training took it to be."""
    every = ClassificationSettings(classes=EVERY)
    tracking = profile.tracking.classification.model_copy(update={"classes": EVERY, "priors": {}})
    return Profile(
        profile.detection.model_copy(update={"classification": every}),
        profile.tracking.model_copy(update={"classification": tracking}),
    )


def _counted(profile: Profile, right: ClassId, scans: Scenes) -> dict[str, object]:
    """Return what the tracks' pictures call them."""
    tracker = Tracker(profile.tracking, model=track_model(profile.tracking.classification).model)
    told: Counter[str] = Counter()
    sure, tracks_seen, moving_only = 0, set(), right is ClassId.VEHICLE
    for detections in scans:
        tracks = tracker.step(detections).tracks
        if tracks is None:
            continue
        for i in np.flatnonzero(_judged(tracks, moving_only=moving_only)).tolist():
            told[ClassId(int(tracks.class_id[i])).name] += 1
            tracks_seen.add(int(tracks.track_id[i]))
            best = int(np.argmax(tracks.class_probability[i]))
            sure += tracks.class_probability[i, best] > SURE and best not in (right, ClassId.UNKNOWN)
    n = max(1, told.total())
    wrong = told.total() - told[right.name] - told["UNKNOWN"]
    return {
        "is": right.name,
        "tracks": len(tracks_seen),
        "track_scans": told.total(),
        "right": round(told[right.name] / n, 3),
        "unknown": round(told["UNKNOWN"] / n, 3),
        "wrong": round(wrong / n, 3),
        "surely_wrong": round(sure / n, 3),
        "aircraft_or_missile": round((told["AIRCRAFT"] + told["MISSILE"]) / n, 3),
        "told": {name: round(count / n, 3) for name, count in told.most_common()},
    }


def _judged(tracks: Tracks, *, moving_only: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Tell which tracks count: confirmed, seen often enough, and in traffic moving."""
    out = (tracks.status == int(TrackStatus.CONFIRMED)) & (tracks.hits >= LOOKS)
    if moving_only:
        out &= np.linalg.norm(tracks.state[:, 3:5], axis=1) > MOVES_MPS
    return np.asarray(out)


def _person(activity: str) -> Callable[[Path, Profile], Scenes]:
    return lambda folder, told: profile_scenes.person(folder, activity, told.detection)


def _walkers(folder: Path, told: Profile) -> Scenes:
    """Yield the detections of several walkers before a 4D radar; what stands still is left out, as a radar with MTI does."""
    detector = Detector(told.detection)
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress((folder / WALKERS).read_bytes()))) as archive:
        names = [one for one in archive.getnames() if "/MOT/" in one and one.endswith(".txt")]
        for k, name in enumerate(sorted(names, key=lambda one: int(Path(one).stem))):
            content = archive.extractfile(name)
            assert content is not None  # a plain file
            table = np.loadtxt(content, ndmin=2)
            table = table[np.abs(table[:, 6]) > STANDS_MPS]
            n = len(table)
            # x is to the right and y ahead; azimuth from x.
            stamp_ns = round(int(Path(name).stem) / 30.0 * 1e9) if not n else round(table[0, 9] * 1e6)
            scan = Scan(
                stamp_ns=stamp_ns, frame_id=told.detection.frame_id, sequence=k + 1, range=table[:, 3],
                azimuth=np.arctan2(-table[:, 0], table[:, 1]), elevation=table[:, 5], range_rate=table[:, 6],
                snr_db=unknown(n), rcs_dbsm=unknown(n), noise_db=unknown(n),
            )  # fmt: skip
            if n:
                yield detector.step(take_rows(scan, np.flatnonzero(table[:, 3] > 0.1)))[0]


def _traffic(folder: Path, told: Profile) -> Scenes:
    """Yield the detections of a radar on a car in traffic; velocities are relative to the car."""
    detector, sequence = Detector(told.detection), 0
    capture = Capture(folder / TRAFFIC, "", config_file("smartmicro_umrr.yaml"), ())
    for time_ns, topic, message in capture.messages():
        if topic == "radar/points":
            sequence += 1
            columns = cloud_fields(message, told.detection.fields.names())
            stamp_ns = stamp_of(message) or time_ns
            scan, _ = read_points(
                columns, told.detection, stamp_ns=stamp_ns, frame_id=told.detection.frame_id, sequence=sequence
            )
            yield detector.step(scan)[0]


def _vessels(folder: Path, _: Profile) -> Scenes:
    """Yield the detections of a harbour's radar among vessels whose ways are those of AIS."""
    objects = [one for one in vessels(folder / AIS) if len(one.time_ns) > 1]
    begin = min(one.time_ns[0] for one in objects)
    objects = [replace(one, time_ns=one.time_ns - begin) for one in objects]
    ways = profile_scenes.joined(objects, (0.0, 0.0))
    span = (0.0, SECONDS)
    plotted = plots(ways, COAST_RADAR, span, np.random.default_rng(1))
    for one in sectors(plotted, COAST_RADAR, span):
        yield replace(one, elevation=unknown(len(one)))


_SOURCES: dict[str, tuple[str, str, ClassId, Callable[[Path, Profile], Scenes]]] = {
    **{
        f"radhar, {name}": (profile_scenes.PERSON.format(name), "automotive", ClassId.PERSON, _person(name))
        for name in PERSONS
    },
    "walkers": (WALKERS, "automotive", ClassId.PERSON, _walkers),
    "road traffic from a car": (TRAFFIC, "smartmicro_umrr", ClassId.VEHICLE, _traffic),
    "AIS": (AIS, "maritime_2d", ClassId.VESSEL, _vessels),
    "AIS, more of it shown": (AIS, "marine_video", ClassId.VESSEL, _vessels),  # its tracker looks 25 km far
    "CAT062": (
        CAT062, "atc_terminal", ClassId.AIRCRAFT,
        lambda folder, _: profile_scenes.air_traffic(folder, SHOWN, profile_scenes.TERMINAL, (0.0, 0.0), 101).detections,
    ),
}  # fmt: skip
