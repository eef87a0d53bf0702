"""The dependency that lets a request pass only with a scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.tokens import Principal

_bearer = HTTPBearer(auto_error=False, description="access token of POST /api/auth/login")


def current_principal(
    request: Request, _credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Return who the request comes from, as the guard found out.

    Raises:
        HTTPException: 401, the guard let the request through without a token.
    """
    principal = request.scope.get("state", {}).get("principal")
    if not isinstance(principal, Principal):
        raise HTTPException(401, "not authenticated", {"WWW-Authenticate": "Bearer"})
    return principal


def require(scope: Scope) -> Callable[..., Principal]:
    """Return a dependency that lets a request pass only with the scope (else 403)."""

    def check(principal: Annotated[Principal, Depends(current_principal)]) -> Principal:
        if scope not in principal.scopes:
            raise HTTPException(403, f"scope {scope.value} is needed")
        return principal

    return check
