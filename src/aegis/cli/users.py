# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis users`: accounts from the machine itself, for the first administrator and for recovery; also while the bridge runs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from aegis.bridge.accounts.scopes import GRANTABLE, ROLES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from aegis.bridge.accounts.store import Accounts

R = TypeVar("R")

EXIT_FAILED, EXIT_REFUSED = 1, 2

_namespace = click.option("--namespace", default="", help="ROS namespace of the bridge: one for each radar.")
_role = click.option("--role", type=click.Choice(tuple(ROLES)), required=True, help="What the account may do.")


@click.group()
def users() -> None:
    """Accounts of the bridge.

    It works on the bridge's database in the state directory, or, of several bridges, on that in PostgreSQL where REDIS_URL and
    DATABASE_URL are set as for them, whether or not a bridge runs; a running one follows within 2 s. What it does is in the
    audit, as done by 'console'.
    """


@contextmanager
def _accounts(namespace: str) -> Iterator[Accounts]:
    """Open the database; end the command with exit code 2 where something is refused, 1 where the database cannot be used."""
    from sqlalchemy.exc import SQLAlchemyError

    from aegis.bridge.accounts import users as table
    from aegis.bridge.accounts.store import Accounts
    from aegis.bridge.problem import ProblemError
    from aegis.bridge.replicas.settings import shared_accounts
    from aegis.state import state_dir

    try:
        accounts = Accounts(state_dir(namespace), server=shared_accounts(os.environ))
        try:
            yield accounts
        except ProblemError as error:
            if error.status != 404:
                raise
            known = ", ".join(row.username for row in accounts.read_now(table.listing)) or "none"
            raise ValueError(f"{error}; there are: {known}") from error
        finally:
            accounts.close()
    except (ProblemError, ValueError) as error:
        click.echo(f"aegis users: {error}", err=True)
        sys.exit(EXIT_REFUSED)
    except SQLAlchemyError as error:
        click.echo(f"aegis users: the database cannot be used: {error}", err=True)
        sys.exit(EXIT_FAILED)


def _act(namespace: str, action: str, target: str, work: Callable[[Session, float], R], **detail: object) -> R:
    """Do something in one transaction with its audit entry; `work` gets the transaction and the time."""
    from aegis.bridge.accounts.audit_table import CONSOLE, Entry

    with _accounts(namespace) as accounts:
        entry = Entry(action, CONSOLE, target.lower(), detail=detail)
        return accounts.write_now(entry, work, accounts.now())


@users.command("list")
@_namespace
def listing(namespace: str) -> None:
    """List the accounts."""
    from aegis.bridge.accounts import users as table

    with _accounts(namespace) as accounts:
        for row in accounts.read_now(table.listing):
            state = "disabled" if row.disabled else f"{row.sessions} open sessions"
            last = row.last_login_s
            seen = "never" if last is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(last))
            click.echo(f"{row.username:24} {row.role:9} {state:18} last login {seen}")


@users.command()
@click.argument("name")
@_role
@_namespace
def add(name: str, role: str, namespace: str) -> None:
    """Add an account NAME, and print its random password once."""
    from aegis.bridge.accounts.passwords import new_password

    password = new_password()
    with _accounts(namespace) as accounts:
        accounts.add(name, password, role)
    click.echo(f"password of {name}: {password}")


@users.command("set-role")
@click.argument("name")
@_role
@_namespace
def set_role(name: str, role: str, namespace: str) -> None:
    """Give NAME another role; its sessions end."""
    from aegis.bridge.accounts.users import change

    _act(namespace, "users.change", name, lambda session, now: change(session, name, now, role=role), role=role)


@users.command()
@click.argument("name")
@_namespace
def disable(name: str, namespace: str) -> None:
    """Keep NAME from logging in; its sessions end."""
    _set_disabled(namespace, name, True)


@users.command()
@click.argument("name")
@_namespace
def enable(name: str, namespace: str) -> None:
    """Let NAME log in again."""
    _set_disabled(namespace, name, False)


def _set_disabled(namespace: str, name: str, disabled: bool) -> None:
    from aegis.bridge.accounts.users import change

    _act(
        namespace,
        "users.change",
        name,
        lambda session, now: change(session, name, now, disabled=disabled),
        disabled=disabled,
    )


@users.command()
@click.argument("name")
@_namespace
def remove(name: str, namespace: str) -> None:
    """Remove the account NAME; its sessions end."""
    from aegis.bridge.accounts import users as table

    _act(namespace, "users.remove", name, lambda session, now: table.remove(session, name, now))


@users.command("reset-password")
@click.argument("name")
@_namespace
def reset_password(name: str, namespace: str) -> None:
    """Give NAME a new random password, and print it once; its sessions end."""
    from aegis.bridge.accounts.audit_table import CONSOLE, Entry
    from aegis.bridge.accounts.passwords import new_password
    from aegis.bridge.accounts.users import set_password

    password = new_password()
    with _accounts(namespace) as accounts:
        entry = Entry("users.reset_password", CONSOLE, name.lower())
        accounts.write_now(entry, set_password, name, accounts.passwords.hash(password), accounts.now())
    click.echo(f"new password of {name}: {password}")


@users.command()
@click.argument("name")
@_namespace
def revoke(name: str, namespace: str) -> None:
    """End all sessions of NAME."""
    from aegis.bridge.accounts.sessions import revoke_all
    from aegis.bridge.accounts.users import get

    ended = _act(namespace, "users.revoke", name, lambda session, now: revoke_all(session, get(session, name), now))
    click.echo(f"{ended} sessions of {name} ended")


@users.command()
@_role
@click.option("--hours", type=click.FloatRange(0, 720, min_open=True), default=72, show_default=True)
@_namespace
def invite(role: str, hours: float, namespace: str) -> None:
    """Print a code with which somebody may register once."""
    from aegis.bridge.accounts.audit_table import CONSOLE
    from aegis.bridge.accounts.invites import make

    _, code = _act(
        namespace,
        "invites.make",
        "",
        lambda session, now: make(session, role, CONSOLE, now, hours * 3600.0),
        role=role,
        valid_hours=hours,
    )
    click.echo(f"invite for a {role}, good for {hours:g} h: {code}")


@users.command("service-token")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(sorted(map(str, GRANTABLE))),
    help="Repeatable.",
)
@click.option("--days", type=click.FloatRange(0, 3650, min_open=True), default=90, show_default=True)
@_namespace
def service_token(name: str, scopes: tuple[str, ...], days: float, namespace: str) -> None:
    """Print a token for a program NAME that cannot log in, such as a Prometheus server."""
    from aegis.bridge.accounts.audit_table import CONSOLE
    from aegis.bridge.accounts.service_tokens import make

    _, token = _act(
        namespace,
        "service_tokens.make",
        name,
        lambda session, now: make(session, name, scopes, CONSOLE, now, days * 86400.0),
        scopes=sorted(scopes),
        valid_days=days,
    )
    click.echo(f"service token {name}, good for {days:g} days: {token}")
