# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The file in which the threat node keeps its alarms, what people did with them included."""

from __future__ import annotations

import json
from pathlib import Path

from aegis.core.threat.alarms import AlarmBook
from aegis.state import move_aside, try_to_keep


def take_kept_alarms(book: AlarmBook, path: Path | None) -> None:
    """Let a book go on with what the file keeps; one that is damaged is moved aside, and nothing is taken of it."""
    if path is None:
        return
    try:
        book.take_kept(json.loads(path.read_bytes()))
    except OSError:
        pass  # not there, or no disk
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        move_aside(path, f"not a file of alarms: {error}")


def keep_alarms(book: AlarmBook, path: Path | None, *, durable: bool) -> None:
    """Write what a book keeps; with `durable` it is on the disk before a person is answered."""
    if path is not None:
        try_to_keep(path, json.dumps(book.kept()).encode(), durable=durable)
