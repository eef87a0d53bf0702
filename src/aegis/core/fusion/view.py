# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The picture of the fused tracks: what their sources say of them, put together."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aegis.core.fusion import information
from aegis.core.fusion.source import Source
from aegis.core.fusion.system import System
from aegis.core.rows import take_rows
from aegis.core.types import ClassId, Floats, Ints, Tracks, TrackStatus

SEPARATOR = ","  # between the names of the sources that hold a track


def picture(
    system: System, sources: Iterable[Source], noise: Floats, now_ns: int, coast_s: float, confirm_probability: float,
    report: Tracks,
) -> Tracks:  # fmt: skip
    """Return the picture, and keep in the system what is shown of a track that no source holds any more.

    Args:
        system: the tracks; sources: all of them; noise: as in `information.carried`.
        now_ns: for when it holds; coast_s: for how long a track is shown that no source holds.
        confirm_probability: existence from which a track is confirmed.
        report: the last one, whose sensor_id and sequence the picture has.
    """
    sources = list(sources)
    n = len(system)
    ids, held_ns, holders = system.whole("id"), system.whole("held_ns"), system.whole("holders")
    absent, best, silent_s = np.ones(n), np.zeros(n), np.full(n, np.inf)
    said = np.zeros((2, n), np.bool_)
    loud, looks = np.zeros(n), np.zeros(n)
    for source in sources:
        last = source.tracks
        if last is None or source.lost or not n:
            continue
        index = np.flatnonzero(source.link > 0)
        row = np.searchsorted(ids, source.link[index])
        absent[row] *= 1.0 - last.existence_probability[index]
        said[0, row] |= last.status[index] == int(TrackStatus.CONFIRMED)
        said[1, row] |= last.status[index] == int(TrackStatus.COASTING)
        silent_s[row] = np.minimum(silent_s[row], (now_ns - last.stamp_ns) * 1e-9 + last.time_since_update[index])
        _take_class(system, row, last, index, best)
        stated = np.isfinite(last.rcs_dbsm[index])
        loud[row[stated]] += last.rcs_dbsm[index][stated]
        looks[row[stated]] += 1.0
    held = holders != 0
    system.real("existence")[held] = 1.0 - absent[held]
    system.real("rcs_dbsm")[held] = np.where(looks > 0.0, loud / np.maximum(looks, 1.0), np.nan)[held]
    sure = said[0] | (~said[1] & (system.real("existence") >= confirm_probability))
    system.flag("confirmed")[:] |= held & sure
    status = np.full(n, int(TrackStatus.TENTATIVE))
    status[said[1] | (~held & system.flag("confirmed"))] = int(TrackStatus.COASTING)
    status[held & sure] = int(TrackStatus.CONFIRMED)
    shown = np.flatnonzero(held | (system.flag("confirmed") & (now_ns - held_ns <= coast_s * 1e9)))
    dt = information.seconds(now_ns - system.whole("time_ns"))
    now = information.carried(system.estimate(), dt, noise)
    now.P[:, :2, :2] += system.real("unsure")
    whole = Tracks(
        stamp_ns=now_ns,
        frame_id=report.frame_id,
        sequence=report.sequence,
        sensor_id=report.sensor_id,
        track_id=ids,
        status=status,
        state=now.x,
        covariance=now.P,
        class_id=system.whole("class_id"),
        class_probability=system.real("class_probability"),
        existence_probability=system.real("existence"),
        rcs_dbsm=system.real("rcs_dbsm"),
        age=np.maximum((now_ns - system.whole("first_ns")) * 1e-9, 0.0),
        time_since_update=np.where(held, np.maximum(silent_s, 0.0), (now_ns - held_ns) * 1e-9),
        hits=system.whole("hits"),
    )
    out = take_rows(whole, shown)
    out.sources = _names(holders[shown], sources)
    return out


def _take_class(system: System, row: Ints, last: Tracks, index: Ints, best: Floats) -> None:
    """Give tracks the class of the source that is surest of one; `best` (N,) is how sure that is so far."""
    named = last.class_id[index] != int(ClassId.UNKNOWN)
    sure = np.where(named, 1.0, 0.0) + last.class_probability[index].max(axis=1, initial=0.0)
    better = sure > best[row]
    at, chosen = row[better], index[better]
    best[at] = sure[better]
    system.whole("class_id")[at] = last.class_id[chosen]
    system.real("class_probability")[at] = last.class_probability[chosen]


def _names(holders: Ints, sources: list[Source]) -> list[str]:
    """Return for each track the names of the sources that hold it."""
    masks, which = np.unique(holders, return_inverse=True)
    words = [SEPARATOR.join(sorted(s.name for s in sources if mask >> s.number & 1)) for mask in masks.tolist()]
    return [words[i] for i in which.tolist()]
