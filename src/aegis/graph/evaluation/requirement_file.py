# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Requirements by name or from a file."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from aegis.core.evaluation.requirements import Requirements
from aegis.core.params import ConfigError
from aegis.core.yaml_text import parse_yaml
from aegis.resources import share_dir


def requirements_dir() -> Path:
    """Return where the requirements that ship are."""
    return share_dir() / "config" / "requirements"


def requirement_names() -> list[str]:
    """Return the names of the requirements that ship."""
    return sorted(path.stem for path in requirements_dir().glob("*.yaml"))


def load_requirements(path_or_name: str) -> Requirements:
    """Read requirements.

    Args:
        path_or_name: the name of a set that ships, or a path with a directory or ending in .yaml.

    Raises:
        ConfigError: there is no such set, or it is wrong: the message names the file, the key and what is allowed.
    """
    if "/" in path_or_name or path_or_name.endswith((".yaml", ".yml")):
        path = Path(path_or_name)
    elif path_or_name in requirement_names():
        path = requirements_dir() / f"{path_or_name}.yaml"
    else:
        raise ConfigError(
            f"no requirements '{path_or_name}'; a path to a .yaml file is expected, or one of"
            f" {', '.join(requirement_names())}"
        )
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    try:
        return Requirements.model_validate(content)
    except ValidationError as error:
        lines = [f"{path}: '{'.'.join(map(str, item['loc'])) or '(whole)'}': {item['msg']}" for item in error.errors()]
        raise ConfigError("\n".join(lines)) from None
