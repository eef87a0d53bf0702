# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What runs: the nodes by the radar in use, their processes, arguments and environment."""

import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from aegis.cli.main import cli
from aegis.core.params import ConfigError
from aegis.graph import node
from aegis.graph.nodes import BRIDGE, DEFAULT_NODES
from aegis.graph.plan import Options, Plan
from aegis.resources import config_file

ALONE = ("simulator.level=signal",)
RAW = ("simulator.level=signal", "simulator.coverage.max_range_m=5000")
REST = [name for name in DEFAULT_NODES if name != "simulator"]


def plan(*sets: str, environ: dict[str, str] | None = None, **options) -> Plan:
    return Plan.of(Options(sets=sets, **options), environ or {})


def stages(*sets: str, **options) -> list[str]:
    return list(plan(*sets, bridge=False, **options).processes)


@pytest.mark.parametrize(("sets", "options", "radar"), [
    ([], {}, ["simulator"]),
    (RAW, {}, ["simulator", "frontend"]),
    (RAW, {"front_end": False}, ["simulator"]),
    (["driver.driver=smartmicro_umrr"], {}, ["driver"]),
    ([], {"driver": "smartmicro_umrr"}, ["driver"]),
    (["driver.driver=ti_raw", "driver.source=npy", "driver.path=frame.npy"], {}, ["driver", "frontend"]),
    ([], {"external_radar": True}, []),
    ([], {"radar_msgs": True}, ["radar_msgs"]),
    ([], {"external_radar": True, "front_end": True}, ["frontend"]),
    (RAW, {"external_radar": True}, []),
    (["driver.driver=navico"], {}, ["driver", "video"]),
    ([], {"external_video": True}, ["video"]),
    ([], {"ros_args": ("-p", "level:=signal", "-p", "simulator:coverage.max_range_m:=5000")}, ["simulator", "frontend"]),
])  # fmt: skip
def test_the_radar_decides(sets, options, radar):
    assert stages(*sets, **options) == [*radar, *REST]


@pytest.mark.parametrize("options", [{"sets": ALONE}, {"ros_args": ("-p", "level:=signal")}])
def test_raw_samples_alone_bring_the_profile_of_a_radar_that_has_them(options):
    """Every process gets it: all stages have to know the radar."""
    made = Plan.of(Options(bridge=False, **options), {})
    assert list(made.processes) == ["simulator", "frontend", *REST]
    for words in made.processes.values():
        assert Path(words[words.index("--config") + 1]).name == "fmcw_mimo.yaml"
    simulator = made.parameters.settings("simulator", environ={})
    assert (simulator.scenario, simulator.level, simulator.interval_s) == ("street", "signal", 0.05)
    assert made.parameters.settings("tracking", environ={}).sensor.max_range_m == 150.0


def test_a_radar_or_a_file_of_ones_own_is_left_as_it_is(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("tracking:\n  ros__parameters: {max_tracks: 7}\n")
    with pytest.raises(ConfigError, match="max_range_m 10000 gives a beat above sample_rate_hz"):
        plan(*ALONE, config=path)
    assert all("--config" not in words for words in plan(*RAW).processes.values())
    assert plan(*ALONE, "simulator.seed=3", scenario="crossing").parameters.config.name == "fmcw_mimo.yaml"


def test_a_parameter_file_may_name_the_driver(tmp_path):
    path = tmp_path / "radar.yaml"
    path.write_text("driver:\n  ros__parameters: {driver: smartmicro_umrr, udp.port: 55556}\n")
    assert stages(config=path) == ["driver", *REST]


def test_nodes_may_be_left_out():
    assert "foxglove" not in stages(foxglove=False)
    assert list(plan().processes) == ["simulator", *REST, BRIDGE]


def test_one_radar_has_one_source():
    with pytest.raises(ConfigError, match="exclude each other"):
        stages("driver.driver=smartmicro_umrr", external_radar=True)


@pytest.mark.parametrize(
    ("sets", "options", "match"),
    [
        ([], {"external_radar": True}, "scenario 'crossing' is the simulator's, .*: the radar is external"),
        (["driver.driver=smartmicro_umrr"], {}, "scenario 'crossing' .* the driver 'smartmicro_umrr'; leave one out"),
    ],
)
def test_a_scenario_without_the_simulator_is_refused(sets, options, match):
    with pytest.raises(ConfigError, match=match):
        stages(*sets, scenario="crossing", **options)


@pytest.mark.parametrize(("sets", "match"), [
    (["driver.driver=nobody"], "no driver 'nobody'; known are: .*smartmicro_umrr"),
    (["driver.driver=smartmicro_umrr", "driver.udp.prot=1"], "unknown parameter 'udp.prot'; known are: .*port"),
    (["driver.driver=smartmicro_umrr", "driver.udp.port=70000"], "'udp.port' = 70000: .*65535"),
])  # fmt: skip
def test_a_wrong_driver_is_refused_with_a_message_that_helps(sets, match):
    with pytest.raises(ConfigError, match=match):
        stages(*sets)


def test_the_processes_and_their_arguments(tmp_path):
    path = tmp_path / "radar.yaml"
    path.write_text("/**:\n  ros__parameters: {sensor_z: 3.0}\n")
    made = plan("tracking.max_tracks=7", config=path, namespace="front", scenario="crossing", port=9000)
    common = [
        "--config", str(path), "--set", "tracking.max_tracks=7", "--set", "simulator.scenario=crossing", "--set",
        "bridge.port=9000", "--namespace", "front",
    ]  # fmt: skip
    assert made.processes == {name: [name, *common] for name in ["simulator", *REST, BRIDGE]}
    assert plan(composed=True).processes == {"graph": ["simulator", *REST], BRIDGE: [BRIDGE]}


def test_the_environment_says_the_run_and_leaves_what_is_said():
    made = plan(discovery_range="LOCALHOST")
    (run,) = {tuple(environ.items()) for environ in made.environ.values()}  # the same for all
    assert [name for name, _ in run] == [
        "AEGIS_RUN_ID",
        "ROS_AUTOMATIC_DISCOVERY_RANGE",
        "AEGIS_PROVEN",
        "FASTDDS_BUILTIN_TRANSPORTS",
    ]
    assert plan().environ["tracking"].keys() == {"AEGIS_RUN_ID", "AEGIS_PROVEN", "FASTDDS_BUILTIN_TRANSPORTS"}
    given = {"AEGIS_RUN_ID": "mine", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
    environ = plan(environ=given, discovery_range="LOCALHOST").environ["tracking"]
    assert (environ["AEGIS_RUN_ID"], environ.keys()) == (
        "mine",
        {"AEGIS_RUN_ID", "AEGIS_PROVEN", "FASTDDS_BUILTIN_TRANSPORTS"},
    )


def test_nobody_else_is_taken_for_the_nodes_that_run_here():
    """Their stages as they call themselves in `status`, which their own test holds against a whole graph."""
    said = {"tracks", "threats", *(f"status:{name}" for name in ("simulator", *REST, BRIDGE))}
    assert set(plan().environ["threat"]["AEGIS_PROVEN"].split(",")) == said
    alone = plan(nodes=("threat",), ros_args=("-r", "threat:__node:=judge")).environ["threat"]["AEGIS_PROVEN"]
    assert alone == "threats,status:judge,status:bridge"
    rig = plan(radars=("front", "left"), nodes=("detection", "tracking"), bridge=False).environ["front/detection"]
    assert rig["AEGIS_PROVEN"] == "tracks,status:front/detection,status:left/detection,status:tracking"


@pytest.mark.parametrize(
    "options", [{"sets": RAW}, {"ros_args": ("-p", "level:=signal", "-p", "coverage.max_range_m:=5000")}]
)
def test_who_sends_cubes_gets_the_shared_memory_for_them(options):
    name = "FASTRTPS_DEFAULT_PROFILES_FILE"
    made = Plan.of(Options(**options), {})
    assert [process for process, environ in made.environ.items() if name in environ] == ["simulator"]
    assert Path(made.environ["simulator"][name]).name == "large_messages.xml"
    assert name not in Plan.of(Options(**options), {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}).environ["simulator"]
    assert name not in plan().environ["simulator"]


def test_all_that_has_no_cubes_sends_by_udp_unless_dds_is_told_otherwise():
    """What is killed leaves no shared memory that its successor falls over."""
    name, profiles = "FASTDDS_BUILTIN_TRANSPORTS", "FASTRTPS_DEFAULT_PROFILES_FILE"
    made = plan().environ
    assert {environ.get(name) for environ in made.values()} == {"UDPv4"}
    raw = Plan.of(Options(sets=RAW), {}).environ
    assert {process for process, environ in raw.items() if name not in environ} == {"simulator", "frontend"}
    for said in ({name: "SHM"}, {profiles: "mine.xml"}, {"FASTDDS_DEFAULT_PROFILES_FILE": "mine.xml"}):
        assert not any(one.keys() & {name, profiles} for one in Plan.of(Options(), said).environ.values())


@pytest.mark.parametrize("words", [
    ["--set", RAW[0], "--set", RAW[1]],
    ["--ros-args", "-p", "level:=signal", "-p", "coverage.max_range_m:=5000.0"],
])  # fmt: skip
def test_a_node_by_itself_gives_itself_the_shared_memory(monkeypatch, words):
    name = "FASTRTPS_DEFAULT_PROFILES_FILE"
    for said in (name, "FASTDDS_DEFAULT_PROFILES_FILE", "FASTDDS_BUILTIN_TRANSPORTS"):
        monkeypatch.setenv(said, "")
    seen = []
    monkeypatch.setattr(node, "run_stages", lambda *_: seen.append(node.os.environ[name]) or 0)
    assert node.main(["simulator", *words]) == 0
    assert Path(seen[0]).name == "large_messages.xml"


def test_what_is_for_ros_goes_where_it_makes_sense():
    words = (
        "-p", "sensor.clutter_per_scan:=3.0", "-p", "sensor_z:=2.0", "-p", "ew:advice.valid_s:=5.0", "-p", "use_sim_time:=true",
        "-r", "tracks:=other", "-r", "tracking:__node:=tracker", "--log-level", "debug",
    )  # fmt: skip
    made = plan(ros_args=words)
    remaps = ["--remap", "tracks:=other", "--remap", "tracking:__node:=tracker"]
    every = ["--param", "use_sim_time:=true", *remaps, "--log-level", "debug"]

    def own(process: str) -> list[str]:
        found = made.processes[process]
        return found[found.index("--ros-args") + 1 :]

    assert own("tracking") == ["--param", "sensor.clutter_per_scan:=3.0", "--param", "sensor_z:=2.0", *every]
    assert own("detection") == ["--param", "sensor_z:=2.0", *every]
    assert own("ew") == ["--param", "sensor_z:=2.0", "--param", "ew:advice.valid_s:=5.0", *every]
    assert own("threat") == every
    assert plan().processes["threat"] == ["threat"]


@pytest.mark.parametrize(("words", "match"), [
    (["-p", "sensor.cluter_per_scan:=1.0"], r"'sensor.cluter_per_scan', which no node has. Did you mean 'sensor.clutter_per_scan'"),
    (["-p", "sensor.clutter_per_scan:=-1.0"], r"--ros-args -p, node 'tracking': parameter 'sensor.clutter_per_scan' = -1.0"),
    (["-p", "driver:frame_id:=x"], r"-p driver:frame_id:=x: no node 'driver' runs; there are: simulator, detection"),
    (["-r", "__node:=x"], "one name for all nodes"),
    (["--bogus"], "no option '--bogus'; known are: -p, -r"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(words, match):
    with pytest.raises(ConfigError, match=match):
        plan(ros_args=tuple(words))


def test_a_plan_is_printed_as_lines_for_a_shell():
    words = ["up", "--print-plan", "--no-bridge", "--driver", "smartmicro_umrr", "--set", "tracking.frame_id=a b"]
    result = CliRunner().invoke(cli, [*words, "--ros-args", "-p", "max_tracks:=9"], env={"AEGIS_RUN_ID": "run"})
    assert result.exit_code == 0, result.output
    lines = [shlex.split(line) for line in result.output.splitlines()]
    sets = ["--set", "tracking.frame_id=a b", "--set", "driver.driver=smartmicro_umrr"]
    command = [sys.executable, "-m", "aegis.graph.node"]
    by_node = {line[line.index("aegis.graph.node") + 1]: line for line in lines}
    assert list(by_node) == ["driver", *REST]
    assert by_node["threat"][-len(sets) - 4 :] == [*command, "threat", *sets]
    assert by_node["tracking"][-len(sets) - 7 :] == [
        *command,
        "tracking",
        *sets,
        "--ros-args",
        "--param",
        "max_tracks:=9",
    ]
    assert all("AEGIS_RUN_ID=run" in line for line in lines)


def test_help_says_what_is_done_with_the_words_for_ros():
    text = CliRunner().invoke(cli, ["up", "--help"]).output
    assert "[--ros-args ...]" in text
    assert "-p NODE:NAME:=VALUE" in " ".join(text.split())


RIG = (
    "tracking.sensors.front.sensor_x=3.0",
    "tracking.sensors.front.sensor_yaw_deg=90.0",
    "tracking.sensors.left.sensor_x=-3.0",
)


def test_a_rig_has_each_radars_nodes_in_a_namespace_and_all_others_once():
    made = plan(*RIG, radars=("front", "left"))
    radars = [f"{radar}/{node}" for radar in ("front", "left") for node in ("simulator", "detection")]
    assert list(made.processes) == [*radars, "tracking", "threat", "ew", "markers", "foxglove", BRIDGE]
    words = made.processes["front/detection"]
    assert words[words.index("--namespace") + 1] == "front"
    assert "detections:=/detections" in words
    assert "status:=/status" in words
    assert "radar/points:=/radar/points" not in words  # stays the radar's own
    assert {"--set=detection.sensor_id=front", "--set=detection.sensor_yaw_deg=90.0"} <= set(words)
    assert "--namespace" not in made.processes["tracking"]
    told = {"--set=foxglove.radars.front.sensor_yaw_deg=90.0", "--set=foxglove.radars.left.sensor_x=-3.0"}
    assert told <= set(made.processes["foxglove"])
    for name in ("ew", BRIDGE):
        told = {f"--set={name}.sensors.front.sensor_yaw_deg=90.0", f"--set={name}.sensors.left.sensor_x=-3.0"}
        assert told <= set(made.processes[name])
    (stages,) = [word for word in made.processes[BRIDGE] if word.startswith("--set=bridge.ready.stages")]
    assert stages.endswith("=[front/detection, left/detection, tracking, threat, ew]")
    assert "--set=bridge.ready.sensors=[front, left]" in made.processes[BRIDGE]
    seeds = [word for name in radars for word in made.processes[name] if "simulator.seed" in word]
    assert seeds == ["--set=simulator.seed=1", "--set=simulator.seed=2"]
    begins = {word for name in radars for word in made.processes[name] if "begins_at_s" in word}
    assert len(begins) == 1  # one scenario


def test_what_is_said_of_one_radar_holds_for_it_alone(tmp_path):
    file = tmp_path / "rig.yaml"
    file.write_text(
        "/quay/front/driver: {ros__parameters: {driver: smartmicro_umrr, sensor_id: bow}}\n"
        "detection: {ros__parameters: {sensor_z: 4.0}}\n"
    )
    made = plan(config=file, radars=("front", "left"), namespace="quay", bridge=False)
    assert list(made.processes)[:4] == ["front/driver", "front/detection", "left/simulator", "left/detection"]
    words = made.processes["front/driver"]
    assert words[words.index("--namespace") + 1] == "quay/front"
    assert not [word for word in words if "sensor_id" in word]  # it is said
    assert "detections:=/quay/detections" in made.processes["left/detection"]


def test_a_rig_in_few_processes():
    made = plan(*RIG, radars=("front", "left"), composed=True)
    assert list(made.processes) == ["front/graph", "left/graph", "graph", BRIDGE]
    assert made.processes["left/graph"][:2] == ["simulator", "detection"]


def test_a_radars_detection_is_told_the_delay_that_the_tracker_takes_off():
    told = "--set=detection.odometry.delay_s"
    made = plan(*RIG, "tracking.sensors.front.delay_s=0.4", radars=("front", "left"))
    assert [f"{told}=0.4" in made.processes[f"{radar}/detection"] for radar in ("front", "left")] == [True, False]
    for_all = plan(*RIG, "tracking.sensor.delay_s=0.2", radars=("front", "left"))
    assert all(f"{told}=0.2" in for_all.processes[f"{radar}/detection"] for radar in ("front", "left"))
    assert not any(told in word for words in plan(*RIG, radars=("front", "left")).processes.values() for word in words)


@pytest.mark.parametrize("radars", [("front", "front"), ("2nd",), ("a/b",), ("tracking",)])
def test_a_radars_name_has_to_be_one(radars):
    with pytest.raises(ConfigError, match=f"radar '{radars[0]}'"):
        plan(radars=radars)


def test_nodes_can_be_left_out():
    assert stages(nodes=("tracking", "detection")) == ["detection", "tracking"]
    with pytest.raises(ConfigError, match="'frontend' does not run here"):
        plan(nodes=("frontend",))


@pytest.mark.parametrize(
    ("nodes", "sets", "waits_for"),
    [
        ((), (), ()),
        (("tracking", "detection"), (), ("detection, tracking",)),
        (("foxglove",), (), ()),  # beside a graph that runs elsewhere
        (("tracking",), ("bridge.ready.stages=[tracking, threat]",), ()),
    ],
)
def test_the_bridge_waits_for_the_stages_that_run_here(nodes, sets, waits_for):
    words = plan(*sets, nodes=nodes).processes[BRIDGE]
    assert [word for word in words if word.startswith("--set=bridge.ready.stages")] == [
        f"--set=bridge.ready.stages=[{stages}]" for stages in waits_for
    ]


def test_a_rig_with_fusion_has_a_tracker_for_each_radar():
    made = plan(*RIG, "tracking.motion.acceleration_sigma_mps2=5.0", radars=("front", "left"), fusion=True)
    radars = [f"{radar}/{node}" for radar in ("front", "left") for node in ("simulator", "detection", "tracking")]
    assert list(made.processes) == [*radars, "fusion", "threat", "ew", "markers", "foxglove", BRIDGE]
    words = made.processes["left/tracking"]
    assert {"--set=tracking.sensor_ids=[left]", "tracks:=/source_tracks", "detections:=/detections"} <= set(words)
    assert not [word for word in words if word.startswith("--set=tracking.frame_id")]
    said = [name for name in radars if "class_info:=/class_info" in made.processes[name] and name.endswith("tracking")]
    assert said == ["front/tracking"]  # one says for all what classes mean
    fusion = set(made.processes["fusion"])
    assert {"--set=fusion.sources.front.sensor_x=3.0", "--set=fusion.acceleration_sigma_mps2=5.0"} <= fusion
    assert "--set=fusion.bias.reference=front" in fusion
    assert not [word for word in made.processes["threat"] if "source_tracks" in word]
    (stages,) = [word for word in made.processes[BRIDGE] if word.startswith("--set=bridge.ready.stages")]
    assert "front/tracking" in stages
    assert "fusion" in stages


def test_what_the_sensor_is_called_is_what_its_tracker_and_the_fusion_look_for():
    made = plan("detection.sensor_id=bow", *RIG, radars=("front", "left"), fusion=True, composed=True)
    assert list(made.processes) == ["front/graph", "left/graph", "graph", BRIDGE]
    assert "--set=tracking.sensor_ids=[bow]" in made.processes["front/graph"]
    assert "--set=fusion.sources.front.sensors=[bow]" in made.processes["graph"]


def test_fusion_is_of_several_radars():
    with pytest.raises(ConfigError, match="fusion is of several radars"):
        plan(fusion=True)


SITED = ("bridge.outputs.site=[51.0,-1.0,100.0]",)


def test_sapient_runs_where_there_is_somebody_to_speak_to():
    made = plan(*SITED, "tracking.sensor_x=7.0", sapient="tcp://10.0.0.1:5020")
    assert "fusion" not in made.processes
    assert "tracking:tracks:=" not in " ".join(made.processes["tracking"])
    settings = made.parameters.settings("sapient", environ={})
    assert settings.edge.connect == "tcp://10.0.0.1:5020"
    assert {"--set=sapient.site=[51.0, -1.0, 100.0]", "--set=sapient.sensor_x=7.0"} <= set(made.processes["sapient"])
    with pytest.raises(ConfigError, match="where map is"):
        plan(sapient="tcp://10.0.0.1:5020")


@pytest.mark.parametrize("composed", [False, True])
def test_others_detections_are_fused_with_the_tracks_of_one_radar(composed):
    made = plan(*SITED, "sapient.fusion.listen=tcp://127.0.0.1:5020", namespace="site", composed=composed)
    assert {"sapient", "fusion", "tracking"} <= set(made.nodes)
    for process in ("graph",) if composed else ("tracking", "fusion", "threat"):
        words = made.processes[process]
        assert words[words.index("tracking:tracks:=/site/source_tracks") - 1] == "-r"


def test_tracks_by_asterix_are_fused_and_our_own_output_is_not_taken():
    own = ("bridge.outputs.cat062.address=127.0.0.1:8600", "bridge.outputs.cat062.sac=7", "bridge.outputs.cat062.sic=9")
    made = plan(*SITED, *own, "asterix_tracks.listen=true")
    assert {"asterix_tracks", "fusion", "tracking"} <= set(made.nodes)
    assert "tracking:tracks:=/source_tracks" in made.processes["tracking"]
    settings = made.settings["asterix_tracks"]["asterix_tracks"]
    assert (settings.site, settings.never) == ((51.0, -1.0, 100.0), ("7/9",))
    assert "asterix_tracks" not in plan(*SITED).nodes
    with pytest.raises(ConfigError, match="where map is"):
        plan("asterix_tracks.listen=true")


def test_others_detections_are_fused_with_the_tracks_of_the_one_tracker_of_a_rig():
    made = plan(*RIG, *SITED, "sapient.fusion.listen=tcp://127.0.0.1:5020", radars=("front", "left"))
    assert "tracking:tracks:=/source_tracks" in made.processes["tracking"]
    assert "--set=fusion.sources.tracking.sensors=[front, left]" in made.processes["fusion"]


def test_what_a_file_says_of_radars_that_do_not_run_is_remarked():
    rig = config_file("rig.yaml")
    nodes, placed = plan(config=rig).remarks
    assert (
        nodes == f"{rig}: no node /front/simulator, /left/simulator runs here; --radar NAME runs a radar in a namespace"
    )
    assert placed.endswith(
        "places front, left (tracking.sensors); one radar runs, of no name: say --radar front --radar left"
    )
    (left,) = plan(config=rig, radars=("front",)).remarks
    assert "/left/simulator" in left
    assert "/front" not in left
    assert plan(config=rig, radars=("front", "left")).remarks == ()
    assert plan(config=rig, radars=("front", "left"), namespace="ship").remarks  # /front is not /ship/front
    for name in ("aegis.yaml", "umrr96.yaml"):
        assert plan(config=config_file(name)).remarks == ()
