"""The reference of all parameters, made from where they are declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aegis.core.params import ParamInfo, Settings

_HEAD = """# Parameters

Made by `aegis params --markdown`; a test holds this page against the code. The environment variable, where there is one, is
above the parameter file and below `--set NODE.KEY=VALUE`. `aegis.yaml` here is a file to begin with; `maritime_2d.yaml` and
`umrr96.yaml` are profiles of real sensors.
"""


def as_text(kinds: Mapping[str, type[Settings]]) -> str:
    """Return the parameters of the given nodes for a terminal."""
    lines = []
    for name, kind in kinds.items():
        lines.append(f"{name}:")
        for info in kind.params():
            unit = f" {info.unit}" if info.unit else ""
            bounds = f" ({_bounds(info)})" if _bounds(info) else ""
            env = f" [env {info.env}]" if info.env else ""
            lines += [f"  {info.name} = {_value(info.default)}{unit}{bounds}{env}", f"      {info.doc}"]
    return "\n".join(lines) + "\n"


def as_markdown(kinds: Mapping[str, type[Settings]]) -> str:
    """Return the parameters of the given nodes as a page."""
    lines = [_HEAD]
    for name, kind in kinds.items():
        lines += [
            f"## {name}",
            "",
            "| parameter | default | unit | bounds | environment | meaning |",
            "|---|---|---|---|---|---|",
        ]
        for info in kind.params():
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
