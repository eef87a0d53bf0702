# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the parts of a scenario's YAML file have in common."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Vector = tuple[float, float, float]


class Model(BaseModel):
    """Immutable; unknown keys and non-finite numbers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Timed(Model):
    """Something that is there from `appears_s` until just before `disappears_s`."""

    name: str = Field(min_length=1)
    appears_s: float = Field(0.0, ge=0)
    disappears_s: float | None = Field(None, description="None for the scenario's end")

    @model_validator(mode="after")
    def _appears_first(self) -> Self:
        if self.disappears_s is not None and self.disappears_s <= self.appears_s:
            raise ValueError(f"disappears_s {self.disappears_s:g} must be after appears_s {self.appears_s:g}")
        return self


class Emitter(Timed):
    """Something that radiates alike in all directions, at a place or carried by a target."""

    eirp_w: float = Field(gt=0, le=1e9, description="power times antenna gain, over the whole band")
    frequency_hz: float = Field(gt=0, le=1e12, description="centre of its band")
    position_m: Vector | None = None
    attached_to: str | None = Field(None, description="name of the target that carries it")

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if (self.position_m is None) == (self.attached_to is None):
            raise ValueError("exactly one of position_m and attached_to is expected")
        return self
