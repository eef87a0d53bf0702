"""The reference of all parameters, made from where they are declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aegis.core.params import ParamInfo
from aegis.drivers.contract import DriverSettings
from aegis.drivers.registry import BUILT_IN, driver_class
from aegis.graph.config import settings_type

_HEAD = """# Parameters

Made by `aegis params --markdown`; a test holds this page against the code. The environment variable, where there is one, is
above the parameter file and below `--set NODE.KEY=VALUE`. `aegis.yaml` here is a file to begin with; `maritime_2d.yaml` and
`umrr96.yaml` are profiles of real sensors. `LOG_LEVEL` reaches further than the tables: it also sets the ROS log of every node.
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
            unit = f" {info.unit}" if info.unit else ""
            bounds = f" ({_bounds(info)})" if _bounds(info) else ""
            env = f" [env {info.env}]" if info.env else ""
            lines += [f"  {info.name} = {_value(info.default)}{unit}{bounds}{env}", f"      {info.doc}"]
    return "\n".join(lines) + "\n"


def as_markdown(kinds: Mapping[str, Sequence[ParamInfo]]) -> str:
    """Return the parameters of `sections` as a page."""
    lines = [_HEAD]
    for name, params in kinds.items():
        lines += [
            f"## {name}",
            "",
            "| parameter | default | unit | bounds | environment | meaning |",
            "|---|---|---|---|---|---|",
        ]
        for info in params:
            env = f"`{info.env}`" if info.env else ""
            cells = (f"`{info.name}`", f"`{_value(info.default)}`", info.unit, _bounds(info), env, info.doc)
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _bounds(info: ParamInfo) -> str:
    if info.minimum is None and info.maximum is None:
        return ""
    low = "" if info.minimum is None else f"{info.minimum:g}"
    high = "" if info.maximum is None else f"{info.maximum:g}"
    return f"{low} .. {high}".strip()


def _value(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(str(item) for item in value) + "]"
    if isinstance(value, float):
        return f"{value:.10g}"
    return '""' if value == "" else str(value)
