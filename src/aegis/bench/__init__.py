"""Benchmarks: `aegis bench NAME`. Each measures several times and brings its baseline along, in the same run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: what it measures, and the module whose `run(runs)` yields its rows."""

    purpose: str
    module: str

    def load(self) -> Callable[[int], Iterator[dict[str, Any]]]:
        """Import and return the function that measures."""
        run: Callable[[int], Iterator[dict[str, Any]]] = import_module(self.module).run
        return run


BENCHMARKS = {
    "latency": Benchmark(
        "from a scan's stamp to a WebSocket client, 200 targets at 10 Hz through the live graph", "aegis.bench.latency"
    ),
}


def report(row: dict[str, Any], *, as_json: bool) -> str:
    """Return a row as one line of JSON, or for a person."""
    if as_json:
        return json.dumps(row)
    return "  ".join(f"{key}={value}" for key, value in row.items())
