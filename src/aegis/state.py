"""Where Aegis keeps what outlives a process: accounts, keys, the next track id."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


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


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace a file's content so that a reader, or a crash, sees the old or the new and nothing between."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
