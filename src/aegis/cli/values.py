# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Kinds of values that options take, and an option that several commands have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from aegis.graph.watchdog import hang_after_s

sets_option = click.option(
    "--set", "sets", multiple=True, metavar="NODE.KEY=VALUE", help="Set one parameter, above the file. Repeatable."
)


class UtcTime(click.ParamType[int]):
    """A time as in ISO 8601, UTC where it says no zone; gives Unix nanoseconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the time."""
        if isinstance(value, int):
            return value
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"'{value}' is no time; as in 2026-07-01T08:00:00 (UTC), or with +02:00", param, ctx)
        return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1e3) * 1_000_000


class HangAfter(click.ParamType[float]):
    """Seconds after which a loop hangs: 0, or what a loop that has nothing to do keeps to."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        try:
            return hang_after_s(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
