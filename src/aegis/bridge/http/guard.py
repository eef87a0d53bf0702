# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What stands before every route: a token unless the route is public, and security headers."""

from __future__ import annotations

import logging

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aegis.bridge.accounts.audit import Audit
from aegis.bridge.accounts.audit_table import DENIED
from aegis.bridge.accounts.tokens import TokenError, Tokens, bearer_token
from aegis.bridge.http.answer import answer
from aegis.bridge.http.origin import origin_of
from aegis.bridge.problem import ProblemError

_log = logging.getLogger(__name__)

# Everything that answers without a token. The WebSocket authenticates by itself, with its first message.
PUBLIC_ROUTES = frozenset(
    {
        ("GET", "/health"),
        ("GET", "/ready"),
        ("POST", "/api/auth/login"),
        ("POST", "/api/auth/refresh"),
        ("POST", "/api/auth/register"),
        ("GET", "/"),
        ("GET", "/app.js"),
        ("GET", "/session.js"),
        ("GET", "/app.css"),
        ("GET", "/palette.css"),
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
_REASON_CHARACTERS = 200  # a forger chooses what a reason quotes


class SecurityHeaders:
    """Adds security headers for browsers; nothing is cached unless the route allows it."""

    def __init__(self, app: ASGIApp, *, tls: bool) -> None:
        self._app = app
        self._headers = {**SECURITY_HEADERS, **(TLS_HEADERS if tls else {}), "cache-control": "no-store"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; ASGI."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)  # a page may need another policy
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class DefaultDeny:
    """Refuses requests without a valid token, except for the paths above, and audits what was denied."""

    def __init__(self, app: ASGIApp, *, tokens: Tokens, audit: Audit) -> None:
        self._app = app
        self._tokens = tokens
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it; ASGI."""
        if scope["type"] == "websocket":
            if scope["path"] not in PUBLIC_WEBSOCKETS:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
                return
        elif scope["type"] == "http":
            if (scope["method"], scope["path"]) not in PUBLIC_ROUTES and not await self._admit(scope, send):
                return
            send = self._watch(scope, send)
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope, send: Send) -> bool:
        """Put who asks into the scope; return False where it has no valid token, which then is answered."""
        authorization = Headers(scope=scope).get("authorization", "")
        try:
            principal = self._tokens.verify(bearer_token(authorization))
        except TokenError as error:
            if authorization:
                await record_denied(self._audit, HTTPConnection(scope), str(error))
            else:
                self._audit.anonymous += 1
            await answer(send, 401, "a valid access token is needed", {"www-authenticate": "Bearer"})
            return False
        except ProblemError as error:
            await answer(send, error.status, error.detail, {"retry-after": str(error.retry_after or 1)})
            return False
        scope.setdefault("state", {})["principal"] = principal
        return True

    def _watch(self, scope: Scope, send: Send) -> Send:
        """Return a `send` that audits a 403, whichever route answers it."""

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 403:
                principal = scope.get("state", {}).get("principal")
                who = principal.name if principal else ""
                await record_denied(self._audit, HTTPConnection(scope), "forbidden", who)
            await send(message)

        return watched


async def record_denied(audit: Audit, connection: HTTPConnection, reason: str, who: str = "") -> None:
    """Log and audit a request or WebSocket that was denied."""
    origin, scope = origin_of(connection), connection.scope
    target = f"{scope.get('method', 'WEBSOCKET')} {scope['path']}"
    _log.info("%r denied: %s", target, reason)  # as it may contain line ends
    await audit.refused(
        action="access",
        outcome=DENIED,
        who=who,
        target=target,
        address=origin.address,
        request_id=origin.request_id,
        detail={"reason": reason[:_REASON_CHARACTERS]},
    )
