# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Zones in bridge.db. Each function works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from aegis.bridge.accounts.tables import StoredZone
from aegis.bridge.problem import ProblemError
from aegis.core.threat.drawn_zones import MOST_DRAWN_RULES, MOST_ZONES, DrawnZone, drawn_zone
from aegis.core.threat.zone_settings import Zone

_LIMITS = ("floor_m", "ceiling_m")
ANY = "*"  # of If-Match: whatever version there is


@dataclass(frozen=True)
class KeptZone:
    """A zone, and who has changed it last; seconds since 1970."""

    drawn: DrawnZone
    changed_by: str
    changed_s: float


def listing(session: Session) -> tuple[KeptZone, ...]:
    """Return every zone, by name.

    Raises:
        ValueError: a zone in the database cannot be watched by this release.
    """
    rows = session.scalars(select(StoredZone).order_by(StoredZone.name))
    return tuple(KeptZone(_drawn(row), row.changed_by, row.changed_s) for row in rows)


def put(session: Session, zone: DrawnZone, known: Sequence[str] | None, who: str, now: float) -> tuple[KeptZone, ...]:
    """Add or change a zone; return every zone.

    Args:
        session: of the transaction.
        zone: without its version, which it gets here.
        known: the versions that the client has seen, or `ANY`; None where it means to add a zone.
        who: changes it.
        now: seconds since 1970.

    Raises:
        ProblemError: 412, it is at another version, or not there any more; 428, it is there and no version was given; 422, there
            are too many.
    """
    row = session.scalar(select(StoredZone).where(StoredZone.name == zone.name))
    if row is not None:
        _check(row, known)
        session.delete(row)
        session.flush()
    elif known is not None:
        raise ProblemError(412, f"zone '{zone.name}' has been removed meanwhile; without If-Match it is drawn anew")
    elif len(listing(session)) >= MOST_ZONES:
        raise ProblemError(422, f"there are {MOST_ZONES} drawn zones, which is the most; remove one")
    others = sum(len(one.drawn.rules) for one in listing(session))
    if others + len(zone.rules) > MOST_DRAWN_RULES:
        raise ProblemError(
            422, f"the other drawn zones have {others} rules, of {MOST_DRAWN_RULES} altogether; remove some"
        )
    session.add(StoredZone(name=zone.name, content=content_of(zone), changed_by=who, changed_s=now))
    session.flush()
    return listing(session)


def remove(session: Session, name: str, known: Sequence[str] | None) -> tuple[KeptZone, ...]:
    """Remove a zone; return those that are left.

    Raises:
        ProblemError: 404, there is none of this name; 412, it is at another version; 428, no version was given.
    """
    row = session.scalar(select(StoredZone).where(StoredZone.name == name))
    if row is None:
        raise ProblemError(404, f"there is no drawn zone '{name}'")
    _check(row, known)
    session.execute(delete(StoredZone).where(StoredZone.id == row.id))
    return listing(session)


def content_of(zone: DrawnZone) -> dict[str, Any]:
    """Return a zone as JSON; with every value of its rules, so that it stays what it is where a default changes."""
    bounds = {limit: getattr(zone.zone, limit) for limit in _LIMITS}
    return {
        "outline_m": zone.outline,
        **{limit: None if value == Zone.model_fields[limit].default else value for limit, value in bounds.items()},
        "rules": [rule.model_dump(mode="json", exclude={"zone"}) for rule in zone.rules],
    }


def _drawn(row: StoredZone) -> DrawnZone:
    content = row.content
    limits = {limit: content[limit] for limit in _LIMITS if content[limit] is not None}
    outline = [(x, y) for x, y in content["outline_m"]]
    rules = content["rules"] if "rules" in content else content["rule"]  # of an earlier release, which had one
    try:
        return drawn_zone(row.name, outline, limits, rules, row.id)
    except ValueError as error:
        raise ValueError(f"zone '{row.name}': {error}") from None


def _check(row: StoredZone, known: Sequence[str] | None) -> None:
    at = f"zone '{row.name}' is at version {row.id}, by {row.changed_by}"
    if known is None:
        raise ProblemError(428, f'{at}: who has seen that version sends If-Match: "{row.id}"')
    if ANY not in known and str(row.id) not in known:
        raise ProblemError(412, f"{at}, and not at the one that you have seen: look at it again")
