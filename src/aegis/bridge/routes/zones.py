# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Zones that people draw: the bridge keeps them, the threat stage watches them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request, Response

from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.bridge import Bridge, bridge_of
from aegis.bridge.http.answer import json_response
from aegis.bridge.models.zones import DrawnZone, DrawnZones, ZoneContent
from aegis.bridge.problem import ProblemError
from aegis.bridge.routes.access import audited, require
from aegis.bridge.routes.answers import UNAVAILABLE, problem
from aegis.bridge.zones.store import KeptZone, content_of
from aegis.core.threat.areas import Origin
from aegis.core.threat.drawn_zones import MOST_ZONES, NAME_PATTERN, drawn_zone
from aegis.core.threat.zone_rules import GivenRule

THREAT = "threat"
router = APIRouter(prefix="/api/zones", tags=["zones"], responses=UNAVAILABLE)
Drawer = Annotated[Principal, Depends(require(Scope.ZONES_WRITE))]
Name = Annotated[
    str, Path(pattern=f"^{NAME_PATTERN}$", description="of the zone and its first rule", examples=["harbour"])
]
IfMatch = Annotated[
    str | None, Header(description='the version that was seen, as in the ETag: "7"; or *', examples=['"7"'])
]
_ETAG: dict[str, Any] = {"headers": {"ETag": {"description": "the version, in quotes", "schema": {"type": "string"}}}}
_SEEN = {
    **problem(412, "another version than that of If-Match, or removed meanwhile"),
    **problem(428, "the zone is there: If-Match is needed"),
}


@router.get("", response_model=DrawnZones, dependencies=[Depends(require(Scope.THREATS_READ))])
async def zones(request: Request) -> Response:
    """Return the zones that people have drawn, each with its rules and whether it is watched."""
    bridge = bridge_of(request)
    return json_response({"most": MOST_ZONES, "items": [_body(bridge, one) for one in bridge.zones.kept]})


@router.put(
    "/{name}",
    response_model=DrawnZone,
    responses={
        200: _ETAG,
        **problem(409, "a zone, asset or rule of the parameters has the name"),
        **problem(422, "it cannot be watched: the polygon, the floor and ceiling, or the rule; or there are too many"),
        **_SEEN,
    },
)
async def save(
    request: Request, name: Name, content: ZoneContent, principal: Drawer, if_match: IfMatch = None
) -> Response:
    """Add a zone; or, with If-Match, change it. It is stored when this answers, and outlives a restart.

    Without If-Match nothing is overwritten: what is there has to have been seen.
    """
    bridge = bridge_of(request)
    given = content.model_dump()
    limits = {limit: given[limit] for limit in ("floor_m", "ceiling_m") if given[limit] is not None}
    try:
        zone = drawn_zone(name, content.outline_m, limits, _rules(given))
    except ValueError as error:
        raise ProblemError(422, str(error)) from None
    if name in _configured(bridge):
        raise ProblemError(409, f"'{name}' is a zone or asset of the parameters; draw it under another name")
    entry = audited(request, principal.name, "zones.save", name, replaces=if_match, **content_of(zone))
    kept = await bridge.zones.put(entry, zone, _versions(if_match))
    return json_response(_body(bridge, kept), headers={"ETag": f'"{kept.drawn.version}"'})


@router.delete("/{name}", status_code=204, responses={**problem(404, "no such drawn zone"), **_SEEN})
async def remove(request: Request, name: Name, principal: Drawer, if_match: IfMatch = None) -> None:
    """Remove a zone; its alarms end."""
    entry = audited(request, principal.name, "zones.remove", name, removes=if_match)
    await bridge_of(request).zones.remove(entry, name, _versions(if_match))


def _rules(given: Mapping[str, Any]) -> GivenRule | Sequence[GivenRule]:
    """Return the rule or the rules that a zone was given with.

    Raises:
        ValueError: they are told twice, and otherwise.
    """
    rules: list[GivenRule] | None = given["rules"]
    rule: GivenRule | None = given["rule"]
    if rules is None:
        return rule or {}
    if rule is not None and rules != [rule]:
        raise ValueError("rule and rules: they say something else; give rules alone")
    return rules


def _versions(if_match: str | None) -> list[str] | None:
    """Return the versions that a header If-Match names; a weak ETag is none."""
    return None if if_match is None else [one.strip().strip('"') for one in if_match.split(",")]


def _configured(bridge: Bridge) -> set[str]:
    """Return the names that the threat stage has of its parameters, as far as it has been heard."""
    frame = bridge.state.protected
    return {area.name for area in frame.items if area.origin is not Origin.DRAWN} if frame else set()


def _body(bridge: Bridge, kept: KeptZone) -> dict[str, object]:
    """Return a zone as the API shows it."""
    drawn = kept.drawn
    problem = _problem(bridge, drawn.name)
    content = content_of(drawn)
    rules = content["rules"]
    frame = bridge.state.protected
    told = frame is not None and any((one.name, one.version) == (drawn.name, drawn.version) for one in frame.items)
    return {
        "name": drawn.name,
        "version": drawn.version,
        **content,
        "rule": rules[0] if len(rules) == 1 else None,
        "changed_by": kept.changed_by,
        "changed_s": kept.changed_s,
        "watched": told and problem is None,
        "problem": problem,
    }


def _problem(bridge: Bridge, name: str) -> str | None:
    """Return why the threat stage does not watch a zone: it is silent, or says so itself."""
    report = bridge.state.stages.get(THREAT)
    if report is None:
        return "the threat stage has not spoken yet"
    silent_s = bridge.state.stage_silent_s(THREAT)
    if silent_s is not None:
        return f"the threat stage has not spoken for {silent_s:.0f} s"
    if lifecycle := bridge.state.rests(THREAT):
        return f"the threat stage is {lifecycle}"
    refused = report.row["detail"].get("refused_zones") if isinstance(report.row["detail"], dict) else None
    reason = refused.get(name) if isinstance(refused, dict) else None
    return reason if isinstance(reason, str) else None
