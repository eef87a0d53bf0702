# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""radar_frame in few bytes: scaled integers, and of the tracks only what has changed since the frame before.

docs/bridge.md describes the format. Clients with equal subscriptions get the same frames; a full one begins, and mends a gap.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aegis.bridge.live.columns import class_confidence, plot_confidence
from aegis.bridge.live.encoded import Index
from aegis.bridge.live.frames import RadarFrame
from aegis.core.types import Detections, Floats, Ints, Tracks

Codes = NDArray[np.int64]

VERSION = 1
FULL, HAS_DETECTIONS, HAS_TRACKS = 1, 2, 4
NULL = -(2**62)
_MOST = 2.0**52  # beyond it a scaled number is unknown: a double would not hold it, nor a browser read it
_BITS = 7  # of a byte of a number; the eighth says that more follow


@dataclass(frozen=True)
class Scaled:
    """A column: its values, how many steps make a unit."""

    values: Callable[[Any], Floats | Ints | list[float]]
    steps: float = 1.0


def _state(k: int) -> Scaled:
    return Scaled(lambda t: t.state[:, k], 1e4)


TRACK = (
    *map(_state, range(6)),
    Scaled(lambda t: t.time_since_update, 1e3),
    Scaled(lambda t: class_confidence(t.class_id, t.class_probability), 1e4),
    Scaled(lambda t: t.class_id),
    Scaled(lambda t: t.status),
)
DETECTION = (
    Scaled(lambda d: d.id),
    Scaled(lambda d: d.class_id),
    Scaled(lambda d: plot_confidence(d), 1e4),
    Scaled(lambda d: d.range, 1e2),
    Scaled(lambda d: np.degrees(d.azimuth), 1e4),
    Scaled(lambda d: np.degrees(d.elevation), 1e4),
    Scaled(lambda d: d.range_rate, 1e3),
    Scaled(lambda d: d.snr_db, 1e2),
    Scaled(lambda d: d.rcs_dbsm, 1e2),
)


def codes(columns: tuple[Scaled, ...], data: Detections | Tracks, index: Index) -> Codes:
    """Return (N, columns) whole numbers of the wanted objects; NULL is unknown."""
    n = len(data) if index is None else len(index)
    out = np.empty((n, len(columns)), dtype=np.int64)
    for k, column in enumerate(columns):
        values = np.asarray(column.values(data), dtype=float)
        scaled = np.round((values if index is None else values[index]) * column.steps)
        with np.errstate(invalid="ignore"):
            known = np.abs(scaled) < _MOST
        out[:, k] = np.where(known, scaled, 0.0)
        out[~known, k] = NULL
    return out


def varints(numbers: NDArray[np.uint64]) -> bytes:
    """Return each number in bytes of seven bits, the lowest first; all but the last byte of a number have their highest bit set."""
    lengths = np.ones(len(numbers), dtype=np.int64)
    left = numbers >> np.uint64(_BITS)
    while left.any():
        lengths += left > 0
        left >>= np.uint64(_BITS)
    begins = np.cumsum(lengths) - lengths
    out = np.empty(int(lengths.sum()), dtype=np.uint8)
    for k in range(int(lengths.max(initial=0))):
        there = np.flatnonzero(lengths > k)
        part = (numbers[there] >> np.uint64(_BITS * k)) & np.uint64(127)
        out[begins[there] + k] = part.astype(np.uint8) | np.where(lengths[there] > k + 1, 128, 0).astype(np.uint8)
    return out.tobytes()


def signed(differences: Codes, unknown: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return signed numbers as unsigned ones: 0 is unknown, then 0, -1, 1, -2, 2..."""
    folded = ((differences << 1) ^ (differences >> 63)).astype(np.uint64) + np.uint64(1)
    return np.where(unknown, np.uint64(0), folded)


def _number(value: int) -> bytes:
    return varints(np.array([value], dtype=np.uint64))


def _scaled(value: float | None, steps: float) -> bytes:
    known = value is not None and abs(value * steps) < _MOST
    number = np.array([round(value * steps) if known and value is not None else 0], dtype=np.int64)
    return varints(signed(number, np.array([not known])))


def _text(text: str) -> bytes:
    data = text.encode()
    return _number(len(data)) + data


class RadarBody(dict[str, object]):
    """The body of a radar_frame message, and what it was made of."""

    def __init__(self, body: dict[str, object], frame: RadarFrame, detections: Index, tracks: Index) -> None:
        super().__init__(body)
        self.frame = frame
        self.detections = detections  # which are wanted
        self.tracks = tracks


class DeltaEncoder:
    """Makes the frames of one subscription, each from the one before."""

    def __init__(self) -> None:
        self._frame: int | None = None  # number of the last one
        self._body: RadarBody | None = None
        self._ids: Codes = np.empty(0, dtype=np.int64)
        self._tracks: Codes = np.empty((0, len(TRACK)), dtype=np.int64)

    @property
    def begun(self) -> bool:
        """Whether there is something that a full frame could tell."""
        return self._frame is not None

    def delta(self, number: int, body: RadarBody) -> bytes:
        """Return the next frame; a full one where it is the first."""
        base, self._frame, self._body = self._frame, number, body
        before_ids, before = self._ids, self._tracks
        has_tracks = body.frame.tracks is not None
        if body.frame.tracks is not None:
            data = body.frame.tracks.data
            ids = np.asarray(data.track_id if body.tracks is None else data.track_id[body.tracks], dtype=np.int64)
            order = np.argsort(ids, kind="stable")
            self._ids, self._tracks = ids[order], codes(TRACK, data, body.tracks)[order]
        if base is None:
            return self.full()
        head = self._head(HAS_TRACKS if has_tracks else 0, base)
        return head + (_changes(before_ids, before, self._ids, self._tracks) if has_tracks else b"")

    def full(self) -> bytes:
        """Return all that the last frame told, and the tracks of before where it had none; only when begun."""
        nothing = self._ids[:0], self._tracks[:0]
        return self._head(FULL | HAS_TRACKS, 0) + _changes(*nothing, self._ids, self._tracks)

    def _head(self, flags: int, base: int) -> bytes:
        assert self._body is not None
        assert self._frame is not None
        frame, head, sensor = self._body.frame, self._body.frame.main.head(), self._body["sensor"]
        assert isinstance(sensor, dict)
        detections = frame.detections
        out = [
            bytes((VERSION, flags | (HAS_DETECTIONS if detections else 0))),
            _number(self._frame),
            _number(base),
            struct.pack("<d", head["stamp_s"]),
            _scaled(head["age_s"], 1e3),
            _number(head["sequence"]),
            _text(head["sensor_id"]),
            _text(head["frame_id"]),
            *(_scaled(sensor[key], 1e3) for key in ("x_m", "y_m", "z_m")),
            _scaled(sensor["heading_deg"], 1e4),
            _scaled(self._body["turn_s"], 1e3),  # type: ignore[arg-type]
        ]
        if detections:
            rows = codes(DETECTION, detections.data, self._body.detections)
            out += [_number(len(rows)), varints(signed(rows, rows == NULL).ravel())]
        return b"".join(out)


def _changes(before_ids: Codes, before: Codes, ids: Codes, now: Codes) -> bytes:
    """Return which tracks are gone, and of the others what has changed, from one table to the next; ids ascend."""
    gone = before_ids[~np.isin(before_ids, ids)]
    old = np.zeros_like(now)
    if len(before_ids):
        at = np.minimum(np.searchsorted(before_ids, ids), len(before_ids) - 1)
        known = before_ids[at] == ids
        old[known] = before[at[known]]
    else:
        known = np.zeros(len(ids), dtype=bool)
    changed = (now != old) | ~known[:, None]
    told = np.flatnonzero(changed.any(axis=1))
    fields = changed[told]
    table = np.empty((len(told), 2 + now.shape[1]), dtype=np.uint64)
    table[:, 0] = np.diff(ids[told], prepend=0)
    table[:, 1] = fields @ (1 << np.arange(now.shape[1]))
    table[:, 2:] = signed(now[told] - np.where(old == NULL, 0, old)[told], now[told] == NULL)
    wanted = np.concatenate([np.ones((len(told), 2), dtype=bool), fields], axis=1)
    return (
        _number(len(gone))
        + varints(np.diff(gone, prepend=0).astype(np.uint64))
        + _number(len(told))
        + varints(table[wanted])
    )
