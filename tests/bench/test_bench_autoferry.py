# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The leave-one-out comparison on a real radar: that nothing of the recording held out is in its choice, and what is scored."""

import autoferry as recorded
import numpy as np
import pytest

from aegis.bench import BENCHMARKS, BenchmarkError, autoferry
from aegis.bench.autoferry import Parameter, Score, chosen


def test_a_choice_sees_only_what_it_may_and_finds_the_least():
    parameters = (Parameter("a", 0.0, (1.0, 2.0)), Parameter("b", 5.0, (3.0, 4.0)))
    asked = set()

    def scored(choice, recording):
        asked.add(recording)
        return Score((choice[0] - 1.0) ** 2 + (choice[1] - 4.0) ** 2, 0.9, 0)

    assert chosen([2, 5, 16], parameters, scored) == (1.0, 4.0)
    assert asked == {2, 5, 16}


def test_a_picture_of_too_little_is_no_choice():
    parameters = (Parameter("a", 0.0, (1.0,)),)
    assert chosen([2], parameters, lambda choice, _: Score(10.0 - choice[0], 0.9 - choice[0], 0)) == (0.0,)


def test_the_recordings_are_read_and_tracked(shared_data):
    folder = shared_data / "autoferry_maritime_radar"
    scenario = autoferry.read(folder, 2)
    for k, (_, xy) in enumerate(recorded.plots(shared_data, 2)):
        np.testing.assert_allclose(scenario.plots(k)[0], xy)
    for k, vessels in enumerate(recorded.truth(shared_data, 2)):
        np.testing.assert_allclose(scenario.truth(k), vessels)
    begin = tuple(float(p.begin) for p in autoferry.OURS)
    found = autoferry.score(scenario, autoferry.ours(scenario, begin))
    assert found.coverage > 0.9
    assert found.gospa < 28.2  # of two vessels missed: (2 * 20^2 / 2)^(1/2) = 20, and as many false


def test_the_score_is_of_truth():
    """Perfect pictures but for an id that changes half way; then none at all."""
    scenario = autoferry.Scenario(
        meta=None, times=np.arange(4.0), truth_scan=np.repeat(np.arange(4), 2), truth_id=np.tile([0, 1], 4),
        truth_x=np.tile([[0.0, 0, 0, 0], [100.0, 0, 0, 0]], (4, 1)), det_off=None, det_z=None, det_R=None, det_truth=None,
    )  # fmt: skip
    ids = [np.array([1, 2]), np.array([1, 2]), np.array([1, 3]), np.array([1, 3])]
    assert autoferry.score(scenario, ((name, scenario.truth(0)) for name in ids)) == Score(0.0, 1.0, 1)
    nothing = [(np.empty(0, int), np.empty((0, 2)))] * 4
    assert autoferry.score(scenario, iter(nothing)) == Score(pytest.approx(20.0), 0.0, 0)


def test_a_folder_without_them_is_refused(tmp_path):
    pytest.importorskip("stonesoup")
    with pytest.raises(BenchmarkError, match="--recordings names the folder"):
        next(BENCHMARKS["autoferry"].load()(1, recordings=tmp_path))
