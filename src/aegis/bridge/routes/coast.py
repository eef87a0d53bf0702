# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What lies under the picture: the coast line, and tiles of a map."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.bridge import bridge_of
from aegis.bridge.models.protected import MapLines
from aegis.bridge.problem import ProblemError
from aegis.bridge.routes.access import require
from aegis.bridge.routes.answers import Responses, is_known, problem

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


@router.get(
    "/tiles",
    response_class=FileResponse,
    responses={
        206: {"description": "the part that the header Range names"},
        416: {"description": "the file has no such part"},
        **problem(409, "the parameter 'outputs.tiles' is not set"),
    },
    dependencies=[Depends(require(Scope.RADAR_READ))],
)
async def tiles(request: Request) -> FileResponse:
    """Return the PMTiles file of `outputs.tiles`, or a part of it: `Range: bytes=0-16383`."""
    found = bridge_of(request).tiles
    if found is None:
        raise ProblemError(409, "there are no tiles: set the parameter 'outputs.tiles' to a PMTiles file")
    return FileResponse(
        found.path, media_type="application/vnd.pmtiles", headers={"Cache-Control": "private, max-age=3600"}
    )
