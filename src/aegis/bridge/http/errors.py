"""How what accounts refuse is answered."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from aegis.bridge.accounts.audit import AuditError
from aegis.bridge.accounts.errors import (
    InviteError,
    LastAdministratorError,
    NotFoundError,
    StaleCredentialsError,
    TakenError,
)
from aegis.bridge.accounts.passwords import BusyError, WeakPasswordError
from aegis.bridge.accounts.store import DatabaseUnavailableError
from aegis.bridge.accounts.throttle import LimitedError
from aegis.bridge.accounts.tickets import TooManyTicketsError

_log = logging.getLogger(__name__)

# The message of these is for the client.
_STATUS: dict[type[Exception], int] = {
    WeakPasswordError: 400,
    InviteError: 403,
    NotFoundError: 404,
    TakenError: 409,
    LastAdministratorError: 409,
    StaleCredentialsError: 409,
}
_TOO_MANY: dict[type[Exception], str] = {
    BusyError: "too many passwords are being checked",
    TooManyTicketsError: "too many tickets wait to be used",
}


def add_error_handlers(app: FastAPI) -> None:
    """Let an application answer what accounts refuse."""
    for kind in _STATUS:
        app.add_exception_handler(kind, _refused)
    for kind in _TOO_MANY:
        app.add_exception_handler(kind, _too_many)
    app.add_exception_handler(LimitedError, _limited)
    for kind in (DatabaseUnavailableError, AuditError):
        app.add_exception_handler(kind, _unavailable)


async def _refused(_request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, _STATUS[type(error)])


async def _too_many(_request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": _TOO_MANY[type(error)]}, 429, {"Retry-After": "1"})


async def _limited(_request: Request, error: Exception) -> Response:
    assert isinstance(error, LimitedError)
    return JSONResponse({"detail": "too many attempts"}, 429, {"Retry-After": str(error.wait_s)})


async def _unavailable(_request: Request, error: Exception) -> Response:
    """Tell nothing about the inside; the log has it."""
    _log.error("bridge.db cannot be used", exc_info=error)
    return JSONResponse({"detail": "accounts cannot be read or written just now"}, 503, {"Retry-After": "5"})
