# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Requests that are odd as HTTP: refused before anything is made of them; and HEAD, which is a GET without its body."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from aegis.bridge.http.answer import answer

ENDLESS = frozenset({"/api/stream"})  # its body does not end: there is nothing to say of it beforehand


class OddRequests:
    """Answers 400 to a request of HTTP/1.1 without a host, or with two, and to two Authorization headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it; ASGI."""
        if scope["type"] == "http":
            problem = what_is_odd(scope)
            if problem:
                await answer(send, 400, problem)
                return
            if scope["method"] == "HEAD" and scope["path"] not in ENDLESS:
                scope = {**scope, "method": "GET"}  # the server knows by its own scope to send no body
        await self._app(scope, receive, send)


def what_is_odd(scope: Scope) -> str:
    """Return why a request is refused; empty where it is not."""
    names = [name for name, _ in scope["headers"]]
    hosts = names.count(b"host")
    if hosts > 1 or (hosts == 0 and scope["http_version"] == "1.1"):
        return "a request needs one Host header"
    if names.count(b"authorization") > 1:
        return "a request has at most one Authorization header"
    return ""
