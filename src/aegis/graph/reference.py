# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The reference of all parameters, made from where they are declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aegis.core.param_info import ParamInfo, number
from aegis.drivers.contract import DriverSettings
from aegis.drivers.registry import BUILT_IN, driver_class
from aegis.graph.config import settings_type

_HEAD = """# Parameters

Made by `aegis params --markdown`; a test holds this page against the code. The environment variable, where there is one, is
above the parameter file and below `--set NODE.KEY=VALUE`. `aegis.yaml` here is a file to begin with; `maritime_2d.yaml` and
`umrr96.yaml` are profiles of real sensors, `atc_en_route.yaml`, `atc_terminal.yaml`, `drone_site.yaml`, `automotive.yaml` of kinds
of them. `LOG_LEVEL` reaches further than the tables: it also sets the ROS log of every node.
"""


def sections(nodes: Iterable[str], drivers: Iterable[str] = BUILT_IN) -> dict[str, list[ParamInfo]]:
    """Return the parameters of nodes by heading; below the node `driver`, what each driver has besides, or otherwise.

    Raises:
        ConfigError: no such node or driver.
    """
    out: dict[str, list[ParamInfo]] = {}
    for node in nodes:
        out[node] = list(settings_type(node).params())
        if settings_type(node) is DriverSettings:
            for name in sorted(drivers):
                out[f"{node}, with driver {name}"] = [
                    info for info in driver_class(name).settings_type.params() if info not in out[node]
                ]
    return out


def as_text(kinds: Mapping[str, Sequence[ParamInfo]]) -> str:
    """Return the parameters of `sections` for a terminal."""
    lines = []
    for name, params in kinds.items():
        lines.append(f"{name}:")
        for info in params:
            default = "" if info.default is None else f" = {_value(info.default)}"
            unit = f" {info.unit}" if info.unit else ""
            allowed = f" ({_allowed(info)})" if _allowed(info) else ""
            env = f" [env {info.env}]" if info.env else ""
            lines += [f"  {info.name}{default}{unit}{allowed}{env}", f"      {info.doc}"]
    return "\n".join(lines) + "\n"


def as_markdown(kinds: Mapping[str, Sequence[ParamInfo]]) -> str:
    """Return the parameters of `sections` as a page."""
    lines = [_HEAD]
    for name, params in kinds.items():
        lines += [
            f"## {name}",
            "",
            "| parameter | default | unit | allowed | environment | meaning |",
            "|---|---|---|---|---|---|",
        ]
        for info in params:
            env = f"`{info.env}`" if info.env else ""
            default = "" if info.default is None else f"`{_value(info.default)}`"
            cells = (f"`{info.name}`", default, info.unit, _allowed(info), env, info.doc)
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _allowed(info: ParamInfo) -> str:
    """Return the bounds of a number, or the words that are allowed."""
    words = ", ".join(word or '""' for word in info.words)
    return str(info.bounds) or words


def _value(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(str(item) for item in value) + "]"
    if isinstance(value, float):
        return number(value)
    return str(value) or '""'
