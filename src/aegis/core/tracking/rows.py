"""All tracks as arrays, one row a track; and how they are kept over a restart."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import rows as kernels
from aegis.core.tracking import motion
from aegis.core.tracking.motion import Kinematics
from aegis.core.types import Floats, Ints

FORMAT = "aegis tracks 1"


@dataclass
class Rows:
    """N tracks in M modes with n state components. Arrays are replaced, not changed, so that an older picture stays as it was."""

    x: Floats  # (N, M, n)
    P: Floats  # (N, M, n, n)
    weight: Floats  # (N, M) of the modes
    existence: Floats  # (N,) probability
    lasting: Floats  # (N,) probability that the object, if it exists, is no transient
    hidden: Floats  # (N,) probability that it is hidden
    id: Ints  # 0 as long as the track has none
    birth: Ints  # number of the first detection, unique
    confirmed: NDArray[np.bool_]
    has_height: NDArray[np.bool_]
    born_ns: Ints
    updated_ns: Ints
    hits: Ints
    rcs_sum: Floats  # [dBsm] over `rcs_looks` detections
    rcs_looks: Floats
    class_id: Ints
    scatter: Floats  # standard deviation of an extended object's detections about its centre [m]

    def __len__(self) -> int:
        return len(self.id)

    @classmethod
    def empty(cls, modes: int, n: int) -> Rows:
        """Return no tracks."""
        integer = np.empty(0, dtype=np.int64)
        real = np.empty(0)
        boolean = np.empty(0, dtype=bool)
        return cls(
            np.empty((0, modes, n)), np.empty((0, modes, n, n)), np.empty((0, modes)), real, real, real, integer, integer, boolean,
            boolean, integer, integer, integer, real, real, integer, real,
        )  # fmt: skip

    def keep_and_add(self, keep: NDArray[np.bool_], born: Rows) -> Rows:
        """Return the rows chosen by `keep` (N,), and `born` after them."""
        if not len(born) and keep.all():
            return self
        index = np.flatnonzero(keep)
        n = len(index)
        out = []
        for name in _NAMES:
            old, new = getattr(self, name), getattr(born, name)
            both = np.empty((n + len(new), *old.shape[1:]), dtype=old.dtype)
            old.take(index, axis=0, out=both[:n], mode="clip")  # "raise" would copy once more
            both[n:] = new
            out.append(both)
        return Rows(*out)

    def mean(self, index: Ints | None = None) -> tuple[Floats, Floats]:
        """Return states (N, 6) and covariances (N, 6, 6), modes taken together, of some rows or all. May be views."""
        x, P, weight = self.x, self.P, self.weight
        if index is not None:
            x, P, weight = (a.take(index, axis=0) for a in (x, P, weight))
        if x.shape[1] == 1:
            return np.ascontiguousarray(x[:, 0, :6]), np.ascontiguousarray(P[:, 0, :6, :6])
        return motion.combine(Kinematics(x, P, weight))


_NAMES = tuple(f.name for f in fields(Rows))


class Sightings(NamedTuple):
    """What tracks keep of their detections: the columns of `Rows` of the same names (N,)."""

    hits: Ints
    updated_ns: Ints
    has_height: NDArray[np.bool_]
    rcs_sum: Floats
    rcs_looks: Floats

    def copy(self) -> Sightings:
        """Return the same in memory of its own."""
        return Sightings(
            self.hits.copy(), self.updated_ns.copy(), self.has_height.copy(), self.rcs_sum.copy(), self.rcs_looks.copy()
        )


def after_hits(
    before: Sightings, hit: Floats, best: Ints, detection: Ints, rcs: Floats, measured: NDArray[np.bool_], stamp_ns: int
) -> tuple[Sightings, Ints]:
    """Return the columns after a scan, and the rows (F,) that it probably showed.

    Args:
        before: the columns, which stay as they are.
        hit, best: (N,) probability that a track gave a detection, and its most probable pair, -1 for none.
        detection: (K,) of each pair; rcs (D,), measured (D, 4): of the detections.
        stamp_ns: of the scan.
    """
    after = before.copy()
    found = np.empty(len(hit), np.int64)
    n = kernels.after_hits(
        hit, best, detection, stamp_ns, rcs, measured.view(np.uint8), after.hits, after.updated_ns, after.has_height.view(np.uint8),
        after.rcs_sum, after.rcs_looks, found,
    )  # fmt: skip
    return after, found[:n]


def worth_keeping(
    existence: Floats, updated_ns: Ints, stamp_ns: int, lowest: float, max_coast_ns: int
) -> NDArray[np.bool_]:
    """Return (N,) which tracks stay: those just detected, and those still likely to exist and not silent for too long."""
    out = np.empty(len(existence), np.bool_)
    kernels.worth_keeping(existence, updated_ns, stamp_ns, lowest, max_coast_ns, out.view(np.uint8))
    return out


def changes(before: Ints, after: Ints) -> tuple[Ints, Ints]:
    """Return what is only in `after`, and what is only in `before`; all ascending, each once."""
    gained, lost = np.empty(len(after), np.int64), np.empty(len(before), np.int64)
    g, k = kernels.changes(before, after, gained, lost)
    return gained[:g], lost[:k]


class Shown(NamedTuple):
    """What the picture shows of S rows; arrays (S,)."""

    id: Ints
    hits: Ints
    status: Ints
    existence: Floats
    rcs: Floats  # mean [dBsm], NaN where none was stated
    looks: Floats
    speed: Floats  # [m/s]
    speed_sigma: Floats
    height: Floats  # above ground [m], NaN where it is not observed
    height_sigma: Floats
    age_s: Floats
    silent_s: Floats  # since the last detection


def shown_as(rows: Rows, index: Ints, mean: Floats, covariance: Floats, stamp_ns: int, ground: float) -> Shown:
    """Return what the picture shows.

    Args:
        rows: all tracks; index: (S,) those shown.
        mean, covariance: (S, 6) and (S, 6, 6) of these.
        stamp_ns: of the picture.
        ground: what heights are above [m].
    """
    whole, real = np.empty((3, len(index)), np.int64), np.empty((9, len(index)))
    kernels.shown_as(
        index, mean, covariance, rows.hits, rows.updated_ns, rows.has_height.view(np.uint8), rows.rcs_sum, rows.rcs_looks,
        rows.id, rows.existence, rows.born_ns, rows.confirmed.view(np.uint8), stamp_ns, ground, whole, real,
    )  # fmt: skip
    return Shown(*whole, *real)


def to_bytes(rows: Rows, now_ns: int, model: str) -> bytes:
    """Return a snapshot."""
    out = io.BytesIO()
    about = json.dumps({"format": FORMAT, "model": model, "now_ns": now_ns})
    np.savez(out, about=np.frombuffer(about.encode(), dtype=np.uint8), **{f: getattr(rows, f) for f in _NAMES})
    return out.getvalue()


def from_bytes(data: bytes, model: str) -> tuple[Rows, int]:
    """Return the rows and the time [ns] of a snapshot.

    Raises:
        ValueError: it is no snapshot of ours, or of another motion model.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            rows = Rows(*(file[f] for f in _NAMES))
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"no snapshot of tracks: {error}") from error
    if about.get("format") != FORMAT or about.get("model") != model:
        raise ValueError(
            f"a snapshot of format '{about.get('format')}', motion '{about.get('model')}', not of '{model}'"
        )
    blank = Rows.empty(len(motion.MODES[model]), motion.dimension(model))  # type: ignore[arg-type]
    for f in _NAMES:
        found, wanted = getattr(rows, f), getattr(blank, f)
        if found.shape[1:] != wanted.shape[1:] or len(found) != len(rows) or found.dtype != wanted.dtype:
            raise ValueError(f"a snapshot whose '{f}' has shape {found.shape} and type {found.dtype}")
    return rows, int(about["now_ns"])
