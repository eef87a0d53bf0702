# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rows of what passes between stages: dataclasses of arrays with one entry per object."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def take_rows(table: T, index: NDArray[Any]) -> T:
    """Return a dataclass of per-object arrays and lists with the chosen rows of each; what is neither stays as it is."""
    columns = {f.name: getattr(table, f.name) for f in fields(table)}
    chosen: dict[str, Any] = {name: v[index] for name, v in columns.items() if isinstance(v, np.ndarray)}
    for name, values in columns.items():
        if isinstance(values, list):
            chosen[name] = [values[i] for i in np.arange(len(values))[index].tolist()] if any(values) else []
    return replace(table, **chosen)
