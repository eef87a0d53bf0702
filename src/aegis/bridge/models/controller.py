# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Running the graph."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, create_model

from aegis.bridge.models.common import Model, StageRow


class ControllerStatus(Model):
    """The graph as a whole."""

    ready: bool
    missing_stages: list[str]
    stages: dict[str, StageRow] = Field(description="the last status of every stage")
    restartable: list[str] = Field(
        description="nodes whose restart service is offered now", examples=[["detection", "tracking", "threat"]]
    )
    uptime_s: float = Field(description="of the bridge")
    run_id: str = Field(description="of this start of the graph; empty where the bridge was started alone")
    version: str


class RestartRequest(Model):
    """Which stages to put back to their state at start."""

    stages: list[str] | None = None


def restart_request(names: tuple[str, ...]) -> type[RestartRequest]:
    """Return the request for a graph of these nodes."""

    def known(name: str) -> str:
        if name not in names:
            raise ValueError(f"one of {', '.join(names)} is expected")
        return name

    stage = Annotated[str, AfterValidator(known), Field(json_schema_extra={"enum": list(names)})]
    stages = Annotated[list[stage], Field(min_length=1, max_length=max(1, len(names)))] | None  # type: ignore[valid-type]
    field = Field(default=None, description="node names; left out: all that run", examples=[["tracking", "threat"]])
    return create_model(
        RestartRequest.__name__, __base__=RestartRequest, __doc__=RestartRequest.__doc__, stages=(stages, field)
    )


class RestartAnswer(Model):
    """What became of it."""

    restarted: dict[str, str] = Field(
        description="node to what it answered", examples=[{"tracking": "tracking is back"}]
    )
    failed: dict[str, str] = Field(description="node to why it was not restarted", examples=[{}])
