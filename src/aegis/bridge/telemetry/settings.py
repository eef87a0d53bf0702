"""Parameters of this room."""

from __future__ import annotations

from aegis.core.params import Settings


class TelemetrySettings(Settings):
    """What the bridge logs."""
