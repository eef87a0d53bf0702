# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""JSON answers: of routes, and of what stands before them."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.responses import Response
from starlette.types import Send


def json_response(body: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    return Response(orjson.dumps(body), status, headers, "application/json")


async def answer(send: Send, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
    """Send a whole response with a JSON body that gives the reason; ASGI."""
    body = orjson.dumps({"detail": detail})
    lines = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    raw = [(name.encode(), value.encode()) for name, value in lines.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
