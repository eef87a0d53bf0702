# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The reference of all events, made from their dataclasses."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from typing import Union, get_args, get_origin, get_type_hints

from aegis.core.events import EVENT_NAMES, EVENTS, Event

_HEAD = """# Events

Made by `aegis events --markdown`; a test holds this page against the code. What the stages say of themselves on the topic `events`
(aegis_msgs/Event); the bridge keeps it and answers `/api/events`. An event is identified by run_id, stage, epoch and sequence; its
`data` is a JSON object, with null for a number that is not known (NaN).
"""
_JSON = {int: "integer", float: "number", str: "string", bool: "boolean", type(None): "null"}


def as_text() -> str:
    """Return the events for a terminal."""
    return "".join(
        f"{kind.name} ({kind.severity.name})\n    {kind.__doc__}\n" for name in EVENT_NAMES for kind in _of(name)
    )


def as_markdown() -> str:
    """Return the events as a page."""
    lines = [_HEAD]
    for name in EVENT_NAMES:
        lines += [f"## {name}", ""]
        for kind in _of(name):
            lines += [f"{kind.severity.name}: {kind.__doc__}", "", "| data | type | meaning |", "|---|---|---|"]
            lines += [f"| `{field}` | {form} | {meaning} |" for field, form, meaning in _data(kind)]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _of(name: str) -> Iterator[type[Event]]:
    return (kind for kind in EVENTS if kind.name == name)


def _data(kind: type[Event]) -> Iterator[tuple[str, str, str]]:
    """Yield name, type in JSON, and meaning of each field."""
    hints = get_type_hints(kind, include_extras=True)
    for f in fields(kind):
        hint, meaning = get_args(hints[f.name])
        left_out = f.default is None
        form = _json_type(hint, null=not left_out)
        yield f.name, f"{form}, or left out" if left_out else form, meaning


def _json_type(hint: type, *, null: bool = True) -> str:
    """Return what JSON has of a type; `null`: name null too, where it is one of several."""
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_json_type(one) for one in get_args(hint) if null or one is not type(None))
    if get_origin(hint) is list:
        return f"array of {_json_type(get_args(hint)[0])}"
    if get_origin(hint) is dict:
        return f"object of {_json_type(get_args(hint)[1])}"
    if issubclass(hint, Enum):
        return ", ".join(f"`{member.name}`" for member in hint)
    return _JSON[hint]
