"""Inner loops compiled by numba: one thread, cached between runs.

The machine code is cached in a folder named after a hash of the sources below `aegis/core`: numba itself looks only at the file
of the function it compiles, and would go on using old code of functions that this one calls.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


@cache
def cache_dir() -> str:
    """Return where compiled code is kept: under `NUMBA_CACHE_DIR`, `$XDG_CACHE_HOME/aegis` or `~/.cache/aegis`."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    base = os.environ.get("NUMBA_CACHE_DIR") or str(
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aegis" / "compiled"
    )
    return str(Path(base) / digest.hexdigest()[:16])


def compiled(function: F) -> F:
    """Compile a function at its first call, or take it from the cache."""
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = cache_dir()  # read while the decorator runs
    try:
        return cast(F, numba.njit(cache=True, error_model="numpy")(function))
    finally:
        config.CACHE_DIR = before
