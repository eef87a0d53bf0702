# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A recorded capture through a radar's driver, without the clock and without sockets: into a bag, or on through the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from aegis.core.params import ConfigError
from aegis.drivers.capture import first_bytes, is_capture
from aegis.drivers.contract import DriverSettings
from aegis.drivers.recording import START_NS, Recording
from aegis.drivers.registry import driver_class
from aegis.graph.config import Parameters
from aegis.ros.bag import BagError, write_bag
from aegis.ros.messages.fields import Message
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.driver import DriverStage

STATUS_PERIOD_NS = 1_000_000_000
RADAR_TOPICS = {"points": ("radar/points",), "cube": ("radar/cube",), "video": ("radar/video", "odometry")}


class Decoded(NamedTuple):
    """A message that a driver's stage gave, and when, by the recording [ns]."""

    time_ns: int
    topic: str
    message: Message


class Capture:
    """A recording and the driver that reads it.

    Args:
        path: the file.
        driver: its name; empty: the parameters name it.
        config, sets: parameters.
        start_ns: Unix time of the recording's begin, where it has no times.

    Raises:
        ConfigError: a parameter is wrong, there is no such driver, or the file is nothing that it reads.
    """

    def __init__(
        self, path: Path, driver: str, config: Path | None, sets: Sequence[str], start_ns: int | None = None
    ) -> None:
        self.path = path
        also = [f"driver.driver={driver}"] if driver else []
        parameters = Parameters.read(config, [*sets, *also])
        settings = parameters.settings_as(DriverSettings, "driver")
        self.recording = Recording(path, START_NS if start_ns is None else start_ns)
        self.stage = DriverStage(settings, StageContext(run_id="offline"), self.recording)
        self.output = driver_class(settings.driver).output
        self.frames: Counter[str] = Counter()  # by topic

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the radar's topics that the driver gives."""
        return RADAR_TOPICS[self.output]

    def messages(self, *, progress: bool = False) -> Iterator[Decoded]:
        """Yield what the driver gives of the whole recording, with its events and status.

        Raises:
            BagError: there is nothing for the driver in it, or the file cannot be read.
        """
        stage, recording = self.stage, self.recording
        size = self.path.stat().st_size
        status_ns: int | None = None
        time_ns = 0
        with tqdm(total=size, unit="B", unit_scale=True, disable=None if progress else True) as bar:
            while not stage.ended:
                try:
                    outputs = list(stage.on_timer(recording.now_ns))
                except ConfigError as error:
                    raise BagError(str(error)) from None
                if not stage.ended and not stage.is_open:
                    raise BagError(f"{self.path} cannot be read: {stage.health().text}")
                time_ns = max(time_ns, recording.now_ns)
                for topic, message in outputs:
                    self.frames[topic] += topic == self.topics[0]
                    yield Decoded(time_ns, topic, message)
                if status_ns is None or time_ns - status_ns >= STATUS_PERIOD_NS:
                    status_ns = time_ns
                    yield from (Decoded(time_ns, *output) for output in stage.status(time_ns))
                if recording.file is not None:
                    bar.update(recording.file.tell() - bar.n)
            yield from (Decoded(time_ns, *output) for output in stage.status(time_ns))
        if not sum(self.frames.values()):
            raise BagError(f"{self.path} gives no whole frame: {self}")

    def __str__(self) -> str:
        stage = self.stage
        text = f"{stage.driver.packets} packets, {sum(self.frames.values())} frames"
        if not self.recording.timed:
            text += f"; no times in the file: stamps count from {_utc(self.recording.start_ns)} (--start)"
        refused = stage.driver.refused
        if refused:
            text += "; refused: " + ", ".join(f"{reason} ({n})" for reason, n in sorted(refused.items()))
        if skipped := self.recording.skipped_text():
            text += f"; left alone: {skipped}"
        return text


def decode_capture(capture: Capture, out_bag: Path, *, progress: bool = False) -> str:
    """Write what a driver makes of a recording into a bag; return a sentence about it.

    Raises:
        BagError: there is nothing for the driver in the recording, or the output cannot be written. No output is left then.
    """
    with write_bag(out_bag, [*capture.topics, "events", "status", "/diagnostics"]) as writer:
        for time_ns, topic, message in capture.messages(progress=progress):
            writer.write(topic, time_ns, message)
    return str(capture)


def is_capture_file(path: Path) -> bool:
    """Tell whether a file is a pcap or pcapng."""
    return path.is_file() and is_capture(first_bytes(path, 16))


def _utc(time_ns: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time_ns * 1e-9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
