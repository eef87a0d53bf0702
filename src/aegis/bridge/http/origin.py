# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a request comes from."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection


@dataclass(frozen=True)
class Origin:
    """Where a request comes from, and under which id it is logged; empty where that is unknown."""

    address: str
    request_id: str


def origin_of(connection: HTTPConnection) -> Origin:
    """Return where a request or WebSocket comes from.

    The address is that of the connection, or what a proxy that is trusted says (`requests.trusted_proxies`): with an
    X-Forwarded-For of its own a client could choose what its logins are counted by.
    """
    address = connection.client.host if connection.client else ""
    return Origin(address, str(connection.scope.get("state", {}).get("request_id", "")))
