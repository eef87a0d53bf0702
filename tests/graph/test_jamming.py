# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The jamming scenario through all stages: the signal is there for as long as the jammer is on, and advice with it."""

from aegis.core.types import AdviceState
from aegis.graph.offline import SIMULATION_EPOCH_NS, Pipeline
from aegis.ros.messages.ew import advice_from_msg, signals_from_msg
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.simulator import SimulatorStage
from aegis.simulation.settings import SimulatorSettings

ON_S, OFF_S = 40.0, 100.0  # as the scenario says
CLEAR_S = 2.5  # five scans without evidence


def test_signal_and_advice_are_there_while_the_jammer_is_on_and_not_before_or_after():
    simulator = SimulatorStage(SimulatorSettings(scenario="jamming", seed=17), StageContext(run_id="test"))
    pipeline = Pipeline(None, [])
    advice, events = [], []
    for k in range(240):
        t_s = k * 0.5
        signals = None
        points = [o for o in simulator.on_timer(SIMULATION_EPOCH_NS + round(t_s * 1e9)) if o.topic == "radar/points"]
        for output in pipeline.push(*points[0]):
            if output.topic == "ew/signals":
                signals = signals_from_msg(output.message)
            elif output.topic == "ew/advice":
                advice = advice_from_msg(output.message)
            elif output.topic == "events" and output.message.name.startswith("EW_"):
                events.append(output.message.name)
        about = [one.state for one in advice if one.signal_id]
        if t_s < ON_S:
            assert (signals, about) == ([], [])
        elif t_s < OFF_S:
            assert len(signals) == 1
            assert about == [AdviceState.PROPOSED]
            (open_advice,) = (one for one in advice if one.signal_id)
            assert open_advice.signal_id == signals[0].id
            assert open_advice.valid_until_ns > SIMULATION_EPOCH_NS + round(t_s * 1e9)
        elif t_s > OFF_S + CLEAR_S:
            assert (signals, about) == ([], [AdviceState.WITHDRAWN])
    assert [name for name in events if name == "EW_DETECTION"] == ["EW_DETECTION"]
    assert events.count("EW_ADVICE_WITHDRAWN") >= 1
    assert pipeline.errors == 0
    pipeline.close()
