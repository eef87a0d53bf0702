# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis backup` and `aegis restore`: accounts and history in one file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

EXIT_FAILED = 1

_namespace = click.option("--namespace", default="", help="ROS namespace of the bridge: one for each radar.")


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@_namespace
def backup(target: Path, namespace: str) -> None:
    """Write accounts and history into the file TARGET, which only its owner may read; the bridge may be running.

    With DATABASE_URL the PostgreSQL is in it too (by pg_dump). Keys are not: JWT_SECRET and AEGIS_DECISION_KEY, or jwt_secret and
    decision_key in the state directory.
    """
    from aegis.bridge.backup import BackupError, back_up
    from aegis.state import state_dir

    try:
        parts = back_up(state_dir(namespace), target, server=os.environ.get("DATABASE_URL", ""))
    except BackupError as error:
        click.echo(f"aegis backup: {error}", err=True)
        sys.exit(EXIT_FAILED)
    for name, part in parts.items():
        click.echo(f"{name}: {part.bytes} bytes{f', tables {part.revision}' if part.revision else ''}")


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_namespace
def restore(source: Path, namespace: str) -> None:
    """Put accounts and history back from SOURCE, a file of `aegis backup` of this release or an earlier one.

    The bridge must not run. What is there is renamed. A dump of PostgreSQL goes into the empty database of DATABASE_URL.
    """
    from aegis.bridge.backup import BackupError, restore
    from aegis.state import state_dir

    try:
        done = restore(source, state_dir(namespace), server=os.environ.get("DATABASE_URL", ""))
    except BackupError as error:
        click.echo(f"aegis restore: {error}", err=True)
        sys.exit(EXIT_FAILED)
    for line in done:
        click.echo(line)
