# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Requirements: limits for measures, as a YAML file says them, and which of them hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aegis.core.evaluation.measures import MEANINGS, Measure
from aegis.core.param_names import nearest


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Requirement(_Model):
    """One limit, or two."""

    measure: str
    at_least: float | None = None
    at_most: float | None = None
    text: str = ""

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if self.measure not in MEANINGS:
            meant = nearest(self.measure, list(MEANINGS))
            hint = f" Did you mean '{meant}'?" if meant else ""
            raise ValueError(f"no measure '{self.measure}'; `aegis evaluate --measures` lists them.{hint}")
        if self.at_least is None and self.at_most is None:
            raise ValueError(f"'{self.measure}' has no limit; at_least or at_most is expected, or both")
        return self

    @property
    def limit(self) -> str:
        """Return the limit in words."""
        parts = [
            f"{sign} {value:g}" for sign, value in ((">=", self.at_least), ("<=", self.at_most)) if value is not None
        ]
        return " and ".join(parts)


class Requirements(_Model):
    """A set of requirements, with how they want things counted."""

    name: str
    source: str = Field("", description="where the limits are from")
    gate_m: float | None = Field(None, gt=0, description="distance within which a track shows an object")
    update_period_s: float | None = Field(None, gt=0, description="in which an update is expected")
    gap_s: float | None = Field(None, gt=0, description="a longer time between two updates is a long gap")
    requirements: tuple[Requirement, ...] = Field(min_length=1)


class Row(NamedTuple):
    """How one requirement came out."""

    measure: str
    limit: str
    value: float
    n: int
    passed: bool
    text: str

    @property
    def verdict(self) -> str:
        """Return pass, FAIL, or 'no data', which is no pass."""
        if self.n == 0:
            return "no data"
        return "pass" if self.passed else "FAIL"


def check(requirements: Requirements, measures: Mapping[str, Measure]) -> list[Row]:
    """Return how each came out. What is not known, or rests on nothing, does not pass."""
    rows = []
    for one in requirements.requirements:
        value, n = measures[one.measure]
        good = (
            n > 0
            and math.isfinite(value)
            and (one.at_least is None or value >= one.at_least)
            and (one.at_most is None or value <= one.at_most)
        )
        text = one.text or MEANINGS[one.measure].text
        rows.append(Row(one.measure, one.limit, value, n, good, text))
    return rows
