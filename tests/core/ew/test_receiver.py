# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a receiver hears in receive-only cells: statistics against their closed forms, and the monitor on raw radars and jammers."""

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from receiver_reports import gaussian_beam, report
from scipy.stats import binom
from settings_of import settings_of
from signal_scenes import FMCW, PULSE, C, K, scene, settings, target

from aegis.core.ew.receiver import ReceiverMonitor, strobe
from aegis.core.ew.settings import NoiseSettings
from aegis.core.ew.statistics import chance_text, kurtosis_limits, kurtosis_moments, rise_threshold, spectral_kurtosis
from aegis.core.signal.front_end import FrontEnd
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.types import ReceiverNoise, SignalKind
from aegis.simulation.points import Simulator
from aegis.simulation.settings import SimulatorSettings
from aegis.simulation.signal import SignalSimulator

NAN = float("nan")


def test_spectral_kurtosis_of_noise_has_mean_1_and_variance_4_over_m():
    rng = np.random.default_rng(1)
    trials = 20_000
    found = spectral_kurtosis(rng.exponential(3.0, (trials, 256)))
    mean, variance, skewness = kurtosis_moments(256)
    assert mean == pytest.approx(1.0, abs=1e-9)
    assert variance == pytest.approx(4 / 256, rel=0.02)
    assert found.mean() == pytest.approx(1.0, abs=4 * np.sqrt(variance / trials))
    assert found.var() == pytest.approx(variance, rel=0.05)
    assert ((found - 1) ** 3).mean() / variance**1.5 == pytest.approx(skewness, abs=0.1)


@pytest.mark.parametrize("jnr_db", [-3.0, 0.0, 6.0, 15.0])
def test_spectral_kurtosis_of_a_tone_is_below_by_the_square_of_its_share(jnr_db):
    rng = np.random.default_rng(2)
    trials, j = 4000, 10 ** (jnr_db / 10)
    noise = rng.normal(0, np.sqrt(0.5), (2, trials, 256))
    power = (np.sqrt(j) + noise[0]) ** 2 + noise[1] ** 2
    assert spectral_kurtosis(power).mean() == pytest.approx(1 - (j / (1 + j)) ** 2, abs=0.01)


def test_spectral_kurtosis_is_blind_to_noise_that_is_always_on_and_sees_bursts():
    rng = np.random.default_rng(3)
    always = rng.exponential(1.0, (4000, 256)) * 100.0
    assert spectral_kurtosis(always).mean() == pytest.approx(1.0, abs=0.02)
    bursts = rng.exponential(1.0, (4000, 256)) * np.where(rng.random((4000, 256)) < 0.1, 10.0, 1.0)
    assert spectral_kurtosis(bursts).mean() > 2.0


def test_limits_of_spectral_kurtosis_are_passed_about_as_seldom_as_they_say():
    rng = np.random.default_rng(4)
    found = spectral_kurtosis(rng.exponential(1.0, (50_000, 256)))
    low, high = kurtosis_limits(256, 1e-3)
    for share in ((found < low).mean(), (found > high).mean()):
        assert 0.5e-3 < share < 3e-3


@given(st.lists(st.floats(0.0, 1e300), min_size=4, max_size=50))
def test_spectral_kurtosis_is_bounded_whatever_the_powers(powers):
    values = np.array(powers)
    found = float(spectral_kurtosis(values))
    n = len(values)
    assert np.isnan(found) if not values.max() > 0 else -1e-6 <= found <= n + 2


def settled(rng, **changes: Any) -> ReceiverMonitor:
    monitor = ReceiverMonitor(NoiseSettings())
    for _ in range(20):
        assert monitor.step(report(rng=rng, **changes)).raised is None
    return monitor


def test_the_rise_is_found_as_often_as_the_f_test_says():
    """M = 1024 against a reference of 4096, Pfa 1e-6: Pd .958 at a jammer 6 dB under the noise. No beams, baseline of 4 scans."""
    rng = np.random.default_rng(5)
    threshold = rise_threshold(1024, 4096, 1e-6)
    assert 10 * np.log10(threshold) == pytest.approx(0.71, abs=0.005)
    trials = 20_000
    ratio = rng.gamma(1024, 1 / 1024, trials) * (1 + 10**-0.6) / rng.gamma(4096, 1 / 4096, trials)
    assert binom.ppf(0.005, trials, 0.958) <= int((ratio > threshold).sum()) <= binom.ppf(0.995, trials, 0.958)


def test_quiet_reports_raise_no_signal():
    rng = np.random.default_rng(6)
    monitor = ReceiverMonitor(NoiseSettings(false_alarm_probability=1e-3, min_rise_db=0.0))
    raised = sum(monitor.step(report(rng=rng)).raised is not None for _ in range(3000))
    assert raised <= 1  # two of three at about 2e-3 each: 0.02 are expected


def test_a_strobe_is_where_the_jammer_is_and_its_error_as_stated():
    rng = np.random.default_rng(7)
    errors = []
    for _ in range(25):
        bearing = rng.uniform(-np.pi, np.pi)
        monitor = settled(rng)
        for _ in range(3):
            monitor.step(report(rng=rng, up=gaussian_beam(bearing, 10.0, report().azimuth)))
        signal = monitor.signal
        assert signal.kind is SignalKind.NOISE_JAMMING
        errors.append(np.angle(np.exp(1j * (signal.bearing - bearing))) / signal.bearing_sigma)
        assert signal.bearing_sigma < np.radians(1.0)
    assert 0.6 < np.std(errors) < 1.3
    assert np.abs(np.mean(errors)) < 0.5


@pytest.mark.parametrize("step_deg", [10.0, 13.0, 20.0, 30.0])
def test_a_strobe_between_beams_however_far_apart_has_its_stated_error(step_deg):
    """Gaussian beams of 10 degrees with sidelobes of -30 dB: beams two widths apart hear the jammer by these."""
    rng, n = np.random.default_rng(5), round(360.0 / step_deg)
    azimuth = -np.pi + 2 * np.pi * (np.arange(n) + 0.5) / n
    off = []
    for _ in range(300):
        bearing = rng.uniform(-np.pi, np.pi)
        apart = np.angle(np.exp(1j * (azimuth - bearing)))
        gain = np.maximum(np.exp(-4 * np.log(2) * (apart / np.radians(10.0)) ** 2), 1e-3)
        excess = np.maximum((1 + 1e4 * gain) * rng.gamma(512, 1 / 512, n) - 1, 0.0)
        told = report(azimuth=azimuth, elevation=np.full(n, NAN), beam_power_db=np.zeros(n))
        found, sigma = strobe(told, excess, int(excess.argmax()), np.arange(n))
        off.append(np.angle(np.exp(1j * (found - bearing))) / sigma)
    assert 0.5 < np.sqrt(np.mean(np.square(off))) < 1.3


@pytest.mark.parametrize("ratio", [1.3, 2.0, 4.0, 40.0])
@pytest.mark.parametrize("how", ["by turns", "once", "back"])
def test_a_receiver_that_changes_its_bandwidth_is_not_jammed_and_still_hears_who_jams_it(how, ratio):
    """Its noise goes with its bandwidth, k T B."""
    rng, monitor = np.random.default_rng(6), ReceiverMonitor(NoiseSettings())
    raised = []
    for k in range(300):
        wide = {"by turns": k % 2 == 1, "once": k >= 60, "back": k < 60}[how]
        jam = np.full(36, 10.0) if k >= 200 else np.ones(36)
        told = report(rng=rng, up=jam * (ratio if wide else 1.0), bandwidth=5e6 * (ratio if wide else 1.0))
        raised += [k] if monitor.step(told).raised is not None else []
    assert raised == [201]


def test_a_rise_everywhere_has_no_strobe_and_ends_when_it_ends():
    rng = np.random.default_rng(8)
    monitor = settled(rng)
    raised = [monitor.step(report(rng=rng, up=np.full(36, 4.0))).raised for _ in range(4)]
    assert [one is not None for one in raised] == [False, True, False, False]
    assert np.isnan(monitor.signal.bearing)
    assert monitor.signal.power_db == pytest.approx(6.0, abs=0.5)
    ended = [monitor.step(report(rng=rng)).ended for _ in range(6)]
    assert sum(one is not None for one in ended) == 1
    assert monitor.signal is None


def test_noise_on_one_carrier_is_spot_and_on_all_of_them_barrage():
    rng = np.random.default_rng(9)
    carriers = itertools.cycle(9.4e9 + 50e6 * np.arange(8))
    monitor = settled(rng)
    for carrier in itertools.islice(carriers, 8):
        monitor.step(report(rng=rng, up=np.full(36, 4.0), carrier_frequency=carrier))
    assert monitor.heard.barrage
    monitor = settled(rng)
    for _ in range(8):
        monitor.step(report(rng=rng, up=np.full(36, 4.0)))
    assert not monitor.heard.barrage


ODD = [4000.0, 1e38, -1e38, float("inf"), -float("inf"), NAN]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("at", ["warm-up", "later"])
def test_odd_powers_give_finite_words_and_hide_no_jammer(odd, at):
    rng = np.random.default_rng(10)
    monitor = ReceiverMonitor(NoiseSettings())
    for k in range(20):
        one = report(rng=rng)
        if k == (2 if at == "warm-up" else 15):
            beams = one.beam_power_db.copy()
            beams[3] = odd
            one = dataclasses.replace(one, power_db=odd, beam_power_db=beams)
        assert monitor.step(one).raised is None
    loud = [monitor.step(report(rng=rng, up=np.full(36, 10.0))).raised for _ in range(2)]
    assert loud[1] is not None
    for value in (loud[1].power_db, loud[1].confidence):
        assert np.isfinite(value)
    assert loud[1].power_db < 15.0


@given(
    power=st.floats(), cells=st.floats(), beams=st.lists(st.floats(), min_size=36, max_size=36), burst=st.floats(),
    counts=st.tuples(*[st.integers(0, 2**32 - 1)] * 4), shape=st.tuples(*[st.floats()] * 6),
)  # fmt: skip
def test_whatever_a_message_says_is_survived_and_bounded(power, cells, beams, burst, counts, shape):
    monitor = ReceiverMonitor(NoiseSettings(warmup_scans=1))
    rng = np.random.default_rng(11)
    for _ in range(3):
        monitor.step(report(rng=rng))
    odd = report(
        power_db=power, cells=cells, beam_power_db=np.array(beams), bursts=counts[0], burst_samples=counts[1],
        burst_probability=burst, kurtosis_samples=counts[2], kurtosis_bins=counts[3], kurtosis_least=shape[0],
        kurtosis_median=shape[1], burst_power_db=shape[2], burst_repeats=shape[3], beamwidth=shape[4], beam_cells=shape[5],
    )  # fmt: skip
    for _ in range(3):
        monitor.step(odd)
        if monitor.signal is not None:
            assert -100.0 < monitor.signal.power_db <= 500.0
            assert 0.0 <= monitor.signal.confidence <= 1.0


# Raw radars.


def heard(radar: SignalSimulator, frames: int, front: FrontEnd, first: int = 0) -> list[ReceiverNoise]:
    out = []
    for k in range(first, first + frames):
        cube = radar.step(0.1 * k, k)
        front.step(cube)
        out.append(front.receiver_noise(cube))
    return out


def jammer_eirp(jnr: float, distance: float, chosen: SimulatorSettings, bandwidth: float) -> float:
    """Return the EIRP [W] whose noise is `jnr` over the receiver's in one channel, by the one-way link."""
    wavelength = C / chosen.waveform.frequency_hz
    gain = 10 ** (chosen.antenna.gain_db / 10)
    noise = K * chosen.receiver.system_temperature_k * bandwidth
    loss = 10 ** (chosen.receiver.losses_db / 20)
    return jnr * noise * (4 * np.pi * distance / wavelength) ** 2 * loss / gain


@pytest.mark.parametrize("base", [FMCW, PULSE], ids=["fmcw", "pulse"])
@pytest.mark.parametrize("jnr_db", [0.0, 10.0])
def test_a_noise_jammer_raises_the_receive_only_cells_by_what_the_link_says(base, jnr_db):
    chosen = settings(base)
    span = 2e9
    eirp = jammer_eirp(10 ** (jnr_db / 10), 1000.0, chosen, span)
    item = {"name": "j", "position_m": (1000.0, 0.0, 0.0), "eirp_w": eirp, "frequency_hz": chosen.waveform.frequency_hz,
            "bandwidth_hz": span, "appears_s": 2.0}  # fmt: skip
    radar = SignalSimulator(chosen, scene(target(), jammers=[item]))
    reports = heard(radar, 40, FrontEnd(FrontEndSettings()))
    quiet, loud = (10 ** (np.mean([r.power_db for r in part]) / 10) for part in (reports[:20], reports[20:]))
    assert loud / quiet == pytest.approx(1 + 10 ** (jnr_db / 10), rel=0.08)
    noise = 2 * chosen.receiver.noise_lsb**2
    assert quiet == pytest.approx(noise, rel=0.03)


@pytest.mark.parametrize("bearing_deg", [-35.0, 0.0, 50.0])
def test_a_raw_radars_strobe_has_its_bound_whatever_the_range(bearing_deg):
    """The bound of K snapshots, theta3 / (1.6 sqrt(2 K J)): at the same JNR the same error from 100 m and from 30 km."""
    chosen = settings(FMCW, receivers_azimuth=8)
    errors = {}
    for distance in (100.0, 30_000.0):
        eirp = jammer_eirp(1.0, distance, chosen, 2e9)
        a = np.radians(bearing_deg)
        item = {"name": "j", "position_m": (distance * np.cos(a), distance * np.sin(a), 0.0), "eirp_w": eirp,
                "frequency_hz": 77e9, "bandwidth_hz": 2e9, "appears_s": 2.0}  # fmt: skip
        radar = SignalSimulator(chosen, scene(jammers=[item]))
        front, monitor = FrontEnd(FrontEndSettings()), ReceiverMonitor(NoiseSettings())
        found = []
        for one in heard(radar, 36, front):
            monitor.step(one)
            if monitor.signal is not None:
                found.append(
                    ((monitor.signal.bearing - a) / monitor.signal.bearing_sigma, monitor.signal.bearing_sigma)
                )
        assert len(found) >= 14
        off = np.array(found)
        errors[distance] = np.sqrt((off[:, 0] ** 2).mean())
        assert off[:, 1].max() < np.radians(2.0)
    assert max(errors.values()) < 1.6
    assert errors[100.0] == pytest.approx(errors[30_000.0], rel=0.5)


def test_another_radars_chirps_are_interference_and_noise_is_not():
    chosen = settings_of(SimulatorSettings, **{**FMCW, "samples": 256, "sample_rate_hz": 20e6, "prf_hz": 20e3,
                                               "coherent_dwell_s": 3.2e-3, "bandwidth_hz": 240e6})  # fmt: skip
    other = {"name": "i", "position_m": (60.0, 10.0, 0.0), "eirp_w": 0.05, "frequency_hz": 77e9, "sweep_hz": 400e6,
             "chirp_s": 30e-6, "period_s": 43.7e-6, "appears_s": 2.0}  # fmt: skip
    radar = SignalSimulator(chosen, scene(target(), interferers=[other]))
    monitor = ReceiverMonitor(NoiseSettings())
    kinds = []
    for one in heard(radar, 30, FrontEnd(FrontEndSettings())):
        monitor.step(one)
        kinds.append(None if monitor.signal is None else monitor.signal.kind)
    assert set(kinds[:20]) == {None}
    assert set(kinds[22:]) == {SignalKind.INTERFERENCE}
    assert monitor.heard.bursts


def test_a_tone_in_a_pulse_radar_is_known_by_its_kurtosis():
    chosen = settings(PULSE, coherent_dwell_s=12.8e-3, prf_hz=10e3)
    tone = {"name": "i", "position_m": (2000.0, 300.0, 0.0), "eirp_w": 1e-2, "frequency_hz": 9.4e9 + 0.7e6, "sweep_hz": 0.0,
            "chirp_s": 1e-3, "period_s": 1e-3, "appears_s": 2.0}  # fmt: skip
    radar = SignalSimulator(chosen, scene(target(at=(1500.0, 0.0, 0.0)), interferers=[tone]))
    monitor = ReceiverMonitor(NoiseSettings())
    for k, one in enumerate(heard(radar, 30, FrontEnd(FrontEndSettings()))):
        monitor.step(one)
        if k < 20:
            assert monitor.signal is None
            assert one.kurtosis_least > 0.5
    assert monitor.heard.tone
    assert monitor.signal.kind is SignalKind.INTERFERENCE
    assert "a tone" in monitor.signal.evidence


@pytest.mark.parametrize("jnr_db", [3.0, 20.0])
def test_at_measurement_level_the_radar_tells_the_strobe_of_a_jammer_within_its_error(jnr_db):
    chosen = settings_of(SimulatorSettings)
    errors = []
    for seed in range(5):
        bearing = np.radians(-170 + 73.0 * seed)
        distance = 8000.0
        wavelength = C / 9.4e9
        # Into the main beam of one row of 16, whose gain counts a sixteenth in the fan.
        eirp = 10 ** (jnr_db / 10) * 16 * K * 870 * 20e6 * (4 * np.pi * distance / wavelength) ** 2 * 10**0.3 / 10**3.4
        item = {"name": "j", "position_m": (distance * np.cos(bearing), distance * np.sin(bearing), 150.0), "eirp_w": eirp,
                "frequency_hz": 9.4e9, "bandwidth_hz": 20e6, "appears_s": 10.0}  # fmt: skip
        radar = Simulator(chosen.model_copy(update={"seed": seed}), scene(jammers=[item]))
        monitor = ReceiverMonitor(NoiseSettings())
        for k in range(30):
            radar.step(0.5 * k, k)
            monitor.step(radar.receiver_noise(0.5 * k, k))
            assert (monitor.signal is not None) == (k >= 21)
        errors.append(np.angle(np.exp(1j * (monitor.signal.bearing - bearing))) / monitor.signal.bearing_sigma)
    assert np.sqrt(np.mean(np.square(errors))) < 1.8


def test_a_strobe_between_beams_that_look_one_after_another_goes_round_the_circle():
    one = report(up=gaussian_beam(np.pi, 100.0, report().azimuth), rng=np.random.default_rng(12))
    excess = 10 ** ((one.beam_power_db + 100) / 10) - 1
    best = int(excess.argmax())
    bearing, sigma = strobe(one, excess, best, np.arange(36))
    assert abs(np.angle(np.exp(1j * (bearing - np.pi)))) < 4 * sigma


def test_a_probability_is_never_told_as_none():
    assert [chance_text(p) for p in (3.2e-7, 1e-12, 1e-300, 0.0)] == [
        "3.2e-07",
        "1.0e-12",
        "below 1e-12",
        "below 1e-12",
    ]
