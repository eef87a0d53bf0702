# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The live stream for tools without WebSocket: server-sent events."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.bridge import Bridge, bridge_of
from aegis.bridge.models.words import ClassWord
from aegis.bridge.problem import ProblemError
from aegis.bridge.routes.access import require
from aegis.bridge.routes.answers import problem
from aegis.bridge.routes.selection import Box, box
from aegis.bridge.stream.channels import CHANNELS, allowed_channels
from aegis.bridge.stream.client import EventStreamClient
from aegis.bridge.stream.subscription import MAX_RATE_HZ, Format, SubscriptionError, subscription

router = APIRouter(tags=["stream"])


class StreamQuery(BaseModel):
    """What the stream is to hold."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    channels: list[str] | None = Field(
        default=None,
        alias="channel",
        max_length=len(CHANNELS),
        description=f"of {', '.join(CHANNELS)}; repeat it for several; left out: all but ew that the token is good for",
    )
    rate_hz: float = Field(
        default=0.0,
        ge=0.0,
        le=MAX_RATE_HZ,
        allow_inf_nan=False,
        description="of each channel at most; 0: every message",
    )
    classes: list[ClassWord] | None = Field(
        default=None, alias="class", max_length=16, description="only these classes"
    )
    box: Box | None = None
    messages: int | None = Field(default=None, ge=1, le=2**31, description="end after so many")


@router.get(
    "/api/stream",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "one event a message"},
        **problem(503, "too many clients"),
    },
)
async def stream(
    request: Request,
    wanted: Annotated[StreamQuery, Query()],
    principal: Annotated[Principal, Depends(require(Scope.RADAR_READ))],
) -> StreamingResponse:
    """Send the messages of the WebSocket as server-sent events: `event` is the type, `id` the frame number, `data` the JSON.

    It ends when the token expires, or when the client reads nothing.
    """
    bridge = bridge_of(request)
    fields: dict[str, Any] = {"rate_hz": wanted.rate_hz, "format": Format.SSE}
    fields |= {} if wanted.channels is None else {"channels": wanted.channels}
    fields |= {} if wanted.classes is None else {"classes": [kind.name for kind in wanted.classes]}
    fields |= {} if wanted.box is None else {"area": box(wanted.box).model_dump()}
    try:
        chosen = subscription(fields, allowed_channels(principal.scopes))
    except SubscriptionError as error:
        raise ProblemError(400, str(error)) from None
    if bridge.hub.full:
        raise ProblemError(503, "too many clients", retry_after=5)
    client = EventStreamClient(principal, chosen, bridge.settings.stream.queue_length)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(bridge, client, wanted.messages), media_type="text/event-stream", headers=headers)


async def _events(bridge: Bridge, client: EventStreamClient, messages: int | None) -> AsyncIterator[bytes]:
    """Yield events until the client leaves, is cut off, has enough, or its token expires."""
    bridge.hub.add(client)
    try:
        yield b": connected\n\n"  # so that the client sees the stream begin before there is an event
        bridge.hub.greet(client)
        while messages is None or client.sent < messages:
            event = await client.take(client.principal.expires_at - time.time())
            if event is None:
                return
            yield event
    finally:
        bridge.hub.remove(client)
