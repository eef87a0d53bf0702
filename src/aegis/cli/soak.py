# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis soak`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "--hours", type=click.FloatRange(min=0, min_open=True), required=True, help="How long it runs; .02 is 72 s."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the faults and the clients.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as JSON too."
)
@click.option("--faults/--no-faults", default=True, show_default=True, help="Inject faults.")
@click.option(
    "--slack",
    type=click.FloatRange(min=1),
    default=1.0,
    show_default=True,
    help="Multiplies the bounds of times, on a busy machine.",
)
def soak(hours: float, seed: int, json_file: Path | None, faults: bool, slack: float) -> None:
    """Run the whole graph for hours, with simulated traffic, clients that come and go, and faults, and report.

    The graph is one of its own: ports, ROS domain and state directory are free ones, and go with it. Faults are drawn from
    docs/faults.md (processes killed and stopped, wrong and lying messages, strangers on DDS, wrong requests), at random with the
    seed. Bounds: memory of each process (1 MB an hour after the first; 30 MB in a shorter life), tracks on time (p95 .5 s with no
    fault under way), whole again after a fault (p95 5 s, 30 s at most), nothing lost from history, no wrong output (not finite,
    another frame, ahead of the clock, old shown as new, an answer of 5xx but 503).

    Exit codes: 0 within its bounds; 1 not; 2 wrong arguments, or the graph does not start. Ctrl-C ends it, with a report.
    """
    from aegis.bench import BenchmarkError
    from aegis.bench.soak.run import soak as run

    try:
        report = run(hours, seed, faults=faults, slack=slack)
    except BenchmarkError as error:
        click.echo(f"aegis soak: {error}", err=True)
        sys.exit(2)
    if json_file is not None:
        json_file.write_text(json.dumps(report.document(), indent=1), encoding="utf-8")
    click.echo("\n".join(report.lines()))
    sys.exit(0 if report.passed else 1)
