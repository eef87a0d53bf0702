# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The one handler of errors: the responses they become."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from aegis.bridge.http.answer import json_response
from aegis.bridge.http.guard import SECURITY_HEADERS
from aegis.bridge.http.request_id import HEADER
from aegis.bridge.problem import ProblemError
from aegis.core.param_names import nearest

_log = logging.getLogger(__name__)


def add_handler(app: FastAPI) -> None:
    """Let an application answer what its routes raise."""
    for kind in (ProblemError, RequestValidationError, Exception):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    if isinstance(error, ProblemError):
        problem = error
        if error.__cause__ is not None:
            _log.error("%s", error, exc_info=error)
    elif isinstance(error, RequestValidationError):
        # Without what was sent: it may be a password.
        said = [(".".join(map(str, item["loc"])), _what_is_wrong(item, request)) for item in error.errors()]
        problem = ProblemError(400, "; ".join(f"{where}: {what}" for where, what in said))
    else:
        # Nothing of the inside but where the log has the trace; and this runs outside the middleware.
        request_id = request.scope["state"]["request_id"]
        headers = {**SECURITY_HEADERS, "cache-control": "no-store", HEADER: request_id}
        return json_response({"detail": "internal error", "request_id": request_id}, 500, headers)
    headers = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return json_response({"detail": problem.detail, **problem.extra}, problem.status, headers)


def _what_is_wrong(item: Mapping[str, Any], request: Request) -> str:
    """Return in words what pydantic says of one value."""
    if item["type"] != "extra_forbidden":
        return str(item["msg"].removeprefix("Value error, "))
    models = [field.field_info.annotation for field in request.scope["route"].dependant.query_params]
    known = [one.alias or name for model in models if model for name, one in model.model_fields.items()]
    if item["loc"][0] != "query" or not known:
        return "there is no such field"
    meant = nearest(str(item["loc"][-1]), known)
    return (
        "there is no such parameter; "
        + (f"did you mean '{meant}'? " if meant else "")
        + f"there are {', '.join(known)}"
    )
