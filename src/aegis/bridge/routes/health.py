"""Whether the process and the graph behind it work. Public."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request, Response

from aegis.bridge.bridge import bridge_of
from aegis.bridge.http.answer import json_response
from aegis.bridge.models.health import Health, Ready

router = APIRouter(tags=["health"])


@router.get("/health")
async def health(request: Request) -> Health:
    """Return that the process answers."""
    return Health(uptime_s=round(time.monotonic() - bridge_of(request).started_at, 3))


@router.get("/ready", response_model=Ready, responses={503: {"model": Ready, "description": "a stage is missing"}})
async def ready(request: Request) -> Response:
    """Return whether each needed stage has reported within its period."""
    bridge = bridge_of(request)
    missing = bridge.state.missing()
    body: dict[str, Any] = {
        "ready": not missing,
        "missing_stages": missing,
        "heard_age_s": bridge.state.status_age_s(bridge.state.ready_stages),
    }
    return json_response(body, 503 if missing else 200)
