# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
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


@router.get(
    "/ready", response_model=Ready, responses={503: {"model": Ready, "description": "a stage or what came regularly is missing"}}
)  # fmt: skip
async def ready(request: Request) -> Response:
    """Return whether each needed stage has reported within its period, and what came regularly goes on to come, and to change."""
    bridge = bridge_of(request)
    state, history = bridge.state, bridge.history.state
    missing, troubles = state.missing(), state.troubles()
    replicas = bridge.replicas
    shared = replicas.warnings() if replicas else []
    unread = ["no token is taken: it cannot be known what was revoked"] if replicas and replicas.is_closed else []
    is_ready = not missing and not troubles and not unread
    body: dict[str, Any] = {
        "ready": is_ready,
        "missing_stages": missing,
        "heard_age_s": state.status_age_s(state.ready_stages),
        "troubles": troubles,
        "warnings": ([] if history.up else [f"history: {history.reason}; what comes is kept on this disk"])
        + shared
        + state.stage_warnings(),
        "reasons": state.missing_words() + state.trouble_words() + unread,
    }
    return json_response(body, 200 if is_ready else 503)
