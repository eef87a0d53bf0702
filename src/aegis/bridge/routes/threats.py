"""What threatens the protected asset."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.context import bridge_of
from aegis.bridge.models.threats import ActiveThreats
from aegis.bridge.routes.access import require
from aegis.bridge.routes.answers import MEASURED, frame_response

router = APIRouter(
    prefix="/api/threats", tags=["threats"], dependencies=[Depends(require(Scope.THREATS_READ))], responses=MEASURED
)


@router.get("/active", response_model=ActiveThreats)
async def active(request: Request) -> Response:
    """Return every assessed track, most threatening first. Scope threats:read."""
    return frame_response(request, bridge_of(request).latest.threats, "threats", "threats")
