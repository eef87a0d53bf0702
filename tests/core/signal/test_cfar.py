# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Oracles: brute force and scipy's rank filter, binomial counts of false alarms and detections, symmetries."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage, stats

from aegis.core.signal import cfar_theory as theory
from aegis.core.signal.cfar import KINDS, Cfar, CfarWindow, Kind
from aegis.core.signal.cube import CubeError

WINDOW = CfarWindow(guard_range=1, guard_doppler=1, train_range=2, train_doppler=2)
SPAN = 7  # cells of this window in either direction: cells so far apart share no reference
RANK = 0.75


def noise_map(rng: np.random.Generator, channels: int, shape: tuple[int, int]) -> np.ndarray:
    """Return a sum over channels of exponential noise."""
    return rng.standard_exponential((channels, *shape), dtype=np.float32).sum(axis=0)


def scene(seed: int, channels: int, shape: tuple[int, int]) -> np.ndarray:
    """Return noise with a clutter edge and targets, some beside each other, up to 120 dB above it."""
    rng = np.random.default_rng(seed)
    power = noise_map(rng, channels, shape)
    power[shape[0] // 2 :] *= 20.0
    for level in np.logspace(1.0, 12.0, 24):
        row, column = rng.integers(shape[0]), rng.integers(shape[1])
        power[row, column] += level
        power[row, (column + 2) % shape[1]] += level / 30.0
    return power.astype(np.float32)


def brute(
    kind: Kind, window: CfarWindow, pfa: float, channels: int, power: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what multiplies alpha, times alpha, and the noise of every cell: one cell after the other, in float64."""
    ranges, dopplers = power.shape
    level, noise = np.empty(power.shape), np.empty(power.shape)
    for r in range(ranges):
        known = None  # the same all along a row
        for d in range(dopplers):
            before, behind = [], []
            for i in range(max(0, r - window.half_range), min(ranges, r + window.half_range + 1)):
                for e in range(-window.half_doppler, window.half_doppler + 1):
                    if abs(i - r) <= window.guard_range and abs(e) <= window.guard_doppler:
                        continue
                    (before if (i, e) < (r, 0) else behind).append(float(power[i, (d + e) % dopplers]))
            known = known or statistic(kind, window, pfa, channels, len(before), len(behind))
            alpha, mean, whole = known
            cells = before + behind
            if kind == "os":
                z = sorted(cells)[int(np.ceil(RANK * len(cells))) - 1]
            elif whole:
                halves = sum(before) / len(before), sum(behind) / len(behind)
                z = max(halves) if kind == "go" else min(halves)
            else:
                z = sum(cells) / len(cells)
            level[r, d], noise[r, d] = alpha * z, z * channels / mean
    return level, noise


@cache
def statistic(
    kind: Kind, window: CfarWindow, pfa: float, channels: int, before: int, behind: int
) -> tuple[float, float, bool]:
    """Return alpha, the mean of what it multiplies in noise of unit power, and whether the halves are compared."""
    count = before + behind
    whole = kind in ("go", "so") and 2 * min(before, behind) >= len(window.offsets()) / 2
    if kind == "os":
        found = theory.ordered(channels, count, int(np.ceil(RANK * count)))
    elif whole:
        found = (theory.greatest if kind == "go" else theory.smallest)(channels, before, behind)
    else:
        found = theory.average(channels, count)
    return found.alpha(pfa), found.mean, whole


def agrees(cfar: Cfar, power: np.ndarray) -> int:
    """Compare with brute force; return the number of detections."""
    level, noise = brute(cfar.kind, cfar.window, cfar.pfa, cfar.channels, power)
    row, column, estimate = cfar.detect(power)
    found = np.zeros(power.shape, bool)
    found[row, column] = True
    assert found.sum() == len(row)
    expected = (power > level) & (noise > 0.0)
    clear = abs(power / np.where(level > 0.0, level, 1.0) - 1.0) > 2e-6  # not within rounding of the threshold
    np.testing.assert_array_equal(found[clear], expected[clear])
    np.testing.assert_allclose(estimate, noise[row, column], rtol=2e-6)
    assert (np.diff(row * power.shape[1] + column) > 0).all()
    return len(row)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 8])
@pytest.mark.parametrize(
    ("window", "shape"),
    [
        (WINDOW, (40, 24)),
        (CfarWindow(2, 2, 4, 8), (30, 32)),
        (CfarWindow(0, 0, 3, 0), (33, 5)),  # along range only
        (CfarWindow(0, 1, 0, 6), (9, 17)),  # along Doppler only
        (CfarWindow(3, 0, 6, 2), (8, 11)),  # every row is cut at both edges
    ],
    ids=["small", "large", "range", "doppler", "cut"],
)
def test_same_as_brute_force(kind: Kind, channels: int, window: CfarWindow, shape: tuple[int, int]):
    cfar = Cfar(kind, window, 1e-2, channels, shape, RANK)
    assert sum(agrees(cfar, scene(seed, channels, shape)) for seed in range(2)) > 0


@pytest.mark.parametrize("kind", KINDS)
@given(power=hnp.arrays(np.float32, (9, 8), elements=st.sampled_from([0.0, 1.0, 1.0, 2.0, 3.0, 100.0, 1e12])))
@settings(max_examples=40)
def test_same_as_brute_force_with_ties_and_zeros(kind: Kind, power: np.ndarray):
    agrees(cached("small", kind), power)


@cache
def cached(name: str, kind: Kind) -> Cfar:
    """Return a detector that is made once."""
    return {
        "small": lambda: Cfar(kind, WINDOW, 0.05, 1, (9, 8), RANK),
        "square": lambda: Cfar(kind, WINDOW, 0.01, 4, (24, 20), RANK),
    }[name]()


@pytest.mark.parametrize("channels", [1, 12])
def test_os_is_scipys_rank_filter(channels: int):
    window, shape = CfarWindow(2, 2, 4, 8), (256, 128)
    power = scene(3, channels, shape)
    footprint = np.ones((13, 21), bool)
    footprint[4:9, 8:13] = False
    k = 186  # of 248
    padded = np.pad(power, ((0, 0), (10, 10)), mode="wrap")
    ordered = ndimage.rank_filter(padded, k - 1, footprint=footprint)[:, 10:-10]
    reference = theory.ordered(channels, 248, k)
    above = power > reference.alpha(1e-4) * ordered
    row, column, noise = Cfar("os", window, 1e-4, channels, shape, RANK).detect(power)
    inside = (row >= 6) & (row < 250)  # there the window is whole
    expected = np.argwhere(above[6:250])
    np.testing.assert_array_equal(np.stack([row, column], axis=1)[inside] - [6, 0], expected)
    assert len(expected) > 20
    np.testing.assert_allclose(noise[inside], ordered[row, column][inside] * channels / reference.mean, rtol=1e-6)


@pytest.mark.parametrize("kind", ["ca", "go", "so"])
def test_a_target_120_db_above_the_noise_leaves_no_rounding_error_behind(kind: Kind):
    rng = np.random.default_rng(5)
    power = noise_map(rng, 1, (60, 40))
    power[20, 10], power[5, 30] = 1e12, 1e11
    weak = [(20, 14), (20, 6), (24, 10), (28, 10), (59, 10), (9, 30), (5, 34)]
    for cell in weak:  # just outside of the strong ones' windows, and farther along
        power[cell] = 1e3
    power = power.astype(np.float32)
    row, column, noise = (cfar := Cfar(kind, WINDOW, 1e-3, 1, power.shape)).detect(power)
    _, exact = brute(kind, WINDOW, 1e-3, 1, power)
    found = dict(zip(zip(row.tolist(), column.tolist(), strict=True), noise.tolist(), strict=True))
    assert agrees(cfar, power) >= len(weak) + 2
    for cell in weak:
        assert found[cell] == pytest.approx(exact[cell], rel=1e-6)
        assert found[cell] < 1e3


def false_alarms(cfar: Cfar, rng: np.random.Generator, maps: int, cells: np.ndarray) -> int:
    """Return how many of these cells are detected in maps of noise."""
    count = 0
    for _ in range(maps):
        found = np.zeros(cfar.shape, bool)
        row, column, _ = cfar.detect(noise_map(rng, cfar.channels, cfar.shape))
        found[row, column] = True
        count += int(found[cells].sum())
    return count


def sparse(shape: tuple[int, int]) -> np.ndarray:
    """Return cells of which no two share a reference cell, all with a whole window: independent trials."""
    cells = np.zeros(shape, bool)
    cells[SPAN // 2 : shape[0] - SPAN // 2 : SPAN, : shape[1] - SPAN + 1 : SPAN] = True
    return cells


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 4, 8])
def test_false_alarm_rate(kind: Kind, channels: int):
    pfa, maps = 1e-3, 300
    cfar = Cfar(kind, WINDOW, pfa, channels, (70, 210))
    cells = sparse(cfar.shape)
    count = false_alarms(cfar, np.random.default_rng([KINDS.index(kind), channels]), maps, cells)
    low, high = stats.binom.interval(0.99, maps * int(cells.sum()), pfa)
    assert low <= count <= high


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", [0, 1, 2])
def test_false_alarm_rate_at_the_edges(kind: Kind, row: int):
    pfa, maps = 2e-3, 300
    cfar = Cfar(kind, WINDOW, pfa, 4, (SPAN, 2800))
    cells = np.zeros(cfar.shape, bool)
    cells[row, 0 : 2800 : 2 * SPAN] = True
    cells[-1 - row, SPAN : 2800 : 2 * SPAN] = True
    count = false_alarms(cfar, np.random.default_rng([10, KINDS.index(kind), row]), maps, cells)
    low, high = stats.binom.interval(0.99, maps * int(cells.sum()), pfa)
    assert low <= count <= high


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 8])
def test_noise_is_estimated_without_bias(kind: Kind, channels: int):
    # At a Pfa near 1 all cells but the weakest are detected, whatever their reference.
    cfar = Cfar(kind, WINDOW, 0.999, channels, (70, 210))
    rng = np.random.default_rng(channels)
    estimates = []
    for _ in range(20):
        row, column, noise = cfar.detect(3.0 * noise_map(rng, channels, cfar.shape))
        estimates.append(noise[sparse(cfar.shape)[row, column]])
    independent = np.concatenate(estimates)
    error = independent.std() / np.sqrt(len(independent))
    assert independent.mean() == pytest.approx(3.0 * channels, abs=4 * error + 0.01 * channels)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("swerling", [0, 1, 3])
@pytest.mark.parametrize("channels", [1, 4])
def test_pd_curve(kind: Kind, swerling: int, channels: int):
    pfa, maps, shape = 1e-3, 40, (70, 210)
    cfar = Cfar(kind, WINDOW, pfa, channels, shape)
    cells = sparse(shape)
    n = int(cells.sum())
    rng = np.random.default_rng([8, KINDS.index(kind), swerling, channels])
    half = len(WINDOW.offsets()) // 2
    exact = {
        "ca": lambda: theory.average(channels, 2 * half),
        "go": lambda: theory.greatest(channels, half, half),
        "so": lambda: theory.smallest(channels, half, half),
        "os": lambda: theory.ordered(channels, 2 * half, 3 * half // 2),
    }[kind]()
    points = np.array([2.0, 8.0, 20.0]) / np.sqrt(channels)
    hits = []
    for snr in points.tolist():
        count = 0
        for _ in range(maps):
            power = noise_map(rng, channels, shape)
            rcs = {0: np.ones(n), 1: rng.exponential(size=n), 3: rng.gamma(2.0, 0.5, n)}[swerling]
            noise = rng.normal(scale=np.sqrt(0.5), size=(channels, n, 2)).view(np.complex128)[..., 0]
            power[cells] = (abs(np.sqrt(snr * rcs) + noise) ** 2).sum(axis=0)
            row, column, _ = cfar.detect(power)
            count += int(cells[row, column].sum())
        hits.append(count)
    # All points together lie inside with probability 0.99.
    pd = exact.pd(points, exact.alpha(pfa), swerling)
    low, high = stats.binom.interval(1 - 0.01 / len(points), maps * n, pd)
    assert ((low <= hits) & (hits <= high)).all()
    assert pd[0] < 0.5 < pd[-1]


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-40, 40), shift=st.integers(0, 19))
@settings(max_examples=40)
def test_scale_changes_nothing_and_a_doppler_roll_rolls(kind: Kind, seed: int, exponent: int, shift: int):
    cfar = cached("square", kind)
    power = scene(seed, 4, cfar.shape)
    row, column, noise = cfar.detect(power)
    assert len(row) > 0
    for scaled, factor in ((power * np.float32(2.0**exponent), 2.0**exponent), (power.astype(np.float64), 1.0)):
        again = cfar.detect(scaled)
        np.testing.assert_array_equal(again[0], row)
        np.testing.assert_array_equal(again[1], column)
        np.testing.assert_array_equal(again[2], noise * factor)
    rolled_row, rolled_column, rolled_noise = cfar.detect(np.roll(power, shift, axis=1))
    order = np.lexsort(((column + shift) % 20, row))
    np.testing.assert_array_equal(rolled_row, row[order])
    np.testing.assert_array_equal(rolled_column, ((column + shift) % 20)[order])
    np.testing.assert_array_equal(rolled_noise, noise[order])


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_the_greater_half_is_at_least_the_mean_and_that_the_smaller(seed: int):
    power = scene(seed, 4, (24, 20))
    power[12, 7] = 1e20  # found by all
    raw = {}
    for kind in ("ca", "go", "so"):
        row, column, noise = cached("square", kind).detect(power)
        (here,) = np.flatnonzero((row == 12) & (column == 7))
        _, mean, _ = statistic(kind, WINDOW, 0.01, 4, 20, 20)
        raw[kind] = noise[here] * mean  # the statistic, before the bias was removed
    assert raw["go"] * (1 + 1e-6) >= raw["ca"] >= raw["so"] * (1 - 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_detector_saw_before_does_not_matter_and_the_map_is_only_read(kind: Kind):
    cfar = Cfar(kind, WINDOW, 1e-2, 2, (40, 24))
    power = scene(1, 2, (40, 24))
    power.setflags(write=False)
    before = cfar.detect(power)
    kept = [a.copy() for a in before]
    cfar.detect(scene(2, 2, (40, 24)))
    for again in (cfar.detect(power), cfar.detect(np.asfortranarray(power))):
        for a, b, c in zip(before, kept, again, strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(a, c)


@pytest.mark.parametrize("kind", KINDS)
def test_where_there_is_no_noise_there_is_no_detection(kind: Kind):
    cfar = Cfar(kind, WINDOW, 1e-3, 1, (40, 24))
    power = np.zeros((40, 24), np.float32)
    assert len(cfar.detect(power)[0]) == 0
    power[20, 10] = 1.0
    assert len(cfar.detect(power)[0]) == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1.0, 2e30])
def test_a_map_that_is_no_power_is_refused(kind: Kind, value: float):
    power = np.ones((9, 8), np.float32)
    power[4, 3] = value
    with pytest.raises(CubeError, match=r"in cell \(4, 3\); 0 to 1e\+30") as caught:
        cached("small", kind).detect(power)
    assert caught.value.reason == "power"
    power[4, 3] = 1e30
    cached("small", kind).detect(power)


def test_what_does_not_fit_is_refused():
    shape = (40, 24)
    for message, call in {
        "a map of float32 \\(24, 40\\); real values of shape \\(40, 24\\)": lambda: Cfar(
            "ca", WINDOW, 1e-3, 1, shape
        ).detect(np.ones((24, 40), np.float32)),
        "a map of complex64": lambda: Cfar("ca", WINDOW, 1e-3, 1, shape).detect(np.ones(shape, np.complex64)),
        "CFAR kind 'cash'; one of ca, go, so, os": lambda: Cfar("cash", WINDOW, 1e-3, 1, shape),
        "0 channels": lambda: Cfar("ca", WINDOW, 1e-3, 0, shape),
        "rank is 1.5": lambda: Cfar("os", WINDOW, 1e-3, 1, shape, 1.5),
        "pfa is 0": lambda: Cfar("os", WINDOW, 0.0, 1, shape),
        "is 25 cells wide in Doppler; the map has 24": lambda: Cfar("ca", CfarWindow(0, 4, 1, 8), 1e-3, 1, shape),
        "leaves row 2 of 5 without": lambda: Cfar("ca", CfarWindow(2, 0, 2, 0), 1e-3, 1, (5, 24)),
        "at most 30000": lambda: Cfar("ca", CfarWindow(0, 0, 100, 100), 1e-3, 1, (500, 500)),
        "a width is negative": lambda: CfarWindow(-1, 1, 1, 1),
        "has no reference cells": lambda: CfarWindow(1, 1, 0, 0),
    }.items():
        with pytest.raises(ValueError, match=message):
            call()
