# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis record` and `aegis play`."""

from __future__ import annotations

import signal
import sys
import threading
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
@click.option("--split-mb", type=click.FloatRange(min=0, min_open=True), help="Begin a new file after so many MB.")
@click.option("--split-seconds", type=click.FloatRange(min=1), help="Begin a new file after so long.")
@click.option(
    "--ring",
    "ring_minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Keep the last minutes only, and so many before and after each alarm or critical threat.",
)
@click.option(
    "--radar", "radars", multiple=True, metavar="NAME", help="A radar of a rig, as of `aegis up`. Repeatable."
)
def record(
    path: Path,
    patterns: tuple[str, ...],
    namespace: str,
    seconds: float | None,
    split_mb: float | None,
    split_seconds: float | None,
    ring_minutes: float | None,
    radars: tuple[str, ...],
) -> None:
    """Record the topics of a running graph into a bag, without a ROS installation.

    All topics of the graph, or those chosen, bytes as they were sent, times as they came, compressed (zstd). OUTPUT must not exist.
    It is whole when the recording ends; a recorder that dies loses a second. What DDS lost on the way is counted. On a disk with
    less than 64 MB left the recording ends (exit code 1), and is whole. `ros2 bag`, Foxglove, `aegis play`, `process`, `evaluate`
    and `report` read it.
    """
    from aegis.graph.record import chosen_topics, of_rig
    from aegis.graph.record import record as record_topics
    from aegis.ros.bag import BagError
    from aegis.ros.split_bag import Splitting

    splitting = Splitting(
        max_bytes=None if split_mb is None else round(split_mb * 1e6),
        max_ns=None if split_seconds is None else round(split_seconds * 1e9),
        ring_ns=None if ring_minutes is None else round(ring_minutes * 60e9),
    )

    end = None if seconds is None else time.monotonic() + seconds
    asked = _stop_when_asked()
    try:
        done = record_topics(
            path,
            of_rig(chosen_topics(patterns), radars),
            namespace=namespace,
            splitting=splitting,
            until=lambda _: asked.is_set() or (end is not None and time.monotonic() >= end),
        )
    except BagError as error:
        click.echo(f"aegis record: {error}", err=True)
        sys.exit(EXIT_WRONG)
    click.echo("\n".join(done.lines()) or "nothing came on these topics")
    if ring_minutes is not None:
        click.echo(f"kept for {done.alarms} alarms, and the last {ring_minutes:g} minutes")
    if done.stopped:
        click.echo(
            f"aegis record: the disk is full: {done.stopped}; {path} is whole, but for the last {done.unwritten} messages",
            err=True,
        )
    if done.cut:
        click.echo(
            f"aegis record: the disk is too slow: of what came before the end, messages are not in {path}", err=True
        )
    if done.stopped or done.cut or not done.written:
        sys.exit(1)


def _stop_when_asked() -> threading.Event:
    """Return what is set by Ctrl-C or SIGTERM: as an exception, either could come in the middle of a write."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    return asked


@click.command()
@click.argument("bag", type=click.Path(path_type=Path))
@_topics
@_namespace
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True, help="How fast.")
@click.option(
    "--start", "start_s", type=click.FloatRange(min=0), default=0.0, metavar="S", help="Begin so far into it."
)
@click.option("--loop", is_flag=True, help="From the beginning again, until Ctrl-C.")
@click.option("--paused", is_flag=True, help="Hold before the first message.")
@click.option(
    "--keys/--no-keys", default=None,
    help="Read keys from standard input: space holds and goes on, . sends one message, q ends [on a terminal].",
)  # fmt: skip
@click.option(
    "--remap", "remaps", multiple=True, metavar="FROM:=TO",
    help="Play a topic of BAG, whatever it is called, under another name. Repeatable.",
)  # fmt: skip
@click.option("--clock", is_flag=True, help="Publish /clock, for a graph with use_sim_time.")
@click.option("--beside-live", is_flag=True, help="Also where somebody else publishes one of the topics.")
@click.option(
    "--listeners", type=click.IntRange(min=1), metavar="N",
    help="Begin when so many listen to every topic, as a graph and a recorder [one to any].",
)  # fmt: skip
def play(
    bag: Path,
    patterns: tuple[str, ...],
    namespace: str,
    rate: float,
    start_s: float,
    loop: bool,
    paused: bool,
    keys: bool | None,
    remaps: tuple[str, ...],
    clock: bool,
    beside_live: bool,
    listeners: int | None,
) -> None:
    """Play a bag into a running graph: what its sensors sent, or the topics chosen.

    `aegis up --external-radar` is a graph without a radar of its own. Bytes and stamps are as they were recorded: the picture says
    how old it is, unless --clock and use_sim_time make that time the graph's. With --remap, only what is named so is played,
    and what --topic chooses. A damaged bag is played up to the damage (exit code 1).
    """
    from aegis.graph.play import Pace, playable
    from aegis.graph.play import play as play_topics
    from aegis.graph.play_keys import HELP, standard_input
    from aegis.ros.bag import BagError

    renamed = dict(word.partition(":=")[::2] for word in remaps)
    if not all(name and other for name, other in renamed.items()):
        raise click.BadParameter("FROM:=TO is expected", param_hint="--remap")
    try:
        topics = playable(bag, patterns, renamed)
        with standard_input(wanted=keys) as asked:
            if asked.open:
                click.echo(HELP, err=True)
            done = play_topics(
                bag,
                topics,
                pace=Pace(rate, start_s, loop, paused),
                clock=clock,
                namespace=namespace,
                beside_live=beside_live,
                listeners=listeners,
                keys=asked,
            )
    except BagError as error:
        click.echo(f"aegis play: {error}", err=True)
        sys.exit(EXIT_WRONG)
    click.echo("\n".join(f"{name}: {count}" for name, count in sorted(done.sent.items())))
    if done.unheard:
        click.echo(f"aegis play: nobody listened to {', '.join(done.unheard)} at the beginning", err=True)
    for warning in done.warnings:
        click.echo(f"aegis play: warning: {warning}", err=True)
    if done.damage:
        played_s = max(done.last_ns - done.begin_ns, 0) * 1e-9
        click.echo(f"aegis play: {done.damage}; played up to {played_s:.1f} s after its begin", err=True)
        sys.exit(1)
