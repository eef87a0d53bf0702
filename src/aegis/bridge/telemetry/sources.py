# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the components of the bridge count, as it is exported to Prometheus: names, kinds, meanings.

A component has a function that returns its counts by key, and `Metrics.add_source` connects it with its table here. A key is
exported as `aegis_COMPONENT_KEY`; a counter gets `_total`, and a key in seconds, `..._s`, has its unit written out. A count may be
a mapping: then its keys are the values of the labels; or a word, the state that something is in: then it is the label of a 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Value = float | str | Mapping[str, float] | Mapping[tuple[str, ...], float] | None  # None: unknown now
Read = Callable[[], Mapping[str, Value]]

MAX_STAGE_SERIES = 32  # nearly three times the graph's, for stages of others
MAX_REASONS = 32  # of each stage


@dataclass(frozen=True)
class Measure:
    """One key of a component's counts."""

    kind: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...] = ()
    most: int = MAX_STAGE_SERIES  # series; more are left out and counted


def counter(text: str, *labels: str, most: int = MAX_STAGE_SERIES) -> Measure:
    """Declare what only grows while the process runs."""
    return Measure("counter", text, labels, most)


def gauge(text: str, *labels: str, most: int = MAX_STAGE_SERIES) -> Measure:
    """Declare what goes up and down."""
    return Measure("gauge", text, labels, most)


@dataclass(frozen=True)
class Source:
    """A component and the keys of its counts."""

    name: str
    measures: Mapping[str, Measure]

    def family(self, key: str) -> str:
        """Return the name that a key is exported under; a counter's is without its `_total`."""
        return f"aegis_{self.name}_{key.removesuffix('_s')}{'_seconds' if key.endswith('_s') else ''}"


STAGE = Source(
    "stage",
    {
        "status_age_s": gauge("Age of the stage's last status.", "stage"),
        "rate_hertz": gauge("Outputs a second over the last status period.", "stage"),
        "step_s": gauge("Duration of a step over the last status period.", "stage", "percentile", most=2 * MAX_STAGE_SERIES),
        "output_age_s": gauge(
            "Age of the measurement when the stage published, over the last status period.",
            "stage", "percentile", most=2 * MAX_STAGE_SERIES,
        ),
        "received": counter("Messages that the stage has received.", "stage"),
        "published": counter("Messages that the stage has published.", "stage"),
        "dropped": counter("Inputs that were dropped or refused whole.", "stage"),
        "objects_dropped": counter("Objects dropped from inputs that were used otherwise.", "stage"),
        "sequence_gaps": counter("Inputs that are missing by their sequence numbers.", "stage"),
        "errors": counter("Exceptions that the stage has caught.", "stage"),
        "dropped_by_reason": counter(
            "What was dropped, refused or repaired, by reason; 'other' is the rest of many.",
            "stage", "reason", most=MAX_STAGE_SERIES * (MAX_REASONS + 1),
        ),
    },
)  # fmt: skip

GRAPH = Source(
    "graph",
    {
        "ready": gauge("Whether every needed stage has reported within its period."),
        "stage_ready": gauge("Whether a needed stage has reported within its period.", "stage", most=1000),
        "data_age_s": gauge("Age of the measurement in the last message.", "topic"),
        "objects": gauge("Objects in the last message.", "topic"),
        "threats": gauge("Assessed tracks by level.", "level"),
        "scan_rate_hertz": gauge("Rate of the radar's scans, by their stamps."),
        "scans_lost": counter("Scans missing by their sequence numbers on the way to the bridge."),
        "events_received": counter("Events received."),
        "events_lost": counter("Events missing by their sequence numbers."),
        "stages_refused": counter("Status rows of stages beyond the most that are kept."),
    },
)

STREAM = Source(
    "stream",
    {
        "clients": gauge("WebSocket clients that have authenticated."),
        "radar_frames": counter("Messages radar_frame, with or without clients."),
        "threat_messages": counter("Messages threats, with or without clients."),
        "status_messages": counter("Messages system_status, with or without clients."),
        "queued_frames": gauge("Frames that wait for their clients to read."),
        "dropped_frames": counter("Frames dropped from full queues of clients, for newer ones."),
        "evicted_clients": counter("Clients cut off because they read nothing."),
        "errors": counter("Failures of the stream's housekeeping."),
    },
)

QUEUE = Source(
    "handover",
    {
        "waiting": gauge("Messages between the ROS thread and the event loop."),
        "dropped": counter("Messages dropped there for newer ones."),
        "errors": counter("Messages that could not be delivered."),
    },
)

LOG = Source(
    "log",
    {
        "waiting_bytes": gauge("Log lines that wait for the disk.", "log"),
        "written_lines": counter("Log lines written.", "log"),
        "dropped_lines": counter("Log lines dropped because too many waited.", "log"),
        "write_errors": counter("Failed attempts to write to a log file.", "log"),
    },
)

PROCESS = Source("process", {"threads": gauge("Threads of the bridge's process.")})

# What stores or forwards the graph's messages.

HISTORY = Source(
    "history",
    {
        "journaled": counter("Messages committed to history.db on this disk."),
        "shipped": counter("Messages that the history database has."),
        "refused": counter("Messages that the database has refused for good."),
        "dropped": counter("Messages dropped before they were committed.", "kind"),
        "removed_by_age": counter("Rows that were removed as older than history.days.", "table"),
        "removed_by_size": counter("Rows that were removed as history was larger than history.max_mb.", "table"),
        "backlog_messages": gauge("Committed messages that wait for PostgreSQL."),
        "backlog_bytes": gauge("Their size."),
        "backlog_age_s": gauge("Age of the oldest of them."),
        "queue_messages": gauge("Messages that wait to be committed."),
        "queue_bytes": gauge("Their size."),
        "journal_failures": counter("Failed attempts to write to history.db."),
        "journals_set_aside": counter("Corrupt files of history.db that were set aside."),
        "database_failures": counter(
            "Attempts to write to PostgreSQL that failed; what they were to write waits on this disk."
        ),
        "database": gauge("The state that the database is in.", "state"),
        "database_since_s": gauge("Since when it is in that state, as Unix time."),
        "database_bytes": gauge("Size of the database."),
    },
)

OUTPUTS = Source(
    "outputs",
    {
        f"{output}_{key}": measure
        for output, title in {"cot": "Cursor on Target", "cat062": "ASTERIX CAT062"}.items()
        for key, measure in {
            "sent": counter(f"Messages of {title} sent."),
            "dropped": counter(f"Messages of {title} dropped: no line, or a full one."),
            "errors": counter(f"Failures to send {title}."),
            "connected": gauge(f"Whether the line for {title} is up."),
        }.items()
    }
    | {"cat062_without_number": counter("Tracks for which no track number of ASTERIX CAT062 was left.")},
)

ACCOUNTS = Source(
    "accounts",
    {
        "audit_lost": counter("Entries of the audit that could not be written."),
        "audit_suppressed": counter("Entries of the audit left out, of too many alike."),
        "anonymous_denials": counter("Requests without a token where one is needed."),
        "poll_errors": counter("Failed looks for what other processes have revoked."),
    },
)

REPLICAS = Source(
    "replicas",
    {
        "redis_up": gauge("Whether the Redis that several bridges share answers."),
        "redis_failures": counter("Questions that it has not answered."),
        "foreign_messages": counter("Messages in it that no bridge of this graph has signed."),
        "bridges": gauge("Other bridges of this graph that live."),
        "revocations_unread": gauge("Whether no token is taken, as it is not known what was revoked."),
    },
)

ALL = (STAGE, GRAPH, STREAM, QUEUE, LOG, PROCESS, HISTORY, OUTPUTS, ACCOUNTS, REPLICAS)
