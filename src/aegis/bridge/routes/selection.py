# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The query parameters that choose among live objects: class, status, level, place, page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from aegis.bridge.models.words import ClassWord, LevelWord, StatusWord
from aegis.bridge.stream.subscription import Area, Filter
from aegis.core.types import ClassId, Floats, ThreatLevel, TrackStatus

MAX_OBJECTS = 100_000
_BOX_FIELDS = ("x_min_m", "y_min_m", "x_max_m", "y_max_m")
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_FOUR_NUMBERS = rf"^{_NUMBER}(,{_NUMBER}){{3}}$"


def _area(text: str) -> str:
    """Check a box.

    Raises:
        ValueError: with what is expected.
    """
    if not re.fullmatch(_FOUR_NUMBERS, text):
        raise ValueError("x_min,y_min,x_max,y_max in metres is expected: four numbers, as -1000,-1000,1000,5000")
    box(text)
    return text


def box(text: str) -> Area:
    """Return the area of `x_min,y_min,x_max,y_max`.

    Raises:
        ValueError: not four numbers, or their order is wrong.
    """
    try:
        return Area(**dict(zip(_BOX_FIELDS, map(float, text.split(",")), strict=True)))
    except ValidationError as error:
        raise ValueError(
            f"x_min,y_min,x_max,y_max in metres is expected: {error.errors()[0]['msg'].removeprefix('Value error, ')}"
        ) from None


Box = Annotated[
    str,
    Field(
        json_schema_extra={"pattern": _FOUR_NUMBERS},  # told to clients, checked with words of our own
        description="only objects in this box of `map`: x_min,y_min,x_max,y_max in metres, east and north",
        examples=["-1000,-1000,1000,5000"],
    ),
    AfterValidator(_area),
]


class Selection(BaseModel):
    """The parameters of every list of live objects."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    classes: list[ClassWord] = Field(
        default=[], alias="class", max_length=len(ClassId), description="only these classes; repeat it for several"
    )
    box: Box | None = None
    offset: int = Field(default=0, ge=0, le=MAX_OBJECTS, description="leave out the first ones")
    limit: int = Field(default=MAX_OBJECTS, ge=1, le=MAX_OBJECTS, description="no more than these")

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self == type(self)()

    def rows(
        self, positions: Callable[[], Floats], class_id: NDArray[Any], *, also: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.intp], int]:
        """Return the numbers of the objects of this page, and how many the filters let through.

        Args:
            positions: returns (N, 2 or more) in map [m]; called only with a box.
            class_id: (N,).
            also: (N,) what else an object must fulfil.
        """
        chosen = Filter(None if self.box is None else box(self.box), frozenset(self.classes) or None)
        index = chosen.rows(positions, class_id)
        found = np.arange(len(class_id)) if index is None else index
        if also is not None:
            found = found[also[found]]
        return found[self.offset : self.offset + self.limit], len(found)


class TrackSelection(Selection):
    """Which tracks."""

    status: list[StatusWord] = Field(default=[], max_length=len(TrackStatus), description="only with these statuses")
    level: list[LevelWord] = Field(
        default=[], max_length=len(ThreatLevel), description="only tracks that are assessed at these levels"
    )


class ThreatSelection(Selection):
    """Which threats."""

    level: list[LevelWord] = Field(
        default=[],
        max_length=len(ThreatLevel),
        description="only these levels; of those below `listed_from` the tracks are in `unlisted`",
    )
