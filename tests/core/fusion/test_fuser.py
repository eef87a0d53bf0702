# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fusion of tracks against the filter that has all measurements, and its behaviour with orders, copies, and sources that die."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from fused_tracks import Kalman, process_noise, report, transition
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from aegis.core.fusion.fuser import Fuser
from aegis.core.fusion.settings import FusionSettings
from aegis.core.types import TrackStatus

SIGMA = 20.0
START = np.array([1000.0, 2000.0, 300.0, 50.0, -20.0, 1.0])
ALMOST_NO_NOISE = 1e-12
FAR = np.array([0.0, 5000.0, 0.0, 0.0, 0.0, 0.0])
P0 = np.diag([400.0, 400.0, 400.0, 25.0, 25.0, 25.0])


def fuser(q: float = 4.0, **given) -> Fuser:
    """A fuser that shows a picture after each report, of sources without bias."""
    sigma = float(np.sqrt(q))
    values = {
        "acceleration_sigma_mps2": sigma,
        "vertical_acceleration_sigma_mps2": sigma,
        "bias.mode": "off",
        "period_s": 0.0,
    }
    return Fuser(FusionSettings.load({**values, **given}))


def moved(x: np.ndarray, at: float) -> np.ndarray:
    return transition(at) @ x


def measured(rng: np.random.Generator, truth: np.ndarray, q: float, dt: float, times: int) -> Iterator[np.ndarray]:
    """Yield what is measured of an object that is pushed about, at so many times, dt apart."""
    push = np.linalg.cholesky(process_noise(dt, q))
    for k in range(times):
        if k:
            truth = transition(dt) @ truth + push @ rng.normal(size=6)
        yield truth[:3] + rng.normal(0.0, SIGMA, 3)


@pytest.mark.parametrize("q", [ALMOST_NO_NOISE, 4.0])
@pytest.mark.parametrize("sources", ["ab", "abc"])
def test_at_the_full_rate_it_is_the_filter_that_has_all_measurements(q, sources):
    """The same state and covariance as one filter of all sources' measurements, which come in turn."""
    rng = np.random.default_rng(1)
    fused, whole, own = fuser(q), Kalman(q), {name: Kalman(q) for name in sources}
    dt = 0.5
    for (k, z), name in zip(enumerate(measured(rng, START, q, dt, 24)), itertools.cycle(sources), strict=False):
        own[name].measure(k * dt, z, SIGMA)
        whole.measure(k * dt, z, SIGMA)
        picture = fused.step(report(name, k * dt, *own[name].tracks(), age=k * dt)).tracks
        if k >= 2 * len(sources):
            np.testing.assert_allclose(picture.state, whole.x, atol=1e-3)
            np.testing.assert_allclose(picture.covariance, [whole.P], rtol=1e-4, atol=1e-6)
            assert picture.sources == [",".join(sources)]


def test_at_a_reduced_rate_its_errors_are_as_it_says():
    """NEES of 100 objects within the 99.9 % band of chi-square; three filters at 4 Hz report once a second."""
    n, q, dt, end = 100, 4.0, 0.25, 20.0
    rng = np.random.default_rng(3)
    fused, own, last = fuser(q), {name: Kalman(q, n) for name in "abc"}, None
    truth = START + np.outer(np.arange(n), FAR)
    F, push = transition(dt), np.linalg.cholesky(process_noise(dt, q))
    for k in range(int(end / dt) + 1):
        if k:
            truth = truth @ F.T + rng.normal(size=(n, 6)) @ push.T
        for i, name in enumerate("abc"):
            own[name].measure(k * dt, truth[:, :3] + rng.normal(0.0, SIGMA, (n, 3)), SIGMA)
            if k >= 4 and k % 4 == i:
                last = fused.step(report(name, k * dt, *own[name].tracks(), age=k * dt)).tracks
    assert last.sources == ["a,b,c"] * n
    off = last.state - truth
    nees = np.einsum("ni,nij,nj->n", off, np.linalg.inv(last.covariance), off).mean()
    low, high = chi2.ppf([0.0005, 0.9995], 6 * n) / n
    assert low < nees < high
    Y = sum(np.linalg.inv(one.P) for one in own.values())
    naive = np.linalg.solve(Y, sum(np.linalg.solve(one.P, one.x.T) for one in own.values())).T - truth
    assert (
        np.einsum("ni,ij,nj->n", naive, Y, naive).mean() > high
    )  # wrong: the tracks have the object's own noise in common


@given(st.permutations(range(6)), st.data())
@settings(max_examples=30)
def test_without_process_noise_neither_order_nor_copies_matter(order, data):
    """Reports of sources that come in any order, and some of them again: the same track as in the order of time."""
    P = [P0 * (1.0 + k) for k in range(6)]
    rng = np.random.default_rng(5)
    said = [report(f"s{k}", 0.1 * k, (3, moved(START, 0.1 * k) + rng.normal(0.0, 3.0, 6), P[k])) for k in range(6)]
    in_time, shuffled = fuser(ALMOST_NO_NOISE), fuser(ALMOST_NO_NOISE)
    for one in said:
        in_time.step(one)
    for k in order:
        shuffled.step(said[k])
        again = data.draw(st.integers(0, 5))
        if shuffled.sources.get(f"s{again}"):
            assert shuffled.step(said[again]).dropped == "no later than its source's last one"
    end = [one.step(report("s0", 1.0, (3, moved(START, 1.0), P0 * 1e6))).tracks for one in (in_time, shuffled)]
    np.testing.assert_allclose(end[1].state, end[0].state, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(end[1].covariance, end[0].covariance, rtol=1e-6)
    assert end[0].sources == end[1].sources == ["s0,s1,s2,s3,s4,s5"]


def test_a_foreign_track_never_counts_twice():
    """Two foreign sources that say the same make no track surer than one of them; of our own they would."""
    for foreign in (True, False):
        one = fuser(**{f"sources.{name}.foreign": foreign for name in "ab"})
        for k in range(20):
            for i, name in enumerate("ab"):
                at = k + 0.1 * i
                picture = one.step(report(name, at, (1, moved(START, at), P0), age=float(k))).tracks
        ratio = np.diag(picture.covariance[0]) / np.diag(P0)
        assert (ratio >= 1.0 - 1e-6).all() == foreign


def test_a_tracker_of_two_sensors_is_one_source():
    one = fuser(**{"sources.site.sensors": ["left", "right"]})
    for k in range(10):
        picture = one.step(
            report(["left", "right"][k % 2], float(k), (1, moved(START, float(k)), P0), age=float(k))
        ).tracks
    assert picture.sources == ["site"]
    np.testing.assert_allclose(picture.covariance, [P0])


def test_a_source_that_dies_leaves_its_tracks_to_the_others_and_its_own_age():
    """One object seen by both, one by each alone: the first keeps its id, that of the dead source coasts, then is gone."""
    one = fuser(lost_after_s=2.0, coast_s=1.0, memory_s=30.0)
    both, of_a, of_b = START, START + FAR, START - FAR

    def say(name: str, at: float):
        alone = of_a if name == "a" else of_b
        tracks = [(k, moved(x, at), P0) for k, x in ((1, both), (2, alone))]
        return one.step(report(name, at, *tracks, age=at))

    for k in range(10):
        say("a", k * 0.5)
        picture = say("b", k * 0.5 + 0.2).tracks
    assert sorted(picture.sources) == ["a", "a,b", "b"]
    ids = dict(zip(picture.sources, picture.track_id.tolist(), strict=True))
    told, lost, shown = [], [], {}
    for k in range(10, 40):
        result = say("b", k * 0.5 + 0.2)
        told += result.lost_sources
        lost += result.lost.tolist()
        shown = dict(zip(result.tracks.track_id.tolist(), result.tracks.sources, strict=True))
    assert told == ["a"]
    assert lost == [ids["a"]]
    assert shown == {ids["a,b"]: "b", ids["b"]: "b"}
    back = say("a", 20.5)  # within memory_s: the same id again
    assert back.back == "a"
    assert dict(zip(back.tracks.track_id.tolist(), back.tracks.sources, strict=True))[ids["a"]] == "a"


def test_a_track_goes_from_one_source_to_another_under_one_id():
    """The object leaves one radar's view as it enters the other's; between them nobody sees it for three seconds."""
    one, ids, statuses = fuser(coast_s=5.0), set(), set()
    for k in range(60):
        at = k * 0.5
        name = "a" if at < 12.0 else "b"
        seen = [(1 if name == "a" else 90, moved(START, at), P0)] if not 12.0 <= at < 15.0 else []
        picture = one.step(report(name, at, *seen, age=max(0.0, at - 15.0))).tracks
        one.step(report("b" if name == "a" else "a", at + 0.1))
        ids |= set(picture.track_id.tolist())
        statuses |= set(picture.status.tolist())
    assert ids == {1}
    assert picture.sources == ["b"]
    assert statuses == {TrackStatus.CONFIRMED, TrackStatus.COASTING}


@pytest.mark.parametrize(("right", "wrong"), [("a", "b"), ("ac", "b"), ("ac", "bd"), ("acefgh", "bdi")])
def test_two_tracks_of_one_object_become_the_older_one(right, wrong):
    """What some sources hold far off at first comes bit by bit where the others' track is: one track, under the older's id."""
    one, picture = fuser(), None
    off = np.array([300.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    for k in range(25):
        for i, source in enumerate(right + wrong):
            at = k + 0.05 * i
            there = moved(START, at) + off * max(0.0, 1.0 - k / 12.0) * (source in wrong)
            picture = one.step(report(source, at, (1, there, P0), age=at)).tracks
        assert len(picture) == 2 or k >= 3
        assert len(picture) == 1 or k < 18
    assert picture.track_id.tolist() == [1]
    assert picture.sources == [",".join(sorted(right + wrong))]


def test_two_objects_that_a_source_tells_apart_stay_two():
    """They fly 25 m apart, which is little beside their errors; one source has both, three have one of them each."""
    one, beside = fuser(), np.array([0.0, 25.0, 0.0, 0.0, 0.0, 0.0])
    for k in range(30):
        at = float(k)
        both = [(1, moved(START, at), P0), (2, moved(START, at) + beside, P0)]
        picture = one.step(report("a", at, *both, age=at)).tracks
        for i, source in enumerate("bcd"):
            now = at + 0.1 * (i + 1)
            picture = one.step(report(source, now, (1, moved(START, now), P0), age=at)).tracks
        assert len(picture) == 2


def test_a_source_that_takes_another_object_for_its_own_does_not_take_the_track_with_it():
    one = fuser()
    x, y = START, START + FAR
    for k in range(12):
        at = float(k)
        one.step(report("a", at, (1, moved(x, at), P0), (2, moved(y, at), P0), age=at))
        swapped = (y, x) if k >= 6 else (x, y)
        tracks = [(i + 1, moved(each, at + 0.3), P0) for i, each in enumerate(swapped)]
        picture = one.step(report("b", at + 0.3, *tracks, age=at)).tracks
        np.testing.assert_allclose(picture.state[:2, :3], [moved(x, at + 0.3)[:3], moved(y, at + 0.3)[:3]], atol=1.0)
    assert picture.track_id.tolist() == [1, 2]
    assert picture.sources == ["a,b", "a,b"]


def test_reports_that_cannot_be_used_are_dropped_and_counted():
    one = fuser(latest_s=3.0)
    broken = P0.copy()
    broken[0, 0] = -1.0
    result = one.step(
        report("a", 10.0, (1, START, P0), (2, START + FAR, P0 * np.nan), (3, START - FAR, broken), (1, START, P0))
    )
    assert result.refused == 3
    assert result.tracks.track_id.tolist() == [1]
    assert one.step(report("b", 5.0, (1, START, P0))).dropped == "too late"
    result = one.step(report("a", 2.0, (1, START, P0)))  # its clock was set
    assert result.reset
    assert result.tracks.track_id.tolist() == [2]
    full = fuser(max_tracks=1).step(report("a", 0.0, (1, START, P0), (2, START + FAR, P0)))
    assert full.over_capacity == 1


def test_tentative_tracks_of_several_sources_confirm_each_other():
    one = fuser()
    for i, name in enumerate("ab"):
        picture = one.step(
            report(name, 0.1 * i, (1, moved(START, 0.1 * i), P0), status=int(TrackStatus.TENTATIVE))
        ).tracks
    assert picture.existence_probability == pytest.approx([0.99])
    assert picture.status.tolist() == [TrackStatus.CONFIRMED]
    one.step(report("a", 1.0))
    assert len(one.step(report("b", 1.1)).tracks) == 1  # as coasting
    other = fuser()
    other.step(report("a", 0.0, (1, START, P0), status=int(TrackStatus.TENTATIVE)))
    assert len(other.step(report("a", 1.0)).tracks) == 0  # was never confirmed


def test_which_of_two_a_track_is_is_not_guessed():
    """Two sources have two objects 25 m apart; what two others have comes to the middle between them, and has larger errors."""
    one, beside = fuser(), np.array([0.0, 25.0, 0.0, 0.0, 0.0, 0.0])
    off = np.array([300.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    for k in range(30):
        at = float(k)
        for i, source in enumerate("ac"):
            now = at + 0.1 * i
            one.step(report(source, now, (1, moved(START, now), P0), (2, moved(START, now) + beside, P0), age=at))
        for i, source in enumerate("bd"):
            now = at + 0.2 + 0.1 * i
            there = moved(START, now) + beside / 2.0 + off * max(0.0, 1.0 - k / 12.0)
            picture = one.step(report(source, now, (1, there, P0), age=at)).tracks
    assert sorted(picture.sources) == ["a,c", "a,c", "b,d"]


class LevelKalman(Kalman):
    """The tracker of a radar without elevation: what is known is over ground, and it states a height of 0 and no climb, surely."""

    def tracks(self) -> list[tuple]:
        x, P = self.x.copy(), self.P.copy()
        x[:, [2, 5]] = 0.0
        for axis, variance in ((2, 500.0**2), (5, 1e-6)):
            P[axis, :] = P[:, axis] = 0.0
            P[axis, axis] = variance
        return [(i + 1, each, P) for i, each in enumerate(x)]


def flat_part(x: np.ndarray, P: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    over_ground = [0, 1, 3, 4]
    return x[over_ground], P[np.ix_(over_ground, over_ground)]


@pytest.mark.parametrize("first", ["high", "flat"])
@pytest.mark.parametrize("climb", [0.0, 10.0, -60.0])
def test_a_source_without_heights_says_nothing_of_height_and_climb(first, climb):
    """Over ground it is the filter that has all measurements, in height the one that has those of the other source alone."""
    rng, q = np.random.default_rng(4), 4.0
    fused, ground, own = fuser(q), Kalman(q), {"high": Kalman(q), "flat": LevelKalman(q)}
    heights = Kalman(q)
    begin, dt = np.array([1000.0, 2000.0, 900.0, 50.0, -20.0, climb]), 0.5
    order = [first, *({"high", "flat"} - {first})]
    for (k, z), name in zip(enumerate(measured(rng, begin, q, dt, 40)), itertools.cycle(order), strict=False):
        own[name].measure(k * dt, z, SIGMA)
        ground.measure(k * dt, z, SIGMA)
        if name == "high":
            heights.measure(k * dt, z, SIGMA)
        picture = fused.step(report(name, k * dt, *own[name].tracks(), age=k * dt)).tracks
        if k >= 8:
            assert len(picture) == 1
            assert picture.sources == ["flat,high"]
            for found, wanted in zip(
                flat_part(picture.state[0], picture.covariance[0]), flat_part(ground.x[0], ground.P), strict=True
            ):
                np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-2)
            if name == "high":
                np.testing.assert_allclose(picture.state[0, [2, 5]], heights.x[0, [2, 5]], rtol=1e-3, atol=1e-2)
                np.testing.assert_allclose(
                    picture.covariance[0][np.ix_([2, 5], [2, 5])], heights.P[np.ix_([2, 5], [2, 5])], rtol=1e-3
                )


def test_sources_without_heights_stay_without_one_together():
    fused, own = fuser(), {"a": LevelKalman(4.0), "b": LevelKalman(4.0)}
    rng = np.random.default_rng(5)
    for k, name in zip(range(20), itertools.cycle("ab"), strict=False):
        own[name].measure(k * 0.5, moved(START, k * 0.5)[:3] + rng.normal(0.0, SIGMA, 3), SIGMA)
        picture = fused.step(report(name, k * 0.5, *own[name].tracks(), age=k * 0.5)).tracks
    assert picture.sources == ["a,b"]
    assert picture.state[0, [2, 5]].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(np.diag(picture.covariance[0])[[2, 5]], [500.0**2, 1e-6])
