# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The parameter file: one for the graph, wrong ones refused with file, node, key and what is allowed."""

import re
from pathlib import Path

import pytest

from aegis.core.params import ConfigError
from aegis.drivers.registry import BUILT_IN, driver_class
from aegis.graph import node
from aegis.graph.config import Parameters, load_settings, settings_type
from aegis.graph.nodes import ALL_NODES
from aegis.graph.parameter_file import parse_sets, read_file
from aegis.graph.ros_args import RosArguments
from aegis.resources import share_dir


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "radar.yaml"
    path.write_text(text)
    return path


def test_defaults_below_every_node_below_node_below_environment_below_set(tmp_path):
    path = write(tmp_path, """
/**:
  ros__parameters: {sensor_z: 12.0, classification: {confidence_threshold: 0.5}}
tracking:
  ros__parameters: {sensor_z: 15.0, sensor.clutter_per_scan: 3}
""")  # fmt: skip
    s = load_settings("tracking", path, environ={})
    assert (s.sensor_z, s.sensor.clutter_per_scan, s.classification.confidence_threshold) == (15.0, 3.0, 0.5)
    environ = {"DETECTION_THRESHOLD": "0.9"}
    assert load_settings("tracking", path, environ=environ).classification.confidence_threshold == 0.9
    given = ["tracking.classification.confidence_threshold=0.7"]
    assert load_settings("tracking", path, given, environ=environ).classification.confidence_threshold == 0.7
    assert load_settings("detection", path, environ={}).classification.confidence_threshold == 0.5
    assert load_settings("threat", path, environ={}) == settings_type("threat")()


@pytest.mark.parametrize(("text", "match"), [
    ("tracker:\n  ros__parameters: {}", r"radar\.yaml: no node 'tracker'; known are: simulator, "),
    ("tracking: {clutter_per_scan: 1}", r"radar\.yaml: 'tracking' must hold 'ros__parameters:'"),
    ("tracking:\n  ros__parameters: [1]", "must be a mapping"),
    ("[1, 2]", "node names are expected"),
    ("a: [", r"radar\.yaml: not valid YAML"),
    ("tracking:\n  ros__parameters: {cluter: 1}", r"radar\.yaml.*'tracking': unknown parameter 'cluter'; known are"),
    ("tracking:\n  ros__parameters: {sensor: {clutter_per_scan: -1}}", "'sensor.clutter_per_scan' = -1: .*greater than 0"),
    ("/**:\n  ros__parameters: {cluter: 1}", r"'/\*\*' sets 'cluter', which no node has"),
])  # fmt: skip
def test_a_wrong_file_is_refused_with_a_message_that_helps(tmp_path, text, match):
    with pytest.raises(ConfigError, match=match):
        load_settings("tracking", write(tmp_path, text), environ={})


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "radar.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_file(path)


@pytest.mark.parametrize("item", ["x", "tracking=1", "tracking.=1", "nobody.key=1", "tracking.key"])
def test_a_wrong_set_is_refused(item):
    with pytest.raises(ConfigError, match=r"NODE\.KEY=VALUE is expected"):
        parse_sets([item])


@pytest.mark.parametrize("path", sorted((share_dir() / "config").glob("*.yaml")), ids=lambda p: p.name)
def test_every_profile_that_ships_is_right(path):
    for name in ALL_NODES:
        load_settings(name, path, environ={})


@pytest.mark.parametrize("name", ALL_NODES)
def test_every_parameter_says_what_it_means_and_its_default_is_allowed(name):
    kind = settings_type(name)
    assert kind.load() == kind()
    for info in kind.params():
        assert info.doc.strip(), f"{name}.{info.name}"


NAMESPACES = """
/**:
  ros__parameters: {sensor_z: 1.0, use_sim_time: true}
tracking:
  ros__parameters: {sensor_z: 2.0, max_tracks: 7}
/front/tracking:
  ros__parameters: {sensor_z: 3.0}
rig:
  rear:
    tracking:
      ros__parameters: {sensor_z: 4.0}
/*/detection:
  ros__parameters: {sensor_z: 5.0}
/**/ew:
  ros__parameters: {advice: {valid_s: 6.0}}
"""


@pytest.mark.parametrize(("namespace", "ros", "tracking", "detection"), [
    ("", "", 2.0, 1.0),
    ("front", "", 3.0, 5.0),
    ("rig/rear", "", 4.0, 1.0),
    ("front", "-r __ns:=/rig/rear", 4.0, 1.0),
    ("other", "", 2.0, 5.0),
])  # fmt: skip
def test_a_section_may_be_for_one_namespace(tmp_path, namespace, ros, tracking, detection):
    path = write(tmp_path, NAMESPACES)
    parameters = Parameters.read(path, namespace=namespace, ros=RosArguments.parse(ros.split()))
    parameters.check(list(ALL_NODES))
    assert parameters.settings("tracking").sensor_z == tracking
    assert parameters.settings("tracking").max_tracks == 7
    assert parameters.settings("detection").sensor_z == detection
    assert parameters.settings("ew").advice.valid_s == 6.0
    assert parameters.ros_own("tracking") == {"use_sim_time": True}


def test_a_file_of_ros_args_is_above_the_environment_and_may_have_nodes_of_others(tmp_path):
    path = write(tmp_path, """
/**/det_left: {ros__parameters: {sensor_z: 9.0}}
controller_server: {ros__parameters: {frequency: 20.0}}
tracking: {ros__parameters: {sensor_z: 8.0, classification.classes: []}}
detection: {ros__parameters: {classification.confidence_threshold: 0.5, limits: {max_targets: 9}}}
""")  # fmt: skip
    words = ["-p", "sensor_z:=7.0", "--params-file", str(path), "-p", "limits.max_targets:=11"]
    ros = RosArguments.parse([*words, "-r", "detection:__node:=det_left"])
    parameters = Parameters.read(None, ["tracking.max_tracks=5", "tracking.sensor_z=1"], ros=ros)
    parameters.check(["tracking", "detection"])
    environ = {"DETECTION_THRESHOLD": "0.9", "MAX_TARGETS": "3"}
    tracking, detection = (parameters.settings(node, environ=environ) for node in ("tracking", "detection"))
    assert (tracking.sensor_z, tracking.max_tracks, tracking.classification.classes) == (8.0, 5, ())
    assert (detection.sensor_z, detection.limits.max_targets) == (9.0, 11)
    assert detection.classification.confidence_threshold == 0.5


def test_what_ros_args_say_of_no_node_is_for_every_node_that_has_it(tmp_path):
    """As `SetParameter` in a launch file says it to all of them."""
    ros = RosArguments.parse(["-p", "sensor_z:=7.5", "-p", "use_sim_time:=true"])
    parameters = Parameters.read(None, ros=ros)
    parameters.check(["threat"])
    assert parameters.settings("threat", environ={}) == settings_type("threat")()
    assert parameters.settings("tracking", environ={}).sensor_z == 7.5
    with pytest.raises(
        ConfigError, match=r"--ros-args -p, node 'threat': unknown parameter 'hysteresys'.*'levels\.hysteresis'"
    ):
        Parameters.read(None, ros=RosArguments.parse(["-p", "hysteresys:=1"])).check(["threat"])


ROS_OWN = """
/**:
  ros__parameters:
    use_sim_time: true
    start_type_description_service: false
    qos_overrides:
      /radar/points: {subscription: {depth: 3, reliability: best_effort}}
      /clock:
    qos_overrides./tf.subscription.depth: 5
tracking:
  ros__parameters: {use_sim_time: false, qos_overrides: {}}
"""
OWN_SETS = [
    "use_sim_time=true", "start_type_description_service=false", "qos_overrides={/tracks: {publisher: {depth: 7}}}",
    "qos_overrides./tracks.publisher.reliability=best_effort",
]  # fmt: skip


@pytest.mark.parametrize("node", ALL_NODES)
def test_what_every_ros_node_has_is_accepted_of_every_node(tmp_path, node):
    parameters = Parameters.read(write(tmp_path, ROS_OWN), [f"{node}.{one}" for one in OWN_SETS])
    parameters.check([node])
    assert parameters.settings(node, environ={}) == settings_type(node)()
    assert parameters.ros_own(node) == {
        "use_sim_time": True,
        "start_type_description_service": False,
        "qos_overrides./radar/points.subscription.depth": 3,
        "qos_overrides./radar/points.subscription.reliability": "best_effort",
        "qos_overrides./tf.subscription.depth": 5,
        "qos_overrides./tracks.publisher.depth": 7,
        "qos_overrides./tracks.publisher.reliability": "best_effort",
    }


@pytest.mark.parametrize(("own", "match"), [
    ("use_sim_time=maybe", "'use_sim_time' = 'maybe': true or false is expected"),
    ("start_type_description_service=1", "= 1: true or false is expected"),
    ("qos_overrides=3", r"qos_overrides\.TOPIC\.publisher or subscription\.POLICY is expected"),
    ("qos_overrides./a.publisher.dept=3", "POLICY one of history, "),
    ("qos_overrides./a.reader.depth=3", "publisher or subscription"),
    ("qos_overrides./a.publisher.depth=-1", "= -1: an integer from 0 is expected"),
    ("qos_overrides./a.publisher.depth=true", "= True: an integer from 0"),
    ("qos_overrides./a.publisher.reliability=very", "= 'very': reliable, best_effort, "),
    ("qos_overrides./a.publisher.avoid_ros_namespace_conventions=3", "true or false"),
])  # fmt: skip
def test_what_every_ros_node_has_is_refused_where_it_cannot_be(own, match):
    with pytest.raises(ConfigError, match=rf"--set, node 'tracking': parameter .*{match}"):
        load_settings("tracking", None, [f"tracking.{own}"], environ={})


def test_a_refusal_names_where_each_value_is_from(tmp_path):
    path = write(tmp_path, "tracking:\n  ros__parameters: {max_tracks: 0, sensor_x: 1.0}\n")
    ros = RosArguments.parse(["-p", "frame_id:=1"])
    with pytest.raises(ConfigError) as refusal:
        Parameters.read(path, ["tracking.max_extent_m=-1"], ros=ros).settings("tracking", environ={})
    lines = {line.partition(", node 'tracking': parameter ")[0]: line for line in str(refusal.value).splitlines()}
    assert set(lines) == {str(path), "--set", "--ros-args -p"}
    assert "'max_tracks' = 0" in lines[str(path)]


def test_the_file_is_read_once_for_all_nodes_of_a_process(tmp_path, monkeypatch):
    path = write(tmp_path, NAMESPACES)
    read = []
    monkeypatch.setattr(Path, "read_text", lambda self, **_: read.append(self) or NAMESPACES)
    seen = []
    monkeypatch.setattr(node, "run_stages", lambda settings, *_: seen.append(list(settings)) or 0)
    assert node.main(["tracking", "threat", "ew", "--config", str(path)]) == 0
    assert seen == [["tracking", "threat", "ew"]]
    assert read == [path]


@pytest.mark.parametrize(
    "kind", [settings_type(name) for name in ALL_NODES] + [driver_class(name).settings_type for name in BUILT_IN]
)
def test_every_text_stands_alone_in_one_style(kind):
    """Sentences, from a capital letter to a period, that do not lean on the row above."""
    for info in kind.params():
        assert info.doc[0].isupper(), info
        assert info.doc.endswith("."), info
        assert not info.doc.startswith(("And ", "The same", "Of ")), info
        assert not re.search(r"\b(parameters|those|errors) (above|below)\b", info.doc), info
