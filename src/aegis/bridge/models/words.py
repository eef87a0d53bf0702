# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters that name a member of an enumeration: `class=DRONE`, `level=HIGH`."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from aegis.core.events import Severity
from aegis.core.types import ClassId, ThreatLevel, TrackStatus


def _pick(kind: type[IntEnum]) -> BeforeValidator:
    """Return what makes a parameter take a name of an enumeration."""

    def pick(name: Any) -> IntEnum:
        if name not in kind.__members__:
            raise ValueError(f"one of {', '.join(kind.__members__)} is expected")
        return kind[name]

    return BeforeValidator(pick)


def _named(kind: type[IntEnum]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(kind.__members__)})


ClassWord = Annotated[ClassId, _pick(ClassId), _named(ClassId)]
LevelWord = Annotated[ThreatLevel, _pick(ThreatLevel), _named(ThreatLevel)]
StatusWord = Annotated[TrackStatus, _pick(TrackStatus), _named(TrackStatus)]
SeverityWord = Annotated[Severity, _pick(Severity), _named(Severity)]
