# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The FastAPI application around one bridge."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from aegis import __version__
from aegis.bridge.bridge import Bridge
from aegis.bridge.http.body import BodyLimit
from aegis.bridge.http.guard import DefaultDeny, SecurityHeaders
from aegis.bridge.http.odd import OddRequests
from aegis.bridge.http.openapi import describe_scopes
from aegis.bridge.http.problems import add_handler
from aegis.bridge.http.request_id import RequestId
from aegis.bridge.routes import (
    alarms,
    audit,
    auth,
    coast,
    controller,
    event_stream,
    ew,
    health,
    history,
    incident,
    invites,
    metrics,
    outputs,
    own_account,
    page,
    protected,
    radar,
    service_tokens,
    stream,
    threats,
    users,
    zones,
)

_DESCRIPTION = """
The picture of one radar: detections, tracks, threats, EW advice.

Log in with `POST /api/auth/login` and send `Authorization: Bearer TOKEN`; before it expires, `POST /api/auth/refresh` gives the
next one. Each operation names the scope it needs; 401 is a token that is not good (any more), 403 one that lacks the scope.

Every body of measured data carries the radar scan's
`sequence`, the time of measurement `stamp_s` and its age `age_s`. Units are in the names; unknown is `null`. An endpoint whose
stage has not spoken yet answers 503, never with invented values. `GET` bodies of scans have an `ETag`: send it as
`If-None-Match` and get 304 for the same frame.

**Live: WebSocket `/ws/radar-stream`.** The first message is `{"type": "auth", "token": TOKEN}`, or with a `ticket` of
`POST /api/auth/ws-ticket` in the token's place; nothing goes into the URL. Then come `radar_frame`, `threats`, `system_status` and
`heartbeat`, each with a `frame` number that counts what the client is to get of its kind: a gap shows what it has missed.

| command | answer |
|---|---|
| `{"type": "ping"}` | `pong` |
| `{"type": "get_status"}` | `status`: the system's and the client's own |
| `{"type": "subscribe", ...}` | `subscribed`, then the picture as it is |
| `{"type": "auth", "token": NEWER}` | `auth_ok`: the stream outlives the first token |

`subscribe` takes, each of them optional: `channels` (of `radar_frame`, `threats`, `system_status`, `heartbeat`, `ew`, `alarms`,
`protected`, and `video` with format `delta`: binary, of radars that turn),
`rate_hz` (messages a second of each channel at most), `area` (`{"x_min_m", "y_min_m", "x_max_m", "y_max_m"}`, in `map`: x east,
y north), `classes` (`["DRONE", ...]`) and `format` (`json`, or `msgpack` in binary messages). What it does not name is as in a new
connection. The same messages come as server-sent events from `GET /api/stream`.
"""


def create_app(bridge: Bridge) -> FastAPI:
    """Return the application around an open bridge."""
    app = FastAPI(
        title="Aegis",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,  # both pages load scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.bridge = bridge
    for router in (
        health.router,
        controller.controller_router(bridge.nodes),
        auth.router,
        own_account.router,
        users.router,
        invites.router,
        service_tokens.router,
        audit.router,
        radar.router,
        radar.commands,
        threats.router,
        threats.commands,
        ew.router,
        alarms.router,
        coast.router,
        protected.router,
        zones.router,
        history.router,
        incident.router,
        outputs.router,
        event_stream.router,
        metrics.router,
        stream.router,
        page.router,
    ):
        app.include_router(router)
    describe_scopes(app)

    settings = bridge.settings
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimit, max_bytes=settings.requests.max_body_bytes)
    app.add_middleware(DefaultDeny, tokens=bridge.tokens, audit=bridge.accounts.audit)
    app.add_middleware(OddRequests)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.allowed_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-Match", "If-None-Match"],
            expose_headers=["ETag", "Retry-After", "X-Data-Age", "X-Request-ID"],
        )
    app.add_middleware(SecurityHeaders, tls=bool(settings.tls.certificate))
    app.add_middleware(RequestId, observe=bridge.telemetry.metrics.observe_request)

    add_handler(app)
    return app
