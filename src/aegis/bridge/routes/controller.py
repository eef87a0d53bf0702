# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The graph as a whole: its status, and the restart of its stages."""

import time
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response

from aegis import __version__
from aegis.bridge.accounts.audit_table import FAILED, OK, REQUESTED
from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.bridge import Bridge, bridge_of
from aegis.bridge.http.answer import json_response
from aegis.bridge.live.nodes import GraphNodes, restart_service
from aegis.bridge.models.common import Problem
from aegis.bridge.models.controller import ControllerStatus, RestartAnswer, RestartRequest, restart_request
from aegis.bridge.problem import ProblemError
from aegis.bridge.routes.access import audited, require
from aegis.bridge.routes.answers import problem

RESTART_DEADLINE_S = 10.0


def controller_router(nodes: GraphNodes) -> APIRouter:
    """Return the routes for a graph of these nodes."""
    router = APIRouter(prefix="/api/controller", tags=["controller"])
    Wanted = restart_request(nodes.names)

    @router.get("/status", response_model=ControllerStatus, dependencies=[Depends(require(Scope.METRICS_READ))])
    async def status(request: Request) -> Response:
        """Return every stage's status, and which stages can be restarted."""
        return json_response(_status(bridge_of(request)))

    @router.post(
        "/restart",
        response_model=RestartAnswer,
        responses={
            **problem(409, "a requested stage does not run"),
            503: {
                "model": RestartAnswer | Problem,
                "description": "some could not be restarted, none offers it, or it cannot be audited",
            },
        },
    )
    async def restart(
        request: Request,
        principal: Annotated[Principal, Depends(require(Scope.CONTROLLER_WRITE))],
        wanted: Annotated[Wanted | None, Body()] = None,  # type: ignore[valid-type]
    ) -> Response:
        """Put stages back to their state at start, through their services: tracks, signals and histories are dropped.

        Ids and counters go on. The radar is restarted first, then what follows it.
        """
        return await _restart(request, principal, wanted)

    return router


def _status(bridge: Bridge) -> dict[str, Any]:
    state = bridge.state
    missing = state.missing()
    return {
        "ready": not missing,
        "missing_stages": missing,
        "stages": state.stage_rows(),
        "restartable": _restartable(bridge),
        "uptime_s": round(time.monotonic() - bridge.started_at, 3),
        "run_id": bridge.run_id,
        "version": __version__,
    }


async def _restart(request: Request, principal: Principal, wanted: RestartRequest | None) -> Response:
    bridge = bridge_of(request)
    running = _restartable(bridge)
    requested = running if wanted is None or wanted.stages is None else wanted.stages
    absent = [name for name in requested if name not in running]
    if absent:
        raise ProblemError(409, f"{', '.join(absent)} does not run, or offers no restart")
    entry = audited(request, principal.name, "controller.restart", " ".join(requested))
    await bridge.audit.record_or_fail(replace(entry, outcome=REQUESTED))
    restarted: dict[str, str] = {}
    failed: dict[str, str] = {}
    for name in bridge.state.nodes:  # in the order of the graph
        if name not in requested:
            continue
        try:
            answer = await bridge.graph.call(restart_service(name), {}, RESTART_DEADLINE_S)
        except ProblemError as error:
            failed[name] = str(error)
            continue
        (restarted if answer.success else failed)[name] = answer.message
    outcome = FAILED if failed or not restarted else OK
    await bridge.audit.record(replace(entry, outcome=outcome, detail={"failed": failed}))
    return json_response({"restarted": restarted, "failed": failed}, 200 if outcome == OK else 503)


def _restartable(bridge: Bridge) -> list[str]:
    return [name for name in bridge.state.nodes if bridge.graph.ready(restart_service(name))]
