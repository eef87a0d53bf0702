# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Dependencies that let a request pass: a scope, or a person's session; and which of them a route has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from aegis.bridge.accounts.audit_table import Entry
from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.tokens import USER, Principal
from aegis.bridge.http.origin import origin_of
from aegis.bridge.problem import ProblemError

_bearer = HTTPBearer(auto_error=False, description="access token of POST /api/auth/login, or a service token")
_SCOPE = "aegis_scope"  # attribute of the dependencies that `require` makes


async def current_principal(
    request: Request, _credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Return who the request comes from, as the guard found out.

    Raises:
        ProblemError: 401, the guard let the request through without a token.
    """
    principal = request.scope.get("state", {}).get("principal")
    if not isinstance(principal, Principal):
        raise ProblemError(401, "not authenticated")
    return principal


async def session_principal(principal: Annotated[Principal, Depends(current_principal)]) -> Principal:
    """Return the person that the request comes from.

    Raises:
        ProblemError: 403, it comes with a service token, which has no session and no password.
    """
    if principal.kind != USER:
        raise ProblemError(403, "a service token is no person, and has no session: log in")
    return principal


def require(scope: Scope) -> Callable[..., Awaitable[Principal]]:
    """Return a dependency that lets a request pass only with the scope (else 403)."""

    async def check(principal: Annotated[Principal, Depends(current_principal)]) -> Principal:
        if scope not in principal.scopes:
            raise ProblemError(403, f"scope {scope.value} is needed")
        return principal

    check.__dict__[_SCOPE] = scope
    return check


def require_person(scope: Scope) -> Callable[..., Awaitable[Principal]]:
    """Return a dependency that lets a request pass only with the scope, and only of a person: no service decides (else 403)."""
    allowed = Depends(require(scope))

    async def check(principal: Principal = allowed) -> Principal:  # an annotation could not name what is made here
        return await session_principal(principal)

    return check


Person = Annotated[Principal, Depends(session_principal)]
Administrator = Annotated[Principal, Depends(require(Scope.ADMIN))]
RowId = Annotated[int, Path(ge=1, le=2**63 - 1)]  # SQLite's largest integer


def needed_scopes(dependant: Any) -> frozenset[Scope]:
    """Return the scopes that a route needs, all of them: what `require` was given anywhere in its `dependant`."""
    found = getattr(dependant.call, _SCOPE, None)
    inner = [needed_scopes(each) for each in dependant.dependencies]
    return frozenset().union({found} if found else (), *inner)


def walk_routes(routes: Any) -> Iterator[Any]:
    """Yield every route of an application, those of included routers too."""
    for route in routes:
        if hasattr(route, "original_router"):  # FastAPI keeps included routers whole
            yield from walk_routes(route.original_router.routes)
        else:
            yield route


def audited(request: Request, who: str, action: str, target: str = "", **detail: Any) -> Entry:
    """Return the audit entry of what a request does."""
    origin = origin_of(request)
    return Entry(action, who, target, address=origin.address, request_id=origin.request_id, detail=detail)
