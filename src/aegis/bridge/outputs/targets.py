# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where outputs go, as parameters name it."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

SCHEMES = ("udp", "tcp", "tls")


class Target(NamedTuple):
    """One end of a line."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse_url(url: str) -> Target:
    """Return what `udp://host:port`, `tcp://host:port` or `tls://host:port` names.

    Raises:
        ValueError: it is none of them.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError("udp://host:port, tcp://host:port or tls://host:port is expected")
    if not parts.hostname or not parts.port:
        raise ValueError("a host and a port from 1 to 65535 are expected, as in udp://239.2.3.1:6969")
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("nothing but a host and a port is expected after the scheme")
    return Target(parts.scheme, parts.hostname, parts.port)


def parse_address(address: str) -> Target:
    """Return what `host:port` names.

    Raises:
        ValueError: it is not of that form.
    """
    return parse_url(f"udp://{address}")
