"""The graph as a whole: how it does, and putting its stages back to their start."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Body, Depends, HTTPException, Request, Response

from aegis import __version__
from aegis.bridge.accounts.audit_table import ASKED, FAILED, OK
from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.bridge import Bridge, bridge_of
from aegis.bridge.live.services import ServiceError, restart_service
from aegis.bridge.models.common import Problem
from aegis.bridge.models.controller import ControllerStatus, RestartAnswer, RestartRequest
from aegis.bridge.routes.access import audited, require
from aegis.bridge.routes.answers import json_response, problem
from aegis.graph.nodes import NODES

router = APIRouter(prefix="/api/controller", tags=["controller"])
RESTART_DEADLINE_S = 10.0


@router.get("/status", response_model=ControllerStatus, dependencies=[Depends(require(Scope.METRICS_READ))])
async def status(request: Request) -> Response:
    """Say how every stage is doing, and which of them can be restarted."""
    bridge = bridge_of(request)
    latest, settings = bridge.latest, bridge.settings
    missing = latest.missing(settings.ready_stages, settings.ready_silence_s)
    return json_response(
        {
            "ready": not missing,
            "missing_stages": missing,
            "stages": {name: latest.stage_row(name) for name in sorted(latest.stages)},
            "restartable": _restartable(bridge),
            "uptime_s": round(time.monotonic() - bridge.started_at, 3),
            "run_id": bridge.run_id,
            "version": __version__,
        }
    )


@router.post(
    "/restart",
    response_model=RestartAnswer,
    responses={
        **problem(409, "a stage that is asked for does not run"),
        503: {
            "model": RestartAnswer | Problem,
            "description": "some could not be restarted, none offers it, or it cannot be audited",
        },
    },
)
async def restart(
    request: Request,
    principal: Annotated[Principal, Depends(require(Scope.CONTROLLER_WRITE))],
    wanted: Annotated[RestartRequest | None, Body()] = None,
) -> Response:
    """Put stages back to their state at start, through their services: tracks, signals and histories are dropped.

    Ids and counters go on. The radar is restarted first, then what follows it.
    """
    bridge = bridge_of(request)
    running = _restartable(bridge)
    asked = running if wanted is None or wanted.stages is None else wanted.stages
    absent = [name for name in asked if name not in running]
    if absent:
        raise HTTPException(409, f"{', '.join(absent)} does not run, or offers no restart")
    entry = audited(request, principal.name, "controller.restart", " ".join(asked))
    await bridge.audit.record_or_fail(replace(entry, outcome=ASKED))
    restarted: dict[str, str] = {}
    failed: dict[str, str] = {}

    async def one(name: str) -> None:
        try:
            answer = await bridge.graph.call(restart_service(name), {}, RESTART_DEADLINE_S)
        except ServiceError as error:
            failed[name] = str(error)
            return
        (restarted if answer.success else failed)[name] = answer.message

    for name in NODES:  # in the order of the graph
        if name in asked:
            await one(name)
    outcome = FAILED if failed or not restarted else OK
    await bridge.audit.record(replace(entry, outcome=outcome, detail={"failed": failed}))
    return json_response({"restarted": restarted, "failed": failed}, 200 if outcome == OK else 503)


def _restartable(bridge: Bridge) -> list[str]:
    return [name for name in NODES if bridge.graph.ready(restart_service(name))]
