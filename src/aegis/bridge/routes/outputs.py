# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The picture in other formats, on request."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.bridge import bridge_of
from aegis.bridge.http.answer import json_response
from aegis.bridge.models.outputs import AircraftList, Receiver, TrackCollection
from aegis.bridge.models.words import ClassWord, StatusWord
from aegis.bridge.outputs import aircraft, geojson
from aegis.bridge.outputs.feed import Picture
from aegis.bridge.problem import ProblemError, no_data
from aegis.bridge.routes.access import current_principal, require
from aegis.bridge.routes.answers import (
    MEASURED,
    Responses,
    current,
    frame_headers,
    is_known,
    problem,
)
from aegis.core.site import Site

_NO_SITE: Responses = {
    **problem(409, "the parameter 'outputs.site' is not set: to ask again does not help"),
    503: MEASURED[503],
}

router = APIRouter(tags=["outputs"], dependencies=[Depends(require(Scope.RADAR_READ))], responses=_NO_SITE)


def site_of(request: Request) -> Site:
    """Return where `map` is.

    Raises:
        ProblemError: 409, no site is set.
    """
    site = bridge_of(request).feed.site
    if site is None:
        raise ProblemError(
            409,
            "map has no place on Earth: set the parameter 'outputs.site' to latitude [deg], longitude [deg], altitude [m]",
        )
    return site


def picture_of(request: Request, _site: Annotated[Site, Depends(site_of)]) -> Picture:
    """Return the newest picture.

    Raises:
        ProblemError: 503, there is none yet, or none any more.
    """
    bridge = bridge_of(request)
    picture = bridge.feed.picture
    if picture is None:
        raise no_data("tracks")
    current(bridge.state, picture.frame, "tracks")
    return picture


# Not a coroutine: where 1000 tracks are to be encoded it takes longer than others should wait for the event loop.
@router.get(
    "/api/radar/tracks.geojson",
    response_model=TrackCollection,
    response_class=Response,  # of no media type, which FastAPI would give to the error bodies too
    responses={
        200: {
            "content": {geojson.MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{TrackCollection.__name__}"}}}
        },
        304: MEASURED[304],
        **problem(400, "no such box, class or status"),
    },
)
def tracks_geojson(
    request: Request,
    picture: Annotated[Picture, Depends(picture_of)],
    principal: Annotated[Principal, Depends(current_principal)],
    bbox: Annotated[
        str | None,
        Query(
            description="only tracks in west,south,east,north [deg]; west may be greater than east, across the antimeridian",
            examples=["12.9,52.3,13.8,52.7"],
        ),
    ] = None,
    classes: Annotated[list[ClassWord] | None, Query(alias="class", description="only these; may be repeated")] = None,
    statuses: Annotated[
        list[StatusWord] | None,
        Query(alias="status", description="only these; may be repeated"),
    ] = None,
) -> Response:
    """Return the tracked picture as GeoJSON; the threat levels only with scope threats:read."""
    try:
        box = None if bbox is None else geojson.BoundingBox.parse(bbox)
    except ValueError as error:
        raise ProblemError(400, str(error)) from None
    with_levels = Scope.THREATS_READ in principal.scopes
    assessed = picture.threats.data.stamp_ns if with_levels and picture.threats else 0
    tracks = picture.tracks
    headers = frame_headers(picture.frame, f"{tracks.stamp_ns}-{tracks.sequence}-{assessed}")
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    chosen = geojson.select(picture, box, classes or (), statuses or ())
    body = geojson.collection(picture, chosen, with_levels=with_levels)
    return Response(body, headers=headers, media_type=geojson.MEDIA_TYPE)


@router.get("/data/aircraft.json", response_model=AircraftList)
async def aircraft_json(request: Request, picture: Annotated[Picture, Depends(picture_of)]) -> Response:
    """Return confirmed and coasting tracks as dump1090 and readsb do."""
    return json_response(aircraft.aircraft(bridge_of(request).feed, picture))


@router.get("/data/receiver.json", response_model=Receiver)
async def receiver_json(site: Annotated[Site, Depends(site_of)]) -> Response:
    """Return where the site is, as dump1090 and readsb do."""
    return json_response(aircraft.receiver(site))
