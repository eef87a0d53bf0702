# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The simulator as a stage: genuine messages in and out, no node."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aegis_msgs.srv import Scan, SetMode
from diagnostic_msgs.msg import DiagnosticStatus
from settings_of import settings_of

from aegis.core.events import ScanStarted
from aegis.core.health import Level
from aegis.core.params import ConfigError
from aegis.graph.nodes import NODES
from aegis.ros.messages.clouds import cloud_fields
from aegis.ros.messages.fields import stamp_of
from aegis.ros.stages.base import Output, StageContext
from aegis.ros.stages.simulator import SimulatorStage
from aegis.simulation.points import Mode, SimulatorSettings

BEGIN_NS = 1_700_000_000_123_456_789
HALF_S = 500_000_000
FIELDS = ["x", "y", "z", "range_rate", "snr", "rcs", "noise"]


def stage(**values: Any) -> SimulatorStage:
    return SimulatorStage(settings_of(SimulatorSettings, **values), StageContext(run_id="run", epoch=2, live=True))


def cloud(outputs: Iterable[Output]) -> Any:
    (message,) = (output.message for output in outputs if output.topic == "radar/points")
    return message


def columns(message: Any) -> dict[str, np.ndarray]:
    return cloud_fields(message, {field.name for field in message.fields})


def set_mode(at: SimulatorStage, **values: Any) -> Any:
    request = SetMode.Request()
    request.frequency = float("nan")
    for name, value in values.items():
        setattr(request, name, value)
    response = SetMode.Response()
    assert list(at.on_service("set_mode", request, response, BEGIN_NS)) == []
    return response


def test_it_is_the_stage_of_the_graph_table():
    spec = NODES["simulator"]
    assert spec.load_stage() is SimulatorStage
    assert SimulatorStage.name == spec.name


def test_a_scan_is_announced_and_published_with_its_stamp():
    event, truth, noise, points = stage().on_timer(BEGIN_NS)
    assert (noise.topic, stamp_of(noise.message), noise.message.sequence) == ("radar/noise", BEGIN_NS, 1)
    assert event.topic == "events"
    assert event.message.name == ScanStarted.name
    assert (event.message.stage, event.message.run_id, event.message.epoch) == ("simulator", "run", 2)
    assert json.loads(event.message.data)["sequence"] == 1
    assert (truth.topic, stamp_of(truth.message), truth.message.sequence) == ("truth", BEGIN_NS, 1)
    assert points.topic == "radar/points"
    message = points.message
    assert stamp_of(message) == BEGIN_NS
    assert message.header.frame_id == "radar"
    assert [field.name for field in message.fields] == FIELDS
    assert message.width == len(message.data) // message.point_step >= 8
    assert message.is_dense


def test_the_truth_is_told_only_to_those_who_listen():
    at = stage()
    at.has_listeners = lambda topic: topic != "truth"
    assert [output.topic for output in at.on_timer(BEGIN_NS)] == ["events", "radar/noise", "radar/points"]
    at.has_listeners = lambda topic: topic != "radar/noise"
    assert [output.topic for output in at.on_timer(BEGIN_NS)] == ["events", "truth", "radar/points"]


def test_the_points_are_those_of_the_scan():
    at = stage(scenario="drone_swarm")
    made = columns(cloud(at.on_timer(BEGIN_NS)))
    scan = stage(scenario="drone_swarm").simulator.step(0.0, BEGIN_NS)
    xyz = np.stack([made["x"], made["y"], made["z"]])
    np.testing.assert_allclose(np.linalg.norm(xyz, axis=0), scan.range, rtol=1e-6)
    np.testing.assert_allclose(np.arctan2(made["y"], made["x"]), scan.azimuth, atol=1e-6)
    np.testing.assert_allclose(np.arcsin(made["z"] / scan.range), scan.elevation, atol=1e-6)
    for name, values in (("range_rate", scan.range_rate), ("snr", scan.snr_db), ("rcs", scan.rcs_dbsm)):
        np.testing.assert_allclose(made[name], values, rtol=1e-6)
    np.testing.assert_allclose(made["noise"], scan.noise_db, rtol=1e-6)


def test_the_scenario_runs_from_the_first_scan():
    at, fast = stage(scenario="fast_approach"), []
    for i in range(60):
        made = columns(cloud(at.on_timer(BEGIN_NS + i * HALF_S)))
        fast.append(bool((np.abs(made["range_rate"] + 301.5) < 3).any()))
    assert not any(fast[:20])  # the missile appears at 10 s
    assert sum(fast[20:]) > 25


def test_a_2d_radar_without_doppler_publishes_neither():
    made = columns(cloud(stage(has_elevation=False, has_doppler=False).on_timer(BEGIN_NS)))
    assert sorted(made) == sorted(name for name in FIELDS if name != "range_rate")
    assert (made["z"] == 0).all()
    scan = stage(has_elevation=False, has_doppler=False).simulator.step(0.0, 0)
    np.testing.assert_allclose(np.hypot(made["x"], made["y"]), scan.range, rtol=1e-6)


def test_a_scan_without_points_is_published_all_the_same(tmp_path: Path):
    path = tmp_path / "nothing.yaml"
    path.write_text("{name: nothing, duration_s: 10}", encoding="utf-8")
    message = cloud(stage(scenario=str(path), false_alarms_per_scan=0.0).on_timer(BEGIN_NS))
    assert message.width == 0
    assert [field.name for field in message.fields] == FIELDS


def test_the_period_is_the_interval_of_the_settings():
    assert stage(scan_interval_s=0.2).period_s == 0.2
    assert stage(refresh_rate_hz=10.0).period_s == pytest.approx(0.1)


def test_an_agile_radar_hops_within_its_band_and_stays_where_it_is_told_to():
    at = stage()
    assert set_mode(at, set_agility=True, agility=400e6).message.endswith("hops within 4e+08 Hz")
    carriers = []
    for k in range(40):
        list(at.on_timer(BEGIN_NS + k * HALF_S))
        carriers.append(at.simulator.frequency_hz)
    assert 6 <= len(set(carriers)) <= 8
    assert max(abs(carrier - 9.4e9) for carrier in carriers) <= 200e6
    assert set_mode(at, set_agility=True, agility=0.0, frequency=9.4e9).success
    list(at.on_timer(BEGIN_NS + 40 * HALF_S))
    assert at.simulator.frequency_hz == 9.4e9
    assert set_mode(at, agility=5e9).success  # without set_agility it does not count


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"set_agility": True, "agility": 5e9}, "agility 5e+09 Hz cannot be tuned; 0 to 1e+09 Hz can"),
        ({"set_agility": True, "agility": float("nan")}, "agility nan Hz"),
        ({"set_chirp_jitter": True, "chirp_jitter": 1e-6}, "0 to 0 s are between the chirps of this radar"),
    ],
)
def test_protection_that_the_radar_has_not_is_refused(values, text):
    at = stage()
    response = set_mode(at, **values)
    assert not response.success
    assert text in response.message


def test_mode_decides_what_the_timer_does_and_scan_works_in_any():
    at = stage()
    for mode, due in ((SetMode.Request.STANDBY, 0), (SetMode.Request.ON_DEMAND, 0), (SetMode.Request.SEARCH, 4)):
        assert set_mode(at, mode=mode).success
        assert len(list(at.on_timer(BEGIN_NS))) == due
        before = at.simulator.sequence
        response = Scan.Response()
        outputs = list(at.on_service("scan", Scan.Request(), response, BEGIN_NS + 7))
        assert response.success
        assert response.sequence == before + 1
        assert response.points == cloud(outputs).width
        assert stamp_of(cloud(outputs)) == BEGIN_NS + 7


def test_modes_have_the_numbers_of_the_service():
    assert {mode.name: int(mode) for mode in Mode} == {
        name: getattr(SetMode.Request, name) for name in ("STANDBY", "SEARCH", "ON_DEMAND")
    }


def test_carrier_and_blanking_are_set_and_left():
    at = stage()
    assert set_mode(at, frequency=9.45e9).success
    assert set_mode(at, set_blanking=True, blank_from=[0.0], blank_to=[3.0]).success
    response = set_mode(at, blank_from=[1.0], blank_to=[2.0])  # without set_blanking they do not count
    assert response.success
    assert response.message == "SEARCH, 9450000000 Hz, 1 blanked sectors"
    made = columns(cloud(at.on_timer(BEGIN_NS)))
    azimuth = np.arctan2(made["y"], made["x"])
    assert len(azimuth)
    assert not ((azimuth >= 0) & (azimuth <= 3)).any()
    assert set_mode(at, set_blanking=True).success
    assert at.simulator.blanking == ()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"mode": 9}, "mode 9 does not exist; 0 leaves it, 1 STANDBY, 2 SEARCH, 3 ON_DEMAND"),
        ({"frequency": 1.0}, "cannot be tuned"),
        ({"frequency": float("inf")}, "cannot be tuned"),
        ({"set_blanking": True, "blank_from": [0.0, 1.0], "blank_to": [0.5]}, "blank_from has 2 entries"),
        ({"set_blanking": True, "blank_from": [0.0], "blank_to": [90.0]}, "radians from -2 pi to 2 pi"),
        ({"set_blanking": True, "blank_from": [1.0], "blank_to": [1.0]}, "empty sector"),
    ],
)
def test_nonsense_is_refused_with_a_message_and_changes_nothing(values: dict[str, Any], says: str):
    at = stage()
    before = at.detail()
    response = set_mode(at, **({"mode": SetMode.Request.STANDBY} | values))
    assert not response.success
    assert says in response.message
    assert at.detail() == before


def test_an_unknown_service_and_any_input_are_errors():
    with pytest.raises(KeyError, match="dance"):
        stage().on_service("dance", None, None, BEGIN_NS)
    with pytest.raises(ValueError, match="reads no topic"):
        stage().on_message("tracks", None)


def test_restart_begins_the_scenario_anew():
    at = stage()
    first = [cloud(at.on_timer(BEGIN_NS + i * HALF_S)).data for i in range(5)]
    set_mode(at, mode=SetMode.Request.STANDBY)
    at.reset()
    later = BEGIN_NS + 90 * HALF_S
    assert [cloud(at.on_timer(later + i * HALF_S)).data for i in range(5)] == first
    assert at.detail()["scans"] == 10


def test_status_says_what_the_radar_does_and_no_input_is_no_fault():
    at = stage(scenario="jamming")
    list(at.on_timer(BEGIN_NS))
    row, diagnostics = (output.message for output in at.status(BEGIN_NS))
    detail = json.loads(row.detail[0])
    assert (detail["scenario"], detail["mode"], detail["scans"]) == ("jamming", "SEARCH", 1)
    assert diagnostics.status[0].level == DiagnosticStatus.OK


def test_a_wrong_scenario_refuses_to_start():
    with pytest.raises(ConfigError, match="no scenario 'tea_party'"):
        stage(scenario="tea_party")


@pytest.mark.parametrize(
    ("scenario", "far_m", "seen"), [("street", 10_000.0, False), ("calm_traffic", 10_000.0, True), ("calm_traffic", 160.0, False)]
)  # fmt: skip
def test_a_scenario_of_which_nothing_is_ever_in_view_is_said(scenario, far_m, seen):
    """The street is within 150 m, where a radar of 10 km range hears its own pulse."""
    at = stage(scenario=scenario, coverage_max_range_m=far_m)
    assert (at.health().level is Level.WARN) is not seen
    if not seen:
        assert f"no target of the scenario '{scenario}' is ever in view of this radar" in at.health().text
