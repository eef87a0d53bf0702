# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Clients of docker/test, in a container of the image: sign in, and watch the live stream as the page does.

    watch.py URL --password FILE [--ca FILE] [--clients N] [--since TIME]

Prints a line when every client has seen a track, and at SIGTERM the longest time that a client was without a picture since then.
Exit code 1 where that was longer than --allowed, or where nobody has seen a track.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import signal
import ssl
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

RETRY_S = 1.0  # of the page


@dataclass
class Client:
    """One client: when it got a picture, how often its connection ended, and when it first saw a track."""

    pictures: list[float] = field(default_factory=list)
    ends: int = 0
    first_track_s: float = 0.0

    async def watch(self, url: str, trust: ssl.SSLContext | None, token: str) -> None:
        """Watch without end; whatever ends the connection, there is another attempt."""
        while True:
            try:
                async with connect(url, ssl=trust, max_size=2**24, open_timeout=RETRY_S) as stream:
                    await stream.send(json.dumps({"type": "auth", "token": token}))
                    async for text in stream:
                        message = json.loads(text)
                        if message["type"] != "radar_frame":
                            continue
                        self.pictures.append(time.monotonic())
                        if message["tracks"] and not self.first_track_s:
                            self.first_track_s = time.time()
            except (OSError, TimeoutError, WebSocketException) as error:
                print(f"a connection ended: {type(error).__name__}: {error}", flush=True)
            self.ends += 1
            await asyncio.sleep(RETRY_S)


def sign_in(url: str, trust: ssl.SSLContext | None, password: str) -> str:
    """Return an access token of admin.

    Raises:
        OSError: the bridge does not answer, or refuses.
    """
    who = json.dumps({"username": "admin", "password": password}).encode()
    request = urllib.request.Request(f"{url}/api/auth/login", who, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20, context=trust) as answer:
        return str(json.load(answer)["access_token"])


async def watch(arguments: argparse.Namespace) -> int:
    """Watch until SIGTERM; return the exit code."""
    trust = ssl.create_default_context(cafile=arguments.ca) if arguments.ca else None
    token = sign_in(arguments.url, trust, arguments.password.read_text(encoding="utf-8").strip())
    print("signed in", flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    clients = [Client() for _ in range(arguments.clients)]
    stream = f"{arguments.url.replace('http', 'ws', 1)}/ws/radar-stream"
    tasks = [asyncio.create_task(client.watch(stream, trust, token)) for client in clients]
    begin = 0.0
    while not ended.is_set():
        if not begin and all(client.first_track_s for client in clients):
            begin = time.monotonic()
            first = min(client.first_track_s for client in clients) - arguments.since
            print(f"tracks: the first {first:.1f} s after the start", flush=True)
        await asyncio.wait([asyncio.create_task(ended.wait())], timeout=0.1)
    end = time.monotonic()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if not begin:
        print("nobody has seen a track")
        return 1
    pauses = sorted(_longest_pause_s(client.pictures, begin, end) for client in clients)
    cut = sum(client.ends > 0 for client in clients)
    longest, median = pauses[-1], pauses[len(pauses) // 2]
    print(f"{cut} of {len(clients)} clients were cut; the longest pause was {longest:.2f} s, the median {median:.2f} s")
    return int(pauses[-1] > arguments.allowed)


def _longest_pause_s(pictures: list[float], begin: float, end: float) -> float:
    times = [begin, *(at for at in pictures if begin <= at <= end), end]
    return max(later - earlier for earlier, later in itertools.pairwise(times))


def main() -> int:
    """Read the command line; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--password", type=Path, required=True)
    parser.add_argument("--ca")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--since", type=float, default=time.time(), help="begin of the start, seconds since 1970")
    parser.add_argument("--allowed", type=float, default=3.0, help="longest pause [s]")
    return asyncio.run(watch(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
