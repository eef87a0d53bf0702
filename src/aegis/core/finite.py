# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Numbers for JSON, which has no NaN and no infinity."""

from __future__ import annotations

import math


def finite_or_none(value: float, digits: int | None = None) -> float | None:
    """Return a number, rounded to `digits` where given; None for one that is unknown (NaN) or infinite."""
    if not math.isfinite(value):
        return None
    return float(value) if digits is None else round(float(value), digits)


def finite_json(value: object) -> object:
    """Return what JSON can hold (dicts, lists, numbers, words) with null in place of what is not finite, at any depth."""
    if isinstance(value, dict):
        return {key: finite_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
