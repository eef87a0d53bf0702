# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Oracles: published numbers, closed forms for one channel, scipy's distributions, identities. See test_cfar.py for Monte Carlo."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from aegis.core.signal import cfar_theory as theory

small = st.integers(1, 40)
channels = st.integers(1, 12)
pfas = st.floats(1e-9, 0.5)


def statistics(m: int) -> dict[str, tuple[theory.Statistic, object]]:
    """Return statistics, each with the distribution function of what it is, for m channels."""
    half = [stats.gamma(m * n, scale=1.0 / n) for n in (4, 9)]
    cell, order = stats.gamma(m), stats.beta(18, 24 - 18 + 1)
    return {
        "ca": (theory.average(m, 13), stats.gamma(m * 13, scale=1.0 / 13).cdf),
        "go": (theory.greatest(m, 4, 9), lambda z: half[0].cdf(z) * half[1].cdf(z)),
        "so": (theory.smallest(m, 4, 9), lambda z: 1.0 - half[0].sf(z) * half[1].sf(z)),
        "os": (theory.ordered(m, 24, 18), lambda z: order.cdf(cell.cdf(z))),
    }


def test_published_multipliers():
    assert theory.alpha_ca(1e-6, 1, 16) == pytest.approx(21.942, abs=5e-4)
    assert theory.ordered(1, 24, 18).alpha(1e-6) == pytest.approx(16.293, abs=5e-4)


@pytest.mark.parametrize(("count", "loss_db"), [(8, 4.23), (16, 2.00), (32, 0.97)])
def test_published_losses_of_ca(count: int, loss_db: float):
    assert theory.average(1, count).loss_db(0.5, 1e-6, swerling=1) == pytest.approx(loss_db, abs=0.006)


def test_one_channels_alpha_after_a_sum_of_eight_is_much_too_high():
    excess_db = 10 * math.log10(theory.alpha_ca(1e-6, 1, 248) / theory.alpha_ca(1e-6, 8, 248))
    assert excess_db > 4.0


@given(pfas, small)
def test_ca_of_one_channel_in_closed_form(pfa: float, n: int):
    alpha = n * (pfa ** (-1.0 / n) - 1.0)
    assert theory.alpha_ca(pfa, 1, n) == pytest.approx(alpha, rel=1e-7)
    assert theory.average(1, n).alpha(pfa) == pytest.approx(alpha, rel=1e-8)


@given(pfas, small, channels)
def test_ca_is_an_f_variable(pfa: float, n: int, m: int):
    assert theory.average(m, n).alpha(pfa) == pytest.approx(theory.alpha_ca(pfa, m, n), rel=1e-6)


@given(st.floats(0.1, 100.0), small, st.data())
def test_os_of_one_channel_in_closed_form(alpha: float, n: int, data: st.DataObject):
    k = data.draw(st.integers(1, n))
    i = np.arange(k)
    statistic = theory.ordered(1, n, k)
    assert statistic.pfa(alpha) == pytest.approx(np.prod((n - i) / (n - i + alpha)), rel=1e-9)
    assert statistic.mean == pytest.approx((1.0 / (n - i)).sum(), rel=1e-9)


@given(st.floats(0.1, 100.0), small)
def test_go_and_so_of_one_channel_in_closed_form(alpha: float, n: int):
    # Gandhi and Kassam 1988; their threshold multiplies the sum of a half.
    t, i = alpha / n, np.arange(n)
    so = 2.0 * sum(math.comb(n - 1 + k, k) * (2.0 + t) ** -(n + k) for k in i.tolist())
    assert theory.smallest(1, n, n).pfa(alpha) == pytest.approx(so, rel=1e-9)
    assert theory.greatest(1, n, n).pfa(alpha) == pytest.approx(2.0 * (1.0 + t) ** -n - so, rel=1e-6)


@pytest.mark.parametrize("kind", theory.KINDS)
@pytest.mark.parametrize("m", [1, 4, 12])
def test_pfa_and_mean_by_another_integral(m: int, kind: theory.Kind):
    statistic, distribution = statistics(m)[kind]
    alpha = statistic.alpha(1e-3)
    cell = stats.gamma(m)
    # In parts: the cell's density against the statistic's distribution function.
    end = float(cell.isf(1e-14))
    pfa, _ = integrate.quad(
        lambda x: cell.pdf(x) * distribution(x / alpha), 0.0, end, points=np.linspace(0.0, end, 20)[1:-1], limit=200,
        epsabs=1e-13,
    )  # fmt: skip
    assert pfa == pytest.approx(1e-3, rel=1e-6)
    top = float(statistic.node[-1])
    mean, _ = integrate.quad(
        lambda z: 1.0 - distribution(z), 0.0, top, points=np.linspace(0.0, top, 30)[1:-1], limit=300
    )
    assert statistic.mean == pytest.approx(mean, rel=1e-6)
    assert statistic.weight.sum() == pytest.approx(1.0, rel=1e-9)


@given(st.floats(0.1, 30.0), small, small, channels)
def test_go_and_so_share_what_their_halves_have(alpha: float, lower: int, upper: int, m: int):
    greatest, smallest = theory.greatest(m, lower, upper), theory.smallest(m, lower, upper)
    halves = sum(stats.f.sf(alpha, 2 * m, 2 * m * n) for n in (lower, upper))
    assert greatest.pfa(alpha) + smallest.pfa(alpha) == pytest.approx(halves, rel=1e-6)
    assert greatest.mean + smallest.mean == pytest.approx(2.0 * m, rel=1e-9)


@given(st.floats(1e-9, 0.1), small, channels)
def test_multipliers_are_in_order(pfa: float, n: int, m: int):
    # The greater half needs the smallest multiplier: all three hold the same false alarms.
    go, so = theory.greatest(m, n, n).alpha(pfa), theory.smallest(m, n, n).alpha(pfa)
    assert go < theory.alpha_ca(pfa, m, n + n) < so


@given(st.floats(1e-12, 0.9), st.sampled_from(theory.KINDS), channels)
def test_alpha_inverts_pfa(pfa: float, kind: theory.Kind, m: int):
    statistic, _ = statistics(m)[kind]
    assert statistic.pfa(statistic.alpha(pfa)) == pytest.approx(pfa, rel=1e-9)


@given(st.floats(0.0, 1e3), st.sampled_from(theory.KINDS), channels)
def test_a_target_that_fluctuates_in_every_channel_is_louder_noise(snr: float, kind: theory.Kind, m: int):
    statistic, _ = statistics(m)[kind]
    alpha = statistic.alpha(1e-4)
    assert statistic.pd(snr, alpha, 2) == pytest.approx(statistic.pfa(alpha / (1.0 + snr)), rel=1e-8)


@given(st.floats(0.0, 1e3), st.floats(1e-6, 0.1), st.integers(4, 40))
def test_swerling_1_behind_ca_of_one_channel_in_closed_form(snr: float, pfa: float, n: int):
    alpha = theory.alpha_ca(pfa, 1, n)
    assert theory.average(1, n).pd(snr, alpha, 1) == pytest.approx((1.0 + alpha / n / (1.0 + snr)) ** -n, rel=1e-7)


@pytest.mark.parametrize("kind", theory.KINDS)
@pytest.mark.parametrize("swerling", [0, 1, 3])
def test_loss_is_positive_and_vanishes_with_many_cells(kind: theory.Kind, swerling: int):
    make = {
        "ca": lambda n: theory.average(8, n),
        "go": lambda n: theory.greatest(8, n // 2, n // 2),
        "so": lambda n: theory.smallest(8, n // 2, n // 2),
        "os": lambda n: theory.ordered(8, n, 3 * n // 4),
    }[kind]
    few, many = (make(n).loss_db(0.9, 1e-6, swerling) for n in (16, 4000))
    assert 0.0 < many < 0.02 < few


def test_what_cannot_be_is_refused():
    for pfa in (0.0, 1.0, 1e-16, math.nan):
        with pytest.raises(ValueError, match=r"pfa is .* at least 1e-15"):
            theory.alpha_ca(pfa, 1, 16)
        with pytest.raises(ValueError, match="pfa is"):
            theory.average(1, 16).alpha(pfa)
    with pytest.raises(ValueError, match=r"a threshold of .* at most 10000"):
        theory.average(1, 1).pd(1.0, theory.alpha_ca(1e-8, 1, 1))
    for rank in (0, 17):
        with pytest.raises(ValueError, match=f"the {rank}-th smallest of 16 cells; 1 to 16"):
            theory.ordered(1, 16, rank)
