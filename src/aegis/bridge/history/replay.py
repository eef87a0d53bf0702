# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The picture as it was at a time, with the ways that led there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, Connection, select, true

from aegis.bridge.history.queries import assessments, integers, samples
from aegis.bridge.history.runs import NEAR_NS, run_of, runs_of, shown, together
from aegis.bridge.history.tables import THREATS, TRACK_SAMPLES
from aegis.bridge.live.columns import ASSESSMENT
from aegis.bridge.live.encoded import Row as JsonRow
from aegis.bridge.live.history_columns import PAST_TRACK

LONGEST_AGE_NS = NEAR_NS
MOST_TRAIL_STAMPS = 60
MOST_TRAIL_POINTS = 20_000


@dataclass(frozen=True)
class PastPicture:
    """What was kept last before a time, all of one run. Pictures are kept about once a second, those without tracks are not."""

    runs: list[str]  # that have something on record of then
    run_id: str | None  # of the picture; None: not known
    stamp_ns: int | None  # None: nothing is on record of then
    received_ns: int | None  # where that is another time than the stamp: it was played then
    tracks: list[JsonRow]
    threats: list[JsonRow]
    trail_stamps_s: list[float]
    trails: dict[
        str, list[tuple[float, float] | None]
    ]  # by track: (x, y) at each of these stamps; None where it was not


def picture(connection: Connection, at_ns: int, trail_ns: int = 0, run_id: str | None = None) -> PastPicture:
    """Return the picture of a time: of the run that lived then, else of the one that was played last.

    Args:
        connection: to ask.
        at_ns: the time; the last picture up to it is taken, if it is no older than LONGEST_AGE_NS.
        trail_ns: how far back the ways of its tracks go; so many points a track that they are no more than MOST_TRAIL_POINTS.
        run_id: of this run instead.
    """
    runs = runs_of(connection, at_ns - LONGEST_AGE_NS, at_ns)
    found = _last(connection, at_ns, run_id)
    if found is None:
        return PastPicture(runs, None, None, None, [], [], [], {})
    stamp_ns, received_ns = found
    of = TRACK_SAMPLES.c
    chosen = select(*of).where(of.stamp_ns == stamp_ns, of.received_ns.is_not_distinct_from(received_ns))
    rows = connection.execute(chosen.order_by(of.track_id)).all()
    # An assessment has the stamp of the picture that it is of.
    of_picture = select(*THREATS.c).where(THREATS.c.stamp_ns == stamp_ns, together(THREATS, received_ns))
    assessed = assessments(connection.execute(of_picture.order_by(THREATS.c.score.desc())).all())
    run = run_of(connection, stamp_ns, received_ns)
    late = received_ns is not None
    same = shown(TRACK_SAMPLES, run) if run is not None and (late or run_id) else of.received_ns.is_not(None) == late
    stamps, trails = _trails(connection, integers(rows, "track_id").tolist(), stamp_ns, trail_ns, same)
    tracks, threats = PAST_TRACK.rows(samples(rows)), ASSESSMENT.rows(assessed)
    return PastPicture(runs, run, stamp_ns, received_ns, tracks, threats, stamps, trails)


def _last(connection: Connection, at_ns: int, run_id: str | None) -> tuple[int, int | None] | None:
    """Return stamp and time of receipt of the last picture up to a time, as `shown` has it."""
    of = TRACK_SAMPLES.c
    of_then = select(of.stamp_ns, of.received_ns).where(of.stamp_ns <= at_ns, of.stamp_ns >= at_ns - LONGEST_AGE_NS)
    wanted = true() if run_id is None else shown(TRACK_SAMPLES, run_id)
    on_time = of_then.where(of.received_ns.is_(None), wanted).order_by(of.stamp_ns.desc())
    # Played more than once, it is what came last.
    later = of_then.where(of.received_ns.is_not(None), shown(TRACK_SAMPLES, run_id)).order_by(of.received_ns.desc())
    found = connection.execute(on_time.limit(1)).first() or connection.execute(later.limit(1)).first()
    return None if found is None else (found.stamp_ns, found.received_ns)


def _trails(
    connection: Connection, tracks: Sequence[int], stamp_ns: int, trail_ns: int, same: ColumnElement[bool]
) -> tuple[list[float], dict[str, list[tuple[float, float] | None]]]:
    if trail_ns <= 0 or not tracks:
        return [], {}
    when = TRACK_SAMPLES.c.stamp_ns
    every = select(when).where(when <= stamp_ns, when > stamp_ns - trail_ns, same).distinct().order_by(when)
    stamps = list(connection.execute(every).scalars())
    most = max(2, min(MOST_TRAIL_STAMPS, MOST_TRAIL_POINTS // len(tracks)))
    chosen = np.unique(np.linspace(0, len(stamps) - 1, min(most, len(stamps))).round().astype(int))
    stamps = [stamps[i] for i in chosen]
    rows = connection.execute(
        select(when, TRACK_SAMPLES.c.track_id, TRACK_SAMPLES.c.x, TRACK_SAMPLES.c.y).where(when.in_(stamps), same)
    ).all()
    place = {stamp: i for i, stamp in enumerate(stamps)}
    trails: dict[str, list[tuple[float, float] | None]] = {str(track): [None] * len(stamps) for track in tracks}
    for when_ns, track, x, y in rows:
        trail = trails.get(str(track))
        if trail is not None and x is not None and y is not None:
            trail[place[when_ns]] = (round(x, 2), round(y, 2))
    return [stamp / 1e9 for stamp in stamps], trails
