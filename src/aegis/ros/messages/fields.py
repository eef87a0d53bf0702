# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Stamps, headers, vectors: what all conversions share. Casts are explicit: rclpy does not check fields unless told to."""

from __future__ import annotations

import array
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Quaternion, Vector3
from numpy.typing import ArrayLike
from std_msgs.msg import Header

from aegis.core.types import Floats

# How far from 1 a quaternion's length may be; float32 arithmetic keeps it within 1e-6.
UNIT_TOLERANCE = 1e-3
PROOF = "proof"  # the field of messages that say that they come from a node of the graph


class Message(Protocol):
    """A message, request or response: of a class that rosidl has made. Types of fields are not known to type checkers."""

    @classmethod
    def get_fields_and_field_types(cls) -> dict[str, str]:
        """Return the definition: field to type, such as `sequence<double>`."""


class StampedMessage(Message, Protocol):
    """A message with a header, as every topic has that a stage reads."""

    header: Header


def time_from_ns(stamp_ns: int) -> Time:
    """Return a stamp from integer nanoseconds."""
    return Time(sec=int(stamp_ns // 1_000_000_000), nanosec=int(stamp_ns % 1_000_000_000))


def ns_from_time(stamp: Time) -> int:
    """Return a stamp as integer nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def stamp_of(message: object) -> int:
    """Return the header stamp of any message of the graph, in nanoseconds; 0 for one without a header (MarkerArray)."""
    header_ = getattr(message, "header", None)
    return ns_from_time(header_.stamp) if header_ is not None else 0


def set_stamp(message: object, at_ns: int) -> None:
    """Write the stamp of a message that has a header."""
    header_ = getattr(message, "header", None)
    if header_ is not None:
        header_.stamp = time_from_ns(at_ns)


def unstamped(what: str) -> str:
    """Return what to say of an input without a stamp, such as a cloud."""
    return (
        f"header.stamp of the {what} is zero: its driver has to set it to the time of the measurement, by the clock of ROS; without"
        " it no scan has a place in time (src/aegis/drivers/README.md, 'The stamp')"
    )


def make_header(at_ns: int, frame_id: str) -> Header:
    """Return a header."""
    return Header(stamp=time_from_ns(at_ns), frame_id=str(frame_id))


def set_header(message: StampedMessage, at_ns: int, frame_id: str) -> None:
    """Write the header of a new message; a second Header in its place would cost 2 us."""
    header = message.header
    header.stamp.sec, header.stamp.nanosec = divmod(int(at_ns), 1_000_000_000)
    header.frame_id = str(frame_id)


def pack(code: str, values: ArrayLike) -> array.array[Any]:
    """Return values of any shape as a flat `array.array` of the given type code, which is numpy's too."""
    return array.array(code, np.ascontiguousarray(values, dtype=code).tobytes())


def vector(kind: type[Point | Vector3], values: Floats) -> Point | Vector3:
    """Return a Point or Vector3 of (3,) values."""
    return kind(x=float(values[0]), y=float(values[1]), z=float(values[2]))


def finite_vector(v: Point | Vector3, where: str) -> Floats:
    """Return (3,) numbers of a Point or Vector3."""
    out = np.array([v.x, v.y, v.z], dtype=np.float64)
    if not np.isfinite(out).all():
        raise ValueError(f"{where} is {out.tolist()}; finite numbers are expected")
    return out


def unit_quaternion(q: Quaternion, where: str) -> Floats:
    """Return (4,) x y z w of length 1."""
    out = np.array([q.x, q.y, q.z, q.w], dtype=np.float64)
    if not np.isfinite(out).all():
        raise ValueError(f"{where} is {out.tolist()} (x y z w); finite numbers are expected")
    length = float(np.linalg.norm(out))
    if abs(length - 1.0) > UNIT_TOLERANCE:
        raise ValueError(
            f"{where} is {out.tolist()} (x y z w), of length {length:.6g}; a quaternion of length 1 is expected"
        )
    return out / length


def check_lengths(message: object, n: int, fields: Iterable[str]) -> None:
    """Check that the named arrays of a message have n entries.

    Raises:
        ValueError: one has not.
    """
    for name in fields:
        if len(getattr(message, name)) != n:
            raise ValueError(
                f"{type(message).__name__}.{name} has {len(getattr(message, name))} entries; {n} are expected"
            )
