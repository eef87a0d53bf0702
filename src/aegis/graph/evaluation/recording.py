# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is evaluated: collected from messages, out of a bag or as a simulation makes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rclpy.serialization import deserialize_message

from aegis.core.evaluation.evaluate import Options, Recording
from aegis.core.evaluation.scene import objects_of
from aegis.core.evaluation.warfare import Told
from aegis.core.threat.settings import ThreatSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.types import Advice, Signal, Threats, Tracks, Truth
from aegis.graph.config import Parameters
from aegis.graph.offline import SIMULATION_EPOCH_NS, Pipeline
from aegis.ros.bag import BagError, GraphBag
from aegis.ros.messages.ew import advice_from_msg, signals_from_msg
from aegis.ros.messages.fields import StampedMessage, stamp_of
from aegis.ros.messages.picture import threats_from_msg, tracks_from_msg, truth_from_msg
from aegis.ros.messages.reports import event_from_msg
from aegis.ros.qos import message_class
from aegis.ros.stages.base import Output, StageContext
from aegis.ros.stages.simulator import SimulatorStage
from aegis.ros.topics import TOPICS
from aegis.simulation.settings import SimulatorSettings


class Collector:
    """Takes messages by topic, and makes a recording of them."""

    def __init__(self) -> None:
        self.tracks: list[Tracks] = []
        self.truth: list[Truth] = []
        self.threats: list[Threats] = []
        self._events: list[Told] = []
        self._signals: list[tuple[int, list[Signal]]] = []
        self._advice: list[tuple[int, list[Advice]]] = []
        self._takers: dict[str, Callable[[StampedMessage], None]] = {
            "tracks": lambda m: self.tracks.append(tracks_from_msg(m)),
            "truth": lambda m: self.truth.append(truth_from_msg(m)),
            "threats": lambda m: self.threats.append(threats_from_msg(m)),
            "events": self._take_event,
            "ew/signals": lambda m: self._signals.append((stamp_of(m), signals_from_msg(m))),
            "ew/advice": lambda m: self._advice.append((stamp_of(m), advice_from_msg(m))),
        }

    @property
    def topics(self) -> list[str]:
        """What it takes."""
        return list(self._takers)

    def take(self, topic: str, message: Any) -> None:
        """Take a message; those of other topics are left alone.

        Raises:
            ValueError: it is none of its kind.
        """
        if topic in self._takers:
            self._takers[topic](message)

    def _take_event(self, message: StampedMessage) -> None:
        event = event_from_msg(message)
        self._events.append(Told(event.stamp_ns, event.name, int(event.severity)))

    def recording(self) -> Recording:
        """Return what came, with the truth of the simulation where it came too."""
        stamps = [truth.stamp_ns for truth in self.truth]
        return Recording(
            pictures=self.tracks,
            objects=objects_of(self.truth),
            span_ns=(min(stamps), max(stamps)) if stamps else None,
            threats=self.threats,
            events=self._events,
            signals=self._signals,
            advice=self._advice,
            emitters={truth.stamp_ns: truth.emitters for truth in self.truth} if stamps else None,
        )


def read_bag(path: Path, truth_topic: str | None = None) -> Collector:
    """Return what a bag of `aegis process`, or of a recorded graph, holds of what is evaluated.

    Args:
        path: rosbag2 folder or file.
        truth_topic: where the truth is; None: on `truth`, where there is such a topic.

    Raises:
        BagError: it cannot be read whole, or has no tracks, or not the topic of truth that was named.
    """
    collector = Collector()
    with closing(GraphBag(path)) as bag:
        for topic in collector.topics:
            named = truth_topic if topic == "truth" else None
            if topic == "tracks" or named is not None or bag.has(topic):
                bag.take(topic, named, option="--truth")
        deliver(bag, lambda _, topic, message: collector.take(topic, message))
    return collector


def deliver(
    bag: GraphBag, take: Callable[[int, str, Any], None], refused: Callable[[str, str], None] | None = None
) -> None:
    """Call `take` with the time of recording [ns], the topic and the message of all that is taken of a bag.

    Args:
        bag: to be read.
        take: what takes the messages.
        refused: called with the topic and the reason where a message is none of its kind; None: that ends it.

    Raises:
        BagError: the bag is damaged further on, or a message is none of its kind.
    """
    kinds: dict[str, type] = {}
    count: Counter[str] = Counter()
    for time_ns, name, data in bag.messages():
        kind = kinds.get(name) or kinds.setdefault(name, message_class(TOPICS[name].type))
        count[name] += 1
        try:
            take(time_ns, name, deserialize_message(data, kind))
        except Exception as error:
            why = f"message {count[name]} on {name} is no {kind.__name__}: {error}"
            if refused is None:
                raise BagError(f"{bag.path}: {why}") from error
            refused(name, why)


def simulate(
    scenario: str,
    *,
    seed: int,
    duration_s: float | None = None,
    config: Path | None = None,
    sets: Sequence[str] = (),
    advised: Callable[[SimulatorStage, Output, int], None] | None = None,
) -> Recording:
    """Return what the graph makes of a scenario, simulated and processed in this process.

    Args:
        scenario: a shipped name or a YAML file.
        seed: of the simulator.
        duration_s: None: the scenario's.
        config, sets: parameters of the whole graph.
        advised: called with the radar, what each message of EW signals and advice says, and the time [ns]: a person who
            follows it.

    Raises:
        ConfigError: the scenario or a parameter is wrong.
        RuntimeError: a stage failed.
    """
    own = [*sets, f"simulator.scenario={scenario}", f"simulator.seed={seed}"]
    parameters = Parameters.read(config, own)
    settings = parameters.settings_as(SimulatorSettings, "simulator")
    stage = SimulatorStage(settings, StageContext(run_id="offline"))
    pipeline = Pipeline(config, own, source="radar/cube" if settings.gives_cubes else "radar/points")
    collector = Collector()
    period_ns = round(stage.period_s * 1e9)
    length_s = stage.simulator.scenario.duration_s if duration_s is None else duration_s
    for k in range(max(1, round(length_s * 1e9 / period_ns))):
        now_ns = SIMULATION_EPOCH_NS + k * period_ns
        outputs = pipeline.start(now_ns) if k == 0 else []
        for made in stage.on_timer(now_ns):
            collector.take(*made)
            outputs += pipeline.push(made.topic, made.message)
        for output in outputs:
            collector.take(*output)
            if advised is not None and output.topic in ("ew/signals", "ew/advice"):
                advised(stage, output, now_ns)
    for output in pipeline.finish(now_ns):
        collector.take(*output)
    errors = pipeline.errors
    pipeline.close()
    if errors:
        raise RuntimeError(f"{scenario}, seed {seed}: {errors} exceptions in stages; `aegis process` shows them")
    return collector.recording()


def options_of(parameters: Parameters, **given: float | int | None) -> Options:
    """Return the options: the sensor's place and the assets by the parameters, and what was given besides.

    An asset on the platform is left out: what happens to it is not judged.

    Raises:
        ConfigError: a parameter is wrong.
    """
    sensor = parameters.settings_as(TrackingSettings, "tracking").position()
    assets = parameters.settings_as(ThreatSettings, "threat").protected().values()
    said = {key: value for key, value in given.items() if value is not None}
    return Options(
        sensor=(float(sensor[0]), float(sensor[1]), float(sensor[2])),
        assets=tuple((one.x, one.y, one.z, one.radius_m) for one in assets if not one.on_platform),
        **said,  # type: ignore[arg-type]  # of the names that the caller takes from Options
    )
