"""Parameters: declared once per stage, as a pydantic model with default, bounds, unit and meaning.

ROS parameter descriptors, YAML checks, environment overrides and the table in the docs are all made from the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class ConfigError(ValueError):
    """A parameter, a parameter file or a scenario is wrong; the message says which key, where, and what is allowed."""


def param(
    default: Any,
    doc: str,
    *,
    unit: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    env: str | None = None,
) -> Any:
    """Declare one parameter of a `Settings` model.

    Args:
        default: the value where nothing else is said.
        doc: its meaning, one sentence.
        unit: SI unit, empty for a pure number or a word.
        ge, gt, le, lt: bounds of a number.
        env: the environment variable that overrides the parameter file.
    """
    extra: Any = {"unit": unit, "env": env}
    return Field(default, description=doc, ge=ge, gt=gt, le=le, lt=lt, json_schema_extra=extra, validate_default=True)


@dataclass(frozen=True)
class ParamInfo:
    """One declared parameter, for descriptors and documentation."""

    name: str
    type: Any
    default: Any
    doc: str
    unit: str
    env: str | None
    minimum: float | None
    maximum: float | None


class Settings(BaseModel):
    """Base of every stage's parameters: immutable; unknown keys, non-finite and out-of-bounds values are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def resolve(cls, values: Mapping[str, Any]) -> type[Settings]:
        """Return the model that these values are of: this one, unless one of them chooses among several."""
        return cls

    @classmethod
    def load(
        cls,
        values: Mapping[str, Any] | None = None,
        *,
        source: str = "parameters",
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Make the settings from a mapping and, above it, environment variables.

        Args:
            values: parameter name to value; what is absent takes its default.
            source: where the values come from (a file and node name), for error messages.
            environ: environment to take overrides from; None takes none.

        Raises:
            ConfigError: naming each wrong key, its source, the value found and what is allowed.
        """
        merged = dict(values or {})
        origin: dict[str, str] = {}
        for info in cls.params():
            if environ is not None and info.env and environ.get(info.env, "") != "":
                merged[info.name] = environ[info.env]
                origin[info.name] = f"environment variable {info.env}"
        try:
            return cls.model_validate(merged)
        except ValidationError as error:
            known = ", ".join(sorted(cls.model_fields))
            lines = []
            for item in error.errors():
                key = ".".join(str(part) for part in item["loc"]) or "(whole)"
                where = origin.get(str(item["loc"][0]) if item["loc"] else "", source)
                if item["type"] == "extra_forbidden":
                    lines.append(f"{where}: unknown parameter '{key}'; known are: {known}")
                else:
                    lines.append(f"{where}: parameter '{key}' = {item['input']!r}: {item['msg']}")
            raise ConfigError("\n".join(lines)) from None

    @classmethod
    def params(cls) -> Iterator[ParamInfo]:
        """Yield what was declared, in order."""
        for name, field in cls.model_fields.items():
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            minimum = maximum = None
            for bound in field.metadata:
                minimum = getattr(bound, "ge", getattr(bound, "gt", minimum))
                maximum = getattr(bound, "le", getattr(bound, "lt", maximum))
            yield ParamInfo(
                name=name,
                type=field.annotation,
                default=field.get_default(call_default_factory=True),
                doc=field.description or "",
                unit=str(extra.get("unit") or ""),
                env=str(extra["env"]) if extra.get("env") else None,
                minimum=minimum,
                maximum=maximum,
            )
