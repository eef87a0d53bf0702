# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The graph without the clock: the same stages as the live nodes, fed from a bag, in one thread, in a fixed order."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aegis_msgs.msg import TrackArray
from rclpy.serialization import deserialize_message
from tqdm import tqdm

from aegis.core.params import Settings
from aegis.graph.config import Parameters
from aegis.graph.decode import Capture
from aegis.graph.nodes import NODES
from aegis.ros.bag import BagError, BagReader, topic_types, write_bag
from aegis.ros.messages.fields import Message, stamp_of
from aegis.ros.qos import message_class
from aegis.ros.stages.base import LOST, Output, Stage, StageContext
from aegis.ros.stages.simulator import SimulatorStage
from aegis.ros.topics import TOPICS
from aegis.simulation.settings import SimulatorSettings

# Of these a bag has one; where it has two, the points were made from the other.
VIDEO = "radar/video"
INPUTS = ("radar/points", "radar/cube", VIDEO)
ODOMETRY = "odometry"
NOISE = "radar/noise"  # what the receiver of such a radar hears; taken where the bag has it
PULSES = "ew/pulses"  # of a warning receiver
ZONES = "zones"  # that people have drawn meanwhile
TRUTH = "truth"  # of a simulation; carried along, for `aegis evaluate`
LEFT_OUT = (*LOST, "point out of range")  # of objects, told at the end: without them, nothing may be tracked
STATUS_PERIOD_NS = 1_000_000_000
# Time of a simulated recording's first scan: any fixed time does, and the same one makes the same bytes.
SIMULATION_EPOCH_NS = 1_700_000_000 * 1_000_000_000


class Pipeline:
    """Stages connected by the graph table; a message goes in, every message that follows from it comes out, in order."""

    def __init__(self, config: Path | None, sets: Sequence[str], *, source: str = INPUTS[0]) -> None:
        """Make the offline stages.

        Args:
            config, sets: parameters.
            source: of INPUTS, what goes in: it says which of the nodes that are not always there are needed.

        Raises:
            ConfigError: a parameter is wrong.
        """
        context = StageContext(run_id="offline")
        names = [
            name for name, spec in NODES.items() if spec.offline and (not spec.on_request or source in spec.subscribes)
        ]
        parameters = Parameters.read(config, sets)
        parameters.check(names)
        self.stages: list[Stage[Settings]] = [
            NODES[name].load_stage()(parameters.settings(name), context) for name in names
        ]
        self._readers = {
            topic: [stage for stage in self.stages if topic in NODES[stage.name].subscribes and stage.reads(topic)]
            for topic in TOPICS
        }
        self._status_ns: int | None = None

    @property
    def errors(self) -> int:
        """Exceptions caught in stages so far."""
        return sum(stage.counters.errors for stage in self.stages)

    def reads(self, topic: str) -> bool:
        """Tell whether a stage reads a topic."""
        return bool(self._readers[topic])

    def start(self, now_ns: int) -> list[Output]:
        """Return what the stages say at their start."""
        return [output for stage in self.stages for output in stage.start(now_ns)]

    def push(self, topic: str, message: Any) -> list[Output]:
        """Return every message that follows from this one."""
        return self._follow([Output(topic, message)])

    def finish(self, now_ns: int) -> list[Output]:
        """Return every message that follows from there being no more input."""
        done: list[Output] = []
        for stage in self.stages:
            outputs = list(self._guarded(stage, now_ns, stage.finish, now_ns))
            done += [*outputs, *self._follow(outputs)]
        return done

    def _follow(self, outputs: Iterable[Output]) -> list[Output]:
        done: list[Output] = []
        queue = deque(outputs)
        while queue:
            current = queue.popleft()
            for stage in self._readers[current.topic]:
                stage.counters.received += 1
                stamp_ns = stamp_of(current.message)
                for output in self._guarded(stage, stamp_ns, stage.on_message, *current):
                    done.append(output)
                    queue.append(output)
        return done

    def status(self, now_ns: int, *, final: bool = False) -> list[Output]:
        """Return every stage's status where a period has passed, or at the end."""
        if self._status_ns is None:
            self._status_ns = now_ns
        if not final and now_ns - self._status_ns < STATUS_PERIOD_NS:
            return []
        self._status_ns = now_ns
        return [output for stage in self.stages for output in stage.status(now_ns)]

    def close(self) -> None:
        """Release what the stages hold."""
        for stage in self.stages:
            stage.close()

    def _guarded(
        self, stage: Stage[Settings], stamp_ns: int, call: Callable[..., Iterable[Output]], *args: Any
    ) -> Iterator[Output]:
        try:
            for output in call(*args):
                if output.topic in NODES[stage.name].publishes:
                    stage.counters.published += 1
                yield output
        except Exception as error:  # noqa: BLE001 - as live: counted, reported as an event and in the exit code
            yield from stage.caught(error, stamp_ns)


@dataclass(frozen=True)
class _Input:
    """What goes through the graph: (time [ns], topic, message or its CDR bytes), in the order of time."""

    source: str  # the radar's topic
    topics: tuple[str, ...]
    messages: Iterator[tuple[int, str, Message | bytes]]
    total: int | None  # messages


def process_bag(
    in_bag: Path,
    out_bag: Path,
    *,
    topic: str | None = None,
    odometry_topic: str = ODOMETRY,
    config: Path | None = None,
    sets: Sequence[str] = (),
    progress: bool = False,
) -> Summary:
    """Send the radar points, or raw cubes, of a bag through the graph; write them and every topic of the graph.

    On a moving platform (a parameter of `detection`) the platform's odometry goes with them, in the order of recording, as do zones
    that were drawn, a warning receiver's pulses and, with points, what the receiver hears. The truth of a simulation is copied.

    Args:
        in_bag: rosbag2 folder or file; out_bag: the bag to write, which must not exist.
        topic: of the points or cubes in `in_bag`; None: radar/points, or else radar/cube.
        odometry_topic: of the odometry there.
        config, sets: parameters.
        progress: show a progress bar where standard error is a terminal.

    Raises:
        BagError: the input cannot be read whole, or the output cannot be written. No output is left then.
        ConfigError: a parameter is wrong.
    """
    with ExitStack() as stack:
        types = topic_types(in_bag)
        source, topic = _input_of(types, topic)
        readers = {source: stack.enter_context(closing(BagReader(in_bag, topic, TOPICS[source].type)))}
        pipeline = stack.enter_context(closing(Pipeline(config, sets, source=source)))
        if pipeline.reads(ODOMETRY):
            odometry = BagReader(in_bag, odometry_topic, TOPICS[ODOMETRY].type, option="--odometry-topic")
            readers[ODOMETRY] = stack.enter_context(closing(odometry))
        left_out = []
        # Cubes tell the noise themselves.
        for name in (TRUTH, ZONES, PULSES) if source == "radar/cube" else (TRUTH, ZONES, PULSES, NOISE):
            there = sorted(n for n, kind in types.items() if n.endswith("/" + name) and kind == TOPICS[name].type)
            if len(there) == 1:
                readers[name] = stack.enter_context(closing(BagReader(in_bag, there[0], TOPICS[name].type)))
            elif there:
                left_out.append(f"{in_bag} has several: {', '.join(there)}; none of them is taken")
        total = sum(reader.count for reader in readers.values())
        found = _Input(source, tuple(readers), _merged(readers), total)
        summary = _process(pipeline, found, in_bag, out_bag, progress)
        odd = [warning for reader in readers.values() for warning in reader.warnings]
        summary.warnings = list(dict.fromkeys([*left_out, *odd]))
        return summary


def process_capture(
    capture: Capture,
    out_bag: Path,
    *,
    config: Path | None = None,
    sets: Sequence[str] = (),
    progress: bool = False,
) -> Summary:
    """Send what a driver makes of a recording through the graph; write that and every topic of the graph.

    Raises:
        BagError: there is nothing for the driver in the recording, or the output cannot be written. No output is left then.
        ConfigError: a parameter is wrong.
    """
    source = capture.topics[0]
    with closing(Pipeline(config, sets, source=source)) as pipeline:
        found = _Input(source, capture.topics, capture.messages(progress=progress), None)
        summary = _process(pipeline, found, capture.path, out_bag, progress=False)
    summary.note = str(capture)
    return summary


def _process(pipeline: Pipeline, found: _Input, in_path: Path, out_bag: Path, progress: bool) -> Summary:
    summary = Summary()
    topics = dict.fromkeys([*found.topics, *(t for s in pipeline.stages for t in NODES[s.name].publishes)])
    with write_bag(out_bag, [*topics, "events", "status", "/diagnostics"]) as writer:
        first = True
        time_ns = 0
        read: Counter[str] = Counter()
        for time_ns, name, data in tqdm(
            found.messages, total=found.total, unit="message", disable=None if progress else True
        ):
            writer.write(name, time_ns, data)
            if name not in found.topics:  # the driver's own events and status
                continue
            outputs = pipeline.start(time_ns) if first else []
            first = False
            read[name] += 1
            message = data
            if isinstance(data, bytes):
                kind = message_class(TOPICS[name].type)
                try:
                    message = deserialize_message(data, kind)
                except Exception as error:
                    which = f"{'scan' if name == found.source else name} {read[name]}"
                    raise BagError(f"{in_path}: {which} is not a whole {kind.__name__}: {error}") from error
            outputs += pipeline.push(name, message)
            outputs += pipeline.status(time_ns)
            summary.add(outputs)
            for output in outputs:
                writer.write(output.topic, time_ns, output.message)
        outputs = pipeline.finish(time_ns)
        summary.add(outputs)
        for output in [*outputs, *pipeline.status(time_ns, final=True)]:
            writer.write(output.topic, time_ns, output.message)
    summary.scans = summary.clouds if found.source == VIDEO else read[found.source]
    summary.errors = pipeline.errors
    summary.refused = sum(stage.counters.dropped for stage in pipeline.stages)
    for stage in pipeline.stages:
        if stage.counters.dropped:
            why = f"; the last: {stage.last_refusal}" if stage.last_refusal else ""
            reasons = ", ".join(f"{reason} ({count})" for reason, count in sorted(stage.counters.refused.items()))
            summary.refusals.append(f"{stage.label} refused {stage.counters.dropped} inputs: {reasons}{why}")
        left_out = [f"{reason} ({n})" for reason in LEFT_OUT if (n := stage.counters.reasons[reason])]
        if left_out:
            summary.refusals.append(f"{stage.label} left out objects: {', '.join(left_out)}")
    return summary


def _input_of(types: Mapping[str, str], topic: str | None) -> tuple[str, str]:
    """Return which of INPUTS a bag's topic is, and the topic's name; what the bag does not have, its reader will refuse."""
    for source in INPUTS:
        wanted = "/" + (topic or source).strip("/")
        there = [name for name, kind in types.items() if name.endswith(wanted) and kind == TOPICS[source].type]
        if there:
            return source, topic or (there[0] if len(there) == 1 else source)
    return INPUTS[0], topic or INPUTS[0]


def _merged(readers: Mapping[str, BagReader]) -> Iterator[tuple[int, str, bytes]]:
    """Yield (time of recording [ns], topic, CDR bytes) of all readers in the order of time, then of the topics' names."""

    def named(name: str, reader: BagReader) -> Iterator[tuple[int, str, bytes]]:
        for time_ns, data in reader.messages():
            yield time_ns, name, data

    return heapq.merge(*(named(name, reader) for name, reader in readers.items()))


class Summary:
    """What a run did, for its last line and its exit code."""

    def __init__(self) -> None:
        self.scans = 0
        self.refused = 0
        self.refusals: list[str] = []  # of inputs, and of objects in them: by which stage, for which reasons
        self.errors = 0
        self.clouds = 0  # that came of cubes or video
        self.note = ""  # what else there is to say of the input
        self.warnings: list[str] = []  # of the input: what is odd and did not matter
        self.pictures = 0
        self._tracks: set[int] = set()

    def add(self, outputs: Iterable[Output]) -> None:
        """Count the tracks in outputs."""
        for output in outputs:
            self.clouds += output.topic == "radar/points"
            if output.topic == "tracks":
                self.pictures += 1
                tracks: TrackArray = output.message
                self._tracks.update(tracks.track_id)

    def __str__(self) -> str:
        text = f"{self.scans} scans, {len(self._tracks)} tracks (tentative ones included)"
        if self.refused:
            text += f", {self.refused} inputs refused (see /diagnostics in the output)"
        if self.errors:
            text += f", {self.errors} exceptions caught (see PIPELINE_ERROR and DETECTION_ERROR in events)"
        return text + (f"\n{self.note}" if self.note else "")


def simulate_bag(
    scenario: str,
    out_bag: Path,
    *,
    duration_s: float | None = None,
    config: Path | None = None,
    sets: Sequence[str] = (),
    progress: bool = False,
) -> str:
    """Write what the simulated radar sees of a scenario into a bag; return a sentence about it.

    Raises:
        BagError: the output cannot be written.
        ConfigError: the scenario or a parameter is wrong.
    """
    parameters = Parameters.read(config, [*sets, f"simulator.scenario={scenario}"])
    parameters.check(["simulator"])
    parameters.check_only(
        ["simulator"], "only `simulator` runs here; what is of other nodes is for `aegis process`, of the bag"
    )
    settings = parameters.settings_as(SimulatorSettings, "simulator")
    stage = SimulatorStage(settings, StageContext(run_id="offline"))
    period_ns = round(stage.period_s * 1e9)
    scans = max(
        1, round((duration_s if duration_s is not None else stage.simulator.scenario.duration_s) * 1e9 / period_ns)
    )
    made = ["radar/cube"] if settings.gives_cubes else [NOISE, "radar/points"]
    with write_bag(out_bag, [*made, TRUTH, "events"]) as writer:
        for k in tqdm(range(scans), unit="scan", disable=None if progress else True):
            now_ns = SIMULATION_EPOCH_NS + k * period_ns
            for output in stage.on_timer(now_ns):
                writer.write(output.topic, now_ns, output.message)
    return f"{scans} scans of {stage.simulator.scenario.name}"
