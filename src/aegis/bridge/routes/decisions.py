"""A person's decision: audited before it is carried out, and kept in history after."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import Request

from aegis.bridge.accounts.audit_table import ASKED, FAILED, OK
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.bridge import bridge_of
from aegis.bridge.problem import ProblemError
from aegis.bridge.routes.access import audited

KEPT_WITHIN_S = 5.0

T = TypeVar("T")


async def decide(
    request: Request,
    principal: Principal,
    kind: str,
    target_id: int,
    act: Callable[[], Awaitable[T]],
    *,
    accept: bool,
    **detail: Any,
) -> T:
    """Carry a decision out and return what that gives. The audit knows of it first: nobody decides unseen.

    Args:
        request: in which it came.
        principal: who decides.
        kind: what is decided on, `threat` or `ew_advice`.
        target_id: of that.
        act: carries it out.
        accept: acknowledged, or rejected.
        detail: what else is to be known about it.

    Raises:
        ProblemError: 503, it could not be audited, and has not been carried out; or it has been carried out, but history could not
            keep it.
    """
    bridge = bridge_of(request)
    action = f"{kind}.{'acknowledge' if accept else 'reject'}"
    entry = audited(request, principal.name, action, str(target_id), **detail)
    await bridge.audit.record_or_fail(replace(entry, outcome=ASKED))
    try:
        result = await act()
    except Exception as error:
        await bridge.audit.record(replace(entry, outcome=FAILED, detail={**detail, "reason": str(error)}))
        raise
    await bridge.audit.record(replace(entry, outcome=OK))
    try:
        async with asyncio.timeout(KEPT_WITHIN_S):
            await bridge.history.put_decision(
                kind=kind, target_id=target_id, who=principal.name, accept=accept, detail=detail
            )
    except (ProblemError, TimeoutError) as error:
        raise ProblemError(503, f"{action} {target_id} has been carried out, but is not in history: {error}") from None
    return result
