# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""One login: limits first, then the password, then a session; the same answer and the same time whatever was wrong."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import NoReturn

from aegis.bridge.accounts import sessions, users
from aegis.bridge.accounts.audit_table import FAILED, LIMITED, Entry
from aegis.bridge.accounts.devices import Devices
from aegis.bridge.accounts.sessions import Grant
from aegis.bridge.accounts.store import Accounts
from aegis.bridge.accounts.throttle import Throttle
from aegis.bridge.problem import ProblemError

_log = logging.getLogger(__name__)

ACTION = "auth.login"


@dataclass(frozen=True)
class Attempt:
    """What a client sent, and from where."""

    username: str
    password: str = field(repr=False)
    device_token: str = field(repr=False)
    address: str
    request_id: str


async def log_in(accounts: Accounts, throttle: Throttle, devices: Devices, attempt: Attempt) -> Grant:
    """Open a session.

    Raises:
        ProblemError: 401, name or password is wrong, or the account is disabled (which of them, the audit knows); 429, too many
            attempts, or too many passwords wait to be checked; 503, the database cannot be read or written.
    """
    name, address, now = attempt.username, attempt.address, accounts.now()
    device = devices.recognise(attempt.device_token, name, now)
    try:
        await throttle.attempt(name, address, device)
        checked = await accounts.read(users.credentials, name, address, now)
        if device is None and not (checked and checked.at_home):
            await throttle.attempt_anywhere(name)
    except ProblemError as error:
        if error.status != 429:
            raise
        _log.warning("login refused from %s: too many attempts", address)
        await accounts.audit.refused(action=ACTION, outcome=LIMITED, address=address, request_id=attempt.request_id)
        raise
    hashed = checked.password_hash if checked else None
    right = await accounts.passwords.run(accounts.passwords.verify, attempt.password, hashed)
    if checked is None:  # what was typed may be a password: it is not written down
        await _fail(accounts, attempt, "", "no such account")
    who = checked.account.name
    if not right:
        await _fail(accounts, attempt, who, "wrong password")
    if checked.disabled:
        await _fail(accounts, attempt, who, "disabled")
    entry = Entry(ACTION, who, address=address, request_id=attempt.request_id)
    try:
        grant = await accounts.write(entry, sessions.begin, checked, address, now, accounts.settings)
    except ProblemError as error:
        if error.status != 409:
            raise
        await _fail(accounts, attempt, who, "changed meanwhile")
    await throttle.succeeded(name, address, device)
    _log.info("'%s' logged in from %s", who, address)
    return grant


async def _fail(accounts: Accounts, attempt: Attempt, target: str, reason: str) -> NoReturn:
    _log.warning("login failed from %s: %s", attempt.address, reason)
    await accounts.audit.refused(
        action=ACTION,
        outcome=FAILED,
        target=target,
        address=attempt.address,
        request_id=attempt.request_id,
        detail={"reason": reason},
    )
    raise ProblemError(401, "wrong username or password")
