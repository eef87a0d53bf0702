# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters as they are given for nodes: in a file, or by `--set`.

The file is ROS 2's own parameter format, one file for the whole graph:

    /**:                        # every node that has the parameter
      ros__parameters:
        sensor_z: 12.0
    tracking:                   # this node, in any namespace
      ros__parameters:
        motion:
          mean_turn_s: 10.0
        motion.mean_straight_s: 120.0   # dotted is the same
    /front/tracking:            # this node in one namespace; also nested, front: {tracking: ...}
      ros__parameters:
        sensor_z: 15.0
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aegis.core.param_names import Leaf, Values, flat
from aegis.core.params import ConfigError
from aegis.core.yaml_text import parse_yaml
from aegis.graph.nodes import ALL_NODES

EVERY_NODE = "/**"
SITE = "site"  # a section that is no node's: see `aegis.graph.site`
_PARAMETERS = "ros__parameters"


@dataclass(frozen=True)
class Section:
    """Parameters of the nodes whose full names a pattern matches: `*` is any part of a namespace, `**` any namespace."""

    pattern: str
    values: dict[str, Leaf]  # by dotted name
    source: str  # for error messages

    @property
    def name(self) -> str:
        """Return the node's name, or a pattern of it."""
        return self.pattern.rpartition("/")[2]

    @property
    def everywhere(self) -> bool:
        """Tell whether it is for every node that has the parameter."""
        return self.pattern == EVERY_NODE

    @property
    def rank(self) -> int:
        """Return how particular it is: every node, a node anywhere, a node in its namespace."""
        return 0 if self.everywhere else 1 if "*" in self.pattern else 2

    def is_for(self, names: Iterable[str], namespace: str) -> bool:
        """Tell whether it is for a node that has one of these names."""
        parts = self.pattern.strip("/").split("/")
        regex = "".join(
            "(/[^/]+)*" if part == "**" else "/" + re.escape(part).replace(r"\*", "[^/]*") for part in parts
        )
        above = f"/{namespace}" if namespace else ""
        return any(re.fullmatch(regex, f"{above}/{name}") for name in names)


def read_file(path: Path, *, foreign: bool = False) -> list[Section]:
    """Read a parameter file.

    Args:
        path: of the file.
        foreign: it may have sections of nodes that are not ours; they are left out.

    Raises:
        ConfigError: unreadable, not YAML, not in the format above, or naming a node that does not exist.
    """
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if content is None:
        return []
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: node names are expected at the top level ({', '.join(ALL_NODES)})")
    found = list(_sections(content, path, ""))
    for section in found:
        if not (foreign or section.everywhere or section.name in ALL_NODES or section.pattern == f"/**/{SITE}"):
            known = ", ".join([*ALL_NODES, EVERY_NODE])
            raise ConfigError(f"{path}: no node '{section.pattern.removeprefix('/**/')}'; known are: {known}")
    return sorted(found, key=lambda section: section.rank)


def _sections(content: Mapping[str, Values], path: Path, namespace: str) -> Iterator[Section]:
    for key, section in content.items():
        name = f"{namespace}/{str(key).strip('/')}" if namespace else str(key)
        node = name.rpartition("/")[2] in ALL_NODES or name in (EVERY_NODE, SITE)
        if not isinstance(section, dict) or (node and set(section) != {_PARAMETERS}):
            raise ConfigError(f"{path}: '{name}' must hold '{_PARAMETERS}:' and nothing else")
        if _PARAMETERS not in section:
            yield from _sections(section, path, "/" + name.strip("/"))
            continue
        parameters = section[_PARAMETERS]
        if parameters is not None and not isinstance(parameters, dict):
            raise ConfigError(f"{path}: '{name}: {_PARAMETERS}' must be a mapping of parameter to value")
        bare = name.strip("/")
        pattern = name if name == EVERY_NODE or "/" in bare else f"/**/{bare}"
        try:
            yield Section("/" + pattern.strip("/"), flat(parameters or {}), str(path))
        except ValueError as error:
            raise ConfigError(f"{path}, node '{name}': {error}") from None


def parse_sets(sets: Iterable[str]) -> list[Section]:
    """Read `NODE.KEY=VALUE` options; the value is YAML.

    Raises:
        ConfigError: another form, or no such node.
    """
    out = []
    for item in sets:
        name, eq, value = item.partition("=")
        node, dot, key = name.partition(".")
        if not eq or not dot or not key or node not in ALL_NODES:
            raise ConfigError(f"--set {item}: NODE.KEY=VALUE is expected, NODE one of {', '.join(ALL_NODES)}")
        given = flat({key: parse_yaml(value, f"--set {item}: the value")})
        out.append(Section(f"/**/{node}", given, "--set"))
    return out
