# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Alarms of zone rules, and what a person does with them: the threat stage keeps them, and is told."""

from __future__ import annotations

from typing import Annotated

from aegis_msgs.srv import HandleAlarm
from fastapi import APIRouter, Depends, Path, Request, Response

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.bridge import bridge_of
from aegis.bridge.http.answer import json_response
from aegis.bridge.live.services import HANDLE_ALARM
from aegis.bridge.models.alarms import Alarms, Handled, Note, Shelf
from aegis.bridge.problem import ProblemError, no_data
from aegis.bridge.routes.access import audited, require, require_person
from aegis.bridge.routes.answers import MEASURED, heard_from, problem
from aegis.bridge.routes.decisions import StageDecision, carry_out
from aegis.bridge.stream.bodies import alarms as alarms_body

router = APIRouter(prefix="/api/alarms", tags=["alarms"], responses=MEASURED)
KIND = "alarm"  # of decisions
ACTIONS = {
    "acknowledge": HandleAlarm.Request.ACKNOWLEDGE,
    "shelve": HandleAlarm.Request.SHELVE,
    "unshelve": HandleAlarm.Request.UNSHELVE,
    "note": HandleAlarm.Request.NOTE,
}
Operator = Annotated[Principal, Depends(require_person(Scope.EW_ACKNOWLEDGE))]
AlarmId = Annotated[int, Path(ge=0, le=2**32 - 1, description="number of the alarm", examples=[7])]
_HANDLED = {**problem(404, "no such alarm (any more)"), **problem(409, "its state does not allow it")}


@router.get("", response_model=Alarms, dependencies=[Depends(require(Scope.THREATS_READ))])
async def alarms(request: Request) -> Response:
    """Return the alarms that are on, and those that have ended lately."""
    state = bridge_of(request).state
    frame = state.alarms
    if frame is None:
        raise no_data("alarms")
    heard_from(state, "threat", "alarms")
    body = alarms_body(frame)
    return json_response({**body, "items": frame.rows.items})


@router.post("/{alarm_id}/acknowledge", response_model=Handled, responses=_HANDLED)
async def acknowledge(request: Request, alarm_id: AlarmId, principal: Operator) -> Response:
    """Note that an alarm has been seen."""
    return await _handle(request, alarm_id, principal, "acknowledge")


@router.post("/{alarm_id}/shelve", response_model=Handled, responses=_HANDLED)
async def shelve(request: Request, alarm_id: AlarmId, shelf: Shelf, principal: Operator) -> Response:
    """Make an alarm silent for a while, for a reason. It stays in the list."""
    return await _handle(request, alarm_id, principal, "shelve", shelf.reason, shelf.duration_s)


@router.post("/{alarm_id}/unshelve", response_model=Handled, responses=_HANDLED)
async def unshelve(request: Request, alarm_id: AlarmId, principal: Operator) -> Response:
    """Let an alarm be heard again."""
    return await _handle(request, alarm_id, principal, "unshelve")


@router.post("/{alarm_id}/note", response_model=Handled, responses=_HANDLED)
async def note(request: Request, alarm_id: AlarmId, content: Note, principal: Operator) -> Response:
    """Write a note to an alarm, in the place of the one before; an empty one removes it."""
    return await _handle(request, alarm_id, principal, "note", content.text)


async def _handle(
    request: Request, alarm_id: int, principal: Principal, action: str, text: str = "", duration_s: float = 0.0
) -> Response:
    """Let the threat stage do it: it knows what is on. What is done is in the audit and in history."""
    bridge = bridge_of(request)
    if bridge.state.alarms is None:
        raise no_data("alarms")
    found = [one for one in bridge.state.alarms.items if one.id == alarm_id]
    if not found:
        raise ProblemError(404, f"there is no alarm {alarm_id}")
    detail: dict[str, object] = {"rule": found[0].rule, "track_id": found[0].track_id}
    if text:
        detail["text"] = text
    if duration_s:
        detail["duration_s"] = duration_s
    fields = {"action": ACTIONS[action], "text": text, "duration_s": duration_s}
    decision = StageDecision(KIND, alarm_id, HANDLE_ALARM, fields, also={"action": action})
    await carry_out(bridge, decision, audited(request, principal.name, f"{KIND}.{action}", str(alarm_id), **detail))
    return json_response({"id": alarm_id, "action": action, "who": principal.name})
