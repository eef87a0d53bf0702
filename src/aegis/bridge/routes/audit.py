"""Reading the audit."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from aegis.bridge.accounts import audit_table
from aegis.bridge.bridge import bridge_of
from aegis.bridge.models.admin import AuditPage, AuditRow
from aegis.bridge.routes.access import Administrator
from aegis.bridge.routes.answers import UNAVAILABLE

router = APIRouter(prefix="/api/audit", tags=["administration"], responses=UNAVAILABLE)


@router.get("")
async def page(
    request: Request,
    _: Administrator,
    limit: Annotated[int, Query(ge=1, le=1000, description="entries of a page")] = 100,
    cursor: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="`next_cursor` of the page before")] = None,
    who: Annotated[str, Query(max_length=80, description="account, service:NAME, console or bridge")] = "",
    action: Annotated[str, Query(max_length=64, examples=["auth.login"])] = "",
    since_s: Annotated[float | None, Query(allow_inf_nan=False, description="not before, seconds since 1970")] = None,
    until_s: Annotated[float | None, Query(allow_inf_nan=False, description="before, seconds since 1970")] = None,
) -> AuditPage:
    """Return what was done and refused, the newest first, page by page."""
    query = audit_table.Query(limit, cursor, who, action, since_s, until_s)
    rows = await bridge_of(request).accounts.read(audit_table.page, query)
    entries = [
        AuditRow(
            id=row.id,
            time_s=row.at_s,
            who=row.who,
            address=row.address,
            request_id=row.request_id,
            action=row.action,
            target=row.target,
            outcome=row.outcome,
            detail=row.detail,
        )
        for row in rows[:limit]
    ]
    return AuditPage(entries=entries, next_cursor=entries[-1].id if len(rows) > limit else None)
