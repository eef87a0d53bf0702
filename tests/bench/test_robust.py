# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The worlds that are not as stated: what is wrong in each, and that the score counts what it says."""

import numpy as np
import pytest

from aegis.bench import robust
from aegis.bench.mismatch import (
    CELL_M,
    CLUTTER,
    DURATION_S,
    PD,
    SIGMA_M,
    TARGETS,
    VIEW_M,
    WORLDS,
    World,
    simulate,
)  # fmt: skip
from aegis.core.types import Tracks

BY_NAME = {world.name: world for world in WORLDS}


def states(scenario) -> np.ndarray:
    return scenario.truth_x.reshape(len(scenario.times), TARGETS, 4)


def test_there_are_fourteen_worlds_and_one_thing_is_wrong_in_each():
    assert len(BY_NAME) == len(WORLDS) == 14
    for world in WORLDS[1:]:
        different = {name for name, value in vars(world).items() if value != getattr(World("nominal"), name)}
        assert different - {"name"}, world.name


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_a_world_is_as_it_says(world):
    scenario = simulate(world, 7)
    scans, state = len(scenario.times), states(scenario)
    assert scans == round(DURATION_S / world.period_s)
    false = (scenario.det_truth < 0).sum() / scans
    assert false == pytest.approx(world.clutter + world.patch, rel=0.35)
    seen = np.hypot(state[:, :, 0], state[:, :, 2]) <= VIEW_M
    share = (scenario.det_truth >= 0).sum() / seen.sum()
    if not (world.pairs or world.hidden_scans):
        assert share == pytest.approx(world.pd, abs=0.1)
        k = np.repeat(np.arange(scans), np.diff(scenario.det_off))
        real = scenario.det_truth >= 0
        error = scenario.det_z[real] - state[k[real], scenario.det_truth[real]][:, [0, 2]]
        assert error.std() == pytest.approx(world.noise * SIGMA_M, rel=0.1)
    assert (scenario.det_R == SIGMA_M**2 * np.eye(2)).all()  # stated, whatever is
    assert (scenario.meta.pd, scenario.meta.lam_fa) == (PD, CLUTTER)


def test_targets_hide_for_five_scans_and_pairs_share_a_cell():
    scenario = simulate(BY_NAME["5 scans hidden"], 7)
    k = np.repeat(np.arange(len(scenario.times)), np.diff(scenario.det_off))
    for target in range(TARGETS):
        scans = np.flatnonzero(np.isin(np.arange(len(scenario.times)), k[scenario.det_truth == target]))
        assert np.diff(scans).max() >= 6
    state = states(simulate(BY_NAME["two in a cell"], 7))
    distance = np.linalg.norm(state[:, 0, ::2] - state[:, 1, ::2], axis=1)
    assert (distance < CELL_M).sum() >= 20
    assert distance.max() > 400.0


def picture(stamp_s: float, rows: list[tuple[int, float, float]]) -> Tracks:
    state = np.zeros((len(rows), 6))
    state[:, :2] = [[x, y] for _, x, y in rows]
    ids = np.array([name for name, _, _ in rows], dtype=np.int64)
    return robust._picture(round(stamp_s * 1e9), ids, state, np.tile(np.eye(6), (len(rows), 1, 1)))


def test_the_score_counts_false_tracks_changes_of_ids_and_what_is_covered():
    """Perfect tracks, but the first target's changes its id once and one is false all the time; none shows the last target."""
    scenario = simulate(World("short"), 3)
    state, pictures = states(scenario), []
    for k, stamp in enumerate(scenario.times):
        rows = [(100 + i if i or k < 60 else 99, *state[k, i, ::2]) for i in range(TARGETS - 1)]
        pictures.append(picture(stamp, [*rows, (7, 0.5 * VIEW_M, 0.0)]))
    in_view = np.hypot(state[:, :, 0], state[:, :, 2]) <= VIEW_M
    assert in_view[59:61, 0].all()
    found = robust.score(scenario, pictures)
    assert found.false_per_minute == 0.5
    assert found.id_changes == 1.0
    assert found.coverage == pytest.approx(in_view[:, :-1].sum() / in_view.sum(), abs=0.02)
    each = 200.0**2 / 2.0
    assert found.gospa == pytest.approx(np.mean(np.sqrt(each * (1.0 + in_view[:, -1]))), rel=0.05)


def test_a_row_has_both_trackers_and_a_cost_both_settings():
    pytest.importorskip("stonesoup")
    short = World("a scan in 10 s", period_s=10.0)
    row, cost = robust.run(1, (short,), ("n50",))
    assert {"gospa", "peer_gospa", "false_per_minute", "peer_id_changes", "coverage", "world"} <= set(row)
    assert 0.9 < cost["gospa"] / cost["unsuspecting_gospa"] < 1.2
    assert cost["cost"] == pytest.approx(cost["gospa"] / cost["unsuspecting_gospa"] - 1.0, abs=1e-3)
