"""What stands before every route: a token unless the route is public, a limit on bodies, security headers."""

from __future__ import annotations

import asyncio
import logging

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aegis.bridge.accounts.tokens import TokenError, Tokens, bearer_token

_log = logging.getLogger(__name__)

# Everything that answers without a token. The WebSocket authenticates by itself, with its first message.
PUBLIC_ROUTES = frozenset(
    {
        ("GET", "/health"),
        ("GET", "/ready"),
        ("POST", "/api/auth/login"),
        ("GET", "/"),
        ("GET", "/app.js"),
        ("GET", "/scope.js"),
        ("GET", "/style.css"),
        ("GET", "/icon.svg"),
        ("GET", "/docs"),
        ("GET", "/docs.js"),
        ("GET", "/docs.css"),
        ("GET", "/swagger-ui-bundle.js"),
        ("GET", "/swagger-ui.css"),
    }
)
PUBLIC_WEBSOCKETS = frozenset({"/ws/radar-stream"})

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
TLS_HEADERS = {"strict-transport-security": "max-age=31536000"}


async def _answer(send: Send, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
    body = orjson.dumps({"detail": detail})
    lines = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    raw = [(name.encode(), value.encode()) for name, value in lines.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


class SecurityHeaders:
    """Adds the headers that a browser needs to be told; nothing is cached unless the route allows it."""

    def __init__(self, app: ASGIApp, *, tls: bool) -> None:
        self._app = app
        self._headers = {**SECURITY_HEADERS, **(TLS_HEADERS if tls else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; ASGI."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**self._headers, "cache-control": "no-store"}.items():
                    headers.setdefault(name, value)  # a page may need another policy
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class DefaultDeny:
    """Lets nothing through without a valid access token but what is listed above."""

    def __init__(self, app: ASGIApp, *, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it; ASGI."""
        if scope["type"] == "websocket":
            if scope["path"] not in PUBLIC_WEBSOCKETS:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
                return
        elif scope["type"] == "http" and (scope["method"], scope["path"]) not in PUBLIC_ROUTES:
            try:
                principal = self._tokens.verify(bearer_token(Headers(scope=scope).get("authorization", "")))
            except TokenError as error:
                _log.info("%s %s without a valid token: %s", scope["method"], scope["path"], error)
                await _answer(send, 401, "a valid access token is needed", {"www-authenticate": "Bearer"})
                return
            scope.setdefault("state", {})["principal"] = principal
        await self._app(scope, receive, send)


class BodyLimit:
    """Reads a request's body before the route runs: 413 where it is too large, 408 where it comes too slowly."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, timeout_s: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it; ASGI."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        length = headers.get("content-length")
        if length is None and "transfer-encoding" not in headers:
            await self._app(scope, receive, send)
            return
        body = b""
        too_large = length is not None and (not length.isdigit() or int(length) > self._max_bytes)
        try:
            async with asyncio.timeout(self._timeout_s):
                more = not too_large
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return
                    body += message.get("body", b"")
                    too_large = len(body) > self._max_bytes
                    more = message.get("more_body", False) and not too_large
        except TimeoutError:
            await _answer(send, 408, f"the body did not arrive within {self._timeout_s:g} s", {"connection": "close"})
            return
        if too_large:
            await _answer(send, 413, f"at most {self._max_bytes} bytes are taken", {"connection": "close"})
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)
