"""From a parameter file, `--set` options, the environment and ROS overrides to the validated settings of a node.

The file is ROS 2's own parameter format, one file for the whole graph:

    /**:                        # every node that has the parameter
      ros__parameters:
        sensor_z: 12.0
    tracking:
      ros__parameters:
        motion:
          mean_turn_s: 10.0
        motion.mean_straight_s: 120.0   # dotted is the same

Parameters are kept by node and dotted name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path

import yaml

from aegis.core.param_names import Leaf, Values, flat, nearest
from aegis.core.params import ConfigError, Settings
from aegis.graph.nodes import ALL_NODES, BRIDGE, NODES

EVERY_NODE = "/**"


def settings_type(node: str, values: Mapping[str, Leaf] | None = None) -> type[Settings]:
    """Return the settings model of a node of the graph, or of the bridge; of the driver that `values` name, where they do.

    Raises:
        ConfigError: no such node.
    """
    if node == BRIDGE:
        return import_module("aegis.bridge.settings").BridgeSettings  # type: ignore[no-any-return]
    if node not in NODES:
        raise ConfigError(f"no node '{node}'; known are: {', '.join(ALL_NODES)}")
    return NODES[node].load_stage().settings_for(values or {})  # type: ignore[no-any-return]


def read_file(path: Path) -> dict[str, dict[str, Leaf]]:
    """Read a parameter file: node name to its parameters.

    Raises:
        ConfigError: unreadable, not YAML, not in the format above, or naming a node that does not exist.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from error
    if content is None:
        return {}
    known = list(ALL_NODES)
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: node names are expected at the top level ({', '.join(known)})")
    out: dict[str, dict[str, Leaf]] = {}
    for key, section in content.items():
        node = EVERY_NODE if key == EVERY_NODE else str(key).removeprefix("/**/").removeprefix("/")
        if node not in known and node != EVERY_NODE:
            raise ConfigError(f"{path}: no node '{key}'; known are: {', '.join([*known, EVERY_NODE])}")
        if not isinstance(section, dict) or set(section) != {"ros__parameters"}:
            raise ConfigError(f"{path}: '{key}' must hold 'ros__parameters:' and nothing else")
        parameters = section["ros__parameters"]
        if parameters is not None and not isinstance(parameters, dict):
            raise ConfigError(f"{path}: '{key}: ros__parameters' must be a mapping of parameter to value")
        try:
            out[node] = flat(parameters or {})
        except ValueError as error:
            raise ConfigError(f"{path}, node '{key}': {error}") from None
    _check_every_node(out.get(EVERY_NODE, {}), path)
    return out


def _check_every_node(values: Mapping[str, Leaf], path: Path) -> None:
    """Refuse what no node has, with the nearest that one has."""
    kinds = {node: settings_type(node) for node in ALL_NODES} if values else {}
    for key in values:
        if not any(kind.knows(key) for kind in kinds.values()):
            infos = {info.name: (node, info) for node, kind in kinds.items() for info in kind.params()}
            now = next((name for name, (_, info) in infos.items() if info.was == key), "")
            meant = now or nearest(key, list(infos))
            hint = f". Did you mean '{meant}' of '{infos[meant][0]}'?" if meant else ""
            raise ConfigError(f"{path}: '{EVERY_NODE}' sets '{key}', which no node has{hint}")


def parse_sets(sets: Iterable[str]) -> dict[str, dict[str, Leaf]]:
    """Read `NODE.KEY=VALUE` options; the value is YAML.

    Raises:
        ConfigError: another form, or no such node.
    """
    out: dict[str, dict[str, Leaf]] = {}
    for item in sets:
        name, eq, value = item.partition("=")
        node, dot, key = name.partition(".")
        if not eq or not dot or not key or node not in ALL_NODES:
            raise ConfigError(f"--set {item}: NODE.KEY=VALUE is expected, NODE one of {', '.join(ALL_NODES)}")
        try:
            given = flat({key: yaml.safe_load(value)})
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {item}: the value is not valid YAML: {error}") from error
        out.setdefault(node, {}).update(given)
    return out


def load_settings(
    node: str,
    config: Path | None,
    sets: Iterable[str] = (),
    *,
    environ: Mapping[str, str] | None = None,
    ros_overrides: Values | None = None,
) -> Settings:
    """Return a node's settings: defaults, under the file, under the environment, under `--set`, under ROS overrides.

    The whole file is checked for unknown nodes; the keys are checked for this node only.

    Raises:
        ConfigError: naming the key, where it came from, and what is allowed.
    """
    values: dict[str, Leaf] = {}
    sources = []
    content = read_file(config) if config is not None else {}
    explicit = {**parse_sets(sets).get(node, {}), **flat(ros_overrides or {})}
    kind = settings_type(node, {**content.get(EVERY_NODE, {}), **content.get(node, {}), **explicit})
    if config is not None:
        values.update({key: value for key, value in content.get(EVERY_NODE, {}).items() if kind.knows(key)})
        values.update(content.get(node, {}))
        sources.append(str(config))
    if explicit:
        values.update(explicit)
        sources.append("--set/--ros-args")
    source = f"{' and '.join(sources) or 'defaults'}, node '{node}'"
    # What was said on the command line of this very process is above the environment.
    env = dict(os.environ if environ is None else environ)
    for info in kind.params():
        if info.env and info.name in explicit:
            env.pop(info.env, None)
    return kind.load(values, source=source, environ=env)
