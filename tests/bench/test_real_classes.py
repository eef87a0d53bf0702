# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What recorded objects are called: counted rightly, and never what they cannot be."""

from dataclasses import replace

import numpy as np
import pytest

from aegis.bench import BenchmarkError, real_classes
from aegis.bench.turning_radar import plots, sectors
from aegis.core.evaluation.scene import TrueObject
from aegis.core.types import N_CLASSES, ClassId, Tracks, TrackStatus


def test_a_folder_without_recordings_is_said(tmp_path):
    with pytest.raises(BenchmarkError, match="--recordings"):
        list(real_classes.run(1, tmp_path))


def test_one_who_walks_is_no_aircraft(shared_data, tmp_path):
    file = real_classes._SOURCES["radhar, walk___20_walk_6"][0]
    if not (shared_data / file).exists():
        pytest.skip(f"{file} is not in ../shared/data")
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).symlink_to((shared_data / file).resolve())
    rows = {row["classes"]: row for row in real_classes.run(1, tmp_path)}
    assert rows.keys() == {"every", "the profile's"}
    for row in rows.values():
        assert row["track_scans"] > 300
        assert row["aircraft_or_missile"] == 0.0
        assert row["right"] + row["unknown"] > 0.9
        assert sum(row["told"].values()) == pytest.approx(1.0, abs=0.01)
    shipped = {"UNKNOWN", "VEHICLE", "PERSON", "CLUTTER"}  # of config/automotive.yaml
    assert rows["the profile's"]["told"].keys() <= shipped
    assert rows["every"]["told"] != rows["the profile's"]["told"]


@pytest.mark.parametrize("name", ["maritime_2d", "marine_video"])
def test_a_vessel_of_which_only_its_place_is_told_is_not_called_clutter(name):
    # One is moored, one has 1.5 m/s, one 5 m/s: what a harbour's radar sees of them is the truth here.
    ways = [((500.0, 300.0), (0.0, 0.0)), ((-700.0, 200.0), (1.5, 0.0)), ((-300.0, -900.0), (3.0, 4.0))]
    at, still = np.arange(131.0), np.zeros(131)
    objects = [
        TrueObject(
            k + 1, f"vessel {k + 1}", int(ClassId.VESSEL), np.rint(at * 1e9).astype(np.int64),
            np.column_stack([x + vx * at, y + vy * at, still, still + vx, still + vy, still]), np.ones(131, bool),
        )
        for k, ((x, y), (vx, vy)) in enumerate(ways)
    ]  # fmt: skip
    radar, span = replace(real_classes.COAST_RADAR, max_range_m=1500.0, false_per_turn=0.5), (0.0, 130.0)
    plotted = plots(objects, radar, span, np.random.default_rng(7))

    def told(profile):
        scans = (replace(one, elevation=np.full(len(one), np.nan)) for one in sectors(plotted, radar, span))
        return real_classes._counted(profile, ClassId.VESSEL, scans)["told"]

    shipped = real_classes.Profile.read(name)
    classes = shipped.tracking.classification.model_copy(update={"priors": {}})
    as_trained = replace(shipped, tracking=shipped.tracking.model_copy(update={"classification": classes}))
    assert told(as_trained)["CLUTTER"] > 0.3  # what the profile's prior is there for
    now = told(shipped)
    assert now.get("CLUTTER", 0.0) == 0.0
    assert now["UNKNOWN"] + now["VESSEL"] == pytest.approx(1.0, abs=0.01)


def test_what_stands_in_traffic_and_what_was_seen_seldom_is_not_judged():
    n = 4
    tracks = Tracks(
        1, "map", 1, "radar", np.arange(1, n + 1), np.array([2, 2, 2, 1]), np.zeros((n, 6)), np.zeros((n, 6, 6)),
        np.full(n, int(ClassId.VEHICLE)), np.full((n, N_CLASSES), 0.1), np.ones(n), np.zeros(n), np.ones(n), np.zeros(n),
        np.array([10, 9, 30, 30]),
    )  # fmt: skip
    assert TrackStatus(2) is TrackStatus.CONFIRMED
    tracks.state[:, 3] = [3.0, 3.0, 0.5, 3.0]
    assert real_classes._judged(tracks, moving_only=True).tolist() == [True, False, False, False]
    assert real_classes._judged(tracks, moving_only=False).tolist() == [True, False, True, False]
