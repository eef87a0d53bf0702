# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The channels of the live stream, and the scope each needs."""

from __future__ import annotations

from aegis.bridge.accounts.scopes import Scope

RADAR_FRAME, THREATS, SYSTEM_STATUS, HEARTBEAT, EW = "radar_frame", "threats", "system_status", "heartbeat", "ew"
ALARMS, PROTECTED = "alarms", "protected"
VIDEO = "video"  # of radars that turn; binary, and never before anything else
# None is open to everyone who is logged in.
CHANNELS: dict[str, Scope | None] = {
    RADAR_FRAME: Scope.RADAR_READ,
    THREATS: Scope.THREATS_READ,
    SYSTEM_STATUS: None,
    HEARTBEAT: None,
    EW: Scope.THREATS_READ,
    ALARMS: Scope.THREATS_READ,
    PROTECTED: Scope.THREATS_READ,
    VIDEO: Scope.RADAR_READ,
}
# In this order what waits for one client is sent: alarms overtake pictures.
FIRST_TO_LAST = (ALARMS, THREATS, EW, PROTECTED, SYSTEM_STATUS, HEARTBEAT, RADAR_FRAME, VIDEO)
# The subscription of a client that has sent none.
DEFAULT_CHANNELS = frozenset({RADAR_FRAME, THREATS, SYSTEM_STATUS, HEARTBEAT})


def allowed_channels(scopes: frozenset[str]) -> frozenset[str]:
    """Return the channels that these scopes are good for."""
    return frozenset(name for name, scope in CHANNELS.items() if scope is None or scope in scopes)
