"""What the radar sees and what is tracked."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.context import bridge_of
from aegis.bridge.models.radar import RadarStatus, Targets, TrackPicture
from aegis.bridge.routes.access import require
from aegis.bridge.routes.answers import MEASURED, NotHeardError, frame_response, json_response

router = APIRouter(
    prefix="/api/radar", tags=["radar"], dependencies=[Depends(require(Scope.RADAR_READ))], responses=MEASURED
)


@router.get("/status", response_model=RadarStatus)
async def status(request: Request) -> Response:
    """Say how the radar is doing. Scope radar:read."""
    latest = bridge_of(request).latest
    if latest.detections is None:
        raise NotHeardError("detections")
    return json_response(
        {
            **latest.detections.head(),
            "detections": len(latest.detections.data),
            "scan_rate_hz": latest.scan_rate_hz(),
            "scans_lost": latest.scans_lost,
            "noise_db": latest.noise_db(),
            "classifier": latest.classifier,
            "stage": latest.stage_row("detection"),
        }
    )


@router.get("/targets", response_model=Targets)
async def targets(request: Request) -> Response:
    """Return the detections of the last scan, in the sensor's frame. Scope radar:read."""
    return frame_response(request, bridge_of(request).latest.detections, "detections", "targets")


@router.get("/tracks", response_model=TrackPicture)
async def tracks(request: Request) -> Response:
    """Return the tracked picture after the last scan. Scope radar:read."""
    return frame_response(request, bridge_of(request).latest.tracks, "tracks", "tracks")
