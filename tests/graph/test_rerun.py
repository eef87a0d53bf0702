# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis export --rerun`: Rerun's own reader finds what was in the bag, at its times."""

import numpy as np
import pytest
from bridge_data import some_detections
from click.testing import CliRunner
from evaluation_data import SECOND, picture

from aegis.cli.main import cli
from aegis.core.events import TrackLost
from aegis.core.types import TrackStatus
from aegis.resources import config_file
from aegis.ros.bag import write_bag
from aegis.ros.messages.picture import detections_to_msg, tracks_to_msg
from aegis.ros.messages.reports import event_to_msg

BEGIN_S = 1_700_000_000


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """Six seconds of two tracks, and a third that is tentative."""
    path = tmp_path_factory.mktemp("rerun") / "bag"
    with write_bag(path, ["tracks", "events"]) as bag:
        for k in range(6):
            tracks = picture(BEGIN_S + k, [(1, 100 + 10 * k, 0, 10, 0), (2, 0, 200, 0, -4), (3, 5, 5, 0, 0)])
            tracks.status[2] = int(TrackStatus.TENTATIVE)
            bag.write("tracks", (BEGIN_S + k) * SECOND, tracks_to_msg(tracks))
        lost = event_to_msg(
            TrackLost(2), stage="tracking", run_id="r", epoch=0, sequence=1, stamp_ns=(BEGIN_S + 4) * SECOND
        )
        bag.write("events", (BEGIN_S + 4) * SECOND, lost)
    return path


def run(*words):
    return CliRunner().invoke(cli, ["export", *map(str, words)], catch_exceptions=False)


def read(path) -> dict[str, list]:
    """Return of each entity the rows of its chunks, by Rerun's reader."""
    rerun = pytest.importorskip("rerun", reason="the extra rerun is not installed")
    found: dict[str, list] = {}
    for chunk in rerun.chunk.RrdReader(path).stream():
        found.setdefault(chunk.entity_path, []).extend(chunk.to_record_batch().to_pylist())
    return found


def column(row: dict, name: str):
    (value,) = (value for key, value in row.items() if key.endswith(name))
    return value


def test_what_is_in_the_bag_is_in_the_file_at_its_time(bag, tmp_path):
    pytest.importorskip("rerun", reason="the extra rerun is not installed")
    out = tmp_path / "day.rrd"
    done = run("--rerun", out, "--bag", bag)
    assert done.exit_code == 0, done.output
    assert "tracks: 6 messages" in done.stdout
    found = read(out)
    rows = found["/tracks"]
    assert len(rows) == 6
    for k, row in enumerate(rows):
        stamp = np.datetime64(column(row, "stamp"), "ns")
        assert (stamp - np.datetime64(0, "s")) / np.timedelta64(1, "s") == BEGIN_S + k
        np.testing.assert_allclose(column(row, "positions"), [[100 + 10 * k, 0, 0], [0, 200, 0]])
        assert column(row, "labels") == ["1 aircraft", "2 aircraft"]
    np.testing.assert_allclose(column(found["/tracks/velocity"][0], "vectors"), [[50, 0, 0], [0, -20, 0]])
    assert [column(row, "scalars") for row in found["/plots/tracks"]] == [[2.0]] * 6
    (event,) = found["/events"]
    assert "TRACKING_LOST" in column(event, "text")[0]


def test_each_radars_detections_of_a_rig_are_placed_from_where_it_stands(tmp_path):
    pytest.importorskip("rerun", reason="the extra rerun is not installed")
    with write_bag(tmp_path / "rig", ["detections"]) as bag:
        for k, name in enumerate(("front", "left")):  # ahead, at 100 m
            one = some_detections(1, (BEGIN_S + k) * SECOND, 1)
            one.sensor_id, one.range[:], one.azimuth[:], one.elevation[:] = name, 100.0, 0.0, 0.0
            bag.write("detections", one.stamp_ns, detections_to_msg(one))
    out = tmp_path / "rig.rrd"
    done = run("--rerun", out, "--bag", tmp_path / "rig", "--config", config_file("rig.yaml"))
    assert done.exit_code == 0, done.output
    rows = sorted(read(out)["/detections"], key=lambda row: column(row, "stamp"))
    places = [column(row, "positions") for row in rows]
    np.testing.assert_allclose(places, [[[3, 100, 0]], [[-103, 0, 0]]], atol=1e-4)


def test_a_part_and_what_is_refused(bag, tmp_path):
    pytest.importorskip("rerun", reason="the extra rerun is not installed")
    out = tmp_path / "part.rrd"
    times = ("--from", "2023-11-14T22:13:22", "--to", "2023-11-14T22:13:23")
    assert run("--rerun", out, "--bag", bag, *times).exit_code == 0
    assert [column(row, "colors") for row in read(out)["/tracks"]] == [[0x7FB2DEFF] * 2] * 2  # nobody assessed them
    again = run("--rerun", out, "--bag", bag)
    assert (again.exit_code, "exists already" in again.stderr) == (2, True)
    none = run("--rerun", tmp_path / "none.rrd", "--bag", bag, "--from", "2030-01-01")
    assert (none.exit_code, "no tracks, detections or events of that time" in none.stderr) == (2, True)
    assert [one.name for one in tmp_path.iterdir()] == ["part.rrd"]


def test_without_a_bag_a_file_or_the_package_it_says_what_is_needed(bag, tmp_path, monkeypatch):
    assert "--rerun is of a bag: --bag" in run("--rerun", tmp_path / "a.rrd").stderr
    assert "or --rerun" in run("--bag", bag).stderr
    monkeypatch.setattr("aegis.graph.rerun_file.find_spec", lambda name: None)
    done = run("--rerun", tmp_path / "a.rrd", "--bag", bag)
    assert (done.exit_code, "pip install 'aegis[rerun]'" in done.stderr) == (2, True)
