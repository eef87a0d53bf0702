# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks as ASTERIX CAT062 records (EUROCONTROL-SPEC-0149-9, edition 1.20), all tracks of a picture at once.

Not by libasterix, which the tests hold this against: it takes more than a millisecond to make a record, this a microsecond or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.bridge.outputs.feed import Picture
from aegis.core.site import sigma_of
from aegis.core.types import Floats, Ints, TrackStatus

CATEGORY = 62
MAX_DATAGRAM_BYTES = 1400  # with the headers of IP and UDP, less than an Ethernet frame takes
DAY_NS = 86_400_000_000_000
TICK_NS = 7_812_500  # I062/070: 1/128 s
FOOT_M = 0.3048
ALTITUDE_LSB_M = 6.25 * FOOT_M
CLIMB_LSB_MPS = 6.25 * FOOT_M / 60.0
LEAST_ALTITUDE_M, MOST_ALTITUDE_M = -1500.0 * FOOT_M, 150_000.0 * FOOT_M
# An altitude with a larger error than I062/500 can hold is unknown.
MAX_ALTITUDE_SIGMA_M = 255 * ALTITUDE_LSB_M

Octets = NDArray[np.uint8]
Flags = NDArray[np.bool_]


class Item(NamedTuple):
    """A data item of all records."""

    frn: int  # its place in the user application profile
    octets: Octets  # (N, length)
    sent: Flags  # (N, length) or (N, 1): which of them are sent; an item of which none is, is absent


@dataclass(frozen=True)
class Origin:
    """Whose records these are, and what is true of all of them."""

    sac: int
    sic: int
    monosensor: bool
    simulated: bool


def records(picture: Picture, chosen: Ints, numbers: Ints, first: Flags, origin: Origin, *, last: bool) -> list[bytes]:
    """Return a record for each chosen track.

    Args:
        picture: with the tracks.
        chosen: (M,) indices of tracks that have a place.
        numbers: (M,) their track numbers, 1 to 65535.
        first: (M,) whether it is the first record of the track (TSB).
        origin: whose records.
        last: whether it is the last one of these tracks (TSE).
    """
    tracks, placed = picture.tracks, picture.placed
    count = len(chosen)
    position = tracks.state[chosen, :2]
    covariance = tracks.covariance[chosen, :2, :2]
    status = tracks.status[chosen]
    velocity, velocity_sigma = placed.velocity[chosen], placed.velocity_sigma[chosen]
    altitude, altitude_sigma = placed.altitude_m[chosen], placed.position_sigma[chosen, 2]
    with_altitude = (altitude >= LEAST_ALTITUDE_M) & (altitude <= MOST_ALTITUDE_M)
    with_altitude &= altitude_sigma <= MAX_ALTITUDE_SIGMA_M
    lsb_deg = 180.0 / 2**25
    longitude = np.round(placed.longitude_deg[chosen] / lsb_deg)
    longitude[longitude >= 2**25] = -(2.0**25)  # 180 degrees east is 180 west
    ages = np.stack([tracks.age[chosen], tracks.time_since_update[chosen]], axis=1)
    items = [
        _always(1, _big_endian(np.tile([origin.sac, origin.sic], (count, 1)), 1)),
        _always(4, _big_endian(np.full((count, 1), tracks.stamp_ns % DAY_NS // TICK_NS), 3)),
        _always(5, _big_endian(np.stack([placed.latitude_deg[chosen] / lsb_deg, longitude], axis=1), 4)),
        _where_it_fits(6, position / 0.5, 3),
        # "The y-axis points to the Geographical North at the location of the target."
        _where_it_fits(7, velocity[:, :2] / 0.25, 2),
        _always(12, _big_endian(numbers[:, None], 2)),
        _always(13, _track_status(status, with_altitude, first, origin, last=last)),
        _ages(ages),
        Item(
            18, _big_endian(np.where(with_altitude, altitude, 0.0)[:, None] / ALTITUDE_LSB_M, 2), with_altitude[:, None]
        ),
        _where_it_fits(20, np.where(with_altitude, velocity[:, 2], np.nan)[:, None] / CLIMB_LSB_MPS, 2),
        _accuracies(covariance, velocity_sigma, altitude_sigma, with_altitude),
    ]
    return _join(items, count)


def datagrams(all_records: Sequence[bytes]) -> list[bytes]:
    """Return the records in datablocks, one a datagram."""
    out: list[bytes] = []
    begin, size = 0, 3
    for i, record in enumerate(all_records):
        if size + len(record) > MAX_DATAGRAM_BYTES:
            out.append(_datablock(all_records[begin:i]))
            begin, size = i, 3
        size += len(record)
    if begin < len(all_records):
        out.append(_datablock(all_records[begin:]))
    return out


def _datablock(some_records: Sequence[bytes]) -> bytes:
    body = b"".join(some_records)
    return bytes([CATEGORY]) + (3 + len(body)).to_bytes(2, "big") + body


def _join(items: Sequence[Item], count: int) -> list[bytes]:
    """Return each record's field specification and items."""
    fspec = np.zeros((count, 1 + (max(item.frn for item in items) - 1) // 7), dtype=np.uint8)
    for item in items:
        octet, bit = divmod(item.frn - 1, 7)
        fspec[:, octet] |= np.where(item.sent.any(axis=1), 0x80 >> bit, 0).astype(np.uint8)
    for octet in range(fspec.shape[1] - 1):
        fspec[:, octet] |= fspec[:, octet + 1 :].any(axis=1).astype(np.uint8)  # FX: another octet follows
    octets = np.hstack([fspec, *(item.octets for item in items)])
    sent = np.hstack([fspec != 0, *(np.broadcast_to(item.sent, item.octets.shape) for item in items)])
    return [row[keep].tobytes() for row, keep in zip(octets, sent, strict=True)]


def _big_endian(values: Floats | Ints, size: int) -> Octets:
    """Return (N, K) rounded integers as (N, K * size) octets, two's complement."""
    whole = np.round(values).astype(">i8")
    octets = np.ascontiguousarray(whole).view(np.uint8).reshape(*whole.shape, 8)
    return octets[:, :, 8 - size :].reshape(len(whole), whole.shape[1] * size)


def _saturated(values: Floats, size: int) -> Octets:
    """The same of what cannot be negative: "maximum value means maximum value or above"."""
    return _big_endian(np.minimum(values, 2 ** (8 * size) - 1), size)


def _always(frn: int, octets: Octets) -> Item:
    return Item(frn, octets, np.ones((len(octets), 1), dtype=bool))


def _where_it_fits(frn: int, values: Floats, size: int) -> Item:
    """Return an item of (N, K) signed values, absent where one is unknown or too large for its octets."""
    fits = np.all(np.abs(values) < 2 ** (8 * size - 1) - 0.5, axis=1, keepdims=True)
    return Item(frn, _big_endian(np.where(fits, values, 0.0), size), fits)


def _track_status(status: Ints, with_altitude: Flags, first: Flags, origin: Origin, *, last: bool) -> Octets:
    """Return I062/080, (N, 4)."""
    coasting = status == TrackStatus.COASTING
    tentative = status == TrackStatus.TENTATIVE
    octet_1 = 0x80 * origin.monosensor | 0x20 | np.where(with_altitude, 2 << 2, 0) | np.where(tentative, 0x02, 0) | 1
    octet_2 = 0x80 * origin.simulated | 0x40 * last | np.where(first, 0x20, 0) | 1
    octet_3 = np.ones_like(octet_2)  # no amalgamation, no interrogation
    octet_4 = 0x38 | np.where(coasting, 0xC0, 0)  # CST, PSR; SSR, MDS, ADS: never any
    return np.stack([octet_1, octet_2, octet_3, octet_4], axis=1).astype(np.uint8)


def _ages(ages: Floats) -> Item:
    """Return I062/290 with the track's age and that of its last detection, from (N, 2) [s]."""
    known = np.all(ages >= 0.0, axis=1, keepdims=True)
    octets = _saturated(np.where(known, ages, 0.0) / 0.25, 1)
    return Item(14, np.hstack([np.full((len(ages), 1), 0xC0, dtype=np.uint8), octets]), known)


def _accuracies(covariance: Floats, velocity_sigma: Floats, altitude_sigma: Floats, with_altitude: Flags) -> Item:
    """Return I062/500: standard deviations of position, altitude, velocity and climb; absent where one is unknown.

    Args:
        covariance: (N, 2, 2) of x and y [m^2].
        velocity_sigma: (N, 3) [m/s].
        altitude_sigma: (N,) [m].
        with_altitude: (N,) whether the altitude is sent.
    """
    position = sigma_of(np.diagonal(covariance, axis1=1, axis2=2))
    cross = covariance[:, :1, 1]
    found = np.isfinite(np.hstack([position, cross, velocity_sigma]))
    known: Flags = np.logical_and.reduce(found, axis=1, keepdims=True)
    position, cross, velocity = (np.where(known, values, 0.0) for values in (position, cross, velocity_sigma))
    high = with_altitude[:, None]
    altitude = np.where(high, altitude_sigma[:, None], 0.0)
    signed_root = np.sign(cross) * np.sqrt(np.abs(cross))
    parts = [
        (np.where(high, 0xD5, 0xC4).astype(np.uint8), known),  # APC, COV, AGA, ATV, FX; or APC, COV, ATV
        (np.full(known.shape, 0x80, dtype=np.uint8), known & high),  # ARC
        (_saturated(position / 0.5, 2), known),
        (_big_endian(np.clip(signed_root / 0.5, -32767, 32767), 2), known),
        (_saturated(altitude / ALTITUDE_LSB_M, 1), known & high),
        (_saturated(velocity[:, :2] / 0.25, 1), known),
        (_saturated(velocity[:, 2:] / CLIMB_LSB_MPS, 1), known & high),
    ]
    sent = [np.broadcast_to(flags, octets.shape) for octets, flags in parts]
    return Item(27, np.hstack([octets for octets, _ in parts]), np.hstack(sent))
