# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The history: queries and their answers."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from aegis.bridge.history.paging import MAX_CURSOR_CHARACTERS
from aegis.bridge.live import history_columns
from aegis.bridge.models.common import Model, with_columns
from aegis.bridge.models.threats import Assessment
from aegis.bridge.models.words import ClassWord, LevelWord, SeverityWord
from aegis.core.events import EVENT_NAMES

MAX_LIMIT = 1000
LAST_TRACK_ID = 2**32 - 1
_MOST_CHOICES = 32
_MOST_S = 2**31  # a stamp of ROS has its seconds in an int32


Seconds = Annotated[float, Field(ge=-_MOST_S, le=_MOST_S, allow_inf_nan=False)]
# PostgreSQL has no texts with NUL in them.
Word = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]


class Window(Model):
    """A time window of the history, and which page of it."""

    model_config = ConfigDict(populate_by_name=False)

    since_s: Seconds | None = Field(None, description="stamps from this on, seconds since 1970")
    until_s: Seconds | None = Field(None, description="stamps up to this")
    limit: int = Field(100, ge=1, le=MAX_LIMIT, description="rows of one page")
    cursor: str | None = Field(
        None,
        max_length=MAX_CURSOR_CHARACTERS,
        description="next_cursor of the page before; the other parameters as there",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since_s is not None and self.until_s is not None and self.since_s > self.until_s:
            raise ValueError("since_s lies after until_s")
        return self

    # A stamp since 1970 in seconds is exact to half a microsecond; a row is to be found by the stamp that it is shown with.

    @property
    def since_ns(self) -> int | None:
        """The first stamp."""
        return None if self.since_s is None else round(self.since_s * 1e9) - 1000

    @property
    def until_ns(self) -> int | None:
        """The last stamp."""
        return None if self.until_s is None else round(self.until_s * 1e9) + 1000


class RunQuery(Window):
    """A time window of what a graph made."""

    run_id: Word | None = Field(
        None,
        description="of this run. Left out: of those that lived then; what was played later only where none did",
    )


class ThreatQuery(RunQuery):
    """Which assessments."""

    track_id: int | None = Field(None, ge=0, le=LAST_TRACK_ID)
    level: list[LevelWord] = Field([], max_length=_MOST_CHOICES, description="one of these")
    class_name: list[ClassWord] = Field([], alias="class", max_length=_MOST_CHOICES, description="one of these")


class EventQuery(RunQuery):
    """Which events."""

    stage: list[Word] = Field([], max_length=_MOST_CHOICES, description="of one of these", examples=[["tracking"]])
    name: list[Word] = Field(
        [],
        max_length=_MOST_CHOICES,
        description=f"one of these; the graph has {', '.join(EVENT_NAMES)}",
        examples=[["THREAT_CRITICAL"]],
    )
    severity: list[SeverityWord] = Field([], max_length=_MOST_CHOICES, description="one of these")
    site: list[Word] = Field(
        [], max_length=_MOST_CHOICES, description="that an uplink has brought from one of these", examples=[["north"]]
    )


class DecisionQuery(Window):
    """Which decisions."""

    kind: Word | None = Field(None, examples=["ew_advice"])
    target_id: int | None = Field(None, ge=0, le=LAST_TRACK_ID)
    who: Word | None = None


class Answer(Model):
    """What every page of the history has."""

    count: int = Field(description="items of this page")
    pending: int = Field(description="messages that wait to get into the history; they are not in this page")
    next_cursor: str | None = Field(
        description="of the page after this one; null after the last", examples=["WzE3OTAwMDAwXQ"]
    )


@with_columns(history_columns.SCAN)
class PastThreat(Assessment):
    """An assessed track, at one scan."""


class PastThreats(Answer):
    """Assessments, newest first."""

    items: list[PastThreat]


@with_columns(history_columns.SAMPLE)
class TrackSample(Model):
    """Where a track was, in `map`; range, bearing and elevation are seen from the origin of `map`."""


class TrackHistory(Answer):
    """Samples of one track, newest first."""

    track_id: int
    items: list[TrackSample]


class ReplayQuery(Model):
    """Of which time, and with how long a way of each track."""

    t: Seconds = Field(description="seconds since 1970")
    trail_s: float = Field(0.0, ge=0.0, le=3600.0, description="how far back the ways of the tracks go")
    run_id: Word | None = Field(
        None,
        description="of this run. Left out: of the one that lived then, or, where none did, of the one that was played last",
    )

    @property
    def at_ns(self) -> int:
        """The time; as of a window, what has this stamp is to be found by it."""
        return round(self.t * 1e9) + 1000


@with_columns(history_columns.PAST_TRACK)
class PastTrack(Model):
    """A track in a picture of the past."""


class Replay(Model):
    """The last picture that was kept before a time, all of one run."""

    t_s: float = Field(description="the time that was asked for")
    runs: list[str] = Field(description="that have something on record of then; `run_id` shows another one")
    run_id: str | None = Field(description="of the picture; null: not known")
    received_s: float | None = Field(
        description="when it was received, where that is another time than its stamp: it was played; null: it lived then"
    )
    stamp_s: float | None = Field(description="of the picture; null: nothing is on record of then, whatever there was")
    age_s: float | None = Field(description="how much older than that time it is")
    tracks: list[PastTrack]
    threats: list[Assessment]
    trail_stamps_s: list[float] = Field(description="times of the points of the trails")
    trails: dict[str, list[tuple[float, float] | None]] = Field(
        description="by track, (east, north) at each of these times; null where it was not",
        examples=[{"41": [[1.0, 2.0]]}],
    )


class PastEvent(Model):
    """Something that happened in a stage; (run_id, stage, epoch, sequence) is it and no other."""

    stamp_s: float
    run_id: str = Field(description="one start of the whole graph")
    stage: str = Field(description="of another site's with its name before it: north/tracking")
    epoch: int = Field(description="how often the stage has been started within the run")
    sequence: int = Field(description="counts the stage's events; a missing one is a lost event")
    name: str = Field(examples=["TRACKING_UPDATED"])
    severity: str = Field(description="DEBUG, INFO, WARNING, ERROR")
    site: str = Field(description="that an uplink has brought it from; empty: this one", examples=["north"])
    received_s: float | None = Field(
        description="when it was received, where that is another time than its stamp: of what was played, or had to wait"
    )
    data: Any


class PastEvents(Answer):
    """Events, newest first."""

    items: list[PastEvent]


class Decision(Model):
    """What a person decided."""

    id: str
    stamp_s: float
    kind: str = Field(description="on what", examples=["ew_advice"])
    target_id: int = Field(description="of that")
    who: str
    accept: bool = Field(description="acknowledged, or rejected")
    detail: Any


class Decisions(Answer):
    """Decisions, newest first."""

    items: list[Decision]


class Backlog(Model):
    """What waits for the database."""

    messages: int
    bytes: int
    age_s: float = Field(description="of the oldest that could not be written yet")


class Acknowledged(Model):
    """Of one start of a stage: the events `first` to `sequence` are on the disk for good, with none missing between them."""

    run_id: str
    epoch: int
    first: int
    sequence: int
    highest: int = Field(description="number that is on the disk; beyond `sequence` where one before it is missing")


class Database(Model):
    """How the database is."""

    state: str = Field(description="up, away")
    since_s: float = Field(description="seconds since 1970")
    reason: str = Field(description="why it is away")
    bytes: int | None = Field(description="of the rows in it; null before the first look")


class HistoryStatus(Model):
    """How the history is doing; counts since the start."""

    database: Database
    backlog: Backlog
    queue_messages: int = Field(description="that wait in memory for the disk")
    journaled: int = Field(description="messages that got to the disk")
    shipped: int = Field(description="messages that got to the database")
    refused: int = Field(description="messages that the database did not take for what is in them; put aside")
    dropped: dict[str, int] = Field(description="messages dropped at a limit, by kind", examples=[{"tracks": 3}])
    removed_by_age: dict[str, int] = Field(
        description="rows older than history.days, by table", examples=[{"events": 70}]
    )
    removed_by_size: dict[str, int] = Field(
        description="rows beyond history.max_mb, by table", examples=[{"events": 3}]
    )
    journal_failures: int
    journals_set_aside: int = Field(description="corrupt files; what was in them is missing")
    acknowledged: dict[str, Acknowledged] = Field(description="by stage")
    oldest_s: dict[str, float | None] = Field(
        description="how far back each table goes, as of the last look; null: it is empty",
        examples=[{"events": 1790000000.5}],
    )
