# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Advice against jamming and threats, and a person's decision on it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.bridge import bridge_of
from aegis.bridge.http.answer import json_response
from aegis.bridge.live.services import ACKNOWLEDGE
from aegis.bridge.models.threats import AllAdvice, Decision
from aegis.bridge.problem import ProblemError, no_data
from aegis.bridge.routes.access import audited, require, require_person
from aegis.bridge.routes.answers import MEASURED, heard_from, problem
from aegis.bridge.routes.decisions import StageDecision, carry_out
from aegis.core.types import AdviceState

router = APIRouter(prefix="/api/ew", tags=["ew"], responses=MEASURED)
KIND = "ew_advice"  # of decisions
Operator = Annotated[Principal, Depends(require_person(Scope.EW_ACKNOWLEDGE))]
AdviceId = Annotated[int, Path(ge=0, le=2**32 - 1, description="number of the advice", examples=[3])]
_DECIDED = {**problem(404, "no such advice (any more)"), **problem(409, "it is not open: decided already, or expired")}


@router.get("/advice", response_model=AllAdvice, dependencies=[Depends(require(Scope.THREATS_READ))])
async def advice(request: Request) -> Response:
    """Return all advice that is open, or was until recently."""
    state = bridge_of(request).state
    frame = state.advice
    if frame is None:
        raise no_data("ew/advice")
    heard_from(state, "ew", "ew/advice")
    return json_response({**frame.head(), "items": frame.rows.items})


@router.post("/advice/{advice_id}/acknowledge", response_model=Decision, responses=_DECIDED)
async def acknowledge(request: Request, advice_id: AdviceId, principal: Operator) -> Response:
    """Accept a piece of advice. Aegis itself does nothing about it."""
    return await _decide(request, advice_id, principal, accept=True)


@router.post("/advice/{advice_id}/reject", response_model=Decision, responses=_DECIDED)
async def reject(request: Request, advice_id: AdviceId, principal: Operator) -> Response:
    """Reject a piece of advice."""
    return await _decide(request, advice_id, principal, accept=False)


async def _decide(request: Request, advice_id: int, principal: Principal, *, accept: bool) -> Response:
    """Let the EW stage take the decision: it knows what is open."""
    bridge = bridge_of(request)
    if bridge.state.advice is None:
        raise no_data("ew/advice")
    found = [one for one in bridge.state.advice.items if one.id == advice_id]
    if not found:
        raise ProblemError(404, f"there is no advice {advice_id}")

    action = f"{KIND}.{'acknowledge' if accept else 'reject'}"
    entry = audited(request, principal.name, action, str(advice_id), technique=found[0].technique)
    await carry_out(bridge, StageDecision(KIND, advice_id, ACKNOWLEDGE, {"accept": accept}, accept), entry)
    state = AdviceState.ACKNOWLEDGED if accept else AdviceState.REJECTED
    return json_response({"id": advice_id, "state": state.name, "decided_by": principal.name})
