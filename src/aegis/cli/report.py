# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis report`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from aegis.cli.values import sets_option

EXIT_WRONG = 2


@click.command()
@click.argument("bag", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", "page", type=click.Path(dir_okay=False, path_type=Path),
    help="Page to write [BAG's name with .html, here].",
)  # fmt: skip
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the same as JSON too."
)
@click.option(
    "--requirements", "wanted", metavar="NAME|FILE", help="Check these limits; exit code 1 where one does not hold."
)
@click.option("--truth", metavar="FILE|TOPIC", help="As of `aegis evaluate` [the topic truth, where BAG has it].")
@click.option("--no-truth", is_flag=True, help="Leave truth alone: it takes by far the longest of a long bag.")
@click.option("--site", metavar="LAT,LON,ALT", help="Where map is on Earth, for such a file [bridge.outputs.site].")
@click.option(
    "--bridge", default="http://localhost:8000", show_default=True, metavar="URL", help="Whose page the links open."
)
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Parameter file of the graph that made BAG: the sensor's place and the assets are read from it.",
)  # fmt: skip
@sets_option
def report(
    bag: Path,
    page: Path | None,
    json_file: Path | None,
    wanted: str | None,
    truth: str | None,
    no_truth: bool,
    site: str | None,
    bridge: str,
    config: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Make one page of what a bag shows, which asks no network; links lead into replay.

    A map, threats and alarms over time, latencies of the stages, what was dropped and why, the five worst tracks; where truth is
    known, also what `aegis evaluate` says. BAG is a recorded graph, or what `aegis process` wrote. What it does not have is said
    in words. A damaged bag is shown up to the damage.

    Exit codes: 0 done; 1 a requirement does not hold, or there was no data for it, or the bag is damaged or has messages
    that cannot be read; 2 wrong arguments or input.
    """
    from aegis.core.params import ConfigError
    from aegis.graph.config import Parameters
    from aegis.graph.evaluation.requirement_file import load_requirements
    from aegis.graph.report.page import as_page
    from aegis.graph.report.report import document, make_report
    from aegis.ros.bag import BagError

    page = page or Path(f"{bag.absolute().name}.html")
    given = {"--json": json_file, "--requirements": wanted, "--truth": truth, "--site": site, "--config": config}
    words = ["aegis", "report", str(bag), "-o", str(page), "--bridge", bridge]
    words += [word for option, value in given.items() if value is not None for word in (option, str(value))]
    words += ["--no-truth"] if no_truth else []
    words += [word for one in sets for word in ("--set", one)]
    try:
        made = make_report(
            bag,
            truth=truth,
            judged=not no_truth,
            site=site,
            requirements=load_requirements(wanted) if wanted else None,
            parameters=Parameters.read(config, sets),
            bridge=bridge,
            words=words,
        )
    except (BagError, ConfigError, ValueError) as error:
        click.echo(f"aegis report: {error}", err=True)
        sys.exit(EXIT_WRONG)
    try:
        text = as_page(made)
        page.write_text(text, encoding="utf-8")
        if json_file is not None:
            json_file.write_text(json.dumps(document(made)), encoding="utf-8")
    except OSError as error:
        click.echo(f"aegis report: {error.filename} cannot be written: {error.strerror}", err=True)
        sys.exit(EXIT_WRONG)
    click.echo(f"{page}: {len(text.encode()) / 1e3:.0f} kB on {made.contents.duration_s:.1f} s")
    for text in made.contents.refused:
        click.echo(f"aegis report: not read: {text}", err=True)
    if made.contents.damage:
        click.echo(f"aegis report: {made.contents.damage}", err=True)
    if made.asked and made.judgement is None:
        click.echo(f"aegis report: requirements not checked, so not passed: {made.not_judged}", err=True)
    for row in made.judgement.rows if made.judgement is not None else ():
        if not row.passed:
            click.echo(f"aegis report: {row.measure} {row.limit}: {row.verdict}", err=True)
    sys.exit(0 if made.passed else 1)
