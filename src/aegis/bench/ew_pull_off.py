# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A gate that is pulled off in raw samples, through all stages: whether EW tells of it, and how soon.

A car drives away from the raw radar of `config/fmcw_mimo.yaml`; its jammer's echo, ten times as strong as its own, is on it for two
seconds and walks away then, in range or in Doppler.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np

from aegis.bench import Row, three_digits
from aegis.core.types import SignalKind
from aegis.graph.config import Parameters
from aegis.graph.offline import SIMULATION_EPOCH_NS, Pipeline
from aegis.resources import config_file
from aegis.ros.messages.ew import signals_from_msg
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.simulator import SimulatorStage
from aegis.simulation.scenario import Scenario
from aegis.simulation.settings import SimulatorSettings
from aegis.simulation.signal import SignalSimulator

ACCELERATIONS = (2.0, 5.0, 10.0)  # [m/s^2]
BEGIN_S, HOLD_S, WALK_M = 1.0, 2.0, 60.0
RAW = "fmcw_mimo.yaml"


def rows(runs: int) -> Iterator[Row]:
    """Yield a row for each gate and acceleration, and one without a jammer; a seed a run."""
    for gate in ("range", "velocity"):
        for acceleration in ACCELERATIONS:
            found = [told_after(gate, acceleration, seed) for seed in range(1, runs + 1)]
            after = [one for one in found if one is not None]
            yield {
                "bench": "ew", "row": "pull_off", "gate": gate, "acceleration_mps2": acceleration, "runs": runs,
                "told": len(after), "after_s": three_digits(float(np.median(after))) if after else None,
            }  # fmt: skip
    quiet = [told_after("none", 1.0, seed) for seed in range(1, runs + 1)]
    yield {"bench": "ew", "row": "pull_off", "gate": "none", "runs": runs, "told": sum(q is not None for q in quiet)}


def told_after(gate: str, acceleration_mps2: float, seed: int) -> float | None:
    """Return how long after the walk began EW tells of deception on a track [s]; None: not before the echo starts again."""
    car = {
        "name": "car", "class": "VEHICLE", "rcs_dbsm": 10.0,
        "motion": {"kind": "straight", "position_m": [40.0, 3.0, 0.8], "speed_mps": 4.0, "course_deg": 90.0},
    }  # fmt: skip
    jammer = {
        "name": "jammer", "attached_to": "car", "gate": gate, "rcs_dbsm": 20.0, "acceleration_mps2": acceleration_mps2,
        "appears_s": BEGIN_S, "hold_s": HOLD_S, "max_offset_m": WALK_M,
    }  # fmt: skip
    scene = {
        "name": "pull-off",
        "duration_s": 60.0,
        "targets": [car],
        "pull_offs": [] if gate == "none" else [jammer],
    }
    config = config_file(RAW)
    settings = Parameters.read(config, [f"simulator.seed={seed}"]).settings_as(SimulatorSettings, "simulator")
    stage = SimulatorStage(settings, StageContext(run_id="bench"))
    stage.simulator = SignalSimulator(settings, Scenario.model_validate(scene))
    walk_at_s = BEGIN_S + HOLD_S
    end_s = walk_at_s + float(np.sqrt(2.0 * WALK_M / acceleration_mps2))
    with closing(Pipeline(config, [], source="radar/cube")) as pipeline:
        for k in range(round(end_s / stage.period_s)):
            for made in stage.on_timer(SIMULATION_EPOCH_NS + round(k * stage.period_s * 1e9)):
                for output in pipeline.push(made.topic, made.message):
                    if output.topic != "ew/signals":
                        continue
                    signals = signals_from_msg(output.message)  # type: ignore[arg-type]
                    if any(s.kind is SignalKind.DECEPTION and s.track_id for s in signals):
                        return k * stage.period_s - walk_at_s
    return None
