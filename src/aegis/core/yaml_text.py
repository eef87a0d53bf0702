# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""YAML that people wrote."""

from __future__ import annotations

from typing import Any

import yaml

from aegis.core.params import ConfigError


def parse_yaml(text: str, source: str) -> Any:
    """Return what a text of YAML holds.

    Args:
        text: the YAML.
        source: where it comes from, for the message.

    Raises:
        ConfigError: it is not valid.
    """
    try:
        return yaml.safe_load(text)
    # PyYAML passes on what `datetime` and `int` say of something like 2026-02-30, and nests as deep as Python lets it.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{source}: not valid YAML: {error}") from error
