# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the endpoints answer: JSON bodies made once per frame, and the error bodies for the OpenAPI page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastapi import Request, Response

from aegis.bridge.bridge import bridge_of
from aegis.bridge.live.encoded import EncodedPart, Index, json_bytes
from aegis.bridge.live.frames import Frame, Stamped
from aegis.bridge.live.state import LiveState
from aegis.bridge.models.common import NotYet, Problem
from aegis.bridge.problem import ProblemError, no_data, silent

# What an endpoint may answer besides what `http/openapi.py` knows of every one: 400, 401, 403, 408 and 413.


F = TypeVar("F", bound=Stamped)
Responses = dict[int | str, dict[str, Any]]  # what FastAPI takes as a route's `responses`


def problem(status: int, description: str) -> Responses:
    """Return how an error is described on the OpenAPI page."""
    return {status: {"model": Problem, "description": description}}


MEASURED: Responses = {
    304: {"description": "still the frame of If-None-Match; its age is in X-Data-Age"},
    503: {"model": NotYet, "description": "the stage behind the endpoint has not spoken yet, or has fallen silent"},
}
LIMITED = problem(429, "too many attempts; Retry-After has the seconds to wait")
UNAVAILABLE = problem(503, "accounts cannot be read or written just now")


def current(state: LiveState, frame: Frame[F] | None, topic: str) -> Frame[F]:
    """Return a topic's last message, if it is one that holds.

    Raises:
        ProblemError: 503, there is none yet, or none has come for longer than its period.
    """
    if frame is None:
        raise no_data(topic)
    for_s = state.silent_s(topic)
    if for_s is not None:
        raise silent(topic, for_s)
    return frame


def heard_from(state: LiveState, stage: str, topic: str) -> None:
    """Let nobody take for true what a stage has said once, when it says nothing any more.

    Raises:
        ProblemError: 503, its status has not come for longer than its period, or says that it does not work.
    """
    if lifecycle := state.rests(stage):
        raise ProblemError(503, f"the stage '{stage}' is {lifecycle}", retry_after=1, extra={"waiting_for": topic})
    for_s = state.stage_silent_s(stage)
    if for_s is not None:
        raise silent(topic, for_s)


def frame_response(
    request: Request,
    frame: Frame[Any] | None,
    topic: str,
    name: str,
    choose: Callable[[Frame[Any]], tuple[Index, int]] | None = None,
    more: Callable[[Any], Mapping[str, object]] | None = None,
) -> Response:
    """Return a frame's objects under `name`, or 304 when the client has this frame.

    The ETag is weak: it names the frame, while `age_s` in the body goes on.

    Args:
        request: its If-None-Match is looked at.
        frame: the topic's last message.
        topic: named in the error where nothing was received.
        name: of the list in the body.
        choose: returns the numbers of the wanted objects and how many there are without paging; None wants all.
        more: returns what else there is to say of the frame's data.

    Raises:
        ProblemError: 503, there is no frame yet, or none any more.
    """
    frame = current(bridge_of(request).state, frame, topic)
    headers = frame_headers(frame, f"{frame.data.stamp_ns}-{frame.data.sequence}-{frame.revision}")
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    bridge_of(request).state.note_request(type(frame.data))
    index, total = (None, len(frame.data)) if choose is None else choose(frame)
    part = EncodedPart(frame.rows, index)
    extra = {} if more is None else more(frame.data)
    body = json_bytes({**frame.head(), "count": len(part), "total": total, name: part, **extra})
    return Response(body, headers=headers, media_type="application/json")


def frame_headers(frame: Frame[Any], tag: str) -> dict[str, str]:
    """Return the headers of an answer that is made from a frame; `tag` names what it is made from."""
    return {"ETag": f'W/"{tag}"', "Cache-Control": "private, no-cache", "X-Data-Age": f"{frame.age_s:.3f}"}


def is_known(request: Request, headers: dict[str, str]) -> bool:
    """Return whether the client has the content that the ETag in an answer's headers names."""
    wanted = [item.strip() for item in request.headers.get("if-none-match", "").split(",")]
    return headers["ETag"] in wanted or "*" in wanted
