# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How something is doing: a level and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """As in diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class Health:
    """What a diagnostic says first."""

    level: Level = Level.OK
    text: str = "running"
