"""The FastAPI application around one bridge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.middleware.cors import CORSMiddleware

from aegis import __version__
from aegis.bridge.context import Bridge
from aegis.bridge.http.guard import SECURITY_HEADERS, BodyLimit, DefaultDeny, SecurityHeaders
from aegis.bridge.routes import auth, health, history, page, radar, stream, threats
from aegis.bridge.routes.answers import NotHeardError, json_response

_DESCRIPTION = """
The picture of one radar: detections, tracks, threats.

Log in with `POST /api/auth/login` and send `Authorization: Bearer TOKEN`. Every body of measured data carries the radar scan's
`sequence`, the time of measurement `stamp_s` and its age `age_s`. Units are in the names; unknown is `null`. An endpoint whose
stage has not spoken yet answers 503. `GET` bodies have an `ETag`: send it as `If-None-Match` and get 304 for the same frame.

Live: WebSocket `/ws/radar-stream`. Send `{"type": "auth", "token": TOKEN}` first; then come `radar_frame`, `threats`,
`system_status` and `heartbeat`, each with a `frame` number that counts that kind of message, so that a gap tells what was missed.
Commands: `{"type": "ping"}`, `{"type": "get_status"}`, `{"type": "subscribe", "channels": [...]}`.
"""


@asynccontextmanager
async def _nothing(_app: FastAPI) -> AsyncIterator[None]:
    yield


def create_app(bridge: Bridge, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] = _nothing) -> FastAPI:
    """Return the application; `lifespan` starts and stops what runs beside it."""
    app = FastAPI(
        title="Aegis",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,  # both pages load scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.bridge = bridge
    for area in (health, auth, radar, threats, history, stream, page):
        app.include_router(area.router)

    settings = bridge.settings
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, timeout_s=settings.body_timeout_s)
    app.add_middleware(DefaultDeny, tokens=bridge.tokens)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.allowed_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "If-None-Match"],
            expose_headers=["ETag", "Retry-After", "X-Data-Age"],
        )
    app.add_middleware(SecurityHeaders, tls=settings.tls)

    app.add_exception_handler(NotHeardError, _not_heard)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)
    return app


async def _not_heard(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotHeardError)
    detail = f"nothing has been heard on '{error.topic}' yet"
    return json_response({"detail": detail, "waiting_for": error.topic}, 503, {"Retry-After": "1"})


async def _invalid(_request: Request, error: Exception) -> Response:
    """Say what is wrong with a request, without repeating what was sent: it may be a password."""
    assert isinstance(error, RequestValidationError)
    problems = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
    return json_response({"detail": "; ".join(problems)}, 400)


async def _failed(_request: Request, _error: Exception) -> Response:
    """Tell a client nothing about the inside; the log has the trace. This runs outside the middleware above."""
    return json_response({"detail": "internal error"}, 500, {**SECURITY_HEADERS, "cache-control": "no-store"})
