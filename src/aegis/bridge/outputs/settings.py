"""Parameters of this room."""

from __future__ import annotations

from aegis.core.params import Settings


class OutputSettings(Settings):
    """Where the picture goes in other people's formats."""
