# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""ASTERIX CAT021, CAT048, CAT034 and CAT062 written by hand from EUROCONTROL's specifications, without any library."""

import struct

# User application profiles: items in the order of their bits in FSPEC, seven an octet.
UAP = {
    21: [
        "010", "040", "161", "015", "071", "130", "131", "072", "150", "151", "080", "073", "074", "075",
        "076", "140", "090", "210", "070", "230", "145", "152", "200", "155", "157", "160", "165", "077",
        "170", "020", "220", "146", "148", "110", "016", "008", "271", "132", "250", "260", "400", "295",
    ],
    48: [
        "010", "140", "020", "040", "070", "090", "130", "220", "240", "250", "161", "042", "200", "170",
        "210", "030", "080", "100", "110", "120", "230", "260", "055", "050", "065", "060", "SP", "RE",
    ],
    34: [
        "010", "000", "030", "020", "041", "050", "060", "070", "100", "110", "120", "090", "RE", "SP",
    ],
    62: [
        "010", "", "015", "070", "105", "100", "185", "210", "060", "245", "380", "040", "080", "290",
        "200", "295", "136", "130", "135", "220", "390", "270", "300", "110", "120", "510", "500", "340",
        "", "", "", "", "", "RE", "SP",
    ],
}  # fmt: skip


def record(category: int, items: dict[str, bytes]) -> bytes:
    """Return FSPEC and items; `items` in any order."""
    uap = UAP[category]
    assert set(items) <= set(uap)
    octets = 1 + max(uap.index(name) for name in items) // 7
    fspec = [0] * octets
    for name in items:
        octet, bit = divmod(uap.index(name), 7)
        fspec[octet] |= 0x80 >> bit
    for octet in range(octets - 1):
        fspec[octet] |= 1  # FX: another octet follows
    return bytes(fspec) + b"".join(items[name] for name in uap if name in items)


def datablock(category: int, *records: bytes) -> bytes:
    data = b"".join(records)
    return struct.pack(">BH", category, 3 + len(data)) + data


def time_of_day(seconds: float) -> bytes:
    return round(seconds * 128).to_bytes(3, "big")


def polar(range_nm: float, theta_deg: float) -> bytes:
    return struct.pack(">HH", round(range_nm * 256), round(theta_deg / 360 * 65536))


def plot(range_nm: float, theta_deg: float, seconds: float, *, sac=25, sic=201, **more: bytes) -> bytes:
    """Return a record of CAT048 with the mandatory items, `i130=...` and so on besides or instead; None leaves one out."""
    items = {
        "010": bytes([sac, sic]),
        "140": time_of_day(seconds),
        "020": b"\x20",  # single PSR
        "040": polar(range_nm, theta_deg),
    }
    items |= {name[1:]: value for name, value in more.items()}
    return record(48, {name: value for name, value in items.items() if value is not None})


def north_marker(seconds: float, *, sac=25, sic=201, **more: bytes) -> bytes:
    items = {"010": bytes([sac, sic]), "000": b"\x01", "030": time_of_day(seconds)}
    return record(34, items | {name[1:]: value for name, value in more.items()})


def sector_crossing(sector: int, seconds: float, *, sac=25, sic=201) -> bytes:
    items = {"010": bytes([sac, sic]), "000": b"\x02", "030": time_of_day(seconds), "020": bytes([sector])}
    return record(34, items)
