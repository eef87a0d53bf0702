# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Frames of a line to UDP datagrams: Ethernet with and without VLANs, Linux's cooked headers, loopback, bare IP.

Fragments are put together (IPv4: RFC 791).
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import NamedTuple

from aegis.drivers.capture import LineFrame

# Link types (tcpdump.org/linktypes.html) that carry IP.
NULL, ETHERNET, RAW_BSD, RAW, LOOP, COOKED, IPV4, IPV6, COOKED_2 = 0, 1, 12, 101, 108, 113, 228, 229, 276
CAN = 227
LINK_NAMES = {
    105: "IEEE 802.11", 127: "IEEE 802.11 with radiotap", 147: "user 0", 195: "IEEE 802.15.4", 189: "USB of Linux",
    220: "USB of Linux", 249: "USBPcap", CAN: "CAN (SocketCAN)", 9: "PPP", 187: "Bluetooth", 201: "Bluetooth",
}  # fmt: skip
READABLE = "Ethernet (1), bare IP (12, 101, 228, 229), loopback (0, 108), Linux cooked (113, 276)"

_ETHERTYPE_IPV4, _ETHERTYPE_IPV6 = 0x0800, 0x86DD
_VLANS = (0x8100, 0x88A8, 0x9100)
_UDP, _FRAGMENT = 17, 44
_EXTENSIONS = (0, 43, 60)  # of IPv6, which have a length
MAX_ASSEMBLIES = 256
MAX_ASSEMBLY_AGE_NS = 30_000_000_000
_MORE, _OFFSET = 0x2000, 0x1FFF


class Datagram(NamedTuple):
    """A UDP datagram; addresses as bytes."""

    time_ns: int
    source: bytes
    destination: bytes
    port: int  # that it was sent to
    data: bytes

    def where(self) -> str:
        """Return where it was sent to, as words."""
        return f"{ip_address(self.destination)}:{self.port}"


@dataclass
class _Assembly:
    """Fragments of one datagram."""

    begun_ns: int
    pieces: dict[int, bytes] = field(default_factory=dict)  # by offset
    size: int | None = None  # known with the last fragment


class Datagrams:
    """Takes the frames of a capture one after the other; what is not UDP is counted in `skipped`, what is broken in `refused`."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.foreign: Counter[int] = Counter()  # link types
        self._assemblies: dict[tuple[bytes, bytes, int], _Assembly] = {}

    def take(self, frame: LineFrame) -> Datagram | None:
        """Return the datagram that a frame holds or completes."""
        try:
            packet = self._network(frame)
            if not packet:
                return None
            version = packet[0] >> 4
            if version == 4:
                return self._ipv4(packet, frame.time_ns)
            if version == 6:
                return self._ipv6(packet, frame.time_ns)
        except (struct.error, IndexError):
            self.refused["frame too short for its headers"] += 1
            return None
        self.refused["neither IPv4 nor IPv6"] += 1
        return None

    def finish(self) -> None:
        """Count what was not completed."""
        self.refused["fragments without the rest"] += len(self._assemblies)
        self.refused = +self.refused
        self._assemblies.clear()

    def _network(self, frame: LineFrame) -> bytes:
        """Return the IP packet of a frame; nothing where it has none."""
        data, link = frame.data, frame.link_type
        if link in (RAW_BSD, RAW, IPV4, IPV6):
            return data
        if link in (NULL, LOOP):
            return data[4:]
        if link == ETHERNET:
            at = 12
        elif link == COOKED:
            at = 14
        elif link == COOKED_2:
            (kind,) = struct.unpack_from(">H", data)
            return self._of_type(kind, data, 20)
        else:
            self.foreign[link] += 1
            return b""
        (kind,) = struct.unpack_from(">H", data, at)
        return self._of_type(kind, data, at + 2)

    def _of_type(self, kind: int, data: bytes, at: int) -> bytes:
        while kind in _VLANS:
            (kind,) = struct.unpack_from(">H", data, at + 2)
            at += 4
        if kind in (_ETHERTYPE_IPV4, _ETHERTYPE_IPV6):
            return data[at:]
        self.skipped["not IP"] += 1
        return b""

    def _ipv4(self, packet: bytes, time_ns: int) -> Datagram | None:
        length, number, fragment = struct.unpack_from(">HHH", packet, 2)
        header, protocol = (packet[0] & 15) * 4, packet[9]
        if header < 20 or length < header or length > len(packet):
            self.refused["IP packet of wrong length"] += 1
            return None
        if protocol != _UDP:
            self.skipped["not UDP"] += 1
            return None
        source, destination, payload = packet[12:16], packet[16:20], packet[header:length]
        if fragment & (_MORE | _OFFSET):
            whole = self._assemble((source, destination, number), fragment, payload, time_ns)
            if whole is None:
                return None
            payload = whole
        return self._udp(source, destination, payload, time_ns)

    def _assemble(self, key: tuple[bytes, bytes, int], fragment: int, payload: bytes, time_ns: int) -> bytes | None:
        """Take a fragment; return the whole, where it is."""
        found = self._assemblies.get(key)
        if found is not None and time_ns - found.begun_ns > MAX_ASSEMBLY_AGE_NS:
            self.refused["fragments without the rest"] += 1
            found = None
            del self._assemblies[key]
        if found is None:
            if len(self._assemblies) >= MAX_ASSEMBLIES:
                self.refused["fragments without the rest"] += 1
                del self._assemblies[next(iter(self._assemblies))]
            found = self._assemblies[key] = _Assembly(time_ns)
        offset = (fragment & _OFFSET) * 8
        found.pieces.setdefault(offset, payload)
        if not fragment & _MORE:
            found.size = offset + len(payload)
        if found.size is None or sum(map(len, found.pieces.values())) < found.size:
            return None
        del self._assemblies[key]
        whole = bytearray()
        for begin, piece in sorted(found.pieces.items()):
            if begin != len(whole):
                self.refused["fragments that do not fit together"] += 1
                return None
            whole += piece
        return bytes(whole)

    def _ipv6(self, packet: bytes, time_ns: int) -> Datagram | None:
        length, following = struct.unpack_from(">HB", packet, 4)
        source, destination, at = packet[8:24], packet[24:40], 40
        if 40 + length > len(packet):
            self.refused["IP packet of wrong length"] += 1
            return None
        while following in _EXTENSIONS:
            following, size = packet[at], packet[at + 1]
            at += 8 * (size + 1)
        if following == _FRAGMENT:
            self.refused["IPv6 fragment"] += 1
            return None
        if following != _UDP:
            self.skipped["not UDP"] += 1
            return None
        return self._udp(source, destination, packet[at : 40 + length], time_ns)

    def _udp(self, source: bytes, destination: bytes, payload: bytes, time_ns: int) -> Datagram | None:
        port, length = struct.unpack_from(">HH", payload, 2)
        if not 8 <= length <= len(payload):
            self.refused["UDP datagram of wrong length"] += 1
            return None
        return Datagram(time_ns, source, destination, port, payload[8:length])


def link_name(link_type: int) -> str:
    """Return a link type as words."""
    name = LINK_NAMES.get(link_type)
    return f"{link_type} ({name})" if name else str(link_type)
