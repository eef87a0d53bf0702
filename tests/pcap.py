# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""UDP datagrams out of a classic pcap file of an Ethernet line: IPv4, not fragmented."""

import gzip
import struct
from pathlib import Path
from typing import NamedTuple


class Datagram(NamedTuple):
    stamp_ns: int
    port: int  # that it was sent to
    payload: bytes


def read_udp(path: Path) -> list[Datagram]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    assert data[:4] == b"\xd4\xc3\xb2\xa1", "little endian, microseconds"
    out = []
    at = 24
    while at < len(data):
        seconds, microseconds, captured, length = struct.unpack_from("<IIII", data, at)
        assert captured == length, "cut by the capture"
        ip = data[at + 16 + 14 : at + 16 + captured]  # after the Ethernet header
        at += 16 + captured
        if ip[0] >> 4 == 4 and ip[9] == 17:
            udp = ip[(ip[0] & 15) * 4 :]
            port, size = struct.unpack_from(">HH", udp, 2)
            out.append(Datagram(seconds * 1_000_000_000 + microseconds * 1000, port, udp[8:size]))
    return out
