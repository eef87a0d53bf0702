# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks of several radars' trackers fused once a second, beside one tracker of all detections, and beside what would be wrong.

Nothing is chosen on the seeds that are shown: the fusion runs on its defaults, the trackers too, but for the model of constant
velocity, which is how the objects move.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from rclpy.serialization import serialize_message
from scipy.stats import chi2
from tqdm import tqdm

from aegis.bench import Row, fusion_scene, multitarget, three_digits
from aegis.bench.fusion_scene import EPOCH_S, Radar, Scene
from aegis.core.fusion import information
from aegis.core.fusion.fuser import Fuser
from aegis.core.fusion.information import Estimate
from aegis.core.fusion.settings import FusionSettings
from aegis.core.fusion.source import estimate_of
from aegis.core.param_names import Leaf
from aegis.core.rows import take_rows
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import N_CLASSES, Floats, Ints, Tracks, TrackStatus, unknown
from aegis.ros.messages.picture import detections_to_msg, tracks_to_msg

RADARS = (2, 4, 10)
OBJECTS, DURATION_S, SETTLED_S = 20, 60.0, 20.0
EXCHANGE_S = 1.0
NEAR_M = 200.0  # an object farther from every track has none
NEES_EVERY_S = 5.0  # apart enough for errors to be other ones
FIRST_SEED = 1
HANDOVER_RADARS, HANDOVER_OBJECTS, HANDOVER_S = 4, 20, 600.0
SOURCES, TRACKS, HELD_BY = 48, 10_000, 2
WAYS = ("centralised", "fused", "naive", "intersection")
BETWEEN = ("centralised_between", "fused_between")  # half-way from one exchange to the next


@dataclass
class Scores:
    """What was found of one way to make the picture."""

    gospa: list[float] = field(default_factory=list)
    nees: list[float] = field(default_factory=list)

    def add(self, found: Estimate, truth: Floats, *, errors: bool) -> None:
        """Take a picture's confirmed tracks."""
        self.gospa.append(multitarget.gospa(truth[:, :2], found.x[:, :2]))
        if errors and len(found.x):
            apart = np.linalg.norm(truth[:, None, :2] - found.x[None, :, :2], axis=2)
            which = apart.argmin(axis=1)
            near = apart[np.arange(len(truth)), which] < NEAR_M
            off = found.x[which[near]] - truth[near]
            self.nees += np.einsum("ni,nij,nj->n", off, np.linalg.inv(found.P[which[near]]), off).tolist()


def run(runs: int) -> Iterator[Row]:
    """Yield a row for each number of radars, over `runs` seeds; one on hand-over, and one on the load of 48 sources."""
    for n in tqdm(RADARS, unit="rig", disable=None):
        yield rig(n, range(FIRST_SEED, FIRST_SEED + runs))
    yield handover(range(FIRST_SEED, FIRST_SEED + runs))
    yield load(runs)


def rig(radars: int, seeds: range, duration_s: float = DURATION_S, settled_s: float = SETTLED_S) -> Row:
    """Return a row: GOSPA, NEES and bytes of all ways on the same detections."""
    scores = {way: Scores() for way in (*WAYS, *BETWEEN)}
    sent = np.zeros(2)
    for seed in seeds:
        scene = fusion_scene.around(radars, OBJECTS, duration_s, seed)
        sent += _one(scene, seed, scores, settled_s)
    rms = {way: float(np.sqrt(np.mean(np.square(s.gospa)))) for way, s in scores.items()}
    nees = {way: float(np.mean(scores[way].nees)) / 6.0 for way in WAYS}
    count = len(scores["fused"].nees)
    low, high = (np.asarray(chi2.ppf([0.025, 0.975], 6 * count)) / (6 * count)).tolist()
    return {
        "bench": "fusion",
        "radars": radars,
        **{f"{way}_gospa_m": three_digits(value) for way, value in rms.items()},
        "gospa_ratio": round(rms["fused"] / rms["centralised"], 3),
        "gospa_ratio_between": round(rms["fused_between"] / rms["centralised_between"], 3),
        **{f"{way}_nees": three_digits(value) for way, value in nees.items()},
        "nees_band": [round(low, 3), round(high, 3)],
        "bytes_ratio": round(float(sent[1] / sent[0]), 3),
        "exchange_s": EXCHANGE_S,
        "seeds": [seeds.start, seeds.stop - 1],
        "seconds": duration_s,
        "objects": OBJECTS,
    }


def _one(scene: Scene, seed: int, scores: dict[str, Scores], settled_s: float) -> Floats:
    """Score one scene; return the bytes of all detections, and of the tracks that were exchanged."""
    central, rig = _Central(scene), _Rig(scene)
    sent, half = np.zeros(2), 0  # half seconds so far
    for now_s, radar, detections in scene.scans(np.random.default_rng(seed)):
        while now_s >= half * EXCHANGE_S / 2.0:
            at_s = half * EXCHANGE_S / 2.0
            if half % 2 == 0:
                sent[1] += rig.exchange()
            if at_s >= settled_s:
                _score(scores, scene.at(at_s), at_s, central, rig, at_exchange=half % 2 == 0)
            half += 1
        sent[0] += len(serialize_message(detections_to_msg(detections)))
        central.tracker.step(detections)
        rig.take(radar, rig.trackers[radar.name].step(detections).tracks)
    return sent


def _score(
    scores: dict[str, Scores], truth: Floats, at_s: float, central: _Central, rig: _Rig, *, at_exchange: bool
) -> None:
    """Score all ways right after an exchange, and two of them half-way to the next."""
    if not at_exchange:
        scores["centralised_between"].add(central.at(at_s), truth, errors=False)
        scores["fused_between"].add(rig.at(at_s), truth, errors=False)
        return
    errors = at_s % NEES_EVERY_S == 0.0
    scores["centralised"].add(central.at(at_s), truth, errors=errors)
    scores["fused"].add(rig.at(at_s), truth, errors=errors)
    scores["naive"].add(rig.combined(at_s, naive=True), truth, errors=errors)
    scores["intersection"].add(rig.combined(at_s, naive=False), truth, errors=errors)


def _settings(reach_m: float) -> dict[str, Leaf]:
    return {
        "motion.model": "cv",
        "motion.acceleration_sigma_mps2": fusion_scene.ACCELERATION_MPS2,
        "sensor.max_range_m": reach_m,
        "sensor.clutter_per_scan": fusion_scene.FALSE_ALARMS,
        "sensor.detection_probability": fusion_scene.DETECTION_PROBABILITY,
        "consistency.mode": "off",
    }


class _Central:
    """One tracker of all detections, which takes off the biases that it finds."""

    def __init__(self, scene: Scene) -> None:
        given: dict[str, Leaf] = {
            **_settings(scene.radars[0].reach_m),
            "registration.mode": "apply",
            "registration.reference": "r0",
        }
        self.tracker = Tracker(TrackingSettings.load(given))

    def at(self, now_s: float) -> Estimate:
        """Return its confirmed tracks at a time."""
        state = self.tracker.state
        rows = np.flatnonzero(state.tracks["confirmed"])
        mean, covariance = state.tracks.mean(rows)
        return _carried(Estimate(mean, covariance), now_s - (state.now_ns or 0) * 1e-9 + EPOCH_S)


class _Rig:
    """A tracker for each radar; what they hold is fused once a second."""

    def __init__(self, scene: Scene) -> None:
        settings = TrackingSettings.load(_settings(scene.radars[0].reach_m))
        self.trackers = {radar.name: Tracker(settings) for radar in scene.radars}
        places = {
            f"sources.{r.name}.sensor_{axis}": float(r.position[i]) for r in scene.radars for i, axis in enumerate("xy")
        }
        given: dict[str, Leaf] = {**places, "bias.reference": "r0", "bias.range_sigma_m": 20.0, "period_s": 0.0}
        self.fuser = Fuser(FusionSettings.load({**given, "acceleration_sigma_mps2": fusion_scene.ACCELERATION_MPS2}))
        self._last: dict[str, Tracks] = {}  # picture of each tracker
        self.picture: Tracks | None = None

    def take(self, radar: Radar, tracks: Tracks | None) -> None:
        """Take a tracker's picture."""
        if tracks is not None:
            self._last[radar.name] = tracks

    def exchange(self) -> int:
        """Send the last picture of each tracker, without tentative tracks; return their bytes."""
        sent = 0
        for tracks in self._last.values():
            confirmed = take_rows(tracks, np.flatnonzero(tracks.status != int(TrackStatus.TENTATIVE)))
            self.picture = self.fuser.step(confirmed).tracks or self.picture
            sent += len(serialize_message(tracks_to_msg(confirmed)))
        return sent

    def at(self, now_s: float) -> Estimate:
        """Return the fused tracks at a time."""
        if self.picture is None:
            return _none()
        rows = np.flatnonzero(self.picture.status != int(TrackStatus.TENTATIVE))
        return _carried(estimate_of(self.picture).rows(rows), now_s - self.picture.stamp_ns * 1e-9 + EPOCH_S)

    def combined(self, now_s: float, *, naive: bool) -> Estimate:
        """Return the sources' last tracks of the same objects, added up as if they were independent, or intersected one by one."""
        found: dict[int, Estimate] = {}
        for source in self.fuser.sources.values():
            if source.tracks is None:
                continue
            held = np.flatnonzero(source.link > 0)
            last = estimate_of(source.tracks).rows(held)
            shift, _ = self.fuser._biases.of(source.number, last.x)
            now = _carried(Estimate(last.x - shift, last.P), now_s - source.tracks.stamp_ns * 1e-9 + EPOCH_S)
            for i, link in enumerate(source.link[held].tolist()):
                one = now.rows(np.array([i]))
                if link not in found:
                    found[link] = one
                elif naive:
                    everything, _ = information.learned(one, one, np.zeros(1, np.bool_))
                    found[link], _ = information.absorbed(found[link], everything)
                else:
                    found[link] = information.intersected(found[link], one)
        if not found:
            return _none()
        return Estimate(np.concatenate([e.x for e in found.values()]), np.concatenate([e.P for e in found.values()]))


def _none() -> Estimate:
    return Estimate(np.empty((0, 6)), np.empty((0, 6, 6)))


def _carried(tracks: Estimate, dt: float) -> Estimate:
    noise = np.square([fusion_scene.ACCELERATION_MPS2, fusion_scene.VERTICAL_MPS2])
    return information.carried(tracks, np.full(len(tracks.x), dt), noise)


def handover(seeds: range, duration_s: float = HANDOVER_S) -> Row:
    """Return a row: how often an object's track has another id than before, as it goes from one radar's view to the next."""
    changes, hours, covered, looks = 0, 0.0, 0, 0
    for seed in seeds:
        scene = fusion_scene.in_a_row(HANDOVER_RADARS, HANDOVER_OBJECTS, duration_s, seed)
        rig, due_s = _Rig(scene), EXCHANGE_S
        last: Ints = np.zeros(HANDOVER_OBJECTS, np.int64)
        for now_s, radar, detections in scene.scans(np.random.default_rng(seed)):
            while now_s >= due_s:
                rig.exchange()
                due_s += EXCHANGE_S
                if due_s < SETTLED_S or rig.picture is None:
                    continue
                truth, found = scene.at(due_s - EXCHANGE_S), rig.at(due_s - EXCHANGE_S)
                ids = rig.picture.track_id[rig.picture.status != int(TrackStatus.TENTATIVE)]
                apart = np.linalg.norm(truth[:, None, :2] - found.x[None, :, :2], axis=2)
                which = apart.argmin(axis=1)
                near = apart[np.arange(len(truth)), which] < NEAR_M
                now = np.where(near, ids[which], last)
                changes += int(((now != last) & (last > 0)).sum())
                covered, looks, last = covered + int(near.sum()), looks + len(near), now
            rig.take(radar, rig.trackers[radar.name].step(detections).tracks)
        hours += HANDOVER_OBJECTS * (duration_s - SETTLED_S) / 3600.0
    return {
        "bench": "fusion",
        "case": "hand-over",
        "radars": HANDOVER_RADARS,
        "target_hours": three_digits(hours),
        "id_changes": changes,
        "id_changes_per_10_h": three_digits(10.0 * changes / hours),
        "covered": round(covered / looks, 4),
    }


def load(runs: int, tracks: int = TRACKS) -> Row:
    """Return a row: CPU time of a cycle in which each of 48 sources reports once, and a picture is made."""
    rng = np.random.default_rng(1)
    side = 1500.0 * np.sqrt(tracks)
    x = np.column_stack(
        [rng.uniform(0.0, side, (tracks, 2)), np.full(tracks, 1000.0), rng.normal(0.0, 80.0, (tracks, 3))]
    )
    x[:, 5] = 0.0
    order = np.argsort(x[:, 0])  # neighbours share sources
    share = -(-tracks // SOURCES)
    holds = [
        np.concatenate([order[(i + k) % SOURCES * share :][:share] for k in range(HELD_BY)]) for i in range(SOURCES)
    ]
    fuser = Fuser(FusionSettings.load({"period_s": EXCHANGE_S}))
    P, K = _steady()
    own = [x[held] + rng.normal(size=(len(held), 6)) @ np.linalg.cholesky(P).T for held in holds]
    spent, warm = [], 4
    for cycle in range(runs + warm):
        reports = []
        for i, held in enumerate(holds):
            at = cycle + 0.9 * i / SOURCES
            there = x[held]
            there[:, :3] += at * there[:, 3:]
            own[i][:, :3] += own[i][:, 3:] * (1.0 if cycle else at)
            own[i] += (there[:, :3] + rng.normal(0.0, 20.0, (len(held), 3)) - own[i][:, :3]) @ K.T
            reports.append(_report(f"s{i}", at, cycle, held + 1, own[i], P))
        begin = time.process_time()
        for report in reports:
            fuser.step(report)
        spent.append((time.process_time() - begin) * 1e3)
    kept = spent[warm:]
    return {
        "bench": "fusion",
        "case": "load",
        "sources": SOURCES,
        "tracks": len(fuser.system),
        "reported_tracks": sum(map(len, holds)),
        "ms_per_cycle": three_digits(float(np.median(kept))),
        "min": three_digits(min(kept)),
        "max": three_digits(max(kept)),
        "unit": "CPU ms",
        "threads": 1,
        "runs": runs,
    }


def _steady() -> tuple[Floats, Floats]:
    """Return the covariance and the gain that a track settles at, with a detection a second of 20 m along each axis."""
    P, H, K = np.eye(6) * 1e4, np.eye(3, 6), np.zeros((6, 3))
    for _ in range(200):
        P = _carried(Estimate(np.zeros((1, 6)), P[None]), 1.0).P[0]
        K = np.linalg.solve(H @ P @ H.T + 400.0 * np.eye(3), H @ P).T
        P = P - K @ H @ P
        P = (P + P.T) / 2.0
    return P, K


def _report(source: str, at_s: float, number: int, ids: Ints, x: Floats, P: Floats) -> Tracks:
    n, order = len(ids), np.argsort(ids)
    return Tracks(
        stamp_ns=round((EPOCH_S + at_s) * 1e9),
        frame_id="map",
        sequence=number,
        sensor_id=source,
        track_id=ids[order],
        status=np.full(n, int(TrackStatus.CONFIRMED)),
        state=x[order],
        covariance=np.tile(P, (n, 1, 1)),
        class_id=np.zeros(n, np.int64),
        class_probability=np.full((n, N_CLASSES), 1.0 / N_CLASSES),
        existence_probability=np.full(n, 0.99),
        rcs_dbsm=unknown(n),
        age=np.full(n, at_s + 10.0),
        time_since_update=np.zeros(n),
        hits=np.full(n, 10 + number, np.int64),
    )
