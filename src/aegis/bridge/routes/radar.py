# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the radar sees and what is tracked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from aegis_msgs.srv import SetMode
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from aegis.bridge.accounts.audit_table import FAILED, OK, REQUESTED
from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.bridge import Bridge, bridge_of
from aegis.bridge.http.answer import json_response
from aegis.bridge.live.encoded import EncodedPart, Index, json_bytes
from aegis.bridge.live.frames import Frame
from aegis.bridge.live.services import SCAN, SET_MODE
from aegis.bridge.live.signal_quality import signal_quality
from aegis.bridge.models.history import LAST_TRACK_ID
from aegis.bridge.models.radar import (
    ModeAnswer,
    ModeRequest,
    OneTrack,
    RadarStatus,
    ScanAnswer,
    SignalQuality,
    Targets,
    TrackPicture,
)
from aegis.bridge.problem import ProblemError
from aegis.bridge.routes.access import audited, require
from aegis.bridge.routes.answers import MEASURED, current, frame_response, problem
from aegis.bridge.routes.selection import Selection, TrackSelection
from aegis.bridge.stream.bodies import positions_in_map, sensor_of
from aegis.core.types import Detections, Tracks
from aegis.ros.messages.fields import ns_from_time

router = APIRouter(
    prefix="/api/radar", tags=["radar"], dependencies=[Depends(require(Scope.RADAR_READ))], responses=MEASURED
)
commands = APIRouter(
    prefix="/api/radar", tags=["radar"], dependencies=[Depends(require(Scope.CONTROLLER_WRITE))], responses=MEASURED
)
SCAN_DEADLINE_S, MODE_DEADLINE_S = 5.0, 5.0
TrackId = Annotated[int, Path(ge=0, le=LAST_TRACK_ID, description="number of the track", examples=[41])]


@router.get("/status", response_model=RadarStatus)
async def status(request: Request) -> Response:
    """Return the radar's status."""
    state = bridge_of(request).state
    last = current(state, state.detections, "detections")
    return json_response(
        {
            **last.head(),
            "detections": len(last.data),
            "scan_rate_hz": state.scan_rate_hz(),
            "scans_lost": state.scans_lost,
            "noise_db": state.noise_db(),
            "classifier": state.classifier,
            "stage": state.stage_row("detection"),
        }
    )


@router.get("/signal-quality", response_model=SignalQuality)
async def quality(request: Request) -> Response:
    """Return the spread of SNR, noise, RCS and stated errors over the last scan."""
    state = bridge_of(request).state
    last = current(state, state.detections, "detections")
    return json_response({**last.head(), **signal_quality(state)})


@router.get("/targets", response_model=Targets)
async def targets(request: Request, wanted: Annotated[Selection, Query()]) -> Response:
    """Return the detections of the last scan, in the sensor's frame."""
    bridge = bridge_of(request)

    def choose(frame: Frame[Detections]) -> tuple[Index, int]:
        mounted = bridge.settings.pose(frame.data.sensor_id)
        return wanted.rows(lambda: positions_in_map(frame.data, mounted), frame.data.class_id)

    def place(detections: Detections) -> Mapping[str, object]:
        return {"sensor": sensor_of(bridge.settings.pose(detections.sensor_id), detections)}

    frame = bridge.state.detections
    return frame_response(request, frame, "detections", "targets", None if wanted.everything else choose, place)


@router.get("/tracks", response_model=TrackPicture)
async def tracks(request: Request, wanted: Annotated[TrackSelection, Query()]) -> Response:
    """Return the tracked picture after the last scan, or some of it."""
    state = bridge_of(request).state

    def choose(frame: Frame[Tracks]) -> tuple[Index, int]:
        also = np.ones(len(frame.data), dtype=bool)
        if wanted.status:
            also &= np.isin(frame.data.status, wanted.status)
        if wanted.level:
            threats = current(state, state.threats, "threats").data
            of_level = [track_id for track_id, level in threats.levels().items() if level in wanted.level]
            also &= np.isin(frame.data.track_id, of_level)
        return wanted.rows(lambda: frame.data.state, frame.data.class_id, also=also)

    return frame_response(request, state.tracks, "tracks", "tracks", None if wanted.everything else choose)


@router.get(
    "/tracks/{track_id}",
    response_model=OneTrack,
    responses=problem(404, "the picture has no such track (any more)"),
)
async def track(request: Request, track_id: TrackId) -> Response:
    """Return one track of the picture after the last scan."""
    state = bridge_of(request).state
    frame = current(state, state.tracks, "tracks")
    found = np.flatnonzero(frame.data.track_id == track_id)
    if not len(found):
        raise ProblemError(404, f"the picture has no track {track_id}; its history may have")
    return json_response({**frame.head(), "track": frame.rows.items[int(found[0])]})


@commands.post(
    "/mode",
    response_model=ModeAnswer,
    responses=problem(404, "the graph has no such radar")
    | problem(409, "the radar refuses it, and nothing is changed"),
)
async def mode(
    request: Request, principal: Annotated[Principal, Depends(require(Scope.CONTROLLER_WRITE))], wanted: ModeRequest
) -> Response:
    """Tell the radar how to work, all that is asked or nothing: its mode, carrier, blanked sectors, hopping."""
    bridge = bridge_of(request)
    said = wanted.model_dump(exclude_none=True, exclude={"radar"})
    if not said:
        raise ProblemError(400, "nothing is asked for: say mode, frequency_hz, blanking, agility_hz or chirp_jitter_s")
    service = f"{wanted.radar}/{SET_MODE}" if wanted.radar else SET_MODE
    if not bridge.graph.has(service):
        raise ProblemError(404, f"the graph has no radar '{wanted.radar}' that takes commands")
    entry = replace(audited(request, principal.name, "radar.set_mode", wanted.radar), detail=said)
    await bridge.audit.record_or_fail(replace(entry, outcome=REQUESTED))
    try:
        answer = await bridge.graph.call(service, _mode_fields(wanted), MODE_DEADLINE_S)
        if not answer.success:
            raise ProblemError(409, answer.message)
    except ProblemError as error:
        await bridge.audit.record(replace(entry, outcome=FAILED, detail={**said, "reason": str(error)}))
        raise
    await bridge.audit.record(replace(entry, outcome=OK))
    return json_response({"message": answer.message})


def _mode_fields(wanted: ModeRequest) -> dict[str, object]:
    blanking = wanted.blanking or []
    return {
        "mode": SetMode.Request.UNCHANGED if wanted.mode is None else getattr(SetMode.Request, wanted.mode),
        "frequency": float("nan") if wanted.frequency_hz is None else wanted.frequency_hz,
        "set_blanking": wanted.blanking is not None,
        "blank_from": [sector.begin_rad for sector in blanking],
        "blank_to": [sector.end_rad for sector in blanking],
        "set_agility": wanted.agility_hz is not None,
        "agility": wanted.agility_hz or 0.0,
        "set_chirp_jitter": wanted.chirp_jitter_s is not None,
        "chirp_jitter": wanted.chirp_jitter_s or 0.0,
    }


@commands.post("/scan", response_model=ScanAnswer)
async def scan(request: Request) -> Response:
    """Let the radar scan once, in any mode, and answer with what was detected in that scan."""
    bridge = bridge_of(request)
    answer = await bridge.graph.call(SCAN, {}, SCAN_DEADLINE_S)
    if not answer.success:
        raise ProblemError(503, f"the radar did not scan: {answer.message}")
    frame = await _detections_of(bridge, ns_from_time(answer.stamp))
    body: dict[str, Any] = {
        **frame.head(),
        "message": answer.message,
        "count": len(frame.data),
        "total": len(frame.data),
        "sensor": sensor_of(bridge.settings.pose(frame.data.sensor_id), frame.data),
        "targets": EncodedPart(frame.rows),
    }
    return Response(json_bytes(body), media_type="application/json")


async def _detections_of(bridge: Bridge, stamp_ns: int) -> Frame[Detections]:
    """Return the detections of a scan, which may be on their way.

    Raises:
        ProblemError: 503, they did not come.
    """
    try:
        return await bridge.state.detections_of(stamp_ns, SCAN_DEADLINE_S)
    except TimeoutError:
        raise ProblemError(
            503, f"the radar has scanned, but its detections were not heard within {SCAN_DEADLINE_S:g} s"
        ) from None
