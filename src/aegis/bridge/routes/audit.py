# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reading the audit: what bridge.db has of accounts and commands, and the acknowledgements of threats, which history.db has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from heapq import merge
from itertools import islice
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from sqlalchemy import Row

from aegis.bridge.accounts import audit_table
from aegis.bridge.accounts.tables import AuditEntry
from aegis.bridge.bridge import bridge_of
from aegis.bridge.history import decisions
from aegis.bridge.models.admin import AuditPage, AuditRow
from aegis.bridge.routes.access import Administrator
from aegis.bridge.routes.answers import UNAVAILABLE

router = APIRouter(prefix="/api/audit", tags=["administration"], responses=UNAVAILABLE)
_ACKNOWLEDGE = f"{decisions.THREAT}.acknowledge"
# A cursor has two numbers: those of the last entry of each of the two that were shown.
_DECISION_BITS = 32
_NONE_YET = (1 << 31) - 1, (1 << _DECISION_BITS) - 1


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
    bridge = bridge_of(request)
    before = _NONE_YET if cursor is None else divmod(cursor, 1 << _DECISION_BITS)
    query = audit_table.Query(limit, before[0], who, action, since_s, until_s)
    rows = [_of_accounts(row) for row in await bridge.accounts.read(audit_table.page, query)]
    acknowledged: list[AuditRow] = []
    if action in ("", _ACKNOWLEDGE):
        wanted = partial(
            decisions.audited, before=before[1], limit=limit + 1, who=who, since_s=since_s, until_s=until_s
        )
        acknowledged = [_of_history(row) for row in await bridge.history.read_record(wanted)]
    # Each of the two stays in its own order, also where the clock was set back.
    entries = list(islice(_merged(rows, acknowledged), limit))
    more = len(rows) + len(acknowledged) > limit
    return AuditPage(entries=entries, next_cursor=_cursor(entries, *before) if more else None)


def _merged(one: Iterable[AuditRow], other: Iterable[AuditRow]) -> Iterator[AuditRow]:
    """Yield the entries of both, the newest first."""
    return merge(one, other, key=lambda row: -row.time_s)


def _cursor(entries: list[AuditRow], account: int, decision: int) -> int:
    """Return the cursor of the page after these entries."""
    account = min([account, *(row.id for row in entries if row.id > 0)])
    decision = min([decision, *(-row.id for row in entries if row.id < 0)])
    return (account << _DECISION_BITS) + decision


def _of_accounts(row: AuditEntry) -> AuditRow:
    return AuditRow(
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


def _of_history(row: Row[Any]) -> AuditRow:
    return AuditRow(
        id=-row.number,
        time_s=row.stamp_ns / 1e9,
        who=row.who,
        address=row.address,
        request_id=row.request_id,
        action=_ACKNOWLEDGE,
        target=str(row.target_id),
        outcome=audit_table.OK,
        detail=orjson.loads(row.detail),
    )
