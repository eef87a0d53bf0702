# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Continental SRR520: detections or objects over CAN FD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from aegis.core.health import Level
from aegis.core.params import ConfigError, Settings, group, param
from aegis.core.types import Floats
from aegis.drivers import srr520_format as srr
from aegis.drivers.can_transport import CanTransport
from aegis.drivers.contract import NOT_PUBLISHED, DriverSettings, Parser
from aegis.drivers.frames import DriverHealth, Fields, FormatError, Frame, PointFrame, Reading, finite_or_nan
from aegis.drivers.packet_driver import PacketDriver, UdpSettings
from aegis.drivers.recording import Recording, sent_to
from aegis.drivers.transport import Transport

_MAX_COUNTER_STEP = 1000  # a larger step of the cycle counter is a restart, no loss
_HEADERS = {srr.NEAR_HEADER: srr.NEAR, srr.HRR_HEADER: srr.HRR, srr.OBJECT_HEADER: srr.OBJECTS}  # by CAN id
_ELEMENTS = {srr.NEAR_ELEMENT: srr.NEAR, srr.HRR_ELEMENT: srr.HRR, srr.OBJECT_ELEMENT: srr.OBJECTS}
_BY_CRC_ID = {kind.crc_id: kind for kind in (srr.NEAR, srr.HRR, srr.OBJECTS)}
# What is published: which lists, and by how much the cycle counter goes on from one of them to the next (near and HRR scans take
# turns in one count).
_PUBLISHED = {
    "detections": ({"near", "hrr"}, 1),
    "near": ({"near"}, 2),
    "hrr": ({"hrr"}, 2),
    "objects": ({"objects"}, 1),
}
# Our name of a column: the entry's field.
_DETECTION_COLUMNS = {
    "range": "range",
    "azimuth": "azimuth_angle",
    "range_rate": "range_rate",
    "rcs": "rcs",
    "snr": "snr",
    **{f"pdh0{i}": f"pdh0{i}" for i in range(5)},
}
_OBJECT_COLUMNS = {
    "x": "dist_x",
    "y": "dist_y",
    "x_sigma": "dist_x_std",
    "y_sigma": "dist_y_std",
    "velocity_x": "v_abs_x",
    "velocity_y": "v_abs_y",
    "acceleration_x": "a_abs_x",
    "acceleration_y": "a_abs_y",
    "orientation": "orientation",
    "length": "box_length",
    "width": "box_width",
    "box_valid": "box_valid",
    "rcs": "rcs",
    "object_id": "object_id",
    "score": "score",
    "life_cycles": "life_cycles",
    "object_status": "object_status",
}
_SYNC = {1: "synchronised", 2: "never synchronised", 3: "synchronisation lost"}
# The status' bits that tell of now; the others tell of the time since power-on.
_FAULTS = (
    ("defective", 0b0000_0001, Level.ERROR, "near scan RF defective"),
    ("defective", 0b0000_0100, Level.ERROR, "HRR scan RF defective"),
    ("defective", 0b0101_0000, Level.ERROR, "hardware defective"),
    ("supply_voltage_limit", 0b0001, Level.ERROR, "supply voltage too high"),
    ("supply_voltage_limit", 0b0100, Level.ERROR, "supply voltage too low"),
    ("sensor_off_temp", 0b0001, Level.ERROR, "temperature too high"),
    ("sensor_off_temp", 0b0100, Level.ERROR, "temperature too low"),
    ("ext_disturbed", 0b0101_0101, Level.WARN, "disturbed from outside"),
    ("com_error", 0b01, Level.WARN, "communication error"),
    ("sw_error", 0b0100_1101, Level.ERROR, "software error"),
)


class CanSettings(Settings):
    """The CAN FD bus, for line: can."""

    interface: str = param("can0", "Name of the CAN FD interface, for line: can.", was="can_interface")
    adapter: str = param(
        "socketcan",
        "Kind of CAN adapter, as python-can names it: socketcan (an interface of Linux), pcan, kvaser, vector ..., whose channel"
        " can.interface then is.",
        was="can_adapter",
    )


class Srr520Settings(DriverSettings):
    """Parameters of a Continental SRR520."""

    line: Literal["can", "udp"] = param(
        "can", "How its CAN frames come: can (an adapter of this host), udp (a gateway's datagrams: CAN id, data)."
    )
    can: CanSettings = group(CanSettings())
    udp: UdpSettings = group(UdpSettings())
    publish: Literal["detections", "near", "hrr", "objects"] = param(
        "detections",
        "What goes out: detections of both scans or of one (in the sensor's frame), or the radar's own objects (in the"
        " vehicle's: name that in frame_id).",
    )


@dataclass
class _List:
    """A list that has begun."""

    header: Fields
    received_ns: int
    messages: list[bytes]  # header and elements


class Srr520Parser(Parser):
    """CAN frames to lists, lists to frames of detections or of objects."""

    def __init__(self, publish: str = "detections") -> None:
        super().__init__()
        self.lists, self._counter_step = _PUBLISHED[publish]
        self.lost_frames = 0
        self.sync_messages = 0
        self.sync = 0
        self.status: Fields | None = None
        self._begun: dict[str, _List] = {}
        self._cycle: int | None = None
        self._clock_us: int | None = None  # of the radar, without the wrap of its 32 bits

    def feed(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take a CAN frame: its id, 4 bytes big endian, and its data."""
        try:
            frame = self._take(int.from_bytes(packet[:4], "big"), packet[4:], received_ns)
        except FormatError as error:
            self.refused[str(error)] += 1
            return []
        return [] if frame is None else [frame]

    def reset(self) -> None:
        """Forget lists that are not complete."""
        for kind in _BY_CRC_ID.values():
            self._drop(kind)
        self._cycle = self._clock_us = None

    def health(self) -> DriverHealth:
        """Return what the radar says of itself: faults, supply, temperature, synchronisation."""
        values: dict[str, Reading] = {
            "lost_frames": self.lost_frames,
            "sync": _SYNC.get(self.sync, "unknown"),
            "sync_messages": self.sync_messages,
        }
        found: list[tuple[Level, str]] = []
        if self.sync in (2, 3):
            found.append((Level.WARN, f"clock {values['sync']}"))
        if self.status is not None:
            status = self.status
            values["firmware"] = ".".join(str(status[f"sw_version_{part}"]) for part in ("major", "minor", "patch"))
            for name in (
                "defective",
                "supply_voltage_limit",
                "sensor_off_temp",
                "ext_disturbed",
                "com_error",
                "sw_error",
            ):
                values[name] = status[name]
            found += [(level, text) for name, bits, level, text in _FAULTS if status.integer(name) & bits]
        level = max((level for level, _ in found), default=Level.OK)
        return DriverHealth(level, "; ".join(text for _, text in found) or "running", values)

    def _take(self, can_id: int, data: bytes, received_ns: int) -> PointFrame | None:
        """Return the frame that a message completes.

        Raises:
            FormatError: the message does not fit.
        """
        if can_id == srr.STATUS:
            self.status = srr.decode_status(data)
            self.sync = self.status.integer("stamp_sync_status")
        elif can_id == srr.SYNC:
            srr.decode_sync(data)
            self.sync_messages += 1
        elif can_id == srr.CRC_LIST:
            crc_id, crc = srr.decode_crc_list(data)
            return self._end(self._kind(_BY_CRC_ID.get(crc_id)), crc)
        elif can_id in _HEADERS:
            kind = self._kind(_HEADERS[can_id])
            header = srr.decode_header(kind, data)
            self._drop(kind)
            self._begun[kind.name] = _List(header, received_ns, [data])
        else:
            self._element(self._kind(_ELEMENTS.get(can_id)), data)
        return None

    def _kind(self, kind: srr.ListKind | None) -> srr.ListKind:
        if kind is None:
            raise FormatError("another message")
        if kind.name not in self.lists:
            raise FormatError(NOT_PUBLISHED)
        return kind

    def _element(self, kind: srr.ListKind, data: bytes) -> None:
        place, sequence = srr.counters(data)
        begun = self._begun.get(kind.name)
        if begun is None:
            raise FormatError("part of a list without its begin")
        if place != len(begun.messages) - 1 or place >= kind.elements or sequence != begun.header["sequence_counter"]:
            self._drop(kind)
            raise FormatError("part of a list out of order")
        begun.messages.append(data)

    def _end(self, kind: srr.ListKind, crc: int) -> PointFrame:
        begun = self._begun.get(kind.name)
        if begun is None:
            raise FormatError("part of a list without its begin")
        if len(begun.messages) != 1 + kind.elements:
            self._drop(kind)
            raise FormatError("part of a list out of order")
        if srr.crc16(b"".join(begun.messages)) != crc:
            self._drop(kind)
            raise FormatError("wrong CRC")
        del self._begun[kind.name]
        self._count(begun.header.integer("cycle_counter"))
        entries = srr.decode_entries(kind, begun.messages[1:], begun.header.integer("count"))
        names = _OBJECT_COLUMNS if kind is srr.OBJECTS else _DETECTION_COLUMNS
        columns: dict[str, Floats] = {ours: finite_or_nan(entries[theirs]) for ours, theirs in names.items()}
        if kind is not srr.OBJECTS:
            columns["hrr"] = finite_or_nan([float(kind is srr.HRR)] * len(entries))
        return PointFrame(columns, self._time_ns(begun.header), begun.received_ns)

    def _drop(self, kind: srr.ListKind) -> None:
        begun = self._begun.pop(kind.name, None)
        if begun is not None:
            self.refused["part of an incomplete list"] += len(begun.messages)

    def _count(self, cycle: int) -> None:
        if self._cycle is not None:
            step = (cycle - self._cycle) % (1 << 32)
            if self._counter_step < step < _MAX_COUNTER_STEP:
                self.lost_frames += step // self._counter_step - 1
        self._cycle = cycle

    def _time_ns(self, header: Fields) -> int:
        """Return the list's time stamp: the common time, or without synchronisation the radar's own."""
        self.sync = header.integer("stamp_sync_status")
        now = header.integer("stamp_us")
        if self._clock_us is not None:
            last = self._clock_us
            now = last + (now - last + (1 << 31)) % (1 << 32) - (1 << 31)
        self._clock_us = now
        if self.sync == srr.SYNC_OK:
            return header.integer("stamp_seconds") * 1_000_000_000 + header.integer("stamp_nanoseconds")
        return now * 1000


class Srr520(PacketDriver):
    """Continental SRR520: near and HRR scans, object lists and sensor status, CAN FD.

    `line: can` reads a CAN FD bus through python-can: an interface of Linux, or another adapter (tested on python-can's virtual
    bus, for want of a real one). `line: udp` takes datagrams of a gateway, each one CAN frame: its id in 4 bytes, big endian, then
    its data, as nebula records them.

    `publish: detections` gives points in the sensor's frame, without elevation; the column `hrr` is 1 in HRR scans.
    `publish: objects` gives the radar's own tracked objects, x y in the vehicle's frame. The radar wants to be configured and told
    the vehicle's motion and the time; this driver sends nothing.

    Sensor time is the list's time stamp, taken as the time of measurement: the common time where the radar is synchronised (which
    the health says), its own clock otherwise.
    """

    name: ClassVar[str] = "srr520"
    output: ClassVar[Literal["points", "cube"]] = "points"
    one_sender: ClassVar[bool] = True
    chosen: ClassVar[frozenset[str]] = PacketDriver.chosen | {NOT_PUBLISHED}
    settings_type = Srr520Settings
    settings: Srr520Settings

    def make_transport(self) -> Transport:
        """Return the CAN interface or the UDP port."""
        udp = self.settings.udp.transport()  # made in any case, so that its settings are checked
        if self.settings.line == "udp":
            return udp
        try:
            return CanTransport(self.settings.can.adapter, self.settings.can.interface)
        except ValueError as error:
            raise ConfigError(f"can.adapter: {error}") from None

    def recorded(self, recording: Recording) -> Transport:
        """Return the CAN frames of a recording, or the datagrams of a capture, as `line` says."""
        udp = self.settings.udp
        if self.settings.line == "udp":
            return recording.datagrams(*sent_to(udp.port, udp.multicast_group, udp.source_address))
        return recording.can_frames()

    def make_parser(self) -> Srr520Parser:
        """Return the parser."""
        return Srr520Parser(self.settings.publish)
