# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pulse trains taken apart, emitters named; places where strobes cross; burn-through range."""

import dataclasses

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from aegis.core.ew.burn_through import burn_through_range, range_share
from aegis.core.ew.descriptors import Pulses
from aegis.core.ew.emitters import EmitterMonitor, library_of, named
from aegis.core.ew.fix import cross_fix
from aegis.core.ew.pulses import candidates, deinterleave
from aegis.core.ew.settings import EwSettings, PulseSettings
from aegis.core.params import ConfigError
from aegis.resources import config_file
from aegis.ros.stages.ew import emitter_library

INTERVALS = (1e-3, 2**0.5 * 1e-3, 5**0.5 * 1e-3)


def trains(rng, jitter, missing, intervals=INTERVALS, duration=0.1):
    """Return (N,) times of arrival, each interval uniformly jittered, and (N,) whose they are."""
    times, owner = [], []
    for k, interval in enumerate(intervals):
        gaps = interval * (1 + jitter * rng.uniform(-1, 1, int(2 * duration / interval)))
        t = rng.uniform(0, interval) + np.cumsum(gaps)
        t = t[(t < duration) & (rng.random(len(t)) >= missing)]
        times.append(t)
        owner += [k] * len(t)
    return np.concatenate(times), np.array(owner)


def found(toa) -> list[bool]:
    """Tell of each interval whether a train has it within 2 %, and last whether there are no others."""
    got, _ = deinterleave(toa, 2e-4, 5e-3)
    hits = [any(abs(train.interval_s / interval - 1) < 0.02 for train in got) for interval in INTERVALS]
    return [*hits, len(got) == 3]


@pytest.mark.parametrize(("jitter", "missing"), [(0.0, 0.0), (0.01, 0.05), (0.03, 0.1)])
def test_three_emitters_are_all_found_to_3_percent_jitter_and_10_percent_missing(jitter, missing):
    rng = np.random.default_rng(1)
    for _ in range(4):
        assert all(found(trains(rng, jitter, missing)[0]))


def test_at_5_percent_jitter_and_20_percent_missing_some_are():
    rng = np.random.default_rng(2)
    shares = np.mean([found(trains(rng, 0.05, 0.2)[0])[:3] for _ in range(6)], axis=0)
    assert shares.mean() > 0.5


def test_pulses_are_given_to_their_emitters():
    rng = np.random.default_rng(3)
    toa, owner = trains(rng, 0.01, 0.05)
    shuffled = rng.permutation(len(toa))
    got, rest = deinterleave(toa[shuffled], 2e-4, 5e-3)
    right = sum(
        (owner[shuffled][train.pulses] == np.bincount(owner[shuffled][train.pulses]).argmax()).sum() for train in got
    )
    assert right > 0.9 * len(toa)
    assert len(rest) + sum(len(train.pulses) for train in got) == len(toa)
    for train in got:
        assert train.jitter < 0.02  # 0.006, and what a wrong pulse adds


def test_pulses_by_chance_are_no_train():
    rng = np.random.default_rng(4)
    assert sum(len(deinterleave(np.sort(rng.uniform(0, 0.1, 200)), 2e-4, 5e-3)[0]) for _ in range(4)) == 0


def test_an_interval_is_not_taken_for_its_multiples():
    toa = 1e-3 * np.arange(100.0)
    assert candidates(toa, 2e-4, 5e-3)[0] == pytest.approx(1e-3, rel=0.08)  # half the width of a bin
    ((train,), rest) = deinterleave(toa, 2e-4, 5e-3)
    assert train.interval_s == pytest.approx(1e-3)
    assert len(rest) == 0


def pulses(toa, stamp_ns=0, frequency=9.41e9, width=0.25e-6, azimuth=0.5) -> Pulses:
    one = np.ones(len(toa))
    return Pulses(stamp_ns, "esm", 1, "esm", toa, one * frequency, one * width, -one, one * azimuth, one * 0.02)


def library():
    return emitter_library("emitters")


def test_an_emitter_is_heard_named_and_ends():
    monitor = EmitterMonitor(PulseSettings(), library())
    rng = np.random.default_rng(5)
    new = []
    for k in range(10):
        toa, _ = trains(rng, 0.01, 0.1, (0.8e-3,))
        new += monitor.step(pulses(toa, k * 10**9))
    (signal,) = new
    assert signal.emitter == "marine_radar_x_band"
    assert (signal.frequency, signal.kind.name) == (9.41e9, "EMITTER")
    assert signal.bearing == pytest.approx(0.5)
    assert [s.id for s in monitor.signals] == [signal.id]
    monitor.step(pulses(np.empty(0), 30 * 10**9))
    assert monitor.signals == []


@pytest.mark.parametrize("band_hz", [0.0, 50e6, 200e6, 1e9])
@pytest.mark.parametrize("carriers", [8, 1000])
def test_an_emitter_that_hops_from_pulse_to_pulse_is_one(band_hz, carriers):
    """Its carriers are drawn anew for each pulse; beside it is another radar of the same interval, 2 GHz higher."""
    monitor, rng, new = EmitterMonitor(PulseSettings(), library()), np.random.default_rng(8), []
    for k in range(60):
        mine, other = 1e-3 * np.arange(50.0), 0.4e-3 + 1e-3 * np.arange(50.0)
        hops = 9.0e9 + band_hz * (rng.integers(0, carriers, 50) / carriers - 0.5)
        new += monitor.step(
            pulses(np.concatenate([mine, other]), k * 10**9, np.concatenate([hops, np.full(50, 11e9)]), 0.25e-6)
        )
        assert len(monitor.signals) == 2
    assert len(new) == 2
    agile = min(new, key=lambda signal: signal.frequency)
    assert ("agile" in agile.evidence) == (band_hz > 20e6)
    assert abs(agile.frequency - 9.0e9) <= 0.5 * band_hz


def test_of_an_agile_emitter_all_carriers_have_to_fit_its_name():
    """A marine radar stays from 9.3 to 9.5 GHz."""
    rng = np.random.default_rng(9)
    for band_hz, name in ((0.15e9, "marine_radar_x_band"), (0.6e9, "")):
        carriers = 9.4e9 + band_hz * rng.uniform(-0.5, 0.5, 100)
        (signal,) = EmitterMonitor(PulseSettings(), library()).step(pulses(0.8e-3 * np.arange(100.0), 0, carriers))
        assert signal.emitter == name


def test_what_fits_no_entry_or_two_alike_has_no_name():
    assert named(library(), 60e9, 1e-3, 1e-6) == ""
    nan = float("nan")
    two = library_of({"a": {"interval_s": [1e-3, 2e-3]}, "b": {"interval_s": [1e-3, 2e-3]}})
    assert named(two, nan, 1.5e-3, nan) == ""
    assert named((), 1e9, 1e-3, 1e-6) == ""
    assert named(library(), 2.8e9, 1e-3, 1e-6) == "airport_surveillance_radar_s_band"


def test_the_library_that_ships_has_limits_in_order():
    content = yaml.safe_load(config_file("ew/emitters.yaml").read_text())
    assert {entry.name for entry in library()} == set(content)


@pytest.mark.parametrize(("text", "match"), [
    ("[]", "a mapping of names"), ("a: {frequency_hz: [2, 1]}", "least, most"), ("a: {speed: [1, 2]}", "frequency_hz, interval_s"),
    ("a: {frequency_hz: high}", "least, most"), ("a: {", "while parsing"),
])  # fmt: skip
def test_a_wrong_library_is_refused_with_what_is_expected(text, match, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=match) as error:
        emitter_library(str(path))
    assert "wrong.yaml" in str(error.value)
    with pytest.raises(ConfigError, match="there are"):
        emitter_library("nothing")
    assert emitter_library("") == ()


@settings(max_examples=60)
@given(st.lists(st.tuples(*[st.floats()] * 6), max_size=40))
def test_odd_pulses_are_survived_counted_and_bounded(rows):
    columns = np.array(rows, dtype=float).reshape(-1, 6).T
    monitor = EmitterMonitor(PulseSettings(), library())
    for _ in range(2):
        new = monitor.step(dataclasses.replace(pulses(np.empty(0)), **dict(zip(
            ("toa", "frequency", "pulse_width", "amplitude_db", "azimuth", "azimuth_sigma"), columns, strict=True))))  # fmt: skip
        assert monitor.refused + monitor.unassigned <= len(rows)
        for signal in new:
            assert 0.0 <= signal.confidence <= 1.0


# Strobes.


def test_strobes_of_several_sites_cross_where_the_jammer_is_with_the_stated_covariance():
    rng = np.random.default_rng(6)
    sites = np.array([[0.0, 0.0], [6000.0, 500.0], [2000.0, -4000.0]])
    truth = np.array([4000.0, 9000.0])
    sigma = np.radians([0.3, 0.5, 0.4])
    away = truth - sites
    bearings = np.arctan2(away[:, 1], away[:, 0])
    squares = []
    for _ in range(1000):
        fix = cross_fix(sites, bearings + rng.normal(0, sigma), sigma)
        if fix is None:
            continue
        off = fix.position - truth
        squares.append(off @ np.linalg.solve(fix.covariance, off))
    assert len(squares) > 990
    assert np.mean(np.array(squares) < chi2.ppf(0.95, 2)) == pytest.approx(0.95, abs=0.02)
    assert np.mean(squares) == pytest.approx(2.0, abs=0.25)


def test_strobes_that_do_not_cross_in_front_or_in_one_place_give_none():
    sites = np.array([[0.0, 0.0], [1000.0, 0.0], [0.0, 1000.0]])
    few = np.full(2, 0.01)
    assert cross_fix(sites[:2], np.array([1.0, 1.0]), few) is None  # parallel
    assert cross_fix(sites[:2], np.array([2.0, 1.0]), few) is None  # they part
    assert cross_fix(sites[:2], np.array([np.nan, 1.0]), few) is None
    apart = np.radians([45.0, 135.0, 80.0])  # the third looks elsewhere
    assert cross_fix(sites, apart, np.full(3, 0.005)) is None
    assert cross_fix(sites[:2], np.radians([45.0, 135.0]), few).position == pytest.approx([500.0, 500.0], abs=1e-6)


# Burn-through.


def test_burn_through_of_row_7_with_a_jammer_of_25_dbm():
    """5 GHz, 70 dBm, 5 dB line, 45 dB gain, 9 m2: J = S at 15.05 km."""
    radar, jammer = 10 ** ((70 - 5 + 45) / 10 - 3), 10 ** (25 / 10 - 3)
    assert burn_through_range(radar, 9.0, jammer, 1e6, 1e6) == pytest.approx(15_050.0, rel=1e-3)
    # Ten times the band spreads a tenth into the receiver; J/S of 4 is met at twice the range.
    assert burn_through_range(radar, 9.0, jammer, 1e7, 1e6) == pytest.approx(15_050.0 * 10**0.5, rel=1e-3)
    assert burn_through_range(radar, 9.0, jammer, 1e6, 1e6, 4.0) == pytest.approx(30_100.0, rel=1e-3)
    with pytest.raises(ValueError, match="positive"):
        burn_through_range(radar, 0.0, jammer, 1e6, 1e6)


def test_echo_and_jammer_are_alike_at_the_burn_through_range():
    """By the radar equation and the one-way link, which know nothing of the closed form."""
    from aegis.core.signal.equation import Radar, link_power

    radar = Radar(5e9, 1e4, 1e-6, 10**4.5, 290.0)
    r = burn_through_range(radar.peak_power_w * radar.gain, 9.0, 0.3, 1e6, 1e6)
    jammer = float(link_power(0.3, radar.gain, radar.wavelength_m, r))
    assert float(radar.echo_power(9.0, r)) == pytest.approx(jammer, rel=1e-9)


def test_the_range_that_is_left_beside_a_jammer():
    assert float(range_share(0.0)) == 1.0
    assert float(range_share(15.0)) == pytest.approx(0.5)


def test_the_parameters_say_where_each_sensor_is():
    settings = EwSettings.model_validate({"sensor_x": 5.0, "sensors": {"b": {"sensor_x": 9.0}}})
    assert (settings.pose("a").sensor_x, settings.pose("b").sensor_x) == (5.0, 9.0)
