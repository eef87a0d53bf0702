# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The picture as it was at a time, with the ways that led there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from aegis.bridge.history.queries import assessments, integers, samples
from aegis.bridge.history.tables import THREATS, TRACK_SAMPLES
from aegis.bridge.live.columns import ASSESSMENT
from aegis.bridge.live.encoded import Row as JsonRow
from aegis.bridge.live.history_columns import PAST_TRACK

LONGEST_AGE_NS = 12_000_000_000  # a sensor that scans more slowly leaves gaps
MOST_TRAIL_STAMPS = 60
MOST_TRAIL_POINTS = 20_000


@dataclass(frozen=True)
class PastPicture:
    """What was kept last before a time. Pictures are kept about once a second, those without tracks are not."""

    stamp_ns: int | None  # None: nothing is on record of then
    tracks: list[JsonRow]
    threats: list[JsonRow]
    trail_stamps_s: list[float]
    trails: dict[
        str, list[tuple[float, float] | None]
    ]  # by track: (x, y) at each of these stamps; None where it was not


def picture(connection: Connection, at_ns: int, trail_ns: int = 0) -> PastPicture:
    """Return the picture of a time.

    Args:
        connection: to ask.
        at_ns: the time; the last picture up to it is taken, if it is no older than LONGEST_AGE_NS.
        trail_ns: how far back the ways of its tracks go; so many points a track that they are no more than MOST_TRAIL_POINTS.
    """
    when = TRACK_SAMPLES.c.stamp_ns
    found = select(func.max(when)).where(when <= at_ns, when >= at_ns - LONGEST_AGE_NS)
    stamp_ns: int | None = connection.execute(found).scalar()
    if stamp_ns is None:
        return PastPicture(None, [], [], [], {})
    rows = connection.execute(select(*TRACK_SAMPLES.c).where(when == stamp_ns).order_by(TRACK_SAMPLES.c.track_id)).all()
    # An assessment has the stamp of the picture that it is of.
    of_picture = select(*THREATS.c).where(THREATS.c.stamp_ns == stamp_ns).order_by(THREATS.c.score.desc())
    assessed = assessments(connection.execute(of_picture).all())
    stamps, trails = _trails(connection, integers(rows, "track_id").tolist(), stamp_ns, trail_ns)
    return PastPicture(stamp_ns, PAST_TRACK.rows(samples(rows)), ASSESSMENT.rows(assessed), stamps, trails)


def _trails(
    connection: Connection, tracks: Sequence[int], stamp_ns: int, trail_ns: int
) -> tuple[list[float], dict[str, list[tuple[float, float] | None]]]:
    if trail_ns <= 0 or not tracks:
        return [], {}
    when = TRACK_SAMPLES.c.stamp_ns
    every = select(when).where(when <= stamp_ns, when > stamp_ns - trail_ns).distinct().order_by(when)
    stamps = list(connection.execute(every).scalars())
    most = max(2, min(MOST_TRAIL_STAMPS, MOST_TRAIL_POINTS // len(tracks)))
    chosen = np.unique(np.linspace(0, len(stamps) - 1, min(most, len(stamps))).round().astype(int))
    stamps = [stamps[i] for i in chosen]
    rows = connection.execute(
        select(when, TRACK_SAMPLES.c.track_id, TRACK_SAMPLES.c.x, TRACK_SAMPLES.c.y).where(when.in_(stamps))
    ).all()
    place = {stamp: i for i, stamp in enumerate(stamps)}
    trails: dict[str, list[tuple[float, float] | None]] = {str(track): [None] * len(stamps) for track in tracks}
    for when_ns, track, x, y in rows:
        trail = trails.get(str(track))
        if trail is not None and x is not None and y is not None:
            trail[place[when_ns]] = (round(x, 2), round(y, 2))
    return [stamp / 1e9 for stamp in stamps], trails
