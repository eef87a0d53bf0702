"""Where the files that ship beside the code are: config/ and launch/."""

from __future__ import annotations

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
