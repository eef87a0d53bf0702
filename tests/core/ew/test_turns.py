# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""False targets before an antenna that sends its sectors as it turns: they are what they are in whole turns."""

import math
import tracemalloc

import numpy as np
import pytest
from scenes import detections_of

from aegis.core.ew.settings import EwSettings
from aegis.core.ew.turns import Turns
from aegis.core.ew.watch import Watch
from aegis.core.types import Detections, Sector

SIGMA = np.array([50.0, 0.003, 1.0, 1.0])
BEARING = 1.0


def sectors(turn_s, sector_s, seconds, *, static=0, false=0, from_s=math.inf, told=True, seed=1):
    """Yield the sectors of an antenna: some plots anywhere, some always on one bearing, and false ones there after a time."""
    rng, rate = np.random.default_rng(seed), 2 * np.pi / turn_s
    for k in range(round(seconds / sector_s)):
        begin, end = k * sector_s, (k + 1) * sector_s
        looked = rate * begin  # where it looked at the begin
        on_it = static + (false if begin >= from_s else 0)
        bearings = [looked + rng.uniform(0.0, rate * sector_s) for _ in range(rng.poisson(20.0 * sector_s / turn_s))]
        if (BEARING - looked) % (2 * np.pi) < rate * sector_s:
            bearings += [BEARING + rng.normal(0.0, 0.003) for _ in range(on_it)]
        azimuth = np.array([math.remainder(b, 2 * np.pi) for b in bearings])
        nan = np.full(len(azimuth), np.nan)
        d = detections_of(
            np.column_stack([rng.uniform(5e3, 60e3, len(azimuth)), azimuth, nan, nan]), end, sigma=SIGMA, sequence=k
        )
        if len(d):
            d.time_offset = np.mod(azimuth - looked, 2 * np.pi) / rate - sector_s
        d.sector = Sector(-sector_s, 0.0, looked + rate * sector_s, rate) if told else Sector(-sector_s, 0.0)
        yield d


def seen(given) -> tuple[list[float], int]:
    """Return when false targets were told, and in how many messages they were a signal."""
    watch, when, on = Watch(EwSettings()), [], 0
    for d in given:
        when += [d.stamp_ns * 1e-9 for signal in watch.take_detections(d) if signal.kind.name == "DECEPTION"]
        on += any(signal.kind.name == "DECEPTION" for signal in watch.signals)
    return when, on


@pytest.mark.parametrize("told", [True, False], ids=["markers", "plots alone"])
@pytest.mark.parametrize(("turn_s", "sector_s"), [(4.0, 1.0), (4.0, 4.0), (12.0, 1.0), (2.5, 0.25)])
def test_false_targets_are_found_within_three_turns_and_held(turn_s, sector_s, told):
    from_s, seconds = 30.0 * turn_s, 60.0 * turn_s
    when, on = seen(sectors(turn_s, sector_s, seconds, false=10, from_s=from_s, told=told))
    ((at),) = when
    assert from_s < at <= from_s + 3.0 * turn_s + sector_s
    assert on >= 0.9 * (seconds - from_s - 3.0 * turn_s) / sector_s


@pytest.mark.parametrize(("turn_s", "sector_s"), [(4.0, 1.0), (12.0, 1.0)])
def test_what_always_stands_on_one_bearing_is_none(turn_s, sector_s):
    assert seen(sectors(turn_s, sector_s, 60.0 * turn_s, static=8)) == ([], 0)


def test_a_turn_has_each_sector_once_at_its_own_time():
    turns = Turns()
    whole = [turn for d in sectors(6.0, 1.0, 60.0, static=3) if (turn := turns.take(d)) is not None]
    assert len(whole) == 10
    everything = list(sectors(6.0, 1.0, 60.0, static=3))
    for k, turn in enumerate(whole):
        mine = everything[6 * k : 6 * k + 6]
        assert sorted(turn.range) == sorted(np.concatenate([d.range for d in mine]))
        measured = [d.stamp_ns * 1e-9 + d.time_offset for d in mine]
        assert turn.stamp_ns * 1e-9 + turn.time_offset == pytest.approx(np.concatenate(measured), abs=1e-6)


def test_a_scan_of_all_directions_is_a_turn_and_a_pause_begins_anew():
    turns = Turns()
    scan: Detections = detections_of([[1000.0, 0.1, np.nan, np.nan]], 1.0)
    assert turns.take(scan) is scan
    parts = list(sectors(4.0, 1.0, 16.0))
    assert [turns.take(d) is not None for d in parts[:7]] == [False, False, False, True, False, False, False]
    # Then nothing for a while: what came before is of another turn.
    assert [turns.take(d) is not None for d in parts[11:15]] == [False, False, False, True]


def test_beams_that_have_one_time_each_are_turns_too():
    turns, beams = Turns(), 80
    found = []
    for k in range(10 * beams):
        looked = 2 * np.pi * k / beams
        d = detections_of([[1000.0, math.remainder(looked, 2 * np.pi), np.nan, np.nan]], 0.05 * k, sequence=k)
        d.sector = Sector(0.0, 0.0, looked, 2 * np.pi / (0.05 * beams))
        found += [len(turn) for turn in [turns.take(d)] if turn is not None]
    assert found == [beams + 1] + [beams] * 8  # the first turn ends where its first beam looked


def test_an_antenna_that_all_but_stands_or_whose_time_stands_still_is_not_remembered_for_ever():
    slow, stuck = Turns(), Turns()
    tracemalloc.start()
    for k in range(8_000):
        d = detections_of([], 0.1 * k, sequence=k)
        d.sector = Sector(-0.1, 0.0, 0.1, 1e-6)
        assert slow.take(d) is None
        d = detections_of([], 0.0, sequence=k)
        d.sector = Sector(0.0, 0.0, 0.1, 1.0)
        assert stuck.take(d) is None
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 15e6
