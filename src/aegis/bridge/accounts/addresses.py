# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Clients' addresses, as limits count them."""

from __future__ import annotations

import ipaddress

_SUBSCRIBER_BITS = 64  # RFC 6177: no subscriber of IPv6 has less than such a network to himself


def subscriber(address: str) -> str:
    """Return the key of a client's address: of IPv4 the address, of IPv6 the network of one subscriber."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed.packed, _SUBSCRIBER_BITS), strict=False))
