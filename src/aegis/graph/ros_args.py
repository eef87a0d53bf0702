# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What follows `--ros-args`, as far as it has to be known before ROS reads it: parameters, names, the log level."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aegis.core.param_names import Leaf, flat
from aegis.core.params import ConfigError
from aegis.core.yaml_text import parse_yaml

BEGIN, END = "--ros-args", "--"
_PARAMETER, _FILE, _REMAP, _LOG_LEVEL = "--param", "--params-file", "--remap", "--log-level"
_SHORT = {"-p": _PARAMETER, "-r": _REMAP, "-e": "--enclave"}
_WITH_VALUE = (_PARAMETER, _FILE, _REMAP, _LOG_LEVEL, "--log-config-file", "--log-file-name", "--enclave")
_SWITCHES = tuple(
    f"--{on}-{what}" for on in ("enable", "disable") for what in ("rosout-logs", "stdout-logs", "external-lib-logs")
)


def split_ros_args(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return a command's own words, and those for ROS: what stands between `--ros-args` and `--` or the end, once or more."""
    own: list[str] = []
    ros: list[str] = []
    inside = False
    for word in words:
        if word == BEGIN or (inside and word == END):
            inside = word == BEGIN
        else:
            (ros if inside else own).append(word)
    return own, ros


@dataclass(frozen=True)
class Rule:
    """`node:name:=value`; of every node where it names none."""

    node: str
    name: str
    value: str

    @classmethod
    def parse(cls, option: str, text: str) -> Rule:
        """Read it.

        Raises:
            ConfigError: it is none.
        """
        left, sign, value = text.partition(":=")
        node, _, name = left.rpartition(":")
        if not (sign and name):
            raise ConfigError(f"{BEGIN}: {option} {text}: [NODE:]NAME:=VALUE is expected")
        return cls(node.strip("/"), name, value)

    def __str__(self) -> str:
        return f"{self.node}:{self.name}:={self.value}" if self.node else f"{self.name}:={self.value}"

    def parameter(self) -> dict[str, Leaf]:
        """Return it as dotted names and values.

        Raises:
            ConfigError: the value is not YAML.
        """
        return flat({self.name: parse_yaml(self.value, f"{BEGIN}: -p {self}: the value")})


@dataclass(frozen=True)
class RosArguments:
    """The words for ROS, read."""

    options: tuple[tuple[str, str], ...] = ()  # long name and value, in order

    @classmethod
    def parse(cls, words: Sequence[str]) -> RosArguments:
        """Read the words after `--ros-args`.

        Raises:
            ConfigError: ROS has no such option, or it lacks its value.
        """
        options = []
        rest = iter(words)
        for word in rest:
            option = _SHORT.get(word, word)
            if option not in (*_WITH_VALUE, *_SWITCHES):
                known = ", ".join([*_SHORT, *_WITH_VALUE, *_SWITCHES])
                raise ConfigError(f"{BEGIN}: no option '{word}'; known are: {known}")
            value = next(rest, None) if option in _WITH_VALUE else ""
            if value is None:
                raise ConfigError(f"{BEGIN}: {word} needs a value")
            if option in (_PARAMETER, _REMAP):
                Rule.parse(word, value)
            options.append((option, value))
        return cls(tuple(options))

    def words(self) -> list[str]:
        """Return them as ROS takes them, `--ros-args` first; nothing where there are none."""
        found = [
            word for option, value in self.options for word in (option, *([value] if option in _WITH_VALUE else []))
        ]
        return [BEGIN, *found] if found else []

    def parameters(self) -> list[Rule | Path]:
        """Return parameters and files of them, in order: what comes later is above."""
        return [
            Rule.parse(option, value) if option == _PARAMETER else Path(value)
            for option, value in self.options
            if option in (_PARAMETER, _FILE)
        ]

    def without_parameters(self) -> RosArguments:
        """Return all but the parameters and files of them."""
        return RosArguments(tuple(item for item in self.options if item[0] not in (_PARAMETER, _FILE)))

    def node_name(self, name: str) -> str:
        """Return what a node of this name is called."""
        return self._remapped(name, "__node", "__name") or name

    def namespace(self, node: str, namespace: str) -> str:
        """Return the namespace that a node is in, without slashes at its ends."""
        return (self._remapped(node, "__ns") or namespace).strip("/")

    @property
    def log_level(self) -> str:
        """Return the level for all loggers, as it was given; empty where none was."""
        given = [value for option, value in self.options if option == _LOG_LEVEL and ":=" not in value]
        return given[-1] if given else ""

    def _remapped(self, node: str, *names: str) -> str:
        rules = (Rule.parse(option, value) for option, value in self.options if option == _REMAP)
        return next((rule.value for rule in rules if rule.node in ("", node) and rule.name in names), "")
