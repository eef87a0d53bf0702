"""What the database of accounts refuses; each message is for whoever asked."""

from __future__ import annotations


class NotFoundError(LookupError):
    """There is no such account, session, invite or service token."""


class TakenError(ValueError):
    """There is an account or service token of that name already."""


class LastAdministratorError(ValueError):
    """Nobody could administer the bridge any more."""


class InviteError(ValueError):
    """There is no open invite with that code."""


class StaleCredentialsError(RuntimeError):
    """The account has changed since its password was checked."""
