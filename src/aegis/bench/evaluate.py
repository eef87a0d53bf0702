# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every scenario that ships, or those named, through the whole graph and held against truth, a row a scenario and seed.

Simulated and processed in this process, at the settings that ship; nothing is written. It is no benchmark of time, and has no
peer: it is what a change of tracker, classes or EW is judged by.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tqdm import tqdm

from aegis.bench import BenchmarkError, Row
from aegis.core.evaluation.evaluate import Evaluation, evaluate
from aegis.core.params import ConfigError
from aegis.graph.config import Parameters
from aegis.graph.evaluation.recording import options_of, simulate
from aegis.graph.evaluation.report import class_name
from aegis.resources import config_file
from aegis.simulation.scenario import scenario_names

# Scenarios that are made for another radar than the simulator's default.
PROFILES = {"street": "fmcw_mimo.yaml"}
# Nothing happens there, so that it takes long to see something.
DURATIONS_S = {"empty": 600.0}
MEASURES = (
    "coverage", "update_probability", "to_confirmation_s", "longest_gap_s", "never_shown", "rms_m", "rms_along_m",
    "rms_across_m", "rms_height_m", "rms_speed_mps", "nees", "nees_within_95", "gospa_m", "t_gospa_m", "idf1", "id_changes",
    "count_within_1", "false_tracks", "false_tracks_per_hour", "false_scans_share", "duplicate_tracks", "duplicate_tracks_per_hour",
    "class_right", "class_wrong", "class_unknown", "calibration_error", "threat_order", "threat_first_right",
    "false_first_s", "false_critical_s", "alarms", "alarms_per_hour", "ew_signals", "ew_false_signals", "ew_advice",
    "ew_false_advice", "ew_signalled", "ew_advised",
)  # fmt: skip


def run(
    runs: int,
    *,
    scenario: Sequence[str] = (),
    seed: Sequence[int] = (),
    sets: Sequence[str] = (),
    duration: float | None = None,
) -> Iterator[Row]:
    """Yield a row for each scenario and seed.

    Args:
        runs: how many seeds, from 1 on, where none is named.
        scenario: names or YAML files; empty: all that ship.
        seed: of the simulator.
        sets: parameters, `NODE.KEY=VALUE`.
        duration: seconds of each; None: the scenario's own, and 600 of `empty`.

    Raises:
        BenchmarkError: a scenario or a parameter is wrong.
    """
    cases = [(name, one) for name in scenario or scenario_names() for one in seed or range(1, runs + 1)]
    for name, one in tqdm(cases, unit="run", disable=None):
        try:
            yield row_of(name, one, judge(name, one, sets, duration))
        except ConfigError as error:
            raise BenchmarkError(str(error)) from None


def judge(name: str, seed: int, sets: Sequence[str] = (), duration_s: float | None = None) -> Evaluation:
    """Return the evaluation of one scenario and seed, with the profile that it is made for.

    Raises:
        ConfigError: the scenario or a parameter is wrong.
    """
    config = config_file(PROFILES[name]) if name in PROFILES else None
    length_s = DURATIONS_S.get(name) if duration_s is None else duration_s
    recording = simulate(name, seed=seed, duration_s=length_s, config=config, sets=sets)
    return evaluate(recording, options_of(Parameters.read(config, sets)))


def row_of(name: str, seed: int, found: Evaluation) -> dict[str, object]:
    """Return the row: measures to four digits, null where there is no data; right, wrong and unknown scans of each class."""
    row: dict[str, object] = {
        "bench": "evaluate",
        "scenario": name,
        "seed": seed,
        "scans": found.scans,
        "gate_m": found.gate_m,
    }
    for measure in MEASURES:
        value, n = found.measures[measure]
        row[measure] = float(f"{value:.4g}") if n and math.isfinite(value) else None
    confusion = found.classes.confusion
    row["classes"] = {
        class_name(i): [int(told[i]), int(told[1:].sum() - told[i]), int(told[0])]
        for i, told in enumerate(confusion)
        if told.any()
    }
    return row
