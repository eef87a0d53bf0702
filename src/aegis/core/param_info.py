# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What was declared of a parameter, for descriptors and documentation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal, get_args, get_origin

from pydantic import GetCoreSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True)
class OneOf:
    """For `Annotated[str, OneOf(...)]`: a word of these and no other; `kind` is what they are."""

    words: tuple[str, ...]
    kind: str = "word"

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the word after pydantic has checked that it is one."""

        def check(word: str) -> str:
            if word not in self.words:
                raise ValueError(f"no {self.kind} {word}; known are: {', '.join(self.words)}")
            return word

        return core_schema.no_info_after_validator_function(check, handler(source))


@dataclass(frozen=True)
class Bounds:
    """Bounds of a number: at least `ge` or more than `gt`; at most `le` or less than `lt`. Text: `above 0, up to 100`."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    @property
    def low(self) -> float | None:
        """Return the lower bound, itself allowed or not."""
        return self.ge if self.gt is None else self.gt

    @property
    def high(self) -> float | None:
        """Return the upper bound, itself allowed or not."""
        return self.le if self.lt is None else self.lt

    @property
    def excluded(self) -> str:
        """Return the bounds that are not allowed themselves, in words; empty where there is none."""
        return ", ".join(
            f"{word} {number(bound)}" for word, bound in (("above", self.gt), ("below", self.lt)) if bound is not None
        )

    def __str__(self) -> str:
        if self.ge is not None and self.le is not None and self.gt is None and self.lt is None:
            return f"{number(self.ge)} to {number(self.le)}"
        words = (("above", self.gt), ("from", self.ge), ("below", self.lt), ("up to", self.le))
        return ", ".join(f"{word} {number(bound)}" for word, bound in words if bound is not None)


@dataclass(frozen=True)
class ParamInfo:
    """One declared parameter. In the name of one that is in a map, `<...>` stands for the name there; it has no default."""

    name: str
    type: object
    default: object
    doc: str
    unit: str
    env: str
    was: str
    bounds: Bounds
    words: tuple[str, ...]  # the only ones allowed, of a word or of a list of words

    @property
    def numeric(self) -> bool:
        """Tell whether the type is a number."""
        return self.type in (int, float)


def info_of(name: str, field: FieldInfo, *, default: object = None, declared: FieldInfo | None = None) -> ParamInfo:
    """Return what a field of a model declares.

    Args:
        name: dotted.
        field: its type and bounds.
        default: the value where nothing else is said.
        declared: the field with the description, where it is another one: that of the map.
    """
    extra = (declared or field).json_schema_extra
    said = extra if isinstance(extra, dict) else {}
    whole = int if field.annotation is int else float
    bounds = {
        kind: whole(getattr(bound, kind))
        for bound in field.metadata
        for kind in ("ge", "gt", "le", "lt")
        if getattr(bound, kind, None) is not None
    }
    return ParamInfo(
        name=name,
        type=field.annotation,
        default=default,
        doc=(declared or field).description or "",
        unit=str(said.get("unit", "")),
        env=str(said.get("env", "")),
        was=str(said.get("was", "")),
        bounds=Bounds(**bounds),
        words=tuple(_words(field.annotation, field.metadata)),
    )


def number(value: float) -> str:
    """Return a number exactly, and no longer than that needs."""
    if isinstance(value, int):
        return str(value)
    texts = (f"{value:.{digits}g}" for digits in range(6, 18))
    return next(text for text in texts if float(text) == value)


def _words(kind: object, metadata: Iterable[object] = ()) -> Iterable[str]:
    """Return the words that a type allows, of itself or of the members of a list."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return [str(word) for word in arguments]
    if origin is Annotated:
        return _words(arguments[0], arguments[1:])
    if origin is tuple:
        return _words(arguments[0])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    return [word for item in metadata if isinstance(item, OneOf) for word in item.words]
