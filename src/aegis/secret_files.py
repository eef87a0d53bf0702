# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Secrets that are given as files, as container engines and systemd do: NAME_FILE says where the variable NAME is written."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

from aegis.core.params import ConfigError

NAMES = ("JWT_SECRET", "AEGIS_DECISION_KEY", "DATABASE_URL", "REDIS_URL", "FOXGLOVE_TOKEN", "SENTRY_DSN")


def read_secret_files(environ: MutableMapping[str, str]) -> None:
    """Set each variable whose file is given; a line end at the end of the file does not count.

    Raises:
        ConfigError: a file cannot be read or is empty, or the variable is given too.
    """
    for name in NAMES:
        path = environ.get(f"{name}_FILE", "")
        if not path:
            continue
        if environ.get(name):
            raise ConfigError(f"environment variables {name} and {name}_FILE: one of them is enough")
        try:
            content = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise ConfigError(f"environment variable {name}_FILE: '{path}' cannot be read: {why}") from None
        if not content:
            raise ConfigError(f"environment variable {name}_FILE: '{path}' is empty")
        environ[name] = content
        del environ[f"{name}_FILE"]  # processes to come have the variable
