# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The line to the Redis that several bridges share: bounded waits, and a stream of what each tells the others.

Redis is never the only place of anything: what was revoked and decided is in PostgreSQL, tickets and what the bridges tell each
other are signed. Where it is away or hangs, an answer costs one wait, and the next ones none until it is back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import jwt
import redis.asyncio
from redis.exceptions import RedisError

from aegis.bridge.database import State
from aegis.core.params import ConfigError

_log = logging.getLogger(__name__)

BLOCK_S = 0.5  # that Redis may hold a question for news
RETRY_S = 0.5
MOST_KEPT = 10_000  # messages in the stream
ALIVE_S = 15.0  # a bridge that has not said so for so long is none
_ALGORITHM, _AUDIENCE = "HS256", "aegis-bridges"

T = TypeVar("T")


class AwayError(Exception):
    """Redis does not answer now."""


@dataclass(frozen=True)
class Told:
    """What another bridge has told."""

    kind: str
    content: Mapping[str, object]


class Line:
    """Lives on the event loop."""

    def __init__(self, url: str, prefix: str, name: str, key: bytes, timeout_s: float) -> None:
        """Prepare; nothing is connected yet.

        Args:
            url: of Redis.
            prefix: of its keys: that of the graph.
            name: of this bridge.
            key: with which the bridges sign what they tell each other.
            timeout_s: how long an answer may take.

        Raises:
            ConfigError: not a URL of Redis.
        """

        def client(most_s: float) -> redis.asyncio.Redis:
            return redis.asyncio.Redis.from_url(
                url, socket_timeout=most_s, socket_connect_timeout=timeout_s, retry=None
            )

        try:
            self._redis = client(timeout_s)
            self._held = client(BLOCK_S + 2 * timeout_s)  # a question for news may be held
        except ValueError:  # its text may repeat the URL, and with it a password
            raise ConfigError("not a URL of Redis; 'redis://:password@host:6379/0' is expected") from None
        self.prefix = prefix
        self.name = name
        self._key = key
        self._timeout_s = timeout_s
        self.state = State(False, time.time(), "it has not been reached yet")
        self._news = f"{prefix}news"
        self._alive = f"{prefix}bridges"
        self.failures = 0
        self.foreign = 0  # messages in the stream that no bridge of ours has signed

    async def ask(self, work: Callable[[redis.asyncio.Redis], Awaitable[T]]) -> T:
        """Ask Redis; where it is known to be away, without a wait.

        Raises:
            AwayError: it is away, or does not answer in time.
        """
        if not self.state.up:
            raise AwayError(self.state.reason)
        return await self._bounded(work(self._redis), self._timeout_s)

    async def tell(self, kind: str, content: Mapping[str, object]) -> bool:
        """Tell the other bridges; return whether Redis has taken it."""
        claims = {"aud": _AUDIENCE, "by": self.name, "kind": kind, "content": dict(content)}
        text = jwt.encode(claims, self._key, algorithm=_ALGORITHM)
        try:
            await self.ask(lambda r: r.xadd(self._news, {"told": text}, maxlen=MOST_KEPT, approximate=True))
        except AwayError:
            return False
        return True

    async def follow(self, take: Callable[[Told], None], heard: Callable[[bool], None]) -> None:
        """Take what other bridges tell, until cancelled.

        Args:
            take: called with each message.
            heard: called whenever Redis has answered, with whether something may have been missed before.
        """
        after, gap = "", True
        while True:
            try:
                if not after:
                    after = await self._bounded(self._newest(), self._timeout_s)
                found = await self._bounded(
                    self._held.xread({self._news: after}, count=100, block=round(BLOCK_S * 1000)),
                    BLOCK_S + 2 * self._timeout_s,
                )
            except AwayError:
                gap = True
                await asyncio.sleep(RETRY_S)
                continue
            heard(gap)
            gap = False
            for _, entries in found or ():
                for number, fields in entries:
                    after = number.decode()
                    self._take(fields.get(b"told", b""), take)

    async def _newest(self) -> str:
        found = await self._held.xrevrange(self._news, count=1)
        return str(found[0][0].decode()) if found else "0-0"

    def _take(self, text: bytes, take: Callable[[Told], None]) -> None:
        try:
            claims = jwt.decode(text, self._key, algorithms=[_ALGORITHM], audience=_AUDIENCE)
            if claims["by"] != self.name:
                take(Told(str(claims["kind"]), dict(claims["content"])))
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            self.foreign += 1
            _log.warning("what another bridge has told through Redis is not taken: %s: %s", type(error).__name__, error)

    async def show_alive(self, fingerprint: str) -> dict[str, str]:
        """Say that this bridge lives; return the fingerprints of the keys of all that do, by name.

        Raises:
            AwayError: Redis does not answer in time.
        """
        seconds, _ = await self.ask(lambda r: r.time())
        await self.ask(_command("HSET", self._alive, self.name, f"{fingerprint} {seconds}"))
        found: dict[bytes, bytes] = await self.ask(_command("HGETALL", self._alive))
        said = {name.decode(): value.decode().split() for name, value in found.items()}
        return {name: words[0] for name, words in said.items() if seconds - int(words[1]) <= ALIVE_S}

    async def leave(self) -> None:
        """Say that this bridge ends, and close the connections."""
        try:
            await self.ask(_command("HDEL", self._alive, self.name))
        except AwayError as error:
            _log.info("Redis was not told that this bridge ends: %s", error)
        for one in (self._redis, self._held):
            await one.aclose()

    async def reach(self) -> None:
        """Try whether Redis answers; `state` has the result."""
        try:
            await self._bounded(_command("PING")(self._redis), self._timeout_s)
        except AwayError:
            return

    async def _bounded(self, answer: Awaitable[T], most_s: float) -> T:
        try:
            async with asyncio.timeout(most_s):
                result = await answer
        except TimeoutError:
            self._is_away(f"it has not answered within {most_s:g} s")
        except (RedisError, OSError) as error:
            self._is_away(f"{type(error).__name__}: {error}")
        else:
            if not self.state.up:
                _log.log(logging.WARNING if self.failures else logging.INFO, "Redis is reached")
                self.state = State(True, time.time())
            return result
        raise AwayError(self.state.reason)

    def _is_away(self, reason: str) -> None:
        self.failures += 1
        if self.state.up or self.failures == 1:
            _log.error("Redis is away: %s", reason)
        since_s = time.time() if self.state.up else self.state.since_s
        self.state = State(False, since_s, reason)


def _command(*words: str) -> Callable[[redis.asyncio.Redis], Awaitable[dict[bytes, bytes]]]:
    """Return what asks a command whose own method has the types of two clients at once; the answer is of use where it is a hash."""

    def ask(client: redis.asyncio.Redis) -> Awaitable[dict[bytes, bytes]]:
        answer: Awaitable[dict[bytes, bytes]] = client.execute_command(*words)  # type: ignore[no-untyped-call]
        return answer

    return ask
