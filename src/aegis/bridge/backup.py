# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Backup and restore of accounts and history: one file, made while the bridge runs, put back while it does not.

The file is a tar of the databases and manifest.json, with a checksum and the revision of the tables of each. Keys are not in it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from aegis import __version__
from aegis.bridge.accounts.file import MIGRATIONS as ACCOUNT_MIGRATIONS
from aegis.bridge.accounts.store import DATABASE_FILE
from aegis.bridge.database import MigrationError, file_url, in_use, migrate, open_engine, reason_of
from aegis.bridge.history.history import HISTORY_FILE
from aegis.bridge.history.store import MIGRATIONS as HISTORY_MIGRATIONS

FORMAT = 1
MANIFEST, SERVER_PART = "manifest.json", "postgresql.dump"
FILES = {DATABASE_FILE: ACCOUNT_MIGRATIONS, HISTORY_FILE: HISTORY_MIGRATIONS}
_BESIDE = ("", "-wal", "-shm")
_BUSY_S = 2.0
_SERVER_S = 3600.0  # that PostgreSQL's programs may take


class BackupError(Exception):
    """Nothing was backed up or restored; the message says why, and what would be right."""


@dataclass(frozen=True)
class Part:
    """One database in a backup."""

    bytes: int
    sha256: str
    revision: str = ""  # of its tables; empty for PostgreSQL, whose dump has them


def back_up(state_dir: Path, target: Path, *, server: str = "") -> Mapping[str, Part]:
    """Write a backup, whole or not at all; return its parts.

    Args:
        state_dir: of the bridge, which may be running.
        target: the file to be made, for its owner alone.
        server: URL of a PostgreSQL that is backed up too.

    Raises:
        BackupError: there is nothing, it is damaged, the file exists, or PostgreSQL's programs fail.
    """
    if target.exists():
        raise BackupError(f"{target} exists: name another file")
    with _workplace(target.parent) as folder:
        parts: dict[str, Part] = {}
        for name in FILES:
            if (state_dir / name).exists():
                _copy(state_dir / name, folder / name)
                parts[name] = _part(folder / name, _revision(folder / name))
        if server:
            _run("pg_dump", server, "--format=custom", "--no-owner", f"--file={folder / SERVER_PART}")
            parts[SERVER_PART] = _part(folder / SERVER_PART)
        if not parts:
            raise BackupError(f"{state_dir} has neither {' nor '.join(FILES)}: is it the state directory of a bridge?")
        head = {"format": FORMAT, "aegis": __version__, "made_s": time.time()}
        text = json.dumps({**head, "parts": {name: asdict(part) for name, part in parts.items()}}, indent=1).encode()
        made = folder / "backup"
        with tarfile.open(made, "w:gz") as archive:
            info = tarfile.TarInfo(MANIFEST)
            info.size, info.mode = len(text), 0o600
            archive.addfile(info, io.BytesIO(text))
            for name in parts:
                archive.add(folder / name, name)
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.chmod(0o600)
        os.link(made, target)  # fails where somebody has made it meanwhile
    return parts


def restore(source: Path, state_dir: Path, *, server: str = "") -> list[str]:
    """Put a backup back; return in words what was done. What was there is renamed, and stays.

    Args:
        source: the backup.
        state_dir: of a bridge that does not run.
        server: URL of the PostgreSQL that a dump is put into: its tables must not be there.

    Raises:
        BackupError: it is no backup, damaged, of a newer release, or the bridge runs; nothing has changed then, but for a
            PostgreSQL that failed, which says what it did.
    """
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _workplace(state_dir) as folder:
        parts = _unpack(source, folder)
        if SERVER_PART in parts and not server:
            raise BackupError(f"{source} has a dump of PostgreSQL: set DATABASE_URL to the database that it goes into")
        files = [name for name in parts if name in FILES]
        for name in files:
            _bring_forward(folder / name, FILES[name])
            _refuse_running(state_dir / name)
        done = []
        if SERVER_PART in parts:
            _run(
                "pg_restore", server, "--no-owner", "--exit-on-error", "--single-transaction", str(folder / SERVER_PART)
            )
            done.append(f"{SERVER_PART} is in {make_url(server).render_as_string(hide_password=True)}")
        for name in files:
            done.append(_put_in_place(folder / name, state_dir / name))
    return done


def _copy(source: Path, target: Path) -> None:
    """Copy a database of SQLite as it is at one moment, whoever writes to it."""
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied: {error}") from error
    target.chmod(0o600)


def _revision(path: Path) -> str:
    try:
        with closing(sqlite3.connect(path)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                raise BackupError(f"{path.name} is damaged: {found}")
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"{path.name} is no database of a bridge: {error}") from error
    return str(row[0]) if row else ""


def _part(path: Path, revision: str = "") -> Part:
    with path.open("rb") as file:
        return Part(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest(), revision)


def _unpack(source: Path, folder: Path) -> Mapping[str, Part]:
    """Unpack what the manifest names, and nothing else; return it."""
    try:
        with tarfile.open(source, "r:gz") as archive:
            text = archive.extractfile(MANIFEST)
            manifest = json.loads(text.read()) if text else {}
            if manifest.get("format") != FORMAT:
                raise BackupError(f"{source} is no backup that this release ({__version__}) reads")
            parts = {str(name): Part(**values) for name, values in manifest["parts"].items()}
            for name in parts:
                content = archive.extractfile(name) if name in (*FILES, SERVER_PART) else None
                if content is None:
                    raise BackupError(f"{source} has a part '{name}' that this release does not know")
                with (folder / name).open("xb") as file:
                    shutil.copyfileobj(content, file)
    except (OSError, EOFError, tarfile.TarError, KeyError, TypeError, ValueError) as error:
        raise BackupError(f"{source} is no backup, or a damaged one: {type(error).__name__}: {error}") from error
    wrong = [name for name, part in parts.items() if _part(folder / name).sha256 != part.sha256]
    if wrong:
        raise BackupError(f"{source} is damaged: the checksum of {', '.join(wrong)} is wrong")
    return parts


def _bring_forward(path: Path, migrations: Path) -> None:
    """Bring the tables of a backup to this release's form, before it is in place."""
    path.chmod(0o600)
    _revision(path)
    engine = open_engine(file_url(path))
    try:
        migrate(engine, migrations)
    except MigrationError as error:
        raise BackupError(f"{path.name} is of a newer release than {__version__}: {error}") from error
    except SQLAlchemyError as error:
        raise BackupError(f"{path.name} cannot be brought to this release's form: {reason_of(error)}") from error
    finally:
        engine.dispose()
    with closing(sqlite3.connect(path)) as connection:  # all in one file
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")


def _refuse_running(path: Path) -> None:
    """Refuse where a process has a database open: the bridge would put back what is replaced under it."""
    if reason := in_use(path):
        raise BackupError(f"{path} is in use ({reason}): stop the bridge first")


def _put_in_place(made: Path, path: Path) -> str:
    aside = ""
    if path.exists():
        name = f"{path.name}.before-restore-{time.time_ns()}"
        for ending in reversed(_BESIDE):  # the file itself last
            beside = path.with_name(path.name + ending)
            if beside.exists():
                beside.rename(path.with_name(name + ending))
        aside = f"; what was there is {name}"
    os.replace(made, path)
    return f"{path} is as it was backed up{aside}"


def _run(program: str, server: str, *words: str) -> None:
    """Run a program of PostgreSQL; the password goes in its environment, where no list of processes shows it."""
    url = make_url(server)
    environ = {**os.environ, "PGPASSWORD": url.password or "", "PGCONNECT_TIMEOUT": "10"}
    name = str(URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query))
    try:
        done = subprocess.run(
            [program, f"--dbname={name}", *words], env=environ, capture_output=True, text=True, timeout=_SERVER_S
        )
    except FileNotFoundError:
        raise BackupError(f"{program} is not on this machine: apt install postgresql-client") from None
    except subprocess.TimeoutExpired:
        raise BackupError(f"{program} has not ended within {_SERVER_S:g} s") from None
    if done.returncode:
        raise BackupError(f"{program}: {' '.join(done.stderr.split())}")


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """Make a folder that is gone afterwards, on the disk where the result will be."""
    try:
        with tempfile.TemporaryDirectory(prefix=".aegis-backup-", dir=folder) as name:
            yield Path(name)
    except OSError as error:
        raise BackupError(f"{folder}: {error.strerror or error}") from error
