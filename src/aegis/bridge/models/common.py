# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What several bodies have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model

from aegis.bridge.live.columns import Kind, Table


class Model(BaseModel):
    """Base: a body has the fields named here and no others."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Problem(Model):
    """Why a request was not answered."""

    detail: str = Field(description="in words", examples=["scope radar:read is needed"])
    request_id: str | None = Field(None, description="of an internal error: what the bridge's log has it under")


class NotYet(Problem):
    """The stage behind the endpoint has not spoken yet."""

    waiting_for: str = Field(description="the topic on which nothing was received", examples=["tracks"])


class Vector(Model):
    """A vector in `map` (x east, y north, z up)."""

    x: float | None
    y: float | None
    z: float | None


_TYPES: dict[Kind, Any] = {
    "number": float | None,
    "known number": float,
    "integer": int,
    "integer or null": int | None,
    "text": str,
    "texts": list[str],
    "text or null": str | None,
    "vector": Vector,
    "corners": list[tuple[float, float]],
    "probabilities": dict[str, float | None],
}
M = TypeVar("M", bound=Model)


def with_columns(*tables: Table[Any]) -> Callable[[type[M]], type[M]]:
    """Return a decorator that gives a model the properties of the tables' columns, in their order, after its own."""
    properties: dict[str, Any] = {}
    for column in (column for table in tables for column in table.columns):
        description = column.doc or None
        examples = None if column.example is None else [column.example]
        properties[column.name] = (_TYPES[column.kind], Field(description=description, examples=examples))

    def decorate(model: type[M]) -> type[M]:
        return create_model(
            model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **properties
        )

    return decorate


class Page(Model):
    """How much of the selection is in the body."""

    count: int = Field(description="objects in this body", examples=[25])
    total: int = Field(description="objects that the filters let through", examples=[25])


class Frame(Model):
    """What every body of measured data begins with."""

    sequence: int = Field(description="of the radar scan; each sensor counts its own")
    sensor_id: str = Field(description="whose scan it is")
    stamp_s: float = Field(description="time of measurement, seconds since 1970 in the graph's time")
    age_s: float = Field(description="since the measurement; negative where the sensor's clock is ahead")
    frame_id: str


class StageRow(Model):
    """How a stage is doing: rates and times over its last status period, counts since its start."""

    age_s: float = Field(description="since this status")
    rate_hz: float | None
    step_p50_ms: float | None
    step_p99_ms: float | None
    latency_p50_ms: float | None = Field(description="from the time of measurement to the stage's output")
    latency_p99_ms: float | None
    received: int
    published: int
    dropped: int
    objects_dropped: int
    sequence_gaps: int
    errors: int
    detail: dict[str, Any]
