# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where the files that ship beside the code are: config/ and launch/; and what was built of a checkout before it changed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import aegis


def share_dir() -> Path:
    """Return the directory that holds config/ and launch/: a checkout's root, or an installation's share/aegis.

    Raises:
        FileNotFoundError: neither is there; the installation is not whole.
    """
    package = Path(aegis.__file__).resolve().parent
    root = package.parent.parent
    if package == root / "src" / "aegis" and (root / "config").is_dir():
        return root
    for parent in package.parents:
        share = parent / "share" / "aegis"
        if (share / "config").is_dir():
            return share
    raise FileNotFoundError(f"no share/aegis/config above {package}, and no source checkout; install aegis again")


def stale_builds() -> list[str]:
    """Return what was compiled or installed from a checkout before its sources changed, a line each, with the command that helps.

    After `git pull` the code of a checkout is the new one at once, and what was made of it is still the old.
    """
    package = Path(aegis.__file__).resolve().parent
    root = package.parent.parent
    if not (root / "pyproject.toml").is_file() or package != root / "src" / "aegis":
        return []
    out = []
    kernels = package / "core" / "kernels"
    old = [
        built.name.partition(".")[0] for built in sorted(kernels.glob("*.so")) if _is_older(built, _source_of(built))
    ]
    if old:
        out.append(
            f"compiled kernels are older than their sources ({', '.join(old)}): build again with"
            f" `pip install --no-build-isolation --no-deps -e {root}`"
        )
    installed = find_spec("aegis_msgs")
    sources = [*(root / "msg" / "msg").glob("*.msg"), *(root / "msg" / "srv").glob("*.srv")]
    if (
        installed is not None
        and installed.origin is not None
        and any(_is_older(Path(installed.origin), s) for s in sources)
    ):
        out.append(
            f"the installed messages are older than their sources: build again with `pip install --no-deps {root / 'msg'}`"
        )
    return out


def _source_of(built: Path) -> Path:
    return built.with_name(built.name.partition(".")[0] + ".py")


def _is_older(built: Path, source: Path) -> bool:
    return source.is_file() and built.stat().st_mtime < source.stat().st_mtime


def config_file(name: str) -> Path:
    """Return a shipped file of config/, named relative to it: `config_file("rviz/aegis.rviz")`.

    Raises:
        FileNotFoundError: there is none of that name; the message lists what there is.
    """
    config = share_dir() / "config"
    path = config / name
    if not path.is_file():
        known = ", ".join(sorted(str(found.relative_to(config)) for found in config.rglob("*") if found.is_file()))
        raise FileNotFoundError(f"no file '{name}' in {config}; there are: {known or 'none'}")
    return path
