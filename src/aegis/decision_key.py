# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The key by which the nodes of one graph know each other's decisions: shared through the environment, or the state directory."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

from aegis.core.params import ConfigError
from aegis.state import move_aside, note_not_kept, state_dir

DECISION_KEY = "AEGIS_DECISION_KEY"
KEY_FILE = "decision_key"
KEY_BYTES = 32
_GIVEN = re.compile("([0-9a-fA-F]{2}){16,}")


def decision_key() -> bytes:
    """Return the key: of the environment, else of the state directory, where it is made when it is missing.

    Where nothing can be kept it is of this process, and of what is forked from it with `share_decision_key`.

    Raises:
        ConfigError: that of the environment is too short, or not hexadecimal.
    """
    given = os.environ.get(DECISION_KEY, "")
    if given and not _GIVEN.fullmatch(given):
        raise ConfigError(f"environment variable {DECISION_KEY}: 32 hexadecimal digits or more are expected")
    return bytes.fromhex(given) if given else _kept(state_dir() / KEY_FILE)


def share_decision_key(environ: MutableMapping[str, str]) -> None:
    """Write the key into the environment of processes to come, so that they agree on it without a disk too.

    Raises:
        ConfigError: as above.
    """
    environ[DECISION_KEY] = decision_key().hex()


def _kept(path: Path) -> bytes:
    made = secrets.token_bytes(KEY_BYTES)
    try:
        key = _read(path)
        if key is None:
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as file:  # mode 0600
                file.write(made)
                file.flush()
                os.fsync(file.fileno())
                with suppress(FileExistsError):  # another process was faster
                    os.link(file.name, path)
            key = _read(path)
    except OSError as error:
        note_not_kept(path, error.strerror or str(error))
        return made
    return key or made


def _read(path: Path) -> bytes | None:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(key) == KEY_BYTES:
        return key
    move_aside(path, f"{len(key)} bytes instead of {KEY_BYTES}")
    return None
