# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the tests of the packaging share: the files of the package, the compiled ones, and commands that build."""

import os
import subprocess
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KERNELS = "core/kernels"
EXTENSION = sysconfig.get_config_var("EXT_SUFFIX")
# Whether everything is built and where it lies is tested, not its speed: half the time to compile.
UNOPTIMISED_KERNELS = "KERNEL_OPTIMISATION=-O0"


def source_files() -> set[str]:
    """Return the files of the package, below it; an editable installation has compiled kernels among them."""
    package = ROOT / "src" / "aegis"
    files = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(package)) for path in files if path.suffix != ".so"}


def compiled_files() -> set[str]:
    """Return the compiled kernels that an installation has for this Python, below the package."""
    sources = (ROOT / "src" / "aegis" / KERNELS).glob("[!_]*.py")
    return {f"{KERNELS}/{source.stem}{EXTENSION}" for source in sources}


def run(*command: object, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Return what a command prints; fail with it where the command fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=580, env=env or os.environ, cwd=cwd
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
