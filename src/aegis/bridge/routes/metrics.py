# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Metrics of the stages, the pipeline and the bridge itself: for Prometheus, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.bridge import bridge_of
from aegis.bridge.http.answer import json_response
from aegis.bridge.live import columns
from aegis.bridge.live.frames import Frame
from aegis.bridge.live.nodes import OWN_NAME
from aegis.bridge.live.state import LiveState, StageBody
from aegis.bridge.models.common import Model, NotYet
from aegis.bridge.models.metrics import (
    DetectionMetrics,
    EwMetrics,
    Nis,
    PipelineMetrics,
    RadarMetrics,
    Registration,
    SystemMetrics,
    ThreatMetrics,
    TrackingMetrics,
)
from aegis.bridge.problem import no_data
from aegis.bridge.routes.access import require
from aegis.bridge.routes.answers import Responses
from aegis.bridge.telemetry.graph import levels
from aegis.bridge.telemetry.latency import LAST_STAGE
from aegis.bridge.telemetry.metrics import CONTENT_TYPE
from aegis.bridge.telemetry.sources import STAGE

RADAR_STAGES = ("simulator", "driver", "radar_msgs", "frontend")

router = APIRouter(tags=["metrics"], dependencies=[Depends(require(Scope.METRICS_READ))])
_NOT_YET: Responses = {503: {"model": NotYet, "description": "the stage has not spoken yet"}}


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus' text format 0.0.4", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
)
async def prometheus(request: Request) -> Response:
    """Return the metrics of the graph and the bridge for Prometheus."""
    metrics = bridge_of(request).telemetry.metrics
    text = await run_in_threadpool(metrics.text, metrics.read())
    return Response(text, headers={"Content-Type": CONTENT_TYPE})


@router.get("/api/metrics/radar", response_model=RadarMetrics, responses=_NOT_YET)
async def radar(request: Request) -> Response:
    """Return the radar's metrics: its stages, and its scans as they reach the bridge."""
    state = bridge_of(request).state
    stages = {name: row for name in RADAR_STAGES if (row := state.stage_row(name)) is not None}
    if not stages and state.detections is None:
        raise no_data("status", " or ".join(RADAR_STAGES))
    return json_response(
        {
            "stages": stages,
            "scan_rate_hz": state.scan_rate_hz(),
            "scans_lost": state.scans_lost,
            "noise_db": state.noise_db(),
            "last_scan_age_s": round(state.detections.age_s, 3) if state.detections else None,
        }
    )


@router.get("/api/metrics/detection", response_model=DetectionMetrics, responses=_NOT_YET)
async def detection(request: Request) -> Response:
    """Return the detection stage's metrics, and those of the last scan."""
    state = bridge_of(request).state
    last = state.detections
    body: dict[str, object] = {"stage": _stage(state, "detection"), "classifier": state.classifier, "last_scan": None}
    if last is not None:
        body["last_scan"] = {**_head(last), "by_class": _names(columns.CLASS_NAMES, last.data.class_id)}
    return json_response(body)


@router.get("/api/metrics/tracking", response_model=TrackingMetrics, responses=_NOT_YET)
async def tracking(request: Request) -> Response:
    """Return the tracking stage's metrics, those of the picture, and each sensor's errors."""
    state = bridge_of(request).state
    last = state.tracks
    stage = _stage(state, "tracking")
    body = {
        "stage": stage,
        "last_picture": None,
        "nis": _entries(stage["detail"], "nis", Nis),
        "registration": _entries(stage["detail"], "registration", Registration),
    }
    if last is not None:
        body["last_picture"] = {
            **_head(last),
            "by_status": _names(columns.STATUS_NAMES, last.data.status),
            "by_class": _names(columns.CLASS_NAMES, last.data.class_id),
        }
    return json_response(body)


@router.get("/api/metrics/threats", response_model=ThreatMetrics, responses=_NOT_YET)
async def threats(request: Request) -> Response:
    """Return the threat stage's metrics, and the number of threats of each level."""
    state = bridge_of(request).state
    last = state.threats
    body: dict[str, object] = {"stage": _stage(state, "threat"), "last_assessment": None}
    if last is not None:
        body["last_assessment"] = {**_head(last), "by_level": levels(last.data)}
    return json_response(body)


@router.get("/api/metrics/ew", response_model=EwMetrics, responses=_NOT_YET)
async def ew(request: Request) -> Response:
    """Return the EW stage's metrics, the active signals, and the states of its advice."""
    state = bridge_of(request).state
    signals, advice = state.signals, state.advice
    body: dict[str, Any] = {"stage": _stage(state, "ew"), "signals": None, "advice": None}
    if signals is not None:
        kinds = Counter(signal.kind.name for signal in signals.items)
        body["signals"] = {**signals.head(), "count": len(signals.items), "by_kind": kinds}
    if advice is not None:
        states = Counter(one.state.name for one in advice.items)
        body["advice"] = {**advice.head(), "count": len(advice.items), "by_state": states}
    return json_response(body)


@router.get("/api/metrics/pipeline", response_model=PipelineMetrics, responses=_NOT_YET)
async def pipeline(request: Request) -> Response:
    """Return latencies and rates from the measurement to the bridge, and which stages are missing."""
    bridge = bridge_of(request)
    state, latency = bridge.state, bridge.telemetry.latency
    stages = [name for name in state.stages if name.partition("_")[0] != OWN_NAME]
    if not stages:
        raise no_data("status")
    missing = state.missing()
    return json_response(
        {
            "ready": not missing,
            "missing_stages": missing,
            "cycle_rate_hz": latency.rate_hz(LAST_STAGE),
            "latency": latency.report(),
            "stage_age_s": state.status_age_s(stages),
            "events_received": state.events,
            "events_lost": state.events_lost,
        }
    )


@router.get("/api/metrics/system", response_model=SystemMetrics)
async def system(request: Request) -> Response:
    """Return metrics of the machine and the bridge's process, and its components' queues, drops and errors."""
    telemetry = bridge_of(request).telemetry
    return json_response(
        {
            **await run_in_threadpool(telemetry.machine.report),
            "loop_lag_p99_ms": telemetry.loop_lag.p99_ms(),
            "counts": {name: counts for name, counts in telemetry.metrics.read().items() if name != STAGE.name},
        }
    )


def _stage(state: LiveState, name: str) -> StageBody:
    """Return a stage's status.

    Raises:
        ProblemError: 503, there is none yet.
    """
    row = state.stage_row(name)
    if row is None:
        raise no_data("status", name)
    return row


def _head(frame: Frame[Any]) -> dict[str, Any]:
    return {**frame.head(), "count": len(frame.data)}


def _names(names: list[str], numbers: Iterable[int]) -> Counter[str]:
    return Counter(names[number] for number in numbers)


def _entries(detail: Any, key: str, model: type[Model]) -> dict[str, Any]:
    """Return the entries by sensor of a status detail; entries of another form stay in the detail alone."""
    entries = detail.get(key) if isinstance(detail, dict) else None
    out = {}
    for sensor_id, entry in entries.items() if isinstance(entries, dict) else ():
        try:
            out[sensor_id] = model.model_validate(entry).model_dump()
        except ValidationError:
            continue  # another stage's, by its own rules
    return out
