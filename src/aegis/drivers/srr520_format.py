# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Continental SRR520 CAN FD messages: payloads to arrays, all fields.

Source of the layout: Continental's interface as nebula has it (tier4/nebula, continental_srr520.hpp and its decoder). Where nebula
is visibly wrong we differ: the two lowest bits of `v_abs_x_std`, which it loses, and the unit of the status' angles. Codes that
nebula's assertions exclude mean "not available" and are NaN here.
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.drivers.frames import Fields, FormatError

NEAR_HEADER, NEAR_ELEMENT = 900, 901  # CAN ids
HRR_HEADER, HRR_ELEMENT = 1100, 1101
OBJECT_HEADER, OBJECT_ELEMENT = 1200, 1201
CRC_LIST, STATUS, SYNC = 800, 700, 53
HEADER_SIZE, ELEMENT_SIZE, CRC_LIST_SIZE, STATUS_SIZE, SYNC_SIZE = 32, 64, 4, 64, 8
SYNC_OK = 1  # 2: never synchronised, 3: synchronisation lost


class Bits(NamedTuple):
    """A field of a bit string: value = resolution code + minimum; codes above `last` are not available."""

    name: str
    width: int
    resolution: float = 1.0
    minimum: float = 0.0
    last: int = 1 << 16


_DETECTION = (
    Bits("range", 12, 0.024420024),
    Bits("azimuth_angle", 9, 0.006159986, -1.570796327, 510),
    Bits("range_rate", 11, 0.014662757, -15.0, 2046),
    Bits("rcs", 7, 0.476190476, -40.0, 126),
    *(Bits(f"pdh0{i}", 1, 100.0) for i in range(5)),
    Bits("snr", 4, 1.7, 11.0),
)  # 6 bytes
_OBJECT = (
    Bits("object_id", 8),
    *(Bits(f"dist_{axis}", 16, 0.009155553, -300.0, 65534) for axis in "xy"),
    *(Bits(f"v_abs_{axis}", 14, 0.009156391, -75.0, 16382) for axis in "xy"),
    *(Bits(f"a_abs_{axis}", 10, 0.019569472, -10.0, 1022) for axis in "xy"),
    *(Bits(f"{what}_{axis}_std", 14, 0.001831166) for what in ("dist", "v_abs", "a_abs") for axis in "xy"),
    Bits("box_length", 12, 0.007326007),
    Bits("box_width", 12, 0.007326007),
    Bits("orientation", 12, 0.001534729, -3.14159, 4094),
    Bits("rcs", 12, 0.024425989, -50.0, 4094),
    Bits("score", 4, 6.666666667),
    Bits("life_cycles", 16),
    Bits("reserved", 5),
    Bits("object_status", 2),
    Bits("box_valid", 1),
)  # 31 bytes
_STAMPS = [("stamp_us", ">u4"), ("stamp_seconds", ">u4"), ("stamp_nanoseconds", ">u4"), ("stamp_sync_status", "u1")]
_HEADER = [*_STAMPS, ("signal_status", "u1"), ("sequence_counter", "u1"), ("cycle_counter", ">u4")]
_SCAN_HEADER = np.dtype([*_HEADER, ("v_ambiguous", ">u2"), ("max_range", ">u2"), ("count", ">u2")])
_OBJECT_LIST_HEADER = np.dtype(
    [*_HEADER, ("ego_vx", ">u2"), ("ego_yaw_rate", ">u2"), ("motion_type", "u1"), ("count", "u1")]
)
_LENGTH, _ANGLE = (0.001, -32.767), (9.58766e-05, -3.14159)
_HEADER_SCALES = {
    "v_ambiguous": (0.003051851, -100.0),
    "max_range": (0.1, 0.0),
    "ego_vx": (0.003051851, -100.0),
    "ego_yaw_rate": _ANGLE,
}
_STATUS = np.dtype(
    [
        *_STAMPS,
        *((f"sw_version_{part}", "u1") for part in ("major", "minor", "patch")),
        ("sensor_id", "u1"),
        *((name, ">u2") for name in ("long_pos", "lat_pos", "vert_pos", "long_pos_cog", "wheelbase", "yaw_angle")),
        ("cover_damping", ">u2"),
        *((name, "u1") for name in ("plug_orientation", "defective", "supply_voltage_limit", "sensor_off_temp")),
        *((name, "u1") for name in ("dynamics_invalid_0", "dynamics_invalid_1", "ext_disturbed", "com_error")),
        ("sw_error", ">u2"),
        ("aln_status", "u1"),
        *((name, ">u2") for name in ("aln_current_azimuth_std", "aln_current_azimuth", "aln_current_delta")),
        ("reserved", "V13"),
        ("crc", ">u2"),
        ("sequence_counter", "u1"),
    ]
)
_STATUS_SCALES = {
    **dict.fromkeys(("long_pos", "lat_pos", "vert_pos", "long_pos_cog", "cover_damping"), _LENGTH),
    "wheelbase": (0.001, 0.0),
    **dict.fromkeys(("yaw_angle", "aln_current_azimuth", "aln_current_delta"), _ANGLE),
    "aln_current_azimuth_std": (1.52593e-05, 0.0),
}


class ListKind(NamedTuple):
    """One of the three lists that the radar sends: a header, a fixed number of elements, a CRC over all of them."""

    name: str
    crc_id: int
    elements: int  # messages
    per_element: int  # entries in a message
    header: np.dtype[Any]
    fields: tuple[Bits, ...]

    @property
    def capacity(self) -> int:
        """Return how many entries fit."""
        return self.elements * self.per_element


NEAR = ListKind("near", 0, 50, 10, _SCAN_HEADER, _DETECTION)
HRR = ListKind("hrr", 1, 20, 10, _SCAN_HEADER, _DETECTION)
OBJECTS = ListKind("objects", 2, 20, 2, _OBJECT_LIST_HEADER, _OBJECT)


def decode_header(kind: ListKind, payload: bytes) -> Fields:
    """Return a list's header; speeds in m/s, range in m, `count` the number of entries.

    Raises:
        FormatError: it has another length, or counts more entries than the list has.
    """
    if len(payload) != HEADER_SIZE:
        raise FormatError("wrong length")
    header = _scaled(payload, kind.header, _HEADER_SCALES)
    if header["count"] > kind.capacity:
        raise FormatError("more entries than the list has")
    return header


def decode_entries(kind: ListKind, elements: list[bytes], count: int) -> NDArray[Any]:
    """Return the first `count` entries of a whole list as a structured array: m, rad, m/s, dB, dBsm, percent."""
    size = sum(field.width for field in kind.fields) // 8
    entries = b"".join(element[: size * kind.per_element] for element in elements)[: size * count]
    bits = np.unpackbits(np.frombuffer(entries, np.uint8).reshape(-1, size), axis=1)
    out = np.empty(len(bits), [(field.name, np.float64) for field in kind.fields])
    begin = 0
    for field in kind.fields:
        code = bits[:, begin : begin + field.width] @ (1 << np.arange(field.width)[::-1])
        value = field.resolution * code + field.minimum
        out[field.name] = np.where(code <= field.last, value, np.nan)
        begin += field.width
    return out


def counters(element: bytes) -> tuple[int, int]:
    """Return an element's place in its list, from 0, and the sequence counter of the list that it belongs to.

    Raises:
        FormatError: it has another length.
    """
    if len(element) != ELEMENT_SIZE:
        raise FormatError("wrong length")
    return element[62], element[63]


def decode_crc_list(payload: bytes) -> tuple[int, int]:
    """Return which list ends here (`ListKind.crc_id`) and the CRC over its header and elements.

    Raises:
        FormatError: it has another length.
    """
    if len(payload) != CRC_LIST_SIZE:
        raise FormatError("wrong length")
    return payload[0], int.from_bytes(payload[1:3], "big")


def crc16(data: bytes) -> int:
    """Return CRC-16/CCITT-FALSE."""
    return crc_hqx(data, 0xFFFF)


def decode_status(payload: bytes) -> Fields:
    """Return the sensor's status; lengths in m, angles in rad, the rest as sent.

    Raises:
        FormatError: it has another length, or a wrong CRC.
    """
    if len(payload) != STATUS_SIZE:
        raise FormatError("wrong length")
    status = _scaled(payload, _STATUS, _STATUS_SCALES)
    if crc16(payload[:61]) != status["crc"]:
        raise FormatError("wrong CRC")
    return status


def decode_sync(payload: bytes) -> dict[str, int]:
    """Return a time synchronisation message (AUTOSAR, over CAN): the seconds, or in the message that follows, the nanoseconds.

    Raises:
        FormatError: it has another length or kind, or a wrong CRC.
    """
    if len(payload) != SYNC_SIZE:
        raise FormatError("wrong length")
    kind, crc, domain_sequence, user = payload[:4]
    if kind not in (0x10, 0x18, 0x20, 0x28):
        raise FormatError("unknown version")
    if kind & 0x20 and domain_sequence >> 4 == 0 and _crc8h2f(payload[2:] + b"\0") != crc:  # 0: the id of domain 0
        raise FormatError("wrong CRC")
    time = int.from_bytes(payload[4:], "big")
    return {
        "follow_up": int(kind & 0x08 != 0),
        "time_domain": domain_sequence >> 4,
        "sequence_counter": domain_sequence & 15,
        "user": user,
        "time": time,
    }


def _crc8h2f(data: bytes) -> int:
    """Return AUTOSAR's CRC-8 with polynomial 0x2F."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ (0x12F if crc & 0x80 else 0)
    return crc ^ 0xFF


def _scaled(payload: bytes, layout: np.dtype[Any], scales: dict[str, tuple[float, float]]) -> Fields:
    """Return one record as Python values, scaled where there is a scale."""
    record = np.frombuffer(payload, layout, 1)[0].item()
    values = Fields(zip(layout.names or (), record, strict=True))
    for name in values.keys() & scales.keys():
        resolution, minimum = scales[name]
        values[name] = resolution * values[name] + minimum
    return values
