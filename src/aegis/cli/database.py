# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis database`: the form of the tables of history and accounts, forward and back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from aegis.bridge.revisions import Database

EXIT_FAILED, EXIT_REFUSED = 1, 2
PARTS = ("history", "accounts")

_namespace = click.option(
    "--namespace", default="", help="ROS namespace of the bridge; of several bridges bridge_NAME."
)
_part = click.argument("part", type=click.Choice(PARTS))


@click.group()
def database() -> None:
    """Tables of history and accounts: their revision, and back to that of an earlier release.

    They are those of the state directory, and with DATABASE_URL (and REDIS_URL, for accounts) those in PostgreSQL.
    """


@database.command()
@_namespace
def status(namespace: str) -> None:
    """Say at which revision each database is, and what each revision has added."""
    from aegis.bridge.revisions import revision_of, revisions

    for part in PARTS:
        with _said():
            found = _databases(namespace, part)
            known = revisions(found[0].migrations)
            for one in found:
                if not one.is_there:
                    click.echo(f"{part}: there is no {one.label} yet")
                    continue
                with one.open() as engine, engine.connect() as connection:
                    at = revision_of(connection)
                newest = " (the newest)" if at == known[-1].name else ""
                click.echo(f"{part}: {one.label} is at {at or 'no revision'}{newest}")
            for revision in known:
                click.echo(f"    {revision.name}  {revision.doc}")


@database.command()
@_part
@_namespace
def upgrade(part: str, namespace: str) -> None:
    """Bring the tables to this release's revision, as the bridge does when it starts; it takes as long as it takes."""
    from aegis.bridge.database import migrate
    from aegis.bridge.revisions import RevisionError, revision_of

    with _said():
        for one in _databases(namespace, part):
            if not one.is_there:
                raise RevisionError(f"there is no {one.label}")
            with one.open() as engine:
                migrate(engine, one.migrations)
                with engine.connect() as connection:
                    click.echo(f"{one.label} is at {revision_of(connection)}")


@database.command()
@_part
@click.option("--to", required=True, metavar="REVISION", help="As `aegis database status` lists them.")
@click.option("--lose", multiple=True, metavar="NAME", help="Table or table.column that may be lost. Repeatable.")
@_namespace
def downgrade(part: str, to: str, lose: tuple[str, ...], namespace: str) -> None:
    """Bring the tables back to an earlier REVISION, for the release before this one; no bridge may run.

    What would be lost is refused with its name, until --lose names it. Each database changes in one transaction. A bridge of this
    release brings them forward again when it starts: install the earlier one first.
    """
    from aegis.bridge.revisions import RevisionError, refuse_loss, revision_of
    from aegis.bridge.revisions import downgrade as take_back

    with _said():
        behind = []
        for one in _databases(namespace, part):  # all of them before the first is changed
            if not one.is_there:
                raise RevisionError(f"there is no {one.label}")
            with one.open() as engine, engine.connect() as connection:
                if revision_of(connection) != to:
                    refuse_loss(connection, one.migrations, to, lose)
                    behind.append(one)
        for one in behind:
            with one.open() as engine:
                lost = take_back(engine, one.migrations, to, lose)
            said = ", ".join(f"{name} ({rows} rows)" for name, rows in lost.items())
            click.echo(f"{one.label} is at {to}; lost: {said or 'nothing'}")
        if not behind:
            click.echo(f"all is at {to}")


def _databases(namespace: str, part: str) -> list[Database]:
    from aegis.bridge.revisions import databases
    from aegis.state import state_dir

    return databases(state_dir(namespace), os.environ, part)


@contextmanager
def _said() -> Iterator[None]:
    """End the command with exit code 2 where something is refused, 1 where a database cannot be used."""
    from alembic.util.exc import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from aegis.bridge.database import MigrationError, reason_of
    from aegis.bridge.revisions import RevisionError
    from aegis.core.params import ConfigError

    try:
        yield
    except (RevisionError, ConfigError, CommandError, MigrationError) as error:
        click.echo(f"aegis database: {error}", err=True)
        sys.exit(EXIT_REFUSED)
    except SQLAlchemyError as error:
        click.echo(f"aegis database: the database cannot be used: {reason_of(error)}", err=True)
        sys.exit(EXIT_FAILED)
