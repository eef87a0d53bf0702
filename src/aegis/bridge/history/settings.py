# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the history."""

from __future__ import annotations

from pydantic import SecretStr

from aegis.core.params import Settings, param


class HistorySettings(Settings):
    """What is kept of the past, where, and for how long."""

    database_url: SecretStr = param(
        SecretStr(""),
        "Where history is kept besides, one database for one graph: 'postgresql://user:password@host/name'. It is fed from"
        " history.db in the state directory, and read in its place. 'sqlite:////path' puts history.db elsewhere.",
        env="DATABASE_URL",
        was="database_url",
    )
    days: float = param(
        30.0,
        "How far back history goes, by when a message was received: a recording that is played counts from then. What waits for"
        " PostgreSQL stays.",
        unit="d",
        gt=0,
        le=36500,
        was="history_days",
    )
    max_mb: float = param(
        2048.0,
        "History's size: beyond it what was received first goes, of everything but decisions and what waits for PostgreSQL.",
        unit="MB",
        gt=0,
        le=1e9,
        was="history_max_mb",
    )
    track_period_s: float = param(
        1.0,
        "Pause between the pictures of tracks that are kept, by their stamps; 0 keeps every one.",
        unit="s",
        ge=0,
        le=3600,
        was="history_track_period_s",
    )
    backlog_max_mb: float = param(
        512.0,
        "What may wait for PostgreSQL on this disk: beyond it no pictures of tracks are taken, beyond twice as much nothing.",
        unit="MB",
        gt=0,
        le=1e6,
        was="history_journal_max_mb",
    )
    queue_mb: float = param(
        16.0,
        "What may wait in memory for this disk; beyond it nothing is taken.",
        unit="MB",
        gt=0,
        le=1e5,
        was="history_queue_mb",
    )
