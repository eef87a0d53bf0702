# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether the process lives, and the graph behind it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from aegis.bridge.models.common import Model


class Health(Model):
    """The process works."""

    status: str = "ok"
    uptime_s: float


class SourceTrouble(Model):
    """A source that is silent, or stuck: it gives the same scan again and again."""

    topic: str
    sensor_id: str = Field(description="empty where the topic is the whole picture's")
    state: Literal["SILENT", "STUCK"]
    for_s: float


class Ready(Model):
    """Whether every needed stage has reported within its period."""

    ready: bool
    missing_stages: list[str]
    heard_age_s: dict[str, float | None] = Field(
        description="stage to the age of its last status; null before the first"
    )
    troubles: list[SourceTrouble] = Field(description="what came regularly or was expected, and is not as it should be")
    warnings: list[str] = Field(
        description="what else is not as it should be, in words: of the stages, and of the bridge"
    )
    reasons: list[str] = Field(description="why it is not ready, in words; empty where it is")
