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
    headers = frame_headers(frame, f"{frame.data.stamp_ns}-{frame.data.sequence}")
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    body = {**frame.head(), "count": len(frame.data), name: orjson.Fragment(frame.rows)}
    return json_response(body, headers=headers)


def frame_headers(frame: Frame[Any], tag: str) -> dict[str, str]:
    """Return the headers of an answer that is made from a frame; `tag` names what it is made from."""
    return {"ETag": f'W/"{tag}"', "Cache-Control": "private, no-cache", "X-Data-Age": f"{frame.age_s:.3f}"}


def is_known(request: Request, headers: dict[str, str]) -> bool:
    """Tell whether the client has what the ETag in an answer's headers names."""
    wanted = [item.strip() for item in request.headers.get("if-none-match", "").split(",")]
    return headers["ETag"] in wanted or "*" in wanted
