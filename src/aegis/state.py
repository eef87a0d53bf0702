# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where Aegis keeps what outlives a process: accounts, keys, the next ids of tracks and advice.

A disk that is full, read-only or not there stops nothing: what cannot be kept is said, and tried again with the next write. A file
that is damaged is moved aside, and said.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import tempfile
import time
from pathlib import Path

from aegis.core.ids import UniqueIds

_log = logging.getLogger(__name__)

STARTS = "AEGIS_STARTS"  # how often the supervisor has started this process before
# Ids that follow none on the disk begin somewhere here: beyond those of all runs that could keep theirs. Two runs that could not
# meet by chance: with 100,000 ids each, once in 5,000 times.
_BEYOND = range(2**31, 2**31 + 2**30)
_not_kept: dict[Path, str] = {}


def not_kept() -> list[str]:
    """Return what this process could not write, with the reason; what is not there at the next start."""
    return [f"{path}: {why}" for path, why in _not_kept.items()]


def note_not_kept(path: Path, why: str) -> None:
    """Take note of what is kept in another way than `try_to_keep`, and cannot be."""
    _not_kept[path] = why


def try_to_keep(path: Path, content: bytes, *, durable: bool = True) -> bool:
    """Replace a file's content; return whether that was possible. The first time that it is not, and its end, are logged."""
    try:
        write_atomically(path, content, durable=durable)
    except OSError as error:
        if path not in _not_kept:
            _log.warning("%s cannot be written (%s): what it keeps is lost at the next start", path, error.strerror)
        _not_kept[path] = error.strerror or str(error)
        return False
    if _not_kept.pop(path, None) is not None:
        _log.warning("%s can be written again", path)
    return True


def move_aside(path: Path, why: str) -> None:
    """Rename a damaged file, and say so; where it cannot be renamed, it stays."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    try:
        os.rename(path, aside)
    except OSError as error:
        _log.error("%s is damaged (%s), and cannot be moved aside (%s)", path, why, error.strerror)
    else:
        _log.error("%s was damaged (%s); it is moved to %s, and begun anew", path, why, aside.name)


def state_dir(namespace: str = "") -> Path:
    """Return the state directory of a namespace, made with mode 0700 where it is missing and can be made.

    `AEGIS_STATE_DIR`, else `$XDG_STATE_HOME/aegis`, else `~/.local/state/aegis`.
    """
    base = os.environ.get("AEGIS_STATE_DIR")
    if base:
        root = Path(base)
    else:
        home = os.environ.get("XDG_STATE_HOME")
        root = (Path(home) if home else Path.home() / ".local" / "state") / "aegis"
    path = root.joinpath(*namespace.strip("/").split("/")) if namespace.strip("/") else root
    with contextlib.suppress(OSError):  # whoever writes into it says what is not kept
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def next_epoch(directory: Path, stage: str, run_id: str) -> int:
    """Return how often a stage has been started before within a run, and count this start.

    Whoever restarts a process (`ros2 launch`, systemd) need not know that events are numbered from it. Where nothing can be kept,
    the supervisor's own count is what is left.

    Args:
        directory: the state directory.
        stage: name of the node.
        run_id: of this start of the whole graph; another one begins at 0.
    """
    path = directory / f"epoch_{stage}.json"
    epoch = 0
    try:
        last = json.loads(path.read_bytes())
        epoch = int(last["epoch"]) + 1 if last["run_id"] == run_id else 0
    except OSError:
        pass  # not there, or no disk
    except (ValueError, KeyError, TypeError) as error:
        move_aside(path, f"not an epoch file: {error}")
    starts = os.environ.get(STARTS, "")
    epoch = max(epoch, int(starts) if starts.isdigit() else 0)
    try_to_keep(path, json.dumps({"run_id": run_id, "epoch": epoch}).encode())
    return epoch


def kept_ids(path: Path | None) -> UniqueIds:
    """Return ids that go on after those of all earlier runs; they are reserved on the disk before they are used.

    Args:
        path: the file that keeps them; None keeps nothing, and begins at 1. Where it is damaged or cannot be written, ids begin
            beyond those of all runs that could keep theirs.
    """
    if path is None:
        return UniqueIds()
    first = 1
    try:
        first = int(json.loads(path.read_bytes())["next_id"])
    except FileNotFoundError:
        pass
    except OSError:
        first = secrets.choice(_BEYOND)
    except (ValueError, KeyError, TypeError) as error:
        move_aside(path, f"not an id file: {error}")
        first = secrets.choice(_BEYOND)

    def reserve(next_id: int) -> int | None:
        kept = try_to_keep(path, json.dumps({"next_id": next_id}).encode())
        return None if kept or next_id >= _BEYOND.start else secrets.choice(_BEYOND)

    return UniqueIds(first, reserve)


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Replace a file's content so that a reader, or a crash, sees the old or the new and nothing between.

    Args:
        path: of the file; its directory exists.
        content: all of it.
        mode: its permissions.
        durable: wait until it is on the disk. Without, a power failure may bring back the old content, or leave none.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def remove_leftovers(path: Path) -> None:
    """Remove what a process that was killed within `write_atomically` has left beside a file; no other may be writing it."""
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink(missing_ok=True)
