# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From a parameter file, `--set`, the environment and `--ros-args` to the validated settings of a node; each is read once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from aegis.core.param_names import Leaf, nearest
from aegis.core.params import ConfigError, Settings
from aegis.drivers.contract import DriverSettings
from aegis.drivers.registry import settings_for
from aegis.graph import ros_parameters
from aegis.graph.nodes import ALL_NODES
from aegis.graph.parameter_file import EVERY_NODE, Section, parse_sets, read_file
from aegis.graph.ros_args import BEGIN, RosArguments, Rule
from aegis.graph.ros_parameters import is_of_ros
from aegis.graph.site import profile_sections
from aegis.resources import config_file

S = TypeVar("S", bound=Settings)

# The radar of raw samples that ships, with what every stage has to know of it.
RAW_PROFILE = "fmcw_mimo.yaml"
_RADAR = ("waveform.", "antenna.", "receiver.", "coverage.")  # of the simulator


def settings_type(node: str, values: Mapping[str, Leaf] | None = None) -> type[Settings]:
    """Return the settings model of a node; of the driver that `values` name, where they do.

    Raises:
        ConfigError: no such node or driver.
    """
    if node not in ALL_NODES:
        raise ConfigError(f"no node '{node}'; known are: {', '.join(ALL_NODES)}")
    kind = ALL_NODES[node].load_settings_type()
    return settings_for(values or {}) if kind is DriverSettings else kind


@dataclass(frozen=True)
class Parameters:
    """All parameters that were given for some nodes of the graph."""

    file: list[Section] = field(default_factory=list)  # below the environment
    explicit: list[Section] = field(default_factory=list)  # above it: what was said on the command line
    ros: RosArguments = field(default_factory=RosArguments)
    namespace: str = ""
    config: Path | None = None  # the file
    sets: tuple[str, ...] = ()  # as they were given, those of ROS left out

    @classmethod
    def read(
        cls,
        config: Path | None,
        sets: Iterable[str] = (),
        *,
        namespace: str = "",
        ros: RosArguments | None = None,
    ) -> Parameters:
        """Read them.

        Args:
            config: parameter file; None for none, or for RAW_PROFILE where the simulator is to give raw samples and nothing is said
                of its radar.
            sets: `NODE.KEY=VALUE` options.
            namespace: of every node.
            ros: what follows `--ros-args`.

        Raises:
            ConfigError: a file or an option is wrong.
        """
        ros = ros or RosArguments()
        sets = tuple(sets)
        explicit = parse_sets(sets)
        for item in ros.parameters():
            if isinstance(item, Rule):
                pattern = f"/**/{item.node}" if item.node else EVERY_NODE
                explicit.append(Section(pattern, item.parameter(), f"{BEGIN} -p"))
            else:
                explicit += read_file(item, foreign=True)
        if config is None and _wants_raw_profile(explicit):
            config = config_file(RAW_PROFILE)
        sections = read_file(config) if config is not None else []
        if config is not None:
            sections = [*profile_sections(config, sections), *sections]
        return cls(sections, explicit, ros, namespace, config, sets)

    def check(self, nodes: Sequence[str]) -> None:
        """Check that what is for every node that has it is for one at least; `nodes` are those that run here.

        And that what ROS itself has of a node is as it can be.

        Raises:
            ConfigError: naming the key, and one that may be meant.
        """
        for section in [*self.file, *self.explicit]:
            ours = section.everywhere or any(self._is_for(section, node) for node in nodes)
            for name, value in section.values.items():
                if ours and is_of_ros(name) and (wrong := ros_parameters.refusal(name, value)):
                    raise ConfigError(f"{section.source}, node '{section.pattern.removeprefix('/**/')}': {wrong}")
            if section.everywhere:
                self._check_every_node(section, nodes)

    def unheard(self, nodes: Iterable[str]) -> list[str]:
        """Return the sections of the file that are for a namespace in which none of these nodes runs, as the file calls them."""
        namespaces = {f"/{self.ros.namespace(node, self.namespace).strip('/')}".rstrip("/") for node in nodes}
        named = [section.pattern for section in self.file if "*" not in section.pattern]
        return [pattern for pattern in dict.fromkeys(named) if pattern.rpartition("/")[0] not in namespaces]

    def check_only(self, nodes: Sequence[str], what: str) -> None:
        """Check that what was set on the command line is of the nodes that run here; `what` runs, and what to do of the others.

        Raises:
            ConfigError: naming what was set in vain.
        """
        for section in self.explicit:
            if not section.everywhere and not any(self._is_for(section, node) for node in nodes):
                raise ConfigError(f"{section.source} {section.name}.{next(iter(section.values), '')}: {what}")

    def takes(self, node: str, rule: Rule) -> bool:
        """Tell whether a parameter of `--ros-args -p` is for a node: by its name, or as one that it has."""
        if rule.node:
            return rule.node in (node, self.ros.node_name(node))
        return any(is_of_ros(name) or self.kind(node).knows(name) for name in rule.parameter())

    def kind(self, node: str) -> type[Settings]:
        """Return the settings model of a node, chosen by its parameters where there are several.

        Raises:
            ConfigError: no such node, or none such to choose.
        """
        return self._kind(node, self._given(node))

    def gives(self, node: str, name: str) -> bool:
        """Tell whether anything was said of a node's parameter."""
        return name in self._given(node)

    def settings(self, node: str, *, environ: Mapping[str, str] | None = None) -> Settings:
        """Return a node's settings: defaults, under the file, under the environment, under `--set`, under `--ros-args`.

        Raises:
            ConfigError: naming the key, where it came from, and what is allowed.
        """
        given = self._given(node)
        kind = self._kind(node, given)
        # What was said on the command line of this very process is above the environment.
        env = dict(os.environ if environ is None else environ)
        for info in kind.params():
            if info.env and info.name in given and given[info.name][1] in self.explicit:
                env.pop(info.env, None)
        values = {name: value for name, (value, section) in given.items() if kind.knows(name) or not section.everywhere}
        sources = {name: f"{section.source}, node '{node}'" for name, (_, section) in given.items()}
        whole = " and ".join(dict.fromkeys(section.source for _, section in given.values())) or "defaults"
        return kind.load(values, source=f"{whole}, node '{node}'", sources=sources, environ=env)

    def settings_as(self, kind: type[S], node: str, *, environ: Mapping[str, str] | None = None) -> S:
        """Return a node's settings, which are of this model."""
        settings = self.settings(node, environ=environ)
        assert isinstance(settings, kind)
        return settings

    def ros_own(self, node: str) -> dict[str, Leaf]:
        """Return what was given of the parameters that ROS itself has of a node, such as use_sim_time."""
        sections = filter(lambda section: self._is_for(section, node), [*self.file, *self.explicit])
        return {name: value for section in sections for name, value in ros_parameters.said(section.values).items()}

    def _is_for(self, section: Section, node: str) -> bool:
        return section.is_for((node, self.ros.node_name(node)), self.ros.namespace(node, self.namespace))

    def _check_every_node(self, section: Section, nodes: Sequence[str]) -> None:
        """Refuse what no node has, with what one has that may be meant; `nodes` are those that run here.

        Of the others, as few as possible are imported.
        """
        asked = list(dict.fromkeys([*nodes, *ALL_NODES]))
        for key, value in section.values.items():
            if is_of_ros(key) or any(self.kind(node).knows(key) for node in asked):
                continue
            if len(nodes) == 1 and section.source.startswith(BEGIN):
                raise ConfigError(f"{section.source}, node '{nodes[0]}': {self.kind(nodes[0]).refusal(key, value)}")
            infos = {info.name: (node, info) for node in asked for info in self.kind(node).params()}
            now = next((name for name, (_, info) in infos.items() if info.was == key), "")
            meant = now or nearest(key, list(infos))
            hint = f". Did you mean '{meant}' of '{infos[meant][0]}'?" if meant else ""
            raise ConfigError(f"{section.source}: '{EVERY_NODE}' sets '{key}', which no node has{hint}")

    def _given(self, node: str) -> dict[str, tuple[Leaf, Section]]:
        """Return a node's values by dotted name, each with the section that it is from."""
        return {
            name: (value, section)
            for section in [*self.file, *self.explicit]
            if self._is_for(section, node)
            for name, value in section.values.items()
            if not is_of_ros(name)
        }

    def _kind(self, node: str, given: Mapping[str, tuple[Leaf, Section]]) -> type[Settings]:
        try:
            return settings_type(node, {name: value for name, (value, _) in given.items()})
        except ConfigError as error:
            if "driver" not in given:
                raise
            raise ConfigError(f"{given['driver'][1].source}, node '{node}': {error}") from None


def _wants_raw_profile(explicit: Sequence[Section]) -> bool:
    """Tell whether the simulator is to give raw samples, of a radar of which nothing is said."""
    given = {
        name: value
        for section in explicit
        if section.everywhere or section.name == "simulator"
        for name, value in section.values.items()
    }
    return given.get("level") == "signal" and not any(name.startswith(_RADAR) for name in given)


def load_settings(
    node: str, config: Path | None, sets: Iterable[str] = (), *, environ: Mapping[str, str] | None = None
) -> Settings:
    """Return one node's settings; see `Parameters`, which reads the file once for several."""
    parameters = Parameters.read(config, sets)
    parameters.check([node])
    return parameters.settings(node, environ=environ)
