"""Where Aegis keeps what outlives a process: accounts, keys, the next ids of tracks and advice."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

from aegis.core.ids import UniqueIds


def state_dir(namespace: str = "") -> Path:
    """Return the state directory of a namespace, made with mode 0700 where it is missing.

    `AEGIS_STATE_DIR`, else `$XDG_STATE_HOME/aegis`, else `~/.local/state/aegis`.
    """
    base = os.environ.get("AEGIS_STATE_DIR")
    if base:
        root = Path(base)
    else:
        home = os.environ.get("XDG_STATE_HOME")
        root = (Path(home) if home else Path.home() / ".local" / "state") / "aegis"
    path = root.joinpath(*namespace.strip("/").split("/")) if namespace.strip("/") else root
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def next_epoch(directory: Path, stage: str, run_id: str) -> int:
    """Return how often a stage has been started before within a run, and count this start.

    Whoever restarts a process (`aegis up`, `ros2 launch`, systemd) need not know that events are numbered from it.

    Args:
        directory: the state directory.
        stage: name of the node.
        run_id: of this start of the whole graph; another one begins at 0.
    """
    path = directory / f"epoch_{stage}.json"
    try:
        last = json.loads(path.read_bytes())
        epoch = int(last["epoch"]) + 1 if last["run_id"] == run_id else 0
    except FileNotFoundError:
        epoch = 0
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not an epoch file ({error}); remove it") from error
    write_atomically(path, json.dumps({"run_id": run_id, "epoch": epoch}).encode())
    return epoch


def kept_ids(path: Path | None) -> UniqueIds:
    """Return ids that go on after those of all earlier runs; they are reserved on the disk before they are used.

    Args:
        path: the file that keeps them; None keeps nothing, and begins at 1.

    Raises:
        ValueError: the file is not one of ours. It is not overwritten: that could repeat ids.
    """
    if path is None:
        return UniqueIds()
    first = 1
    if path.exists():
        try:
            first = int(json.loads(path.read_bytes())["next_id"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: not an id file ({error}); move it away to begin again at 1") from error
    return UniqueIds(first, lambda next_id: write_atomically(path, json.dumps({"next_id": next_id}).encode()))


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
