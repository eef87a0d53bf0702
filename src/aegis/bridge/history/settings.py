"""Parameters of this room."""

from __future__ import annotations

from aegis.core.params import Settings


class HistorySettings(Settings):
    """What is kept of the past, where, and for how long."""
