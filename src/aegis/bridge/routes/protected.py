# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is protected and watched: the threat stage's assets and zones."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.bridge import bridge_of
from aegis.bridge.http.answer import json_response
from aegis.bridge.models.protected import Protected
from aegis.bridge.problem import no_data
from aegis.bridge.routes.access import require
from aegis.bridge.routes.answers import MEASURED

router = APIRouter(prefix="/api/protected", tags=["threats"], responses=MEASURED)


@router.get("", response_model=Protected, dependencies=[Depends(require(Scope.THREATS_READ))])
async def protected(request: Request) -> Response:
    """Return the assets, and the zones that rules may name."""
    frame = bridge_of(request).state.protected
    if frame is None:
        raise no_data("protected")
    return json_response({**frame.head(), "items": frame.rows.items})
