# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a radar's driver is: made from its settings, started, polled for frames, stopped; and asked how it does. Knows no ROS.

Most drivers are a transport (`transport.py`: UDP, CAN, serial line, file) and a parser of bytes, which `packet_driver.py` puts
together. How to write one is in `README.md` beside this file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import ClassVar, Literal, Self

from aegis.core.params import ConfigError, Settings, param
from aegis.drivers.frames import DriverHealth, Frame
from aegis.drivers.recording import Recording


class DriverSettings(Settings):
    """Parameters of the node `driver` that all drivers have; each driver's own class adds what it needs."""

    driver: str = param("", "Which driver: the name of one that ships, or of one that an installed package brings.")
    sensor_id: str = param("radar", "Name of the sensor, in cubes and status.")
    frame_id: str = param("radar", "The sensor's frame, in which the points are.")
    poll_period_s: float = param(0.005, "Time between looks at the sensor's line.", unit="s", ge=0.0005, le=1.0)
    delay_s: float = param(
        0.0, "Shortest time from the middle of a measurement to its receipt here, where it is known; stamps are earlier by it.",
        unit="s", ge=0.0, le=10.0,
    )  # fmt: skip
    silent_after_s: float = param(
        2.0, "Without a frame for this long, the sensor is silent: 'no data'.", unit="s", gt=0.0
    )


NOT_PUBLISHED = "list not published"  # the radar sends several, and a parameter says which is taken


class Driver(ABC):
    """One radar. Making it configures it: what can be checked without the radar is checked there.

    Life: `start`, `poll` again and again, `stop`; then it may be started anew. Only one thread calls.

    Raises:
        ConfigError: on making, where a setting or a file that it names is wrong.
    """

    name: ClassVar[str]
    output: ClassVar[Literal["points", "cube", "video"]]
    settings_type: ClassVar[type[DriverSettings]]
    chosen: ClassVar[frozenset[str]] = (
        frozenset()
    )  # of the reasons in `refused`: what a parameter leaves out, which is no fault

    def __init__(self, settings: DriverSettings) -> None:
        if not isinstance(settings, self.settings_type):
            raise ConfigError(
                f"driver '{self.name}' takes {self.settings_type.__name__}, not {type(settings).__name__}"
            )
        self.settings = settings
        self.frames = 0  # given out since it was made
        self.packets = 0  # read since it was made
        self.refused: Counter[str] = Counter()  # packets, or parts of them, by reason

    @classmethod
    def of_recording(cls, settings: DriverSettings, recording: Recording) -> Self:
        """Return the driver with a recorded file in the place of its line.

        Raises:
            ConfigError: the driver reads no recordings, or none of that kind; or as on making.
        """
        raise ConfigError(f"driver '{cls.name}' reads no recordings")

    @abstractmethod
    def start(self) -> None:
        """Open the line to the radar.

        Raises:
            OSError: it cannot be opened; the message says what was tried. `start` may be called again.
        """

    @abstractmethod
    def poll(self, timeout_s: float = 0.0) -> list[Frame]:
        """Return the frames that are complete, waiting up to `timeout_s` for data; bounded work, no exception for bad bytes.

        Raises:
            OSError: the line is gone; `stop` and `start` may bring it back.
            EOFError: a recording is at its end, and everything in it was given out.
        """

    @abstractmethod
    def stop(self) -> None:
        """Close the line; what was not complete is forgotten. Without effect on a driver that is not started."""

    def health(self) -> DriverHealth:
        """Return how it does; more than the base knows where a radar tells it (temperature, blockage)."""
        return DriverHealth()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Parser(ABC):
    """Bytes to frames, without any input or output: what fuzzing and recorded bytes test.

    Its memory is bounded, whatever comes. What it cannot read it counts in `refused`, by a reason of a few fixed words.
    """

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()

    @abstractmethod
    def feed(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take one packet (a datagram, or some bytes of a stream); return the frames that it completes. Never raises."""

    def tick(self, now_ns: int) -> list[Frame]:
        """Return what is complete by the host's clock; called where nothing has come, never in a recording."""
        return []

    def finish(self) -> list[Frame]:
        """Return what only waited for more; at a recording's end."""
        return []

    def reset(self) -> None:  # noqa: B027 - most remember nothing between packets
        """Forget what is not complete; the line was closed."""

    def health(self) -> DriverHealth:
        """Return how the radar does, as far as its packets tell."""
        return DriverHealth()
