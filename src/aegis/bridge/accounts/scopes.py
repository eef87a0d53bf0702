# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a token may be good for, and which roles there are."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


class Scope(StrEnum):
    """What a token may be good for."""

    RADAR_READ = "radar:read"
    THREATS_READ = "threats:read"
    METRICS_READ = "metrics:read"
    CONTROLLER_WRITE = "controller:write"
    EW_ACKNOWLEDGE = "ew:acknowledge"
    ZONES_WRITE = "zones:write"
    ADMIN = "admin"


_VIEWER = frozenset({Scope.RADAR_READ, Scope.THREATS_READ})
_OPERATOR = _VIEWER | {Scope.METRICS_READ, Scope.CONTROLLER_WRITE, Scope.EW_ACKNOWLEDGE, Scope.ZONES_WRITE}
RoleName = Literal["viewer", "operator", "admin"]
ROLES: dict[str, frozenset[Scope]] = {
    "viewer": _VIEWER,
    "operator": _OPERATOR,
    "admin": _OPERATOR | {Scope.ADMIN},
}
# To service tokens: who administers is a person, with a session that ends.
GRANTABLE = frozenset(Scope) - {Scope.ADMIN}
