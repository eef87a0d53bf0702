# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads a request's body before the route runs, and refuses one that is too large or nested too deep."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aegis.bridge.http.answer import answer

MAX_DEPTH = 16
# Also a string that never ends: to begin anew at each of its quotes would take time that grows with the square.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class BodyLimit:
    """Answers 413 to a body that is too large, and 400 to one whose JSON is nested too deep."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it; ASGI."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        length = headers.get("content-length")
        if length is None and "transfer-encoding" not in headers:
            await self._app(scope, receive, send)
            return
        body = b""
        too_large = length is not None and (not length.isdigit() or int(length) > self._max_bytes)
        more = not too_large
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            too_large = len(body) > self._max_bytes
            more = message.get("more_body", False) and not too_large
        if too_large:
            await answer(send, 413, f"at most {self._max_bytes} bytes are taken", {"connection": "close"})
            return
        problem = what_is_wrong(body)
        if problem:
            await answer(send, 400, problem)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


def what_is_wrong(body: bytes) -> str:
    """Return why a JSON body is not even parsed; empty where nothing is wrong so far. Linear in the body's length."""
    if b"\0" in body:  # UTF-16 or UTF-32, whose brackets would be counted wrongly below
        return "a body is JSON in UTF-8"
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return ""
    nested = _STRING.sub(b"", body).translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        nested = nested.replace(b"[]", b"")  # takes the innermost level away
    return f"a body is JSON, nested at most {MAX_DEPTH} deep" if nested else ""
