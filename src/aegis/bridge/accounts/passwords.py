# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Passwords: which are good enough, and the threads that hash them (argon2 would hold up the event loop)."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from aegis.bridge.problem import ProblemError

# OWASP's password storage cheat sheet for argon2id; 22 ms where the library's default takes 180.
ARGON2_MEMORY_KIB, ARGON2_TIME, ARGON2_PARALLELISM = 19 * 1024, 2, 1
MIN_CHARACTERS, MAX_CHARACTERS = 12, 1024
MIN_NAME_IN_PASSWORD = 3  # shorter names are in almost every password
MIN_SCORE = 3  # of zxcvbn's 0 to 4: safe against guessing offline, at a slow hash
ESTIMATED_CHARACTERS = 64  # zxcvbn's time grows steeply with the length

P = ParamSpec("P")
R = TypeVar("R")

_estimator = threading.Lock()  # zxcvbn keeps the words it is given in a variable of its module


class Passwords:
    """Hashes and checks passwords."""

    def __init__(self, workers: int, queue: int) -> None:
        """Prepare.

        Args:
            workers: threads.
            queue: passwords that may wait for a thread.
        """
        self._hasher = PasswordHash(
            (Argon2Hasher(time_cost=ARGON2_TIME, memory_cost=ARGON2_MEMORY_KIB, parallelism=ARGON2_PARALLELISM),)
        )
        # Checked for a name that does not exist, so that the answer takes as long.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="password")
        self._waiting = 0
        self._most_waiting = workers + queue

    def hash(self, password: str) -> str:
        """Return an argon2id hash; takes about 20 ms."""
        return self._hasher.hash(password)

    def verify(self, password: str, hashed: str | None) -> bool:
        """Return whether a password is the hashed one; takes as long where there is no hash."""
        right = self._hasher.verify(password, self._nobody if hashed is None else hashed)
        return right and hashed is not None

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do work on a password in a thread.

        Raises:
            ProblemError: 429, too much waits already.
        """
        if self._waiting >= self._most_waiting:
            raise ProblemError(429, "too many passwords are being checked", retry_after=1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*args, **kwargs))
        finally:
            self._waiting -= 1

    async def hash_new(self, username: str, password: str) -> str:
        """Return the hash of a chosen password.

        Raises:
            ProblemError: 400, it is not good enough; 429, too much waits already.
        """

        def both() -> str:
            check_strength(username, password)
            return self.hash(password)

        return await self.run(both)

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def new_password() -> str:
    """Return a random password of 120 bits."""
    return secrets.token_urlsafe(15)


def check_strength(username: str, password: str) -> None:
    """Refuse a password that can be guessed.

    Raises:
        ProblemError: 400, it is too short or too long, contains the username, or zxcvbn finds it easy.
    """
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        raise ProblemError(400, f"a password has {MIN_CHARACTERS} to {MAX_CHARACTERS} characters")
    if len(username) >= MIN_NAME_IN_PASSWORD and username.lower() in password.lower():
        raise ProblemError(400, "the password contains the username")
    from zxcvbn import zxcvbn  # 12 MB of word lists, for the few who choose a password

    with _estimator:
        estimate = zxcvbn(password[:ESTIMATED_CHARACTERS], user_inputs=[username])
    if estimate["score"] < MIN_SCORE:
        feedback = estimate["feedback"]
        reasons = [text for text in (feedback["warning"], *feedback["suggestions"]) if text]
        raise ProblemError(400, "the password is too easy to guess: " + " ".join(reasons or ["use a longer one."]))
