"""Running the graph."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from aegis.bridge.models.common import Model, StageRow
from aegis.graph.nodes import NODES


def _known(name: str) -> str:
    if name not in NODES:
        raise ValueError(f"one of {', '.join(NODES)} is expected")
    return name


Stage = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(NODES)})]


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

    stages: Annotated[list[Stage], Field(min_length=1, max_length=len(NODES))] | None = Field(
        default=None, description="node names; left out: all that run", examples=[["tracking", "threat"]]
    )


class RestartAnswer(Model):
    """What became of it."""

    restarted: dict[str, str] = Field(
        description="node to what it answered", examples=[{"tracking": "tracking is back"}]
    )
    failed: dict[str, str] = Field(description="node to why it was not restarted", examples=[{}])
