# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters: declared once per stage, as a pydantic model with default, bounds, unit and meaning; a group of them is a model too.

ROS parameter descriptors, YAML checks, environment overrides and the table in the docs are all made from the model. Names are
dotted, as in ROS 2:

    class TrackingSettings(Settings):
        motion: Motion = group(Motion())                                               # motion.mean_turn_s
        sensors: dict[str, Sensor] = named("sensor_id", "What differs for a sensor.")  # sensors.left.max_range_m
        max_tracks: int = param(20_000, "Most tracks.", ge=1)                          # max_tracks
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Self, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from aegis.core.param_info import ParamInfo, info_of
from aegis.core.param_names import Leaf, Values, beside, flat, matches, nearest, nested

T = TypeVar("T")
V = TypeVar("V")


class ConfigError(ValueError):
    """A parameter, a parameter file or a scenario is wrong; the message says which key, where, and what is allowed."""


def param(
    default: T,
    doc: str,
    *,
    unit: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    env: str = "",
    was: str = "",
) -> T:
    """Declare one parameter of a `Settings` model.

    Args:
        default: the value where nothing else is said.
        doc: its meaning, in sentences that stand alone.
        unit: SI unit, empty for a pure number or a word.
        ge, gt, le, lt: bounds of a number.
        env: the environment variable that overrides the parameter file.
        was: its dotted name in an earlier version, which is refused with the name of now.
    """
    said: JsonDict = {"unit": unit, "env": env, "was": was}
    field: T = Field(
        default, description=doc, ge=ge, gt=gt, le=le, lt=lt, json_schema_extra=said, validate_default=True
    )
    return field


def group(default: T) -> T:
    """Declare a group of parameters: a `Settings` with the values that hold where nothing else is said."""
    return Field(default)


def named(key: str, doc: str, *, unit: str = "", was: str = "") -> dict[str, V]:
    """Declare a map, empty by default, from names to one parameter or to a group of them.

    Args:
        key: what the names are, such as `sensor_id`.
        doc, unit, was: as in `param`.
    """
    said: JsonDict = {"key": f"<{key}>", "unit": unit, "was": was}
    return Field({}, description=doc, json_schema_extra=said)


class Settings(BaseModel):
    """Base of every stage's parameters: immutable; unknown keys, non-finite and out-of-bounds values are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _over_defaults(cls, values: object) -> object:
        """Let what is given of a group change the group's default, not replace it."""
        if not isinstance(values, Mapping):
            return values
        fields = cls.model_fields
        return {key: _over(fields[key].default, value) if key in fields else value for key, value in values.items()}

    def __hash__(self) -> int:
        return hash(tuple((info.name, value) for info, value in self.leaves()))

    @classmethod
    def load(
        cls,
        values: Values | None = None,
        *,
        source: str = "parameters",
        sources: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Make the settings from a mapping and, above it, environment variables.

        Args:
            values: parameter name to value, nested or dotted; what is absent takes its default.
            source: where the values come from (a file and node name), for error messages.
            sources: the same for single dotted names, where these differ.
            environ: environment to take overrides from; None takes none.

        Raises:
            ConfigError: naming each wrong key, its source, the value found and what is allowed.
        """
        try:
            given = flat(values or {})
        except ValueError as error:
            raise ConfigError(f"{source}: {error}") from None
        origin = dict(sources or {})
        wrong = [(name, cls.refusal(name, given.pop(name))) for name in list(given) if not cls.knows(name)]
        lines = [f"{origin.get(name, source)}: {refusal}" for name, refusal in wrong if refusal]
        for info in cls.params():
            if environ is not None and info.env and environ.get(info.env, "") != "":
                given[info.name] = environ[info.env]
                origin[info.name] = f"environment variable {info.env}"
        try:
            settings = cls.model_validate(nested(given))
        except ValidationError as error:
            for item in error.errors():
                key = ".".join(str(part) for part in item["loc"] if part != "[key]")
                what = f"parameter '{key}' = {item['input']!r}: "
                if isinstance(item["input"], (Mapping, Settings)):  # a rule between the members of a group
                    what = f"group '{key}': " if key else ""
                lines.append(f"{origin.get(key, source)}: {what}{item['msg']}")
        if lines:
            raise ConfigError("\n".join(lines))
        return settings

    @classmethod
    def params(cls) -> Iterator[ParamInfo]:
        """Yield what was declared, in order: the members of groups, and of maps those that any name there has."""
        yield from _all_declared(cls)

    def leaves(self, prefix: str = "") -> Iterator[tuple[ParamInfo, Leaf]]:
        """Yield every parameter with its value, in order; those of maps for the names that are set."""
        for key, field in type(self).model_fields.items():
            value, name = getattr(self, key), prefix + key
            if isinstance(value, Settings):
                yield from value.leaves(f"{name}.")
            elif isinstance(value, Mapping):
                for word, item in value.items():
                    if isinstance(item, Settings):
                        yield from item.leaves(f"{name}.{word}.")
                    else:
                        yield info_of(f"{name}.{word}", _member(field), declared=field), item
            else:
                yield info_of(name, field, default=field.default), value

    @classmethod
    def knows(cls, name: str) -> bool:
        """Tell whether there is a parameter of a dotted name, or can be in a map."""
        return any(matches(info.name, name) for info in cls.params())

    @classmethod
    def refusal(cls, name: str, value: Leaf = None) -> str:
        """Return what to say of a dotted name that is no parameter: what is known there and what is meant.

        Of an empty mapping in the place of a group nothing is to be said.
        """
        infos = list(cls.params())
        patterns = [info.name for info in infos]
        now = next((f". It is '{info.name}' now" for info in infos if info.was == name), "")
        members = [
            pattern for pattern in patterns if matches(".".join(pattern.split(".")[: name.count(".") + 1]), name)
        ]
        if members:
            if isinstance(value, Mapping):
                return ""
            return (
                f"'{name}' is a group of parameters ({', '.join(members)}) and has no value itself, as {value!r}{now}"
            )
        if not now:
            meant = nearest(name, patterns)
            now = f". Did you mean '{meant}'?" if meant else ""
        return f"unknown parameter '{name}'; known are: {', '.join(beside(name, patterns))}{now}"


def _over(default: object, value: object) -> object:
    """Return a value as it is, or, of a group, with the default's values where it has none."""
    if not (isinstance(default, Settings) and isinstance(value, Mapping)):
        return value
    return {**dict(default), **{key: _over(getattr(default, key, None), item) for key, item in value.items()}}


def _member(field: FieldInfo) -> FieldInfo:
    """Return type and bounds of the members of a map."""
    return FieldInfo.from_annotation(get_args(field.annotation)[1])


@cache
def _all_declared(kind: type[Settings]) -> tuple[ParamInfo, ...]:
    """Return the parameters of a model."""
    return tuple(_declared(kind, "", None))


def _declared(
    kind: type[Settings], prefix: str, defaults: Settings | None, *, in_map: bool = False
) -> Iterator[ParamInfo]:
    """Yield the parameters of a model; `defaults` are the group's, where it is one."""
    for key, field in kind.model_fields.items():
        default = field.default if defaults is None else getattr(defaults, key)
        name = prefix + key
        if isinstance(default, Settings):
            yield from _declared(type(default), f"{name}.", default, in_map=in_map)
        elif get_origin(field.annotation) is dict:
            name = f"{name}.{_key(field)}"
            member = _member(field)
            if isinstance(member.annotation, type) and issubclass(member.annotation, Settings):
                was = info_of(name, field).was
                for info in _declared(member.annotation, f"{name}.", None, in_map=True):
                    yield replace(info, was=was)
            else:
                yield info_of(name, member, declared=field)
        else:
            yield info_of(name, field, default=None if in_map else default)


def _key(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra["key"]) if isinstance(extra, dict) else "<name>"
