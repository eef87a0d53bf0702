"""What lies under the picture: the coast line."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.bridge import bridge_of
from aegis.bridge.models.protected import MapLines
from aegis.bridge.routes.access import require
from aegis.bridge.routes.answers import Responses, is_known

router = APIRouter(prefix="/api/map", tags=["radar"])
_KNOWN: Responses = {304: {"description": "still what If-None-Match names"}}


@router.get("", response_model=MapLines, responses=_KNOWN, dependencies=[Depends(require(Scope.RADAR_READ))])
async def lines(request: Request) -> Response:
    """Return the lines of `outputs.coast`, x east and y north of the origin of `map`; none where the bridge has no such file."""
    coast = bridge_of(request).coast
    headers = {"ETag": f'"{coast.tag}"', "Cache-Control": "private, max-age=3600"}
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    return Response(coast.body, headers=headers, media_type="application/json")
