"""How what stands before the routes answers by itself."""

from __future__ import annotations

import orjson
from starlette.types import Send


async def answer(send: Send, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
    """Send a whole response with a JSON body that says why; ASGI."""
    body = orjson.dumps({"detail": detail})
    lines = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    raw = [(name.encode(), value.encode()) for name, value in lines.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
