# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Debian's Redis, started by the tests themselves: found, started, stopped in the middle, ended."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

_DEADLINE_S = 20.0


def find_redis() -> str | None:
    """Return redis-server, None where it is not on this machine."""
    return shutil.which("redis-server")


class RedisServer:
    """A server on a free port of loopback, with a password, that keeps nothing."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder
        self.password = secrets.token_urlsafe(12)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://:{self.password}@127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        words = {"port": self.port, "bind": "127.0.0.1", "save": "", "requirepass": self.password, "dir": self._folder}
        command = [self._program, *(str(word) for name, value in words.items() for word in (f"--{name}", value))]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        end = time.monotonic() + _DEADLINE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self._process.poll() is None, "redis-server has ended"
                assert time.monotonic() < end, "redis-server does not listen"
                time.sleep(0.02)

    def hang(self) -> None:
        """Let it answer nothing, with its connections open."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End that."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait(10)

    def remove(self) -> None:
        """End it where it runs."""
        if self._process.poll() is None:
            self.kill()
