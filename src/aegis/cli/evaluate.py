# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis evaluate`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from aegis.cli.values import sets_option

EXIT_WRONG = 2


@click.command()
@click.argument("bag", type=click.Path(path_type=Path), required=False)
@click.option(
    "--truth",
    metavar="FILE|TOPIC",
    help="CSV or GeoJSON of places in time, aircraft.json, ASTERIX CAT021, AIS; or a topic of BAG [truth].",
)
@click.option("--site", metavar="LAT,LON,ALT", help="Where map is on Earth, for such a file [bridge.outputs.site].")
@click.option("--truth-offset", type=float, default=0.0, metavar="S", help="Added to the times of such a file.")
@click.option(
    "--requirements", "wanted", metavar="NAME|FILE", help="Check these limits; exit code 1 where one does not hold."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page too: map, gaps, ranges, the worst tracks.",
)
@click.option(
    "--gate", type=click.FloatRange(min=0, min_open=True), metavar="M",
    help="A track shows an object within this distance [the requirements', else 1 % of the farthest object's].",
)  # fmt: skip
@click.option(
    "--dimensions", type=click.IntRange(2, 3), default=2, show_default=True, help="Distances over ground, or in space."
)
@click.option(
    "--max-range", type=click.FloatRange(min=0, min_open=True), metavar="M", help="Objects beyond are not in view."
)
@click.option("--min-elevation", type=click.FloatRange(-90, 90), metavar="DEG", help="Objects below are not in view.")
@click.option("--max-elevation", type=click.FloatRange(-90, 90), metavar="DEG", help="Objects above are not in view.")
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Parameter file of the graph that made BAG: the sensor's place and the asset are read from it.",
)  # fmt: skip
@sets_option
@click.option(
    "--measures", "list_measures", is_flag=True, help="List what is measured, and the requirements that ship."
)
def evaluate(
    bag: Path | None,
    truth: str | None,
    site: str | None,
    truth_offset: float,
    wanted: str | None,
    as_json: bool,
    page: Path | None,
    gate: float | None,
    dimensions: int,
    max_range: float | None,
    min_elevation: float | None,
    max_elevation: float | None,
    config: Path | None,
    sets: tuple[str, ...],
    list_measures: bool,
) -> None:
    """Hold the tracks, threats and signals of a bag against truth.

    BAG is what `aegis process` wrote, or a recorded graph: the topics tracks, threats, events, ew/signals, ew/advice and,
    of the simulator, truth. What counts as in view, the truth of the simulator says, of a file all does; --max-range and the
    elevations narrow it.

    Exit codes: 0 done; 1 a requirement does not hold, or there was no data for it; 2 wrong arguments or input.
    """
    from aegis.core.evaluation.measures import MEANINGS
    from aegis.core.params import ConfigError
    from aegis.graph.config import Parameters
    from aegis.graph.evaluation.judge import judge, options_for, with_truth_of
    from aegis.graph.evaluation.page import as_html
    from aegis.graph.evaluation.recording import read_bag
    from aegis.graph.evaluation.report import as_document, as_text
    from aegis.graph.evaluation.requirement_file import load_requirements, requirement_names
    from aegis.graph.evaluation.truth_files import is_file
    from aegis.ros.bag import BagError

    if list_measures:
        for name, meaning in MEANINGS.items():
            click.echo(f"{name:26} {meaning.unit:4} {meaning.text}")
        click.echo(f"\nrequirements that ship: {', '.join(requirement_names())}")
        return
    if bag is None:
        raise click.UsageError("Missing argument 'BAG'.")
    try:
        requirements = load_requirements(wanted) if wanted else None
        parameters = Parameters.read(config, sets)
        options = options_for(
            parameters, requirements, gate_m=gate, dimensions=dimensions, max_range_m=max_range,
            min_elevation_deg=min_elevation, max_elevation_deg=max_elevation,
        )  # fmt: skip
        if truth is not None and is_file(truth):
            recording, said = with_truth_of(read_bag(bag).recording(), Path(truth), parameters, site, truth_offset)
            click.echo(said, err=True)
        else:
            recording = read_bag(bag, truth).recording()
            if recording.span_ns is None:
                raise BagError(
                    f"{bag} holds no truth; of a simulation it is on the topic 'truth', else say --truth FILE"
                )
        judged = judge(recording, options, requirements)
    except (BagError, ConfigError, ValueError) as error:
        click.echo(f"aegis evaluate: {error}", err=True)
        sys.exit(EXIT_WRONG)
    found, rows = judged.found, judged.rows
    if page is not None:
        try:
            page.write_text(as_html(found, requirements, rows, f"{bag.name}, held against truth"), encoding="utf-8")
        except OSError as error:
            click.echo(f"aegis evaluate: {page} cannot be written: {error}", err=True)
            sys.exit(EXIT_WRONG)
    if as_json:
        click.echo(json.dumps({"bag": str(bag), **as_document(found, rows)}))
    else:
        for line in as_text(found, requirements, rows):
            click.echo(line)
    sys.exit(0 if judged.passed else 1)
