# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Oracles: the table of published numbers, the package `sdr`, scipy's distributions, closed forms and Monte Carlo."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from aegis.core.signal import detection_probability as dp

CASES = (0, 1, 2, 3, 4)


def db(ratio: float) -> float:
    return 10.0 * math.log10(ratio)


def from_db(value: float) -> float:
    return 10.0 ** (value / 10.0)


def simulated(snr: float, swerling: int, pulses: int, n: int, seed: int) -> np.ndarray:
    """Return n sums of square-law samples of a target in noise: amplitudes and complex noise, as a receiver has them."""
    rng = np.random.default_rng(seed)
    rcs = {
        0: lambda: np.ones((n, 1)),
        1: lambda: rng.exponential(size=(n, 1)),
        2: lambda: rng.exponential(size=(n, pulses)),
        3: lambda: rng.gamma(2.0, 0.5, (n, 1)),
        4: lambda: rng.gamma(2.0, 0.5, (n, pulses)),
    }[swerling]()
    noise = rng.normal(scale=math.sqrt(0.5), size=(n, pulses, 2)).view(np.complex128)[..., 0]
    return (abs(np.sqrt(snr * rcs) + noise) ** 2).sum(axis=1)


@pytest.mark.parametrize(("pulses", "snr_db"), [(1, 13.1145), (10, 4.9904)])
def test_albersheim_as_published(pulses: int, snr_db: float):
    assert dp.albersheim_db(0.9, 1e-6, pulses) == pytest.approx(snr_db, abs=1e-4)


@pytest.mark.parametrize(("swerling", "snr_db"), [(1, 21.346), (3, 17.234)])
def test_shnidman_as_published(swerling: int, snr_db: float):
    assert dp.shnidman_db(0.9, 1e-6, swerling=swerling) == pytest.approx(snr_db, abs=5e-4)


# What sdr 0.0.30 (MIT) gives; it is no dependency of the tests, as it brings matplotlib and galois.
@pytest.mark.parametrize(
    ("pd", "pfa", "pulses", "albersheim", "shnidman"),
    [
        (0.9, 1e-6, 10, 4.9903859594, (5.3336415946, 13.5805320914, 6.1583306442, 9.4570868430, 5.7459861194)),
        (0.5, 1e-4, 4, 4.8524446602, (5.0780944719, 6.4202194719, 5.4136257219, 5.7491569719, 5.2458600969)),
        (0.8, 1e-5, 100, -2.1320040010, (-2.1779657772, 3.1791174228, -2.1243949452, 0.5005758228, -2.1511803612)),
    ],
)
def test_approximations_are_those_of_sdr(
    pd: float, pfa: float, pulses: int, albersheim: float, shnidman: tuple[float, ...]
):
    assert dp.albersheim_db(pd, pfa, pulses) == pytest.approx(albersheim, abs=1e-9)
    assert [dp.shnidman_db(pd, pfa, pulses, case) for case in CASES] == pytest.approx(list(shnidman), abs=1e-9)


@pytest.mark.parametrize("swerling", CASES)
@pytest.mark.parametrize("pulses", [1, 8, 50])
@pytest.mark.parametrize("pd", [0.3, 0.9])
def test_exact_snr_is_within_the_stated_accuracy_of_the_approximations(pd: float, pulses: int, swerling: int):
    exact_db = db(dp.required_snr(pd, 1e-6, swerling, pulses))
    assert dp.shnidman_db(pd, 1e-6, pulses, swerling) == pytest.approx(exact_db, abs=0.5)
    if swerling == 0:  # 0.2 dB, and what the linear detector, for which it is, differs by
        assert dp.albersheim_db(pd, 1e-6, pulses) == pytest.approx(exact_db, abs=0.4)


@pytest.mark.parametrize(
    ("swerling", "pulses", "snr_db"), [(0, 1, 13.18349), (0, 10, 5.2675), (1, 1, 21.144), (3, 1, 17.296)]
)
def test_exact_snr_as_published(swerling: int, pulses: int, snr_db: float):
    assert db(dp.required_snr(0.9, 1e-6, swerling, pulses)) == pytest.approx(snr_db, abs=5e-4)


@pytest.mark.parametrize(
    ("swerling", "pulses", "snr_db", "pd"), [(1, 1, 16.0, 0.7980), (3, 1, 15.2, 0.8846), (2, 256, -4.4, 0.9120)]
)
def test_pd_as_published(swerling: int, pulses: int, snr_db: float, pd: float):
    assert dp.pd(from_db(snr_db), dp.threshold(1e-4, pulses), swerling, pulses) == pytest.approx(pd, abs=1e-4)


def test_threshold_is_that_of_exponential_and_gamma_noise():
    assert dp.threshold(1e-6) == pytest.approx(-np.log(1e-6), rel=1e-12)
    assert stats.gamma.sf(dp.threshold(1e-4, 10), 10) == pytest.approx(1e-4, rel=1e-9)


@given(st.floats(0.01, 100.0), st.floats(1e-12, 0.5))
def test_one_pulse_in_closed_form(snr: float, pfa: float):
    level = -math.log(pfa)
    assert dp.pd(snr, level, 1) == pytest.approx(pfa ** (1.0 / (1.0 + snr)), rel=1e-9)
    half = 1.0 + snr / 2.0
    four_degrees = (1.0 + level * snr / 2.0 / half**2) * math.exp(-level / half)
    assert dp.pd(snr, level, 3) == pytest.approx(four_degrees, rel=1e-9)
    assert dp.pd(snr, level, 2) == pytest.approx(dp.pd(snr, level, 1), rel=1e-12)
    assert dp.pd(snr, level, 4) == pytest.approx(dp.pd(snr, level, 3), rel=1e-12)


@given(st.floats(0.01, 100.0), st.floats(1e-9, 0.5), st.integers(1, 64))
def test_steady_and_independent_samples_are_chi_square(snr: float, pfa: float, pulses: int):
    level = float(dp.threshold(pfa, pulses))
    steady = stats.ncx2.sf(2.0 * level, 2 * pulses, 2.0 * pulses * snr)
    assert dp.pd(snr, level, 0, pulses) == pytest.approx(steady, rel=1e-6, abs=1e-12)
    assert dp.pd(snr, level, 2, pulses) == pytest.approx(stats.gamma.sf(level / (1.0 + snr), pulses), rel=1e-9)


@pytest.mark.parametrize("pulses", [1, 5, 20])
@pytest.mark.parametrize("snr", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("swerling", [1, 2, 3, 4])
def test_a_fluctuating_target_is_the_steady_one_averaged_over_its_rcs(swerling: int, snr: float, pulses: int):
    level = float(dp.threshold(1e-4, pulses))
    rcs = stats.gamma({1: 1, 2: pulses, 3: 2, 4: 2 * pulses}[swerling])

    def steady(u: float) -> float:
        return float(stats.ncx2.sf(2.0 * level, 2 * pulses, 2.0 * pulses * snr * u / rcs.mean()) * rcs.pdf(u))

    end = float(rcs.isf(1e-12))
    averaged, _ = integrate.quad(steady, 0.0, end, points=np.linspace(0.0, end, 30)[1:-1], limit=200)
    assert dp.pd(snr, level, swerling, pulses) == pytest.approx(averaged, rel=1e-6)


@pytest.mark.parametrize("pulses", [1, 4])
@pytest.mark.parametrize("swerling", CASES)
def test_pd_curve_of_a_simulated_receiver(swerling: int, pulses: int):
    n, level = 40_000, float(dp.threshold(1e-3, pulses))
    points = np.array([1.0, 4.0, 12.0])
    hits = [int((simulated(snr, swerling, pulses, n, seed) > level).sum()) for seed, snr in enumerate(points.tolist())]
    # All points together lie inside with probability 0.99.
    low, high = stats.binom.interval(1 - 0.01 / len(points), n, dp.pd(points, level, swerling, pulses))
    assert ((low <= hits) & (hits <= high)).all()


@given(st.floats(1e-9, 0.1), st.sampled_from(CASES), st.integers(1, 32))
def test_without_a_signal_pd_is_pfa(pfa: float, swerling: int, pulses: int):
    level = dp.threshold(pfa, pulses)
    assert dp.pd(0.0, level, swerling, pulses) == pytest.approx(pfa, rel=1e-9)
    assert dp.pd(5e-324, level, swerling, pulses) == pytest.approx(pfa, rel=1e-9)


@given(st.floats(0, 1e4), st.floats(1.01, 10), st.floats(1e-9, 1e-2), st.sampled_from(CASES), st.integers(1, 32))
def test_pd_rises_with_snr(snr: float, factor: float, pfa: float, swerling: int, pulses: int):
    level = dp.threshold(pfa, pulses)
    low, high = dp.pd(snr, level, swerling, pulses), dp.pd(snr * factor, level, swerling, pulses)
    assert 0.0 <= low <= high * (1 + 1e-12) <= 1.0 + 1e-11  # but for rounding


@given(st.floats(0.05, 0.999), st.floats(1e-9, 1e-2), st.sampled_from(CASES), st.integers(1, 32))
def test_required_snr_inverts_pd(pd: float, pfa: float, swerling: int, pulses: int):
    snr = dp.required_snr(pd, pfa, swerling, pulses)
    assert dp.pd(snr, dp.threshold(pfa, pulses), swerling, pulses) == pytest.approx(pd, rel=1e-6)


def test_snr_and_level_broadcast():
    snr, level = np.array([[0.1], [1.0], [10.0]]), np.array([1.0, 20.0])
    together = dp.pd(snr, level, 3, 4)
    assert together.shape == (3, 2)
    assert together[2, 1] == pytest.approx(dp.pd(10.0, 20.0, 3, 4), rel=1e-12)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="Swerling case 5; 0, 1, 2, 3 or 4"):
        dp.pd(1.0, 1.0, 5)
    with pytest.raises(ValueError, match="not between 1e-06"):
        dp.required_snr(1e-7, 1e-6)
    with pytest.raises(ValueError, match="not between"):
        dp.required_snr(1.0, 1e-6)
    with pytest.raises(ValueError, match=r"from 0\.1 to 0\.99"):
        dp.shnidman_db(0.999, 1e-6)
