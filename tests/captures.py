# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Captures written by hand, after tcpdump.org's description of pcap and the draft of pcapng."""

import struct

ETHERNET, COOKED, RAW, COOKED_2, CAN = 1, 113, 101, 276, 227


def udp(payload: bytes, *, port=5000, group="239.1.2.3", source="192.168.0.9") -> bytes:
    """Return an IPv4 datagram's UDP part; `ip` wraps it."""
    return struct.pack(">HHHH", 4000, port, 8 + len(payload), 0) + payload


def ip(body: bytes, *, group="239.1.2.3", source="192.168.0.9", number=1, offset=0, more=False, protocol=17) -> bytes:
    def address(text: str) -> bytes:
        return bytes(map(int, text.split(".")))

    fragment = (0x2000 if more else 0) | offset // 8
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), number, fragment, 64, protocol, 0)
    return head + address(source) + address(group) + body


def fragments(body: bytes, *, size=1480, **more) -> list[bytes]:
    begins = range(0, len(body), size)
    return [ip(body[at : at + size], offset=at, more=at + size < len(body), **more) for at in begins]


def framed(packet: bytes, link=ETHERNET, vlan=False) -> bytes:
    """Return an IPv4 packet with the header of a line."""
    if link == RAW:
        return packet
    if link == COOKED:
        return bytes(14) + b"\x08\x00" + packet
    if link == COOKED_2:
        return b"\x08\x00" + bytes(18) + packet
    return bytes(12) + (b"\x81\x00\x00\x07" if vlan else b"") + b"\x08\x00" + packet


def can_frame(can_id: int, data: bytes) -> bytes:
    return struct.pack(">IBBH", can_id, len(data), 0, 0) + data


def pcap(frames: list[tuple[int, bytes]], *, link=ETHERNET, order="<", tick_ns=1000) -> bytes:
    """Return a capture of (time [ns], frame)."""
    out = struct.pack(order + "IHHiIII", 0xA1B2C3D4 if tick_ns == 1000 else 0xA1B23C4D, 2, 4, 0, 0, 262144, link)
    for time_ns, frame in frames:
        seconds, rest = divmod(time_ns, 1_000_000_000)
        out += struct.pack(order + "IIII", seconds, rest // tick_ns, len(frame), len(frame)) + frame
    return out


def pcapng(frames: list[tuple[int, bytes]], *, link=ETHERNET, order="<", exponent=9) -> bytes:
    """Return the same as pcapng, with ticks of 10^-exponent s, and blocks that nobody needs."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))

    options = struct.pack(order + "HHBxxx", 9, 1, exponent) + struct.pack(order + "HH", 0, 0)
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack(order + "HHI", link, 0, 0) + options) + block(4, bytes(8))
    for time_ns, frame in frames:
        ticks = time_ns // 10 ** (9 - exponent)
        head = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
        out += block(6, head + frame)
    return out
