# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A number for every request and WebSocket: in the answer, in every line that is logged meanwhile, and in the access line."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-request-id"
ACCESS_LOG = "aegis.bridge.access"
UNMATCHED = "unmatched"  # for the route of what no route has answered: unknown paths, refusals before it
_PATTERN = re.compile(r"[A-Za-z0-9._-]{8,64}")
_MAX_PATH = 256  # characters that are logged
_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})

_access = logging.getLogger(ACCESS_LOG)

# What is known of the request that the running task answers: `request_id`, and `principal` once the guard knows it.
current_request: ContextVar[dict[str, Any] | None] = ContextVar("current_request", default=None)


class RequestId:
    """Takes a well-formed X-Request-ID, or makes one; the first to see a request and the last to see its answer."""

    def __init__(self, app: ASGIApp, *, observe: Callable[[str, str, int | None, float], None]) -> None:
        """Prepare.

        Args:
            app: what answers.
            observe: called with method, route's template, status (None: no answer) and seconds of every request.
        """
        self._app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        state = scope.setdefault("state", {})
        request_id = state["request_id"] = given if _PATTERN.fullmatch(given) else uuid.uuid4().hex
        # Never reset: the task ends with the request, and the server's log of its failure belongs to it too.
        current_request.set(state)
        begin = time.perf_counter()
        status: int | None = None
        sent = 0

        async def watched(message: Message) -> None:
            nonlocal status, sent
            kind = message["type"]
            if kind == "http.response.body":
                sent += len(message.get("body", b""))
            elif kind in _STARTS:
                status = message.get("status", 101)
                MutableHeaders(scope=message)[HEADER] = request_id
            elif kind == "websocket.close" and status is None:
                status = 403
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            status = 500  # the handler of failures answers outside of here
            raise
        finally:
            seconds = time.perf_counter() - begin
            route = getattr(scope.get("route"), "path", UNMATCHED)
            if scope["type"] == "http":
                self._observe(scope["method"], route, status, seconds)
            if _access.isEnabledFor(logging.INFO):
                _log_access(scope, route, status, seconds, sent)


def _log_access(scope: Scope, route: str, status: int | None, seconds: float, sent: int) -> None:
    method = scope.get("method", "WEBSOCKET")
    fields = {
        "method": method,
        "path": scope["path"][:_MAX_PATH],
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1e3, 3),
        "address": scope["client"][0] if scope.get("client") else None,
        "bytes": sent if scope["type"] == "http" else None,
    }
    _access.info("%s %s %s", method, route, status, extra={"fields": fields})
