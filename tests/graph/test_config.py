"""The parameter file: one for the graph, wrong ones refused with file, node, key and what is allowed."""

from pathlib import Path

import pytest

from aegis.core.params import ConfigError
from aegis.graph.config import load_settings, parse_sets, read_file, settings_type
from aegis.graph.nodes import ALL_NODES
from aegis.resources import share_dir


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "radar.yaml"
    path.write_text(text)
    return path


def test_defaults_below_every_node_below_node_below_environment_below_set(tmp_path):
    path = write(tmp_path, """
/**:
  ros__parameters: {sensor_z: 12.0, confidence_threshold: 0.5, classification: {confidence_threshold: 0.5}}
tracking:
  ros__parameters: {sensor_z: 15.0, clutter_per_scan: 3}
""")  # fmt: skip
    s = load_settings("tracking", path, environ={})
    assert (s.sensor_z, s.clutter_per_scan, s.confidence_threshold) == (15.0, 3.0, 0.5)
    environ = {"DETECTION_THRESHOLD": "0.9"}
    assert load_settings("tracking", path, environ=environ).confidence_threshold == 0.9
    given = ["tracking.confidence_threshold=0.7"]
    assert load_settings("tracking", path, given, environ=environ).confidence_threshold == 0.7
    assert load_settings("detection", path, environ={}).classification.confidence_threshold == 0.5
    assert load_settings("threat", path, environ={}) == settings_type("threat")()


@pytest.mark.parametrize(("text", "match"), [
    ("tracker:\n  ros__parameters: {}", r"radar\.yaml: no node 'tracker'; known are: simulator, "),
    ("tracking: {clutter_per_scan: 1}", r"radar\.yaml: 'tracking' must hold 'ros__parameters:'"),
    ("tracking:\n  ros__parameters: [1]", "must be a mapping"),
    ("[1, 2]", "node names are expected"),
    ("a: [", r"radar\.yaml: not valid YAML"),
    ("tracking:\n  ros__parameters: {cluter: 1}", r"radar\.yaml.*'tracking': unknown parameter 'cluter'; known are"),
    ("tracking:\n  ros__parameters: {clutter_per_scan: -1}", "'clutter_per_scan' = -1: .*greater than 0"),
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
    for node in ALL_NODES:
        load_settings(node, path, environ={})


@pytest.mark.parametrize("node", ALL_NODES)
def test_every_parameter_says_what_it_means_and_its_default_is_allowed(node):
    kind = settings_type(node)
    assert kind.load() == kind()
    for info in kind.params():
        assert info.doc.strip(), f"{node}.{info.name}"
