# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The `aegis` command."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from aegis import __version__
from aegis.cli.backup import backup, restore
from aegis.cli.bags import play, record
from aegis.cli.classify import classify
from aegis.cli.database import database
from aegis.cli.evaluate import evaluate
from aegis.cli.export import export
from aegis.cli.graph_options import RosCommand, config_option, graph_options
from aegis.cli.report import report
from aegis.cli.security import security
from aegis.cli.soak import soak
from aegis.cli.train import train
from aegis.cli.users import users
from aegis.cli.values import HangAfter, UtcTime, sets_option
from aegis.core.params import ConfigError
from aegis.decision_key import share_decision_key
from aegis.graph.watchdog import HANG_AFTER_S
from aegis.secret_files import read_secret_files

EXIT_CONFIG = 2

_start = click.option(
    "--start",
    "start_ns",
    type=UtcTime(),
    metavar="TIME",
    help="When a recording without times began, as 2026-07-01T08:00:00 [2000-01-01, UTC].",
)


@contextmanager
def _config_errors() -> Iterator[None]:
    """End the command with exit code 2 and the message where a parameter is wrong."""
    try:
        yield
    except ConfigError as error:
        click.echo(f"aegis: {error}", err=True)
        sys.exit(EXIT_CONFIG)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="aegis")
def cli() -> None:
    """Aegis turns what a radar sees into a live, ranked, explained picture, on ROS 2.

    Start with `aegis up` and open http://localhost:8000. If something is missing, `aegis doctor` says what.

    Exit codes: 0 done; 1 failed while working; 2 wrong arguments, parameters or input.
    """
    from aegis.resources import stale_builds

    for line in stale_builds():
        click.echo(f"aegis: {line}", err=True)
    with _config_errors():
        read_secret_files(os.environ)


@cli.command(cls=RosCommand)
@graph_options
@click.option(
    "--hang-after",
    type=HangAfter(),
    default=HANG_AFTER_S,
    show_default=True,
    metavar="SECONDS",
    help="A process in one callback for so long, or in its start for ten times that, hangs: it is killed, and restarted. 0: never.",
)
@click.option("--print-plan", is_flag=True, help="Print what would run, as lines for a shell, and run nothing.")
@click.pass_context
def up(context: click.Context, /, print_plan: bool, hang_after: float, **options: Any) -> None:
    """Run the whole graph on this machine, supervised, with the bridge and its web page.

    Without options: a simulated radar, and the picture on http://localhost:8000. A real radar takes its place with
    --driver, or where the parameter file names one (driver: {driver: NAME}). At the first start a one-time
    administrator password is printed. Ctrl-C stops everything. A process that dies or hangs is restarted.

    DDS traffic stays on this machine unless you set ROS_AUTOMATIC_DISCOVERY_RANGE (SUBNET for drivers on other hosts).

    What follows --ros-args goes to ROS in every process: -p NAME:=VALUE to each node that has the parameter, -p
    NODE:NAME:=VALUE to that node; --params-file, -r and --log-level to all. A new name needs its node: -r
    tracking:__node:=NAME. These parameters are above --set and the environment.
    """
    from aegis.graph.plan import Options, Plan
    from aegis.graph.supervisor import Program, Supervisor

    with _config_errors():
        plan = Plan.of(Options(**options, ros_args=context.obj, discovery_range="LOCALHOST"), os.environ)
    for remark in plan.remarks:
        click.echo(f"aegis: {remark}", err=True)
    if print_plan:
        click.echo("\n".join(plan.lines([sys.executable, "-m", "aegis.graph.node"])))
        return
    from aegis.graph import node

    with _config_errors():
        share_decision_key(os.environ)
    node.preload(plan.nodes)
    programs = {
        process: Program(partial(node.main, arguments), plan.environ[process])
        for process, arguments in plan.processes.items()
    }
    say = partial(click.echo, err=True)
    sys.exit(Supervisor(programs, lambda text: say(f"aegis: {text}"), hang_after_s=hang_after).run())


@cli.command()
@click.argument("in_bag", type=click.Path(path_type=Path))
@click.option("-o", "--output", "out_bag", required=True, type=click.Path(path_type=Path), help="Bag to write (MCAP).")
@config_option
@sets_option
@click.option("--topic", help="Topic of the points or cubes in IN_BAG [radar/points, or else radar/cube].")
@click.option(
    "--odometry-topic",
    default="odometry",
    show_default=True,
    help="Topic of the odometry in IN_BAG; read where detection's parameter moving_platform is true.",
)
@click.option("--driver", metavar="NAME", help="IN_BAG is a capture, read by this driver; as `aegis decode` does.")
@_start
def process(
    in_bag: Path,
    out_bag: Path,
    config: Path | None,
    sets: tuple[str, ...],
    topic: str | None,
    odometry_topic: str,
    driver: str | None,
    start_ns: int | None,
) -> None:
    """Send a recorded bag, or a radar's capture, through the graph's stages, without the clock.

    IN_BAG is a rosbag2 folder (MCAP or sqlite3) or file with `radar/points`, or with `radar/cube`, which then goes
    through the front end (and `odometry`, on a moving platform); its other topics are left alone. With --driver it is
    a recording as `aegis decode` reads it. OUT_BAG gets these and every topic of the graph, with message definitions.
    The same input and parameters give the same bytes. OUT_BAG must not exist; it appears when it is complete.
    """
    from aegis.graph.decode import Capture, is_capture_file
    from aegis.graph.offline import process_bag, process_capture
    from aegis.ros.bag import BagError

    with _config_errors():
        try:
            if driver is None and not is_capture_file(in_bag):
                summary = process_bag(
                    in_bag, out_bag, topic=topic, odometry_topic=odometry_topic, config=config, sets=sets, progress=True
                )
            else:
                capture = Capture(in_bag, driver or "", config, sets, start_ns)
                summary = process_capture(capture, out_bag, config=config, sets=sets, progress=True)
        except BagError as error:
            click.echo(f"aegis process: {error}", err=True)
            sys.exit(EXIT_CONFIG)
    for warning in summary.warnings:
        click.echo(f"aegis process: warning: {warning}", err=True)
    for refusal in summary.refusals:
        click.echo(f"aegis process: {refusal}", err=True)
    click.echo(str(summary))
    sys.exit(1 if summary.errors else 0)


@cli.command()
@click.argument("capture", type=click.Path(path_type=Path))
@click.option("-o", "--output", "out_bag", required=True, type=click.Path(path_type=Path), help="Bag to write (MCAP).")
@click.option("--driver", metavar="NAME", help="Which driver reads it [driver.driver]; `aegis drivers` lists them.")
@config_option
@sets_option
@_start
def decode(
    capture: Path,
    out_bag: Path,
    driver: str | None,
    config: Path | None,
    sets: tuple[str, ...],
    start_ns: int | None,
) -> None:
    """Read a recording of a radar's line with its driver, without sockets, into a bag.

    CAPTURE is a pcap or pcapng, a log of candump, the bytes of a serial line, or a file of the radar's format (ASTERIX,
    bare or in FINAL's framing; TI's .bin and .npy); each may be gzipped. The parameters are those of the live driver:
    its UDP port says which datagrams are the radar's. Stamps come from the capture. What is refused is counted. OUT_BAG
    gets what the live driver publishes; it must not exist, and appears when it is complete. `aegis process OUT_BAG`, or
    `aegis process CAPTURE --driver NAME` at once, makes tracks of it.
    """
    from aegis.graph.decode import Capture, decode_capture
    from aegis.ros.bag import BagError

    with _config_errors():
        try:
            summary = decode_capture(Capture(capture, driver or "", config, sets, start_ns), out_bag, progress=True)
        except BagError as error:
            click.echo(f"aegis decode: {error}", err=True)
            sys.exit(EXIT_CONFIG)
    click.echo(summary)


@cli.command()
@click.argument("scenario")
@click.option("-o", "--output", "out_bag", required=True, type=click.Path(path_type=Path), help="Bag to write (MCAP).")
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), help="Seconds to simulate [the scenario's].")
@config_option
@sets_option
def simulate(scenario: str, out_bag: Path, duration: float | None, config: Path | None, sets: tuple[str, ...]) -> None:
    """Write what the simulated radar sees of a scenario into a bag, for `aegis process` or for playing back.

    SCENARIO is a shipped name or a YAML file. OUT_BAG must not exist; it appears when it is complete.
    """
    from aegis.graph.offline import simulate_bag
    from aegis.ros.bag import BagError

    with _config_errors():
        try:
            summary = simulate_bag(scenario, out_bag, duration_s=duration, config=config, sets=sets, progress=True)
        except BagError as error:
            click.echo(f"aegis simulate: {error}", err=True)
            sys.exit(EXIT_CONFIG)
    click.echo(summary)


@cli.command()
def doctor() -> None:
    """Look at this machine: what Aegis needs, what is missing, and how to get it."""
    from aegis.cli.doctor import run

    sys.exit(run(click.echo))


@cli.command()
def drivers() -> None:
    """List the drivers of radars that `aegis up --driver` can run, and what each of them gives."""
    from aegis.drivers.registry import driver_class, driver_names

    for name in driver_names():
        with _config_errors():
            kind = driver_class(name)
            what = (kind.__doc__ or "").strip().splitlines()
            click.echo(f"{name:20} {kind.output:7} {what[0] if what else ''}")


@cli.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--runs", type=click.IntRange(1, 100), default=3, show_default=True, help="How often to measure.")
@click.option(
    "--scenarios",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="tracking: folder with scenario files (n50.npz, ...), used instead of generated ones.",
)
@click.option(
    "--captures",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="video: folder with recordings of marine radars [../shared/data/marine_radar_captures].",
)
@click.option(
    "--recordings",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="autoferry: folder with the recordings [../shared/data/autoferry_maritime_radar]. profiles: folder that has cat062_30min, "
    "stonesoup_demos and radhar_pointclouds [../shared/data]. threat: folder that has "
    "stonesoup_demos (AIS) and cat062_30min (air traffic) [none].",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0),
    help="bridge, page: how long the memory is watched [10]; 0 leaves it out.",
)
@click.option(
    "--hours", type=click.FloatRange(min=0, min_open=True), help="ew: simulated hours of calm at each level [10]."
)
@click.option(
    "--checkout",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="start: a clone of the repository, to be installed into a fresh virtual environment first.",
)
@click.option(
    "--examples", type=click.Path(file_okay=False, path_type=Path),
    help="classify: folder that keeps simulated examples, as DIR/examples of `aegis train -o DIR` [a temporary one].",
)  # fmt: skip
@click.option("--scenario", multiple=True, help="evaluate: a shipped name or a YAML file [all that ship]. Repeatable.")
@click.option(
    "--seed", type=click.IntRange(min=0), multiple=True, help="evaluate: of the simulator [1 to --runs]. Repeatable."
)
@click.option(
    "--duration", type=click.FloatRange(min=0, min_open=True), help="evaluate: seconds of each [the scenario's]."
)
@sets_option
def bench(name: str | None, as_json: bool, runs: int, **options: Any) -> None:
    """Measure. Without NAME: the list of benchmarks."""
    from aegis.bench import BENCHMARKS, BenchmarkError
    from aegis.bench import report as row_text

    if name is None:
        for key, benchmark in BENCHMARKS.items():
            click.echo(f"{key:12} {benchmark.purpose}")
        return
    if name not in BENCHMARKS:
        raise click.BadParameter(f"no benchmark '{name}'; known are: {', '.join(BENCHMARKS)}", param_hint="NAME")
    given = {key: value for key, value in options.items() if value not in (None, ())}
    for key in given.keys() - BENCHMARKS[name].options:
        raise click.BadParameter(
            f"benchmark '{name}' does not take it", param_hint="--set" if key == "sets" else f"--{key}"
        )
    try:
        for row in BENCHMARKS[name].load()(runs, **given):
            click.echo(row_text(row, as_json=as_json or BENCHMARKS[name].always_json))
    except BenchmarkError as error:
        click.echo(f"aegis bench: {error}", err=True)
        sys.exit(EXIT_CONFIG)


@cli.command()
@click.argument("node", required=False)
@click.option("--markdown", is_flag=True, help="As the tables of config/README.md.")
def params(node: str | None, markdown: bool) -> None:
    """List the parameters of NODE, or of every node: name, default, bounds, unit, environment variable, meaning.

    The page of tables lists the drivers that ship, the list on the terminal also those of other installed packages.
    """
    from aegis.drivers.registry import driver_names
    from aegis.graph.nodes import ALL_NODES
    from aegis.graph.reference import as_markdown, as_text, sections

    nodes = [node] if node else list(ALL_NODES)
    with _config_errors():
        text = as_markdown(sections(nodes)) if markdown else as_text(sections(nodes, driver_names()))
    click.echo(text, nl=False)


@cli.command()
@click.option("--markdown", is_flag=True, help="As the page docs/events.md.")
def events(markdown: bool) -> None:
    """List the events of the graph: name, severity, when each is told, and with --markdown what its data holds."""
    from aegis.graph.event_reference import as_markdown, as_text

    click.echo(as_markdown() if markdown else as_text(), nl=False)


for _command in (
    backup,
    restore,
    database,
    evaluate,
    report,
    export,
    record,
    play,
    classify,
    security,
    soak,
    train,
    users,
):
    cli.add_command(_command)


def main() -> None:
    """Entry point of the `aegis` command."""
    cli()
