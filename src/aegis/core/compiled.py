"""Inner loops compiled by numba: one thread, cached between runs.

The machine code is cached in a folder named after a hash of the sources below `aegis/core`: numba itself looks only at the file
of the function it compiles, and would go on using old code of functions that this one calls.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

ROOM_BYTES = 32 * 2**20  # free on the disk before anything is kept; all code takes a tenth

F = TypeVar("F", bound=Callable[..., Any])


@cache
def cache_dir() -> str:
    """Return where compiled code is kept.

    Under `NUMBA_CACHE_DIR`, else `MODEL_CACHE_DIR`, else `$XDG_CACHE_HOME/aegis/compiled`, else `~/.cache/aegis/compiled`.
    """
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    given = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("MODEL_CACHE_DIR")
    base = given or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aegis" / "compiled"
    return str(Path(base) / digest.hexdigest()[:16])


@cache
def can_keep() -> bool:
    """Tell whether the cache can be used.

    Numba would take another folder where it may not write to this one, which can have old code in it, and fail on a full disk.
    """
    try:
        Path(cache_dir()).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache_dir()):
            pass
        if shutil.disk_usage(cache_dir()).free < ROOM_BYTES:
            raise OSError(f"less than {ROOM_BYTES >> 20} MiB free")
    except OSError as error:
        logging.getLogger(__name__).warning(
            "compiled code cannot be kept in %s (%s): every start compiles it anew. MODEL_CACHE_DIR sets another folder,"
            " and NUMBA_CACHE_DIR above it.",
            cache_dir(), error,
        )  # fmt: skip
        return False
    return True


def compiled(function: F) -> F:
    """Compile a function at its first call, or take it from the cache."""
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = cache_dir()  # read while the decorator runs
    try:
        return cast(F, numba.njit(cache=can_keep(), error_model="numpy")(function))
    finally:
        config.CACHE_DIR = before
