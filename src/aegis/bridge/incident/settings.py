# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the export of incidents."""

from __future__ import annotations

from aegis.core.params import Settings, param


class IncidentSettings(Settings):
    """What `GET /api/incident` may take of the machine, and where the recording is."""

    recording: str = param(
        "",
        "Recording whose part goes into an incident's zip, as `aegis record` writes it, also while it does. Empty, or not there:"
        " the zip is of the history alone.",
    )
    max_s: float = param(3600.0, "Longest time of one incident.", unit="s", gt=0, le=86400 * 7)
    max_mb: float = param(
        512.0, "Largest zip, and most that a recording may have of that time.", unit="MB", gt=0, le=1e5
    )
    timeout_s: float = param(120.0, "How long the making of a zip may take.", unit="s", ge=1, le=3600)
    memory_mb: float = param(2048.0, "How much memory the making of a zip may take.", unit="MB", ge=256, le=1e6)
