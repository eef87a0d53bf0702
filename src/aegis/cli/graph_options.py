# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What `aegis up` takes to plan a graph; commands that look at a plan take the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from aegis.cli.values import sets_option

CommandT = TypeVar("CommandT", bound=Callable[..., object])

config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Parameter file for the whole graph (ROS 2 format); `aegis params` lists what can be set.",
)
namespace_option = click.option("--namespace", default="", help="ROS namespace of every node: one for each radar.")

_OPTIONS = (
    config_option,
    sets_option,
    namespace_option,
    click.option("--scenario", help="Scenario of the simulator: a shipped name or a YAML file."),
    click.option("--driver", metavar="NAME", help="A real radar in the simulator's place; `aegis drivers` lists them."),
    click.option(
        "--external-radar", is_flag=True, help="No radar from here: a driver of yours publishes radar/points."
    ),
    click.option(
        "--radar-msgs", is_flag=True, help="Like it, but it publishes radar_msgs on radar/scan or radar/tracks."
    ),
    click.option(
        "--external-video",
        is_flag=True,
        help="Like it, but it publishes marine_sensor_msgs/RadarSector on radar/sector.",
    ),
    click.option(
        "--front-end/--no-front-end",
        default=None,
        help="Node from radar/cube to radar/points [where the simulator or driver gives cubes].",
    ),
    click.option("--port", type=click.IntRange(1, 65535), help="Port of the bridge and its web page [8000]."),
    click.option(
        "--host", help="Address of the bridge [127.0.0.1]; any other needs JWT_SECRET, and TLS or --insecure."
    ),
    click.option(
        "--insecure", is_flag=True, help="Let --host do without TLS: passwords and tokens travel in the clear."
    ),
    click.option("--bridge/--no-bridge", default=True, show_default=True, help="REST, WebSocket and web page."),
    click.option("--foxglove/--no-foxglove", default=True, show_default=True, help="Foxglove server on port 8765."),
    click.option("--composed", is_flag=True, help="All nodes in one process (the bridge stays apart)."),
    click.option(
        "--radar",
        "radars",
        metavar="NAME",
        multiple=True,
        help="One of several radars of a rig, each in a namespace of its own, into one tracker. Repeatable; docs/rig.md.",
    ),
    click.option(
        "--fusion", is_flag=True, help="A tracker for each radar of a rig, and their tracks fused; docs/rig.md."
    ),
    click.option(
        "--sapient",
        metavar="tcp://HOST:PORT",
        help="Report to this SAPIENT fusion node or middleware; docs/sapient.md.",
    ),
    click.option(
        "--site",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Parameter file that says itself which radars there are, in its section `site`; docs/sites.md.",
    ),
    click.option(
        "--node",
        "nodes",
        metavar="NAME",
        multiple=True,
        help="Of the stages run this one alone, with the bridge (--no-bridge). Repeatable.",
    ),
)


class RosCommand(click.Command):
    """A command that takes `--ros-args`, as ROS's own do; its context's `obj` are the words for ROS."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the words for ROS away before click reads the rest."""
        from aegis.graph.ros_args import split_ros_args

        own, ros = split_ros_args(args)
        ctx.obj = tuple(ros)
        return super().parse_args(ctx, own)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Show it."""
        return [*super().collect_usage_pieces(ctx), "[--ros-args ...]"]


def graph_options(command: CommandT) -> CommandT:
    """Give a command every option of a plan, named as in `aegis.graph.plan.Options`; for a `RosCommand`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
