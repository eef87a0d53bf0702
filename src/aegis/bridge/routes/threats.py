# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What threatens the protected asset."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.bridge import bridge_of
from aegis.bridge.history.decisions import THREAT
from aegis.bridge.http.answer import json_response
from aegis.bridge.http.origin import origin_of
from aegis.bridge.live import columns
from aegis.bridge.live.encoded import Index
from aegis.bridge.live.frames import Frame
from aegis.bridge.models.threats import Acknowledged, ActiveThreats, EwStatus, ThreatSummary
from aegis.bridge.problem import ProblemError, no_data
from aegis.bridge.routes.access import audited, require, require_person
from aegis.bridge.routes.answers import MEASURED, current, frame_response, heard_from, problem
from aegis.bridge.routes.radar import TrackId
from aegis.bridge.routes.selection import ThreatSelection
from aegis.bridge.stream.bodies import ew as ew_body
from aegis.bridge.stream.bodies import places_of_tracks
from aegis.bridge.telemetry.graph import levels
from aegis.core.types import ThreatLevel, Threats

router = APIRouter(
    prefix="/api/threats", tags=["threats"], dependencies=[Depends(require(Scope.THREATS_READ))], responses=MEASURED
)
commands = APIRouter(prefix="/api/threats", tags=["threats"], responses=MEASURED)


@router.get("/active", response_model=ActiveThreats)
async def active(request: Request, wanted: Annotated[ThreatSelection, Query()]) -> Response:
    """Return the threats, or some of them, most threatening first; and the tracks that were assessed as less."""
    state = bridge_of(request).state

    def choose(frame: Frame[Threats]) -> tuple[Index, int]:
        threats = frame.data
        also = np.isin(threats.level, wanted.level) if wanted.level else None
        tracks = state.tracks.data if state.tracks else None
        return wanted.rows(lambda: places_of_tracks(threats.track_id, tracks), threats.class_id, also=also)

    chosen = None if wanted.everything else choose
    return frame_response(request, state.threats, "threats", "threats", chosen, more=columns.unlisted)


@router.get("/critical", response_model=ActiveThreats)
async def critical(request: Request) -> Response:
    """Return the critical threats, most threatening first."""

    def choose(frame: Frame[Threats]) -> tuple[Index, int]:
        index = np.flatnonzero(frame.data.level == int(ThreatLevel.CRITICAL))
        return index, len(index)

    return frame_response(
        request, bridge_of(request).state.threats, "threats", "threats", choose, more=columns.unlisted
    )


@router.get("/summary", response_model=ThreatSummary)
async def summary(request: Request) -> Response:
    """Count the threats by level and class, and name the worst."""
    state = bridge_of(request).state
    frame = current(state, state.threats, "threats")
    rows = frame.rows.items
    classes = Counter(columns.CLASS_NAMES[i] for i in frame.data.class_id.tolist())
    impacts = frame.data.time_to_impact[np.isfinite(frame.data.time_to_impact)]
    body: dict[str, Any] = {
        **frame.head(),
        "count": len(frame.data),
        "assessed": len(frame.data) + len(frame.data.unlisted_track_id),
        "by_level": levels(frame.data),
        "by_class": dict(sorted(classes.items())),
        "unacknowledged": sum(row["level"] in ("HIGH", "CRITICAL") and row["acknowledged_by"] is None for row in rows),
        "worst": rows[0] if rows else None,
        "next_impact_s": round(float(impacts.min()), 2) if len(impacts) else None,
    }
    return json_response(body)


@router.get("/ew-status", response_model=EwStatus)
async def ew_status(request: Request) -> Response:
    """Return the active jamming and interference, and the advice."""
    state = bridge_of(request).state
    if state.signals is None and state.advice is None:
        raise no_data("ew/advice")
    heard_from(state, "ew", "ew/advice")
    counts = state.ew()
    body = ew_body(state.signals, state.advice)
    return json_response({**body, "advice_waiting": counts["advice_waiting"], "noise_floor": state.noise_floor()})


@commands.post(
    "/{track_id}/acknowledge",
    response_model=Acknowledged,
    responses=problem(404, "no such threat now"),
)
async def acknowledge(
    request: Request, track_id: TrackId, principal: Annotated[Principal, Depends(require_person(Scope.EW_ACKNOWLEDGE))]
) -> Response:
    """Acknowledge a threat. It holds until the threat's level rises above its present one."""
    bridge = bridge_of(request)
    frame = current(bridge.state, bridge.state.threats, "threats")
    found = np.flatnonzero(frame.data.track_id == track_id)
    if not len(found):
        raise ProblemError(404, f"track {track_id} is no threat now: it is not in the list")
    level = ThreatLevel(int(frame.data.level[found[0]]))
    origin = origin_of(request)
    audited_already = bridge.replicas is not None and await bridge.audit.try_to_record(
        audited(request, principal.name, f"{THREAT}.acknowledge", str(track_id), level=level.name)
    )
    decision = await bridge.history.put_decision(
        kind=THREAT,
        target_id=track_id,
        who=principal.name,
        accept=True,
        detail={"level": level.name},
        address=None if audited_already else origin.address,
        request_id=None if audited_already else origin.request_id,
    )
    bridge.show_acknowledgements()
    return json_response(
        {
            "track_id": track_id,
            "level": level.name,
            "acknowledged_by": principal.name,
            "acknowledged_s": round(decision.stamp_ns / 1e9, 3),
        }
    )
