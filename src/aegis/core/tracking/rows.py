"""All tracks as arrays, one row a track; and how they are kept over a restart."""

from __future__ import annotations

import io
import json
import math
import zipfile
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from aegis.core.compiled import compiled
from aegis.core.tracking import motion
from aegis.core.types import Floats, Ints, TrackStatus

FORMAT = "aegis tracks 1"
TENTATIVE, CONFIRMED, COASTING = int(TrackStatus.TENTATIVE), int(TrackStatus.CONFIRMED), int(TrackStatus.COASTING)


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
            # Contiguous even where the turn rate is left out: another layout would be compiled apart.
            return np.ascontiguousarray(x[:, 0, :6]), np.ascontiguousarray(P[:, 0, :6, :6])
        return motion.combine(x, P, weight)


_NAMES = tuple(f.name for f in fields(Rows))


@compiled
def after_hits(
    hit: Floats, best: Ints, detection: Ints, stamp_ns: int, rcs: Floats, measured: NDArray[np.bool_],
    hits: Ints, updated_ns: Ints, has_height: NDArray[np.bool_], rcs_sum: Floats, rcs_looks: Floats,
) -> tuple[Ints, Ints, NDArray[np.bool_], Floats, Floats, Ints]:  # fmt: skip
    """Return the columns `hits` to `rcs_looks` after a scan, and the rows (F,) that it probably showed.

    Args:
        hit, best: (N,) probability that a track gave a detection, and its most probable pair, -1 for none.
        detection: (K,) of each pair; rcs (D,), measured (D, 4): of the detections.
        hits to rcs_looks: (N,) before; they stay as they are.
    """
    hits, updated_ns, has_height = hits.copy(), updated_ns.copy(), has_height.copy()
    rcs_sum, rcs_looks = rcs_sum.copy(), rcs_looks.copy()
    found, n = np.empty(len(hit), np.int64), 0
    for t in range(len(hit)):
        if hit[t] <= 0.5 or best[t] < 0:
            continue
        d = detection[best[t]]
        hits[t] += 1
        updated_ns[t] = stamp_ns
        has_height[t] = has_height[t] or measured[d, 2]
        if math.isfinite(rcs[d]):
            rcs_sum[t] += rcs[d]
            rcs_looks[t] += 1.0
        found[n] = t
        n += 1
    return hits, updated_ns, has_height, rcs_sum, rcs_looks, found[:n]


@compiled
def worth_keeping(
    existence: Floats, updated_ns: Ints, stamp_ns: int, lowest: float, max_coast_ns: int
) -> NDArray[np.bool_]:
    """Return (N,) which tracks stay: those just detected, and those still likely to exist and not silent for too long."""
    keep = np.empty(len(existence), np.bool_)
    for t in range(len(existence)):
        silent_ns = stamp_ns - updated_ns[t]
        keep[t] = silent_ns <= 0 or (existence[t] >= lowest and silent_ns <= max_coast_ns)
    return keep


@compiled
def shown_as(
    index: Ints, mean: Floats, covariance: Floats, name: Ints, existence: Floats, hits: Ints, has_height: NDArray[np.bool_],
    rcs_sum: Floats, rcs_looks: Floats, born_ns: Ints, updated_ns: Ints, confirmed: NDArray[np.bool_], stamp_ns: int,
    ground: float,
) -> tuple[Ints, Floats, Ints, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Ints]:  # fmt: skip
    """Return what the picture shows of some rows (S,): id, existence, hits, mean RCS [dBsm] and looks, speed and its sigma [m/s],
    height above `ground` and its sigma [m], age and time since the last detection [s], status.

    Args:
        index: (S,) the rows; mean, covariance: (S, 6) and (S, 6, 6) of these; the others are of all rows.
    """
    S = len(index)
    rcs, looks, speed, speed_sigma = np.empty(S), np.empty(S), np.empty(S), np.empty(S)
    height, height_sigma, age_s, silent_s = np.empty(S), np.empty(S), np.empty(S), np.empty(S)
    status, ids, exists, seen = np.empty(S, np.int64), np.empty(S, np.int64), np.empty(S), np.empty(S, np.int64)
    for i in range(S):
        t = index[i]
        ids[i], exists[i], seen[i] = name[t], existence[t], hits[t]
        looks[i] = rcs_looks[t]
        rcs[i] = rcs_sum[t] / rcs_looks[t] if rcs_looks[t] > 0.0 else np.nan
        speed[i] = math.sqrt(mean[i, 3] ** 2 + mean[i, 4] ** 2 + mean[i, 5] ** 2)
        speed_sigma[i] = math.sqrt(covariance[i, 3, 3] + covariance[i, 4, 4] + covariance[i, 5, 5])
        height[i] = mean[i, 2] - ground if has_height[t] else np.nan
        height_sigma[i] = math.sqrt(covariance[i, 2, 2])
        age_s[i] = (stamp_ns - born_ns[t]) * 1e-9
        silent_s[i] = (stamp_ns - updated_ns[t]) * 1e-9
        status[i] = (COASTING if silent_s[i] > 0.0 else CONFIRMED) if confirmed[t] else TENTATIVE
    return ids, exists, seen, rcs, looks, speed, speed_sigma, height, height_sigma, age_s, silent_s, status


@compiled
def changes(before: Ints, after: Ints) -> tuple[Ints, Ints]:
    """Return what is only in `after`, and what is only in `before`; all ascending."""
    gained, lost, g, k = np.empty(len(after), np.int64), np.empty(len(before), np.int64), 0, 0
    i = j = 0
    while i < len(before) or j < len(after):
        if j == len(after) or (i < len(before) and before[i] < after[j]):
            lost[k] = before[i]
            k, i = k + 1, i + 1
        elif i == len(before) or after[j] < before[i]:
            gained[g] = after[j]
            g, j = g + 1, j + 1
        else:
            i, j = i + 1, j + 1
    return gained[:g], lost[:k]


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
