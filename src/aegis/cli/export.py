# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis export`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from aegis.cli.values import UtcTime, sets_option

EXIT_WRONG = 2


@click.command()
@click.option("--from", "from_ns", type=UtcTime(), metavar="TIME", help="As 2026-07-01T08:00:00, UTC.")
@click.option("--to", "to_ns", type=UtcTime(), metavar="TIME", help="The same.")
@click.option("--bag", type=click.Path(path_type=Path), help="A recording that has this time, as of `aegis record`.")
@click.option(
    "--history",
    metavar="FILE|URL",
    envvar="AEGIS_EXPORT_HISTORY",
    help="history.db of the bridge (in its state directory), or postgresql://...; else what AEGIS_EXPORT_HISTORY says.",
)
@click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Zip to write; needs --from and --to.",
)
@click.option(
    "--rerun",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of Rerun (.rrd) to write, of the bag: tracks, detections, events; all without --from and --to (aegis[rerun]).",
)
@click.option("--site", metavar="LAT,LON,ALT", help="Where map is on Earth, for CoT [bridge.outputs.site].")
@click.option(
    "--bridge",
    default="http://localhost:8000",
    show_default=True,
    metavar="URL",
    help="Whose page the report's links open.",
)
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Parameter file of the graph: its sensor, assets, site and CoT are read from it.",
)  # fmt: skip
@click.option(
    "--max-mb",
    type=click.FloatRange(0, min_open=True),
    metavar="MB",
    help="Refuse a zip, or a time of the bag, that is larger.",
)
@sets_option
def export(
    from_ns: int | None,
    to_ns: int | None,
    bag: Path | None,
    history: str | None,
    out: Path | None,
    rerun: Path | None,
    site: str | None,
    bridge: str,
    config: Path | None,
    max_mb: float | None,
    sets: tuple[str, ...],
) -> None:
    """Write what happened in a time into one zip: of a bag, of the history, or of both.

    Of the bag its part (a bag again, which begins with what latched topics had told), the report on it, and what it tells of
    decisions; of the history the decisions of people (threats and alarms acknowledged, notes, advice accepted or rejected) and
    the events; the tracks as Cursor on Target. incident.json says what is not in it and why, and has the checksums.
    """
    from aegis.core.params import ConfigError
    from aegis.graph.config import Parameters
    from aegis.graph.incident.export import Wanted, lines
    from aegis.graph.incident.export import export as write
    from aegis.ros.bag import BagError

    if rerun is not None:
        _write_rerun(rerun, bag, config, sets, from_ns, to_ns)
        if out is None:
            return
    if out is None or from_ns is None or to_ns is None:
        raise click.UsageError("--from, --to and -o are needed, or --rerun")
    named = history if history is None or "://" not in history else "URL"  # which may have a password in it
    given = {
        "--from": _iso(from_ns),
        "--to": _iso(to_ns),
        "--bag": bag,
        "--history": named,
        "--site": site,
        "--config": config,
    }
    words = ["aegis", "export", "-o", str(out)]
    words += [word for option, value in given.items() if value is not None for word in (option, str(value))]
    words += [word for one in sets for word in ("--set", one)]
    try:
        max_bytes = None if max_mb is None else round(max_mb * 1e6)
        wanted = Wanted(from_ns, to_ns, bag, history, site, bridge, words, max_bytes)
        done = write(wanted, Parameters.read(config, sets), out)
    except (BagError, ConfigError, ValueError) as error:
        click.echo(f"aegis export: {error}", err=True)
        sys.exit(EXIT_WRONG)
    click.echo("\n".join([f"{out}:", *lines(done)]))


def _write_rerun(
    out: Path, bag: Path | None, config: Path | None, sets: tuple[str, ...], from_ns: int | None, to_ns: int | None
) -> None:
    from aegis.core.params import ConfigError
    from aegis.graph.config import Parameters
    from aegis.graph.rerun_file import write_rerun
    from aegis.ros.bag import BagError

    if bag is None:
        raise click.UsageError("--rerun is of a bag: --bag")
    span = (0 if from_ns is None else from_ns, 2**63 if to_ns is None else to_ns)
    try:
        counts = write_rerun(bag, out, Parameters.read(config, sets), *span)
    except (BagError, ConfigError, ValueError) as error:
        click.echo(f"aegis export: {error}", err=True)
        sys.exit(EXIT_WRONG)
    click.echo("\n".join([f"{out}:", *(f"{name}: {n} messages" for name, n in sorted(counts.items()))]))


def _iso(time_ns: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat(timespec="milliseconds")
