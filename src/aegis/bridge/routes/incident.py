# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""An incident as one file: what happened from one time to another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse
from pydantic import Field
from starlette.types import Receive, Scope, Send

from aegis.bridge.accounts.audit_table import FAILED, OK, REQUESTED
from aegis.bridge.accounts.scopes import Scope as Needed
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.bridge import Bridge, bridge_of
from aegis.bridge.incident.export import Incidents
from aegis.bridge.models.common import Model
from aegis.bridge.routes.access import audited, require
from aegis.bridge.routes.answers import problem

router = APIRouter(tags=["history"])
ZIP = "application/zip"
EARLIEST_S, LATEST_S = 0.0, 2.0**31  # stamps of ROS have their seconds in an int32
Stamp = Annotated[float, Field(ge=EARLIEST_S, le=LATEST_S, allow_inf_nan=False)]
Reader = Annotated[Principal, Depends(require(Needed.EW_ACKNOWLEDGE))]


class IncidentQuery(Model):
    """Of which time."""

    from_s: Stamp = Field(alias="from", description="from this time on, seconds since 1970")
    to_s: Stamp = Field(alias="to", description="up to this")


class _ZipResponse(FileResponse):
    """A zip that is removed when it has been sent, or could not be."""

    media_type = ZIP

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it in parts, which a thread reads; ASGI."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await Incidents.remove(Path(self.path))


@router.get(
    "/api/incident",
    response_class=_ZipResponse,
    responses={
        **problem(422, "there is nothing of that time, or it is more than `incident.max_mb`"),
        **problem(503, "another one is being made, or it took more than `incident.timeout_s` or `incident.memory_mb`"),
    },
    dependencies=[Depends(require(scope)) for scope in (Needed.RADAR_READ, Needed.THREATS_READ, Needed.METRICS_READ)],
)
async def incident(request: Request, query: Annotated[IncidentQuery, Query()], principal: Reader) -> FileResponse:
    """Return a zip of what happened in a time, as `aegis export` writes it.

    It has the part of `incident.recording`, the report on that, who decided what, events, and the tracks as Cursor on Target;
    `incident.json` says what is not in it and why.
    """
    bridge = bridge_of(request)
    bridge.incidents.check(query.from_s, query.to_s)
    entry = audited(request, principal.name, "incident.export", from_s=query.from_s, to_s=query.to_s)
    await bridge.audit.record_or_fail(replace(entry, outcome=REQUESTED))
    try:
        made = await bridge.incidents.make(
            query.from_s,
            query.to_s,
            site=_site(bridge),
            url=str(request.base_url).rstrip("/"),
            is_gone=request.is_disconnected,
        )
    except Exception as error:
        await bridge.audit.record(replace(entry, outcome=FAILED, detail={**entry.detail, "reason": str(error)}))
        raise
    await bridge.audit.record(replace(entry, outcome=OK))
    began = datetime.fromtimestamp(query.from_s, UTC)
    headers = {"Cache-Control": "no-store"}
    return _ZipResponse(made, filename=f"incident-{began:%Y%m%dT%H%M%SZ}.zip", headers=headers)


def _site(bridge: Bridge) -> str | None:
    site = bridge.settings.outputs.site
    return ",".join(f"{number:.9g}" for number in site) if site else None
