# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis security`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from aegis.cli.graph_options import RosCommand, graph_options
from aegis.core.params import ConfigError

EXIT_WRONG = 2


@click.group()
def security() -> None:
    """DDS security (SROS2): nobody without a key on the graph, and each process may do what its nodes need and no more.

    It needs a Fast DDS with security: that of the packages of a ROS 2 distribution, not that of the wheels from PyPI; `aegis
    doctor` tells which is here. docs/security.md.
    """


@security.command(cls=RosCommand)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--domain", type=click.IntRange(0, 232), help="In which the keys are good [ROS_DOMAIN_ID, or 0].")
@graph_options
@click.pass_context
def keystore(context: click.Context, /, folder: Path, domain: int | None, **_options: object) -> None:
    """Make a keystore for the graph in FOLDER, as `ros2 security` lays it out, or bring one up to date.

    The options are those with which `aegis up` is to run: each of its processes gets a key, and what its nodes need.
    The authority's key (private/) signs all others: keep it off the vehicle. Keys that are there stay.
    """
    from aegis.graph.plan import Options, Plan
    from aegis.graph.security.keystore import make_keystore
    from aegis.graph.security.policies import enclaves

    try:
        given = os.environ.get("ROS_DOMAIN_ID") or "0"
        number = int(given) if domain is None and given.isdigit() else domain or 0
        options = {name: value for name, value in context.params.items() if name not in ("folder", "domain")}
        plan = Plan.of(Options(**options, ros_args=context.obj), os.environ)
        made = make_keystore(folder, enclaves(plan), number)
    except ConfigError as error:
        click.echo(f"aegis security: {error}", err=True)
        sys.exit(EXIT_WRONG)
    click.echo("\n".join(made))
    click.echo(
        f"\nexport ROS_SECURITY_KEYSTORE={folder.absolute()} ROS_SECURITY_ENABLE=true ROS_SECURITY_STRATEGY=Enforce\n"
        f"Good in domain {number}. Keep {folder / 'private'} where no node runs."
    )


@security.command(cls=RosCommand)
@graph_options
@click.pass_context
def policy(context: click.Context, /, **_options: object) -> None:
    """Print what each process of the graph that `aegis up` would run with these options may do.

    It is in the form that `ros2 security generate_artifacts -p` reads.
    """
    from aegis.graph.plan import Options, Plan
    from aegis.graph.security.files import policy as as_policy
    from aegis.graph.security.policies import enclaves

    try:
        plan = Plan.of(Options(**context.params, ros_args=context.obj), os.environ)
        click.echo(as_policy(enclaves(plan)).decode(), nl=False)
    except ConfigError as error:
        click.echo(f"aegis security: {error}", err=True)
        sys.exit(EXIT_WRONG)
