# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""smartmicro's transport header and target list port: bytes to arrays.

Sources: the vendor's description of the target list port, version 1 (com_target_list_port.xml of smartmicro_ros2_radars). Its gaps
(variances, false alarm probability, flags, peak index) are filled in the order of the vendor's public interface headers. The
transport header is in no public document; what is said of it here was read off a recording and holds for all its packets.
"""

from __future__ import annotations

import struct
from binascii import crc_hqx
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.drivers.frames import Fields, FormatError

PORT_PROTOCOL = 8  # of the vendor's list of application protocols
LOG_PROTOCOL = 6
TARGET_LIST_PORT = 66
MAX_TARGETS = 1024

_START, _TRANSPORT_VERSION = 0x7E, 1
# Start, version, header length, payload length, application protocol, flags (which optional fields follow).
_TRANSPORT = struct.Struct(">BBBHBI")
_PLAIN = (18, 0x09)  # header length, flags: message counter, client. A CRC of the payload follows the payload.
_PLAIN_FIELDS = struct.Struct(">HIH")
_FRAGMENT = (22, 0x6D)  # place of the fragment, client, message counter, number of fragments
_FRAGMENT_FIELDS = struct.Struct(">HIHHH")

# Generic port header, always big endian: port, version, creation time (NTP: 32.32 bits of seconds), size with this header,
# endianness of what follows (1 big, 2 little), index, version of this header.
_PORT = struct.Struct(">IHHQIBBBB")
_ENDIANNESS = {1: ">", 2: "<"}
_TARGET = [
    ("range", "f4"),  # m
    ("speed_radial", "f4"),  # m/s, positive receding
    ("azimuth", "f4"),  # rad, anticlockwise
    ("elevation", "f4"),  # rad
    ("range_variance", "f4"),
    ("speed_variance", "f4"),
    ("azimuth_variance", "f4"),
    ("elevation_variance", "f4"),
    ("rcs", "f4"),  # version 1: m2
    ("false_alarm_probability", "f4"),
    ("flags", "u4"),
    ("power", "f4"),  # dB
    ("noise", "f4"),  # dB
    ("peak_index", "u2"),
    ("reserved", "u2"),
]
_LIST_SHORT = [("cycle_time", "f4"), ("targets", "u2"), ("acquisition_setup", "u2")]
_LIST_LONG = [
    ("cycle_time", "f4"),
    ("targets", "u2"),
    ("tx_antenna", "u1"),
    ("sweep", "u1"),
    ("centre_frequency", "u1"),
    ("prf", "u1"),
    ("reserved", "u2"),
    ("unambiguous_speed", "f4"),
]
_LIST_HEADERS: dict[int, list[tuple[str, str]]] = {
    1: _LIST_SHORT,
    2: _LIST_SHORT,
    3: _LIST_LONG,
    4: [*_LIST_LONG, ("acquisition_start", "u8")],  # NTP
}
_LAYOUTS = {
    (version, order): (
        np.dtype([(name, order + code) for name, code in header]),
        np.dtype([(name, order + code) for name, code in _TARGET]),
    )
    for version, header in _LIST_HEADERS.items()
    for order in _ENDIANNESS.values()
}


class Fragment(NamedTuple):
    """One packet of the transport: a part of a port, or all of a message that is not cut."""

    protocol: int
    client: int  # the sensor's serial number
    counter: int  # of messages, modulo 2^16
    place: int  # of this part, from 0
    parts: int
    payload: bytes


class TargetList(NamedTuple):
    """A decoded port; `targets` is a structured array with the fields of `_TARGET`."""

    version: int
    created: int  # by the sensor's clock, NTP
    header: Fields
    targets: NDArray[Any]


def decode_transport(packet: bytes) -> Fragment:
    """Return what a datagram holds.

    Raises:
        FormatError: it has another header, another length than it says, or a wrong CRC.
    """
    if len(packet) < _TRANSPORT.size or packet[0] != _START:
        raise FormatError("no transport header")
    _, version, size, length, protocol, flags = _TRANSPORT.unpack_from(packet)
    if version != _TRANSPORT_VERSION or (size, flags) not in (_PLAIN, _FRAGMENT):
        raise FormatError("unknown transport header")
    cut = (size, flags) == _FRAGMENT
    if len(packet) != size + length + (0 if cut else 2):
        raise FormatError("wrong length")
    if crc_hqx(packet[:size], 0xFFFF) != 0:  # the header ends with its CRC (CCITT, from 0xFFFF), which makes it zero
        raise FormatError("wrong CRC")
    payload = packet[size : size + length]
    if not cut and crc_hqx(packet[size:], 0xFFFF) != 0:
        raise FormatError("wrong CRC")
    if cut:
        place, client, counter, parts, _ = _FRAGMENT_FIELDS.unpack_from(packet, _TRANSPORT.size)
        return Fragment(protocol, client, counter, place, parts, payload)
    counter, client, _ = _PLAIN_FIELDS.unpack_from(packet, _TRANSPORT.size)
    return Fragment(protocol, client, counter, 0, 1, payload)


def decode_target_list(port: bytes) -> TargetList:
    """Return the targets of a whole port.

    Raises:
        FormatError: it is another port, of an unknown version, or its sizes disagree.
    """
    if len(port) < _PORT.size:
        raise FormatError("port too short")
    number, version, _, created, size, endianness, _, header_version, _ = _PORT.unpack_from(port)
    if number != TARGET_LIST_PORT:
        raise FormatError("another port")
    layout = _LAYOUTS.get((version, _ENDIANNESS.get(endianness, "")))
    if layout is None or header_version != 2:
        raise FormatError("unknown version of the port")
    header_type, target_type = layout
    begin = _PORT.size + header_type.itemsize
    if size != len(port) or size < begin:
        raise FormatError("wrong length of the port")
    header = np.frombuffer(port, header_type, 1, _PORT.size)[0]
    n = int(header["targets"])
    if n > MAX_TARGETS or size != begin + n * target_type.itemsize:
        raise FormatError("number of targets disagrees with the length")
    values = Fields({name: header[name].item() for name in header_type.names or ()})
    return TargetList(version, created, values, np.frombuffer(port, target_type, n, begin))
