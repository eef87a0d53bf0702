"""Running the graph."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from aegis.bridge.models.common import Model, StageRow
from aegis.ros.graph import NODES


class ControllerStatus(Model):
    """The graph as a whole."""

    ready: bool
    missing_stages: list[str]
    stages: dict[str, StageRow] = Field(description="the last status of every stage that was heard")
    restartable: list[str] = Field(description="nodes whose restart service is offered now", examples=[list(NODES)])
    uptime_s: float = Field(description="of the bridge")
    run_id: str = Field(description="of this start of the graph; empty where the bridge was started alone")
    version: str


class RestartRequest(Model):
    """Which stages to put back to their state at start."""

    stages: Annotated[list[str], Field(max_length=len(NODES))] | None = Field(
        default=None, description="node names; left out: all that offer it", examples=[["tracking", "threat"]]
    )


class RestartAnswer(Model):
    """What became of it."""

    restarted: dict[str, str] = Field(
        description="node to what it answered", examples=[{"tracking": "tracking is back"}]
    )
    failed: dict[str, str] = Field(description="node to why it was not restarted", examples=[{}])
