# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: `aegis bench NAME`. Each measures several times and brings its baseline along, in the same run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module

Row = Mapping[str, object]  # one line of results: numbers, words, and groups of these, as JSON has them


class BenchmarkError(Exception):
    """A benchmark cannot be run as asked; the message says why, and what would be right."""


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: what it measures, and the module whose `run(runs)` yields its rows."""

    purpose: str
    module: str
    options: frozenset[str] = frozenset()  # what else of the command line `run` takes, by name
    always_json: bool = False  # its rows are for machines, asked for or not

    def load(self) -> Callable[..., Iterator[Row]]:
        """Import and return the function that measures."""
        run: Callable[..., Iterator[Row]] = import_module(self.module).run
        return run


BENCHMARKS = {
    "latency": Benchmark(
        "from a scan's stamp to a WebSocket client, 200 targets at 10 Hz through the live graph", "aegis.bench.latency"
    ),
    "start": Benchmark(
        "seconds from `aegis up` to the first tracks, first and second time, and what the idle graph takes; one JSON line",
        "aegis.bench.start",
        frozenset({"checkout"}),
        always_json=True,
    ),
    "faults": Benchmark(
        "every process of the live graph killed and stopped: how soon noticed, how soon fresh output",
        "aegis.bench.faults",
    ),
    "bridge": Benchmark(
        "1000 WebSocket clients at 10 Hz, GET under load, memory over minutes, beside a loop of send_json",
        "aegis.bench.bridge",
        frozenset({"minutes"}),
    ),
    "page": Benchmark(
        "the page in headless Chromium without a GPU, 1,000 and 5,000 tracks at 10 Hz: script a frame, long tasks, memory",
        "aegis.bench.page",
        frozenset({"minutes"}),
    ),
    "signal": Benchmark(
        "the front end, raw cube to points, beside a plain numpy chain, 8 and 12 channels", "aegis.bench.signal"
    ),
    "raw": Benchmark(
        "raw cubes at 20 Hz through the live graph to tracks: what is lost, and how late it is", "aegis.bench.raw"
    ),
    "video": Benchmark(
        "plots of recorded marine radars: how many, how fast, and whether their errors are as stated",
        "aegis.bench.video",
        frozenset({"captures"}),
    ),
    "tracking": Benchmark(
        "CPU time and GOSPA of the tracker beside Stone Soup's, 50 to 10,000 targets",
        "aegis.bench.tracking",
        frozenset({"scenarios"}),
    ),
    "classes": Benchmark(
        "what tracks are called: right, wrong or UNKNOWN on random simulated traffic, one seed a run",
        "aegis.bench.classes",
    ),
    "classify": Benchmark(
        "the class models with kinds, radars and days left out, beside gradient boosting; ms a batch; 20 scenes a day a run",
        "aegis.bench.classify",
        frozenset({"examples"}),
    ),
    "fusion2017": Benchmark(
        "GOSPA beside the published multi-Bernoulli filters, scenarios 1 and 2 of FUSION 2017, 40 runs a cell",
        "aegis.bench.fusion2017",
    ),
    "fusion": Benchmark(
        "tracks of 2 to 10 radars fused once a second beside one tracker of all detections, hand-over, the load of 48 sources",
        "aegis.bench.fusion",
    ),
    "fleet": Benchmark(
        "1 to 20 sites of 200 tracks over zenoh: age of pictures, whole lines and 1 Mbit/s with loss; a line cut for a minute",
        "aegis.bench.fleet",
    ),
    "threat": Benchmark(
        "raids: is the order of threats that of impact; false CRITICAL on calm traffic, simulated and recorded; 20 raids a run",
        "aegis.bench.threat",
        frozenset({"recordings"}),
    ),
    "report": Benchmark(
        "`aegis report` on an hour of 200 tracks, without truth and with it: seconds, and kB of the page",
        "aegis.bench.report",
    ),
    "replay": Benchmark(
        "the picture of a time in a history of 7 days, beside sqlite3 alone on the same rows", "aegis.bench.replay"
    ),
    "zones": Benchmark(
        "zone rules on a picture of 5,000 tracks and 50 zones, beside a numpy loop that only tells who is inside",
        "aegis.bench.zones",
    ),
    "robust": Benchmark(
        "the tracker at its defaults in worlds that are not as stated, beside Stone Soup's, tuned for the nominal one",
        "aegis.bench.robust",
    ),
    "autoferry": Benchmark(
        "four recordings of a maritime radar, each tracked by what was chosen on the three others, as Stone Soup's tracker is",
        "aegis.bench.autoferry",
        frozenset({"recordings"}),
    ),
    "profiles": Benchmark(
        "profiles of config/ beside the defaults, on what they were chosen on and on what they were not, one seed a run",
        "aegis.bench.profiles",
        frozenset({"recordings"}),
    ),
    "dwell_classes": Benchmark(
        "what tracks of a raw radar are called with and without its dwells' micro-Doppler, and what that costs; a scene a run",
        "aegis.bench.dwell_classes",
    ),
    "real_classes": Benchmark(
        "what recorded people, cars, vessels and aircraft are called by the classes that ship",
        "aegis.bench.real_classes",
        frozenset({"recordings"}),
    ),
    "ew": Benchmark(
        "EW: false alarms in hours of calm, jammers' ranges against closed forms, what agility does for the picture",
        "aegis.bench.ew",
        frozenset({"hours"}),
    ),
    "evaluate": Benchmark(
        "every scenario that ships through the whole graph, held against truth, a row a scenario and seed",
        "aegis.bench.evaluate",
        frozenset({"scenario", "seed", "sets", "duration"}),
    ),
}


def three_digits(value: float) -> float:
    """Return a value rounded to three significant digits."""
    return float(f"{value:.3g}")


def report(row: Row, *, as_json: bool) -> str:
    """Return a row as one line of JSON, or for a person."""
    if as_json:
        return json.dumps(row)
    return "  ".join(f"{key}={value}" for key, value in row.items())
