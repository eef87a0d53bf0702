# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Debian's PostgreSQL, started by the tests themselves in a folder of its own: found, started, crashed, stopped."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg

USER = "aegis"
_DEADLINE_S = 60


def find_binaries() -> Path | None:
    """Return the folder of initdb and pg_ctl of the newest server on this machine; None where there is none."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("pg_ctl")
    for folder in [*debian, *([Path(on_path).parent] if on_path else [])]:
        if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return folder
    return None


class PostgresServer:
    """A server on a free port of loopback, which asks for a password. As root it runs as another user: it refuses root."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self.password = secrets.token_urlsafe(12)
        self._as: dict[str, Any] = {}
        # Not pytest's own folder: that is closed to other users.
        self._folder = Path(tempfile.mkdtemp(prefix="aegis-postgres-"))
        password_file = self._folder / "password"
        password_file.write_text(self.password)
        if os.geteuid() == 0:
            user = _other_user()
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            for path in (self._folder, password_file):
                os.chown(path, user.pw_uid, user.pw_gid)
        self._run("initdb", "--no-sync", "-U", USER, "-A", "scram-sha-256", "--pwfile", password_file, "-E", "UTF8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def _run(self, program: str, *arguments: Any) -> None:
        command = [self._binaries / program, "-D", self._folder / "data", *arguments]
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_DEADLINE_S,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            **self._as,
        )
        if done.returncode:
            log = self._folder / "log"
            raise RuntimeError(f"{program}: {done.stdout}\n{log.read_text() if log.exists() else ''}")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='{self._folder}'"
        # What has been written outlives the server all the same: the tests crash it, not the machine.
        options += " -c fsync=off"
        # Its output goes to a file: an inherited pipe would stay open as long as the server runs.
        self._run("pg_ctl", "-w", "-l", self._folder / "log", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is a crash: nothing is written out, and the next start recovers."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def url(self, database: str) -> str:
        """Return the URL of a database, password included."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def remove(self) -> None:
        """Stop it where it runs, and delete everything."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self._folder)


def _other_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
