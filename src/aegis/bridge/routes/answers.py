"""How the endpoints answer: JSON bodies made once per frame, and the error bodies for the OpenAPI page."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Request, Response

from aegis.bridge.latest import Frame
from aegis.bridge.models.common import NotYet, Problem

DENIED: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "no valid access token"},
    403: {"model": Problem, "description": "the token lacks the scope"},
}
MEASURED: dict[int | str, dict[str, Any]] = {
    **DENIED,
    304: {"description": "still the frame of If-None-Match; its age is in X-Data-Age"},
    503: {"model": NotYet, "description": "the stage behind the endpoint has not spoken yet"},
}
LIMITED: dict[int | str, dict[str, Any]] = {
    429: {"model": Problem, "description": "too many attempts; Retry-After says when to come back"}
}
UNAVAILABLE: dict[int | str, dict[str, Any]] = {
    503: {"model": Problem, "description": "accounts cannot be read or written just now"}
}


def problem(status: int, description: str) -> dict[int | str, dict[str, Any]]:
    """Return how an error is described on the OpenAPI page."""
    return {status: {"model": Problem, "description": description}}


class NotHeardError(Exception):
    """The stage behind an endpoint has not spoken yet; `topic` is what is waited for."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self.topic = topic


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response."""
    return Response(orjson.dumps(body), status, headers, "application/json")


def frame_response(request: Request, frame: Frame[Any] | None, topic: str, name: str) -> Response:
    """Return a frame's rows under `name`, or 304 when the client has this frame.

    The ETag is weak: it names the frame, while `age_s` in the body goes on.

    Raises:
        NotHeardError: there is no frame yet.
    """
    if frame is None:
        raise NotHeardError(topic)
    etag = f'W/"{frame.data.stamp_ns}-{frame.data.sequence}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "X-Data-Age": f"{frame.age_s:.3f}"}
    wanted = [item.strip() for item in request.headers.get("if-none-match", "").split(",")]
    if etag in wanted or "*" in wanted:
        return Response(status_code=304, headers=headers)
    body = {**frame.head(), "count": len(frame.data), name: orjson.Fragment(frame.rows)}
    return json_response(body, headers=headers)
