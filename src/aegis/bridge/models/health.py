"""Whether the process lives, and the graph behind it."""

from __future__ import annotations

from pydantic import Field

from aegis.bridge.models.common import Model


class Health(Model):
    """The process works."""

    status: str = "ok"
    uptime_s: float


class Ready(Model):
    """Whether every needed stage has reported within its period."""

    ready: bool
    missing_stages: list[str]
    heard_age_s: dict[str, float | None] = Field(
        description="stage to the age of its last status; null before the first"
    )
