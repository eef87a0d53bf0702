# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""ASTERIX CAT240 over UDP: the video of radars that turn, a spoke a message.

After EUROCONTROL-SPEC-0149-240. The cells' octets may be compressed with zlib, as is usual; the specification leaves it open.
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.params import ConfigError, group, param
from aegis.drivers.asterix_files import AsterixFile, FinalFile, is_final
from aegis.drivers.asterix_records import DAY_NS, RefusedError, datablocks, utc_ns
from aegis.drivers.frames import Frame
from aegis.drivers.packet_driver import UdpSettings
from aegis.drivers.recording import Recording
from aegis.drivers.transport import Transport
from aegis.drivers.video_driver import Geometry, SpokeParser, VideoDriver, VideoDriverSettings

CATEGORY = 240
VIDEO = 2  # message type
LIGHT_MPS = 299_792_458.0
MAX_CELLS = 1 << 16
MAX_FIELDS = 14
BITS = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32}  # of a cell, by I240/048's RES
# Items in the order of the field specification: name, and length; 0 of one that says it itself; blocks where it repeats.
FIXED = {
    0: ("010", 2),
    1: ("000", 1),
    2: ("020", 4),
    4: ("040", 12),
    5: ("041", 12),
    6: ("048", 2),
    7: ("049", 5),
    11: ("140", 3),
}
REPEATED = {3: ("030", 1), 8: ("050", 4), 9: ("051", 64), 10: ("052", 256)}
EXPLICIT = {12: "RE", 13: "SP"}


class AsterixVideoSettings(VideoDriverSettings):
    """Parameters of the driver `asterix_video`."""

    udp: UdpSettings = group(UdpSettings(port=8600))
    sac: int = param(-1, "System area code of the radar; -1: of the first that is heard.", ge=-1, le=255)
    sic: int = param(-1, "System identification code of the radar; -1: of the first that is heard.", ge=-1, le=255)
    azimuth_from: Literal["north", "bow"] = param(
        "north", "What azimuth 0 is: true north, of a radar ashore or one that is stabilised; or the ship's bow."
    )


class Spoke(NamedTuple):
    """A message of CAT240 that is video."""

    source: tuple[int, int]
    angle: float  # of its middle, clockwise [rad]
    first_range_m: float
    cell_m: float
    codes: NDArray[np.uint8]  # of 8 bits, whatever they were
    full_scale: int
    ticks: int | None  # time of day [1/128 s]


class AsterixVideoParser(SpokeParser):
    """Datagrams to frames of spokes."""

    def __init__(self, settings: AsterixVideoSettings) -> None:
        super().__init__(settings)
        self._source_set = (settings.sac, settings.sic)
        self._heading = 0.0 if settings.azimuth_from == "north" else math.nan
        self._data_ns: int | None = None
        self.reset()

    def reset(self) -> None:
        """Forget which radar it is."""
        super().reset()
        self._source = self._source_set

    def follow(self, start_ns: int) -> None:
        """Take what comes as received when it was measured: in a file without times, whose day begins at `start_ns`."""
        self._data_ns = start_ns + DAY_NS // 2

    def feed_radar(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take one datagram: any number of datablocks, each of any number of records."""
        out: list[Frame] = []
        try:
            for category, data in datablocks(packet):
                if category != CATEGORY:
                    self.refused["other category"] += 1
                    continue
                at = 0
                while at < len(data):
                    items, at = read_items(data, at)
                    out += self._take(items, received_ns)
        except RefusedError as error:
            self.refused[error.reason] += 1
        return out

    def _take(self, items: dict[str, bytes], received_ns: int) -> list[Frame]:
        if items.get("000", b"\0")[0] != VIDEO:
            return []  # a summary
        try:
            spoke = read_spoke(items)
        except RefusedError as error:
            self.refused[error.reason] += 1
            return []
        known = tuple(have if want < 0 else want for want, have in zip(self._source, spoke.source, strict=True))
        if known != spoke.source:
            self.refused["foreign SAC/SIC"] += 1
            return []
        self._source = spoke.source
        if self._data_ns is not None:
            received_ns = self._data_ns = self._data_ns if spoke.ticks is None else utc_ns(spoke.ticks, self._data_ns)
        geometry = Geometry(len(spoke.codes), spoke.cell_m, spoke.full_scale, spoke.first_range_m)
        return self.spoke(spoke.angle, spoke.codes, geometry, received_ns, self._heading)


def read_items(data: bytes, at: int) -> tuple[dict[str, bytes], int]:
    """Return the items of the record at a place, and the place behind it.

    Raises:
        RefusedError: it ends too early, or has items that there are not.
    """
    fields: list[int] = []
    more = True
    while more:
        octet = _bytes(data, at, 1)[0]
        fields += [octet >> (7 - k) & 1 for k in range(7)]
        at += 1
        more = bool(octet & 1)
        if more and len(fields) >= MAX_FIELDS:
            raise RefusedError("CAT240 record unreadable")
    out: dict[str, bytes] = {}
    for k, there in enumerate(fields):
        if not there:
            continue
        if k in FIXED:
            name, length = FIXED[k]
        elif k in REPEATED:
            name, block = REPEATED[k]
            length = _bytes(data, at, 1)[0] * block
            at += 1
        else:
            name = EXPLICIT[k]
            length = _bytes(data, at, 1)[0] - 1
            at += 1
            if length < 0:
                raise RefusedError("CAT240 record unreadable")
        out[name] = _bytes(data, at, length)
        at += length
    return out, at


def read_spoke(items: dict[str, bytes]) -> Spoke:
    """Return the spoke of a record's items.

    Raises:
        RefusedError: an item is missing, or they contradict each other.
    """
    header, unit_s = (items["040"], 1e-9) if "040" in items else (items.get("041", b""), 1e-15)
    data = next((items[name] for name in ("050", "051", "052") if name in items), b"")
    if "010" not in items or not header or "048" not in items or "049" not in items:
        raise RefusedError("CAT240 spoke without its header")
    begin, end, first, duration = struct.unpack(">HHII", header)
    compressed, bits = items["048"][0] >> 7, BITS.get(items["048"][1])
    octets, cells = int.from_bytes(items["049"][:2], "big"), int.from_bytes(items["049"][2:], "big")
    if bits is None or not duration or not 0 < cells <= MAX_CELLS or octets > len(data):
        raise RefusedError("CAT240 spoke unreadable")
    needed = (cells * bits + 7) // 8
    data = data[:octets]
    if compressed:
        try:
            data = zlib.decompressobj().decompress(data, needed)
        except zlib.error:
            raise RefusedError("CAT240 compression unknown") from None
    if len(data) < needed:
        raise RefusedError("CAT240 spoke unreadable")
    cell_m = duration * unit_s * LIGHT_MPS / 2.0
    width = (end - begin) % 65_536
    ticks = int.from_bytes(items["140"], "big") if "140" in items else None
    if ticks is not None and ticks * (DAY_NS // 86_400 // 128) >= DAY_NS:
        raise RefusedError("time of day beyond a day")
    codes, scale = _levels(np.frombuffer(data, np.uint8, needed), bits, cells)
    return Spoke(
        (items["010"][0], items["010"][1]),
        (begin + width / 2.0) % 65_536 / 65_536 * 2.0 * math.pi,
        first * cell_m,
        cell_m,
        codes,
        scale,
        ticks,
    )


def _levels(data: NDArray[np.uint8], bits: int, cells: int) -> tuple[NDArray[np.uint8], int]:
    """Return (cells,) levels and their full scale; of more than 8 bits the highest 8."""
    if bits < 8:
        each = np.unpackbits(data).reshape(-1, bits) @ (1 << np.arange(bits)[::-1])
        return each[:cells].astype(np.uint8), (1 << bits) - 1
    return np.ascontiguousarray(data[:: bits // 8][:cells]), 255


def _bytes(data: bytes, at: int, n: int) -> bytes:
    if at + n > len(data):
        raise RefusedError("CAT240 record unreadable")
    return data[at : at + n]


class AsterixVideo(VideoDriver):
    """A radar that sends its video as ASTERIX CAT240."""

    name = "asterix_video"
    settings_type = AsterixVideoSettings
    settings: AsterixVideoSettings

    def recorded(self, recording: Recording) -> Transport:
        """Return the datagrams of a capture, or the datablocks of a file, in FINAL's framing or bare."""
        if recording.kind == "capture":
            return super().recorded(recording)
        if is_final(recording):
            return FinalFile(recording)
        if recording.begin[:1] != bytes([CATEGORY]):
            raise ConfigError(
                f"{recording.path} is neither a capture nor ASTERIX CAT240: its first octet is {recording.begin[0]}"
            )
        return AsterixFile(recording)

    def make_parser(self) -> AsterixVideoParser:
        """Return the parser."""
        parser = AsterixVideoParser(self.settings)
        if isinstance(self.transport, AsterixFile) and not isinstance(self.transport, FinalFile):
            parser.follow(self.transport.recording.start_ns)
        return parser
