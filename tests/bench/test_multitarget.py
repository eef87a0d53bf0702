# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The generated scenarios against the definitions of their families; files of them; and their score."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from aegis.bench import multitarget
from aegis.bench.multitarget import Scenario
from aegis.core import metrics

SCANS = 30
# The draws are fixed by seeds, so a limit of four standard deviations or a p-value of 1e-3 does not fail now and then.
LIMIT_SIGMA, P_VALUE = 4.0, 1e-3


@pytest.fixture(scope="module", params=["n1000", "d800"])
def scenario(request) -> Scenario:
    return multitarget.generate(request.param, SCANS, seed=11)


def defined(name: str) -> tuple[float, float]:
    """Return mean spacing [m] and false alarms a target, of a family's definition."""
    return {"n": (2000.0, 0.2), "d": (1500.0, 1.0)}[name]


def family_of(s: Scenario) -> str:
    return "n" if s.meta.n == 1000 else "d"


def scan_of_plots(s: Scenario) -> np.ndarray:
    return np.repeat(np.arange(len(s.times)), np.diff(s.det_off))


def steps(s: Scenario) -> np.ndarray:
    """Return (S, 2, 4): states before and after each scan of the targets that lived on."""
    pairs = []
    for k in range(1, len(s.times)):
        before, after = s.truth_x[s.truth_scan == k - 1], s.truth_x[s.truth_scan == k]
        same = s.truth_id[s.truth_scan == k - 1] == s.truth_id[s.truth_scan == k]
        pairs.append(np.stack([before[same], after[same]], axis=1))
    return np.concatenate(pairs)


def test_the_number_of_targets_stays_and_the_spacing_is_the_family_s(scenario):
    assert (np.bincount(scenario.truth_scan) == scenario.meta.n).all()
    np.testing.assert_array_equal(np.diff(scenario.times), 1.0)
    spacing, _ = defined(family_of(scenario))
    born = scenario.truth(0)
    side = spacing * np.sqrt(scenario.meta.n)
    for axis in range(2):
        assert stats.kstest(born[:, axis], "uniform", args=(0.0, side)).pvalue > P_VALUE
    # In a Poisson field of one point per spacing^2, a point's nearest neighbour is on average half the spacing away; a
    # little more here, where points near the border have none beyond it.
    distance = np.linalg.norm(born[:, None] - born[None], axis=2) + np.diag(np.full(len(born), np.inf))
    assert distance.min(axis=0).mean() == pytest.approx(spacing / 2.0, rel=0.08)


def test_detection_probability(scenario):
    n = scenario.meta.n * SCANS
    hits = (scenario.det_truth >= 0).sum()
    assert abs(hits - 0.9 * n) < LIMIT_SIGMA * np.sqrt(n * 0.9 * 0.1)
    pairs = np.column_stack([scan_of_plots(scenario), scenario.det_truth])[scenario.det_truth >= 0]
    assert len(np.unique(pairs, axis=0)) == len(pairs)  # at most one plot of a target in a scan


def test_false_alarms(scenario):
    _, per_target = defined(family_of(scenario))
    mean = per_target * scenario.meta.n
    false = scenario.det_truth < 0
    counts = np.bincount(scan_of_plots(scenario)[false], minlength=SCANS)
    assert abs(counts.mean() - mean) < LIMIT_SIGMA * np.sqrt(mean / SCANS)
    low, high = stats.chi2.ppf([P_VALUE, 1.0 - P_VALUE], SCANS - 1)
    assert low < ((counts - counts.mean()) ** 2).sum() / mean < high  # the dispersion of a Poisson number
    for axis in range(2):
        z = scenario.det_z[false, axis]
        assert stats.kstest(z, "uniform", args=(0.0, scenario.meta.hi[axis])).pvalue > P_VALUE


def test_plots_do_not_tell_by_their_order_what_they_are(scenario):
    place = np.concatenate([(np.arange(m) + 0.5) / m for m in np.diff(scenario.det_off)])
    assert stats.kstest(place[scenario.det_truth < 0], "uniform").pvalue > P_VALUE
    real = scenario.det_truth[slice(*scenario.det_off[:2])]
    assert abs(stats.spearmanr(np.arange((real >= 0).sum()), real[real >= 0]).statistic) < 0.15


def test_errors_of_the_plots(scenario):
    where = {
        (k, i): x for k, i, x in zip(scenario.truth_scan, scenario.truth_id, scenario.truth_x[:, ::2], strict=True)
    }
    real = np.flatnonzero(scenario.det_truth >= 0)
    truth = np.array([where[key] for key in zip(scan_of_plots(scenario)[real], scenario.det_truth[real], strict=True)])
    error = scenario.det_z[real] - truth
    for axis in range(2):
        assert stats.kstest(error[:, axis], "norm", args=(0.0, 30.0)).pvalue > P_VALUE
    assert stats.pearsonr(*error.T).pvalue > P_VALUE
    np.testing.assert_array_equal(scenario.det_R, np.broadcast_to(np.diag([900.0, 900.0]), scenario.det_R.shape))


def test_speeds_courses_and_motion(scenario):
    x = scenario.truth_x[scenario.truth_scan == 0]
    assert stats.kstest(np.hypot(x[:, 1], x[:, 3]), "uniform", args=(50.0, 200.0)).pvalue > P_VALUE
    assert stats.kstest(np.arctan2(x[:, 3], x[:, 1]), "uniform", args=(-np.pi, 2.0 * np.pi)).pvalue > P_VALUE
    before, after = steps(scenario).swapaxes(0, 1)
    kick = after - before
    kick[:, ::2] -= before[:, 1::2]
    # White acceleration of spectral density 1 m^2/s^3 over one second, along each axis and independent between them.
    expected = np.kron(np.eye(2), [[1 / 3, 1 / 2], [1 / 2, 1.0]])
    np.testing.assert_allclose(np.cov(kick.T), expected, atol=LIMIT_SIGMA * np.sqrt(2.0 / len(kick)))


def test_targets_die_and_new_ones_take_their_place(scenario):
    s = scenario
    n = s.meta.n * (SCANS - 1)
    deaths = n - len(steps(s))
    assert abs(deaths - 0.005 * n) < LIMIT_SIGMA * np.sqrt(n * 0.005)
    assert len(np.unique(s.truth_id)) == s.meta.n + deaths
    first = np.array([s.truth_scan[s.truth_id == i].min() for i in range(s.meta.n, s.meta.n + deaths)])
    new = np.array([s.truth_x[(s.truth_id == s.meta.n + j) & (s.truth_scan == k)][0] for j, k in enumerate(first)])
    speed = np.hypot(new[:, 1], new[:, 3])
    assert speed.min() >= 50.0
    assert speed.max() <= 250.0
    assert stats.kstest(new[:, 0], "uniform", args=(0.0, s.meta.hi[0])).pvalue > P_VALUE
    for i in np.unique(s.truth_id):  # nobody comes back
        seen = s.truth_scan[s.truth_id == i]
        np.testing.assert_array_equal(seen, np.arange(seen[0], seen[-1] + 1))


def test_the_seed_decides():
    one, same, other = (multitarget.generate("n20", 5, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.det_z, same.det_z)
    assert not np.array_equal(one.truth_x, other.truth_x)


@pytest.mark.parametrize("name", ["x50", "n", "50", "n0", "n5.0"])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(ValueError, match=f"no scenario '{name}'"):
        multitarget.generate(name, 5, seed=1)


def test_a_file_gives_back_what_was_written(tmp_path):
    written = multitarget.generate("d20", 6, seed=2)
    path = tmp_path / "d20.npz"
    written.write(path)
    back = multitarget.read(path)
    assert back.meta == written.meta
    for name in ("times", "truth_scan", "truth_id", "truth_x", "det_off", "det_z", "det_R", "det_truth"):
        np.testing.assert_array_equal(getattr(back, name), getattr(written, name))
    for scan in range(6):
        z, covariance = back.plots(scan)
        assert len(z) == len(covariance) == back.det_off[scan + 1] - back.det_off[scan]
        assert back.truth(scan).shape == (20, 2)


@pytest.mark.parametrize("name", ["n50", "n200", "n1000", "d50"])
def test_the_files_that_others_use(shared_data, name, tmp_path):
    path = shared_data / "tracking_scenarios" / f"{name}.npz"
    theirs = multitarget.read(path)
    made = tmp_path / f"{name}.npz"
    ours = multitarget.generate(name, theirs.meta.scans, seed=1)
    ours.write(made)
    with np.load(path) as a, np.load(made) as b:
        assert set(a.files) == set(b.files)
        for key in set(a.files) - {"meta"}:
            assert (a[key].dtype, a[key].ndim) == (b[key].dtype, b[key].ndim)
        stated, made_meta = json.loads(str(a["meta"])), json.loads(str(b["meta"]))
    # A scenario made here has the parameters of the file of that name: only the draws differ.
    assert {k: stated[k] for k in made_meta if k != "seed"} == {k: v for k, v in made_meta.items() if k != "seed"}


def test_a_file_that_lacks_something_is_refused(tmp_path):
    path = tmp_path / "n5.npz"
    np.savez(path, meta="{}", times=np.arange(3.0))
    with pytest.raises(ValueError, match=r"truth_scan.*det_z"):
        multitarget.read(path)


POINTS = arrays(float, st.tuples(st.integers(0, 8), st.just(2)), elements=st.floats(-600, 600))


@given(POINTS, POINTS)
def test_gospa_by_parts_is_gospa(truth, estimate):
    whole = metrics.gospa(truth, estimate, c=200.0, p=2.0).total
    assert multitarget.gospa(truth, estimate) == pytest.approx(whole, rel=1e-9, abs=1e-6)


def test_score_of_a_case_by_hand():
    truth = np.array([[0.0, 0.0], [5000.0, 0.0]])
    missed = multitarget.gospa(truth, np.array([[3.0, 4.0]]))  # one target 5 m off, one missed
    assert missed == pytest.approx(np.sqrt(5.0**2 + 200.0**2 / 2.0))
    astray = multitarget.gospa(truth, np.array([[3.0, 4.0], [5000.0, 250.0]]))  # beyond 200 m: missed, and false
    assert astray == pytest.approx(np.sqrt(5.0**2 + 200.0**2))
    # Ten scans that do not count, then two.
    assert multitarget.rms_gospa([1e6] * 10 + [missed, astray]) == pytest.approx(np.sqrt(25.0 + 0.75 * 200.0**2))


def test_too_few_scans_have_no_score():
    with pytest.raises(ValueError, match="10 scans"):
        multitarget.rms_gospa([1.0] * 10)
