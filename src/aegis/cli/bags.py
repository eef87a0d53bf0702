"""`aegis record` and `aegis play`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

EXIT_WRONG = 2

_topics = click.option(
    "--topic", "patterns", multiple=True, metavar="PATTERN", help="Topics whose names match, as `radar/*`. Repeatable."
)
_namespace = click.option("--namespace", default="", help="ROS namespace of the graph.")


@click.command()
@click.option("-o", "--output", "path", required=True, type=click.Path(path_type=Path), help="Bag to write (MCAP).")
@_topics
@_namespace
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after so long [at Ctrl-C].")
def record(path: Path, patterns: tuple[str, ...], namespace: str, seconds: float | None) -> None:
    """Record the topics of a running graph into a bag, without a ROS installation.

    All topics of the graph, or those chosen, bytes as they were sent, times as they came. OUTPUT must not exist; it appears when
    the recording ends. What DDS lost on the way is counted. `ros2 bag`, Foxglove, `aegis play`, `process` and `evaluate` read it.
    """
    from aegis.graph.record import chosen_topics
    from aegis.graph.record import record as record_topics
    from aegis.ros.bag import BagError

    end = None if seconds is None else time.monotonic() + seconds
    try:
        done = record_topics(
            path,
            chosen_topics(patterns),
            namespace=namespace,
            until=lambda _: end is not None and time.monotonic() >= end,
        )
    except BagError as error:
        click.echo(f"aegis record: {error}", err=True)
        sys.exit(EXIT_WRONG)
    click.echo("\n".join(done.lines()) or "nothing came on these topics")
    if not done.written:
        sys.exit(1)


@click.command()
@click.argument("bag", type=click.Path(path_type=Path))
@_topics
@_namespace
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True, help="How fast.")
@click.option("--loop", is_flag=True, help="From the beginning again, until Ctrl-C.")
@click.option("--clock", is_flag=True, help="Publish /clock, for a graph with use_sim_time.")
@click.option("--beside-live", is_flag=True, help="Also where somebody else publishes one of the topics.")
def play(
    bag: Path,
    patterns: tuple[str, ...],
    namespace: str,
    rate: float,
    loop: bool,
    clock: bool,
    beside_live: bool,
) -> None:
    """Play a bag into a running graph: what its sensors sent, or the topics chosen.

    `aegis up --external-radar` is a graph without a radar of its own. Bytes and stamps are as they were recorded: the picture says
    how old it is, unless --clock and use_sim_time make that time the graph's. A damaged bag is played up to the damage
    (exit code 1).
    """
    from aegis.graph.play import play as play_topics
    from aegis.graph.play import playable
    from aegis.ros.bag import BagError

    try:
        done = play_topics(
            bag,
            playable(bag, patterns),
            rate=rate,
            loop=loop,
            clock=clock,
            namespace=namespace,
            beside_live=beside_live,
        )
    except BagError as error:
        click.echo(f"aegis play: {error}", err=True)
        sys.exit(EXIT_WRONG)
    click.echo("\n".join(f"{name}: {count}" for name, count in sorted(done.sent.items())))
    if done.unheard:
        click.echo(f"aegis play: nobody listened to {', '.join(done.unheard)} at the beginning", err=True)
    if done.damage:
        click.echo(f"aegis play: {done.damage}", err=True)
        sys.exit(1)
