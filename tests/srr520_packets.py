# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""CAN FD messages as a Continental SRR520 sends them, put together bit by bit after the layout."""

import struct
from typing import Any

from crc import crc, crc16_ccitt

# Field and number of bits, in the order of the wire.
DETECTION = "range 12 azimuth_angle 9 range_rate 11 rcs 7 pdh00 1 pdh01 1 pdh02 1 pdh03 1 pdh04 1 snr 4"
OBJECT = (
    "object_id 8 dist_x 16 dist_y 16 v_abs_x 14 v_abs_y 14 a_abs_x 10 a_abs_y 10 dist_x_std 14 dist_y_std 14"
    " v_abs_x_std 14 v_abs_y_std 14 a_abs_x_std 14 a_abs_y_std 14 box_length 12 box_width 12 orientation 12 rcs 12"
    " score 4 life_cycles 16 reserved 5 object_status 2 box_valid 1"
)


def codes(layout: str, values: dict[str, int]) -> bytes:
    """Return the fields' codes one after the other, as bytes."""
    words = layout.split()
    bits = ""
    for name, width in zip(words[::2], map(int, words[1::2]), strict=True):
        bits += f"{values.get(name, 0):0{width}b}"[-width:]
    assert set(values) <= set(words[::2])
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def frame(can_id: int, data: bytes) -> bytes:
    return struct.pack(">I", can_id) + data


def stamp(us: int, sync: int = 1) -> bytes:
    return struct.pack(">IIIB", us, 2000, 250_000_000, sync)


def crc_list(crc_id: int, messages: list[bytes]) -> bytes:
    """Return what ends a list: the CRC over the data of all its messages."""
    return frame(800, bytes([crc_id]) + struct.pack(">H", crc16_ccitt(b"".join(m[4:] for m in messages))) + b"\0")


def _list(
    header: bytes, entries: list[bytes], *, ids: tuple[int, int, int], elements: int, per_element: int, sequence: int
):
    size = len(entries[0]) if entries else 0
    messages = [frame(ids[0], header.ljust(32, b"\0"))]
    for i in range(elements):
        data = b"".join(entries[i * per_element : (i + 1) * per_element]) if size else b""
        messages.append(frame(ids[1], data.ljust(62, b"\0") + bytes([i, sequence])))
    return [*messages, crc_list(ids[2], messages)]


def scan(
    kind: str,
    entries: list[dict[str, int]],
    *,
    us: int = 1_000_000,
    sync: int = 1,
    cycle: int = 1,
    count: int | None = None,
) -> list[bytes]:
    """Return a near or HRR scan: header, elements, CRC."""
    near = kind == "near"
    n = len(entries) if count is None else count
    header = stamp(us, sync) + struct.pack(">BBIHHH", 1, cycle % 256, cycle, 40_000, 413, n)
    return _list(
        header,
        [codes(DETECTION, entry) for entry in entries],
        ids=(900, 901, 0) if near else (1100, 1101, 1),
        elements=50 if near else 20,
        per_element=10,
        sequence=cycle % 256,
    )


def objects(entries: list[dict[str, int]], *, us: int = 1_000_000, sync: int = 1, cycle: int = 1) -> list[bytes]:
    """Return an object list: header, elements, CRC."""
    header = stamp(us, sync) + struct.pack(">BBIHHBB", 1, cycle % 256, cycle, 35_000, 32_767, 1, len(entries))
    entries_data = [codes(OBJECT, entry) for entry in entries]
    return _list(header, entries_data, ids=(1200, 1201, 2), elements=20, per_element=2, sequence=cycle % 256)


def status(sync: int = 1, **values: Any) -> bytes:
    """Return a status message: a radar that does well, but for `values`."""
    head = stamp(1_000_000, sync) + bytes([5, 6, 7, 3])
    head += struct.pack(">7H", 33_767, 32_267, 33_367, 34_767, 2790, 32_767, 32_767)
    names = "plug_orientation defective supply_voltage_limit sensor_off_temp dynamics_invalid_0 dynamics_invalid_1"
    head += bytes(values.get(name, 0) for name in f"{names} ext_disturbed com_error".split())
    head += struct.pack(">HBHHH", values.get("sw_error", 0), 7, 1000, 32_767, 32_768)
    head = head.ljust(61, b"\0")
    return frame(700, head + struct.pack(">H", crc16_ccitt(head)) + b"\x09")


def sync_message(kind: int, sequence: int, time: int, user: int = 0) -> bytes:
    """Return AUTOSAR's time synchronisation over CAN, domain 0: 0x20 with the seconds, 0x28 follows with the nanoseconds."""
    tail = bytes([sequence, user]) + struct.pack(">I", time)
    check = crc(tail + b"\0", width=8, polynomial=0x2F, start=0xFF, final=0xFF)
    return frame(53, bytes([kind, check]) + tail)
