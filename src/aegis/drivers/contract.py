"""What a radar's driver is: made from its settings, started, polled for frames, stopped; and asked how it does. Knows no ROS.

Most drivers are a transport (`transport.py`: UDP, serial line, file) and a parser of bytes, put together by `PacketDriver`.
How to write one is in `README.md` beside this file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from aegis.core.health import Health
from aegis.core.params import ConfigError, Settings, param
from aegis.core.signal.cube import Waveform
from aegis.core.types import Floats
from aegis.drivers.transport import Packet, Transport, UdpTransport

# What a PointFrame may hold, in SI units and radians, our signs: azimuth anticlockwise, range rate positive receding. Columns of
# other names are carried to `radar/points` as they are. Unknown is NaN; what a sensor never measures is left out. All frames of a
# driver have the same columns.
POINT_COLUMNS = (
    "x", "y", "z", "range", "azimuth", "elevation", "range_rate", "snr", "rcs", "noise",
    "range_sigma", "azimuth_sigma", "elevation_sigma", "range_rate_sigma",
)  # fmt: skip


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

    @property
    def gives_cubes(self) -> bool:
        """Tell whether the driver gives raw samples, for the front end.

        Raises:
            ConfigError: there is no such driver.
        """
        from aegis.drivers.registry import driver_class  # the registry imports drivers, which import this module

        return bool(self.driver) and driver_class(self.driver).output == "cube"

    @classmethod
    def resolve(cls, values: Mapping[str, Any]) -> type[Settings]:
        """Return the settings class of the driver that `values` name."""
        from aegis.drivers.registry import driver_class  # the registry imports drivers, which import this module

        name = values.get("driver", "")
        return driver_class(str(name)).settings_type if name else cls


class UdpSettings(DriverSettings):
    """Parameters of the drivers whose radar sends datagrams; a driver with a usual port declares `port` again, with it."""

    address: str = param("0.0.0.0", "Local address at which the radar's datagrams come; 0.0.0.0 is any.")
    port: int = param(0, "Local UDP port; 0 takes a free one.", ge=0, le=65_535)
    multicast_group: str = param("", "Multicast group to join, on the interface of `address`; empty for none.")
    source_address: str = param(
        "", "The radar's address: datagrams of others are dropped and counted; empty takes any."
    )

    def transport(self) -> UdpTransport:
        """Return the line that these settings say, closed.

        Raises:
            ConfigError: an address is none.
        """
        try:
            return UdpTransport(
                self.address, self.port, multicast_group=self.multicast_group, source=self.source_address
            )
        except ValueError as error:
            raise ConfigError(f"address, multicast_group or source_address: {error}") from None


class FormatError(ValueError):
    """Bytes that are not what their format says; the message is a reason of a few fixed words, to count by."""


@dataclass
class PointFrame:
    """One scan of a radar that detects by itself. `columns` has (N,) arrays, named as in POINT_COLUMNS."""

    columns: dict[str, Floats]
    sensor_time_ns: int | None  # of measurement (mid dwell), by the sensor's own clock; None: it does not say
    received_ns: int  # host clock: of the scan's first packet; of the middle, where plots come as the antenna turns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


@dataclass
class CubeFrame:
    """One frame of raw samples; `data` as in `core.signal.cube.Cube`."""

    waveform: Waveform
    data: NDArray[Any]
    sensor_time_ns: int | None
    received_ns: int


Frame = PointFrame | CubeFrame


@dataclass(frozen=True)
class DriverHealth(Health):
    """How a driver does; `values` go to `/diagnostics` beside what all drivers count."""

    values: dict[str, Any] = field(default_factory=dict)


class Driver(ABC):
    """One radar. Making it configures it: what can be checked without the radar is checked there.

    Life: `start`, `poll` again and again, `stop`; then it may be started anew. Only one thread calls.

    Raises:
        ConfigError: on making, where a setting or a file that it names is wrong.
    """

    name: ClassVar[str]
    output: ClassVar[Literal["points", "cube"]]
    settings_type: ClassVar[type[DriverSettings]]

    def __init__(self, settings: Any) -> None:
        if not isinstance(settings, self.settings_type):
            raise ConfigError(
                f"driver '{self.name}' takes {self.settings_type.__name__}, not {type(settings).__name__}"
            )
        self.settings = settings
        self.frames = 0  # given out since it was made
        self.packets = 0  # read since it was made
        self.refused: Counter[str] = Counter()  # packets, or parts of them, by reason

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

    def finish(self) -> list[Frame]:
        """Return what only waited for more; at a recording's end."""
        return []

    def reset(self) -> None:  # noqa: B027 - most remember nothing between packets
        """Forget what is not complete; the line was closed."""

    def health(self) -> DriverHealth:
        """Return how the radar does, as far as its packets tell."""
        return DriverHealth()


class PacketDriver(Driver):
    """A driver made of a transport and a parser: a subclass makes both from its settings."""

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self.transport = self.make_transport()
        self.parser = self.make_parser()

    @abstractmethod
    def make_transport(self) -> Transport:
        """Return the line, closed."""

    @abstractmethod
    def make_parser(self) -> Parser:
        """Return the parser."""

    def start(self) -> None:
        """Open the transport."""
        self.transport.open()

    def poll(self, timeout_s: float = 0.0) -> list[Frame]:
        """Read what is there and parse it."""
        out: list[Frame] = []
        try:
            packets: list[Packet] = self.transport.read(timeout_s)
        except EOFError:
            out = self.parser.finish()
            if not out:
                self.refused = self.parser.refused + self.transport.refused  # what was left over
                raise
            packets = []
        for packet in packets:
            self.packets += 1
            out += self.parser.feed(packet.data, packet.received_ns)
        self.refused = self.parser.refused + self.transport.refused
        self.frames += len(out)
        return out

    def stop(self) -> None:
        """Close the transport and forget what is not complete."""
        self.transport.close()
        self.parser.reset()

    def health(self) -> DriverHealth:
        """Return what the parser knows of the radar."""
        return self.parser.health()


class UdpDriver(PacketDriver):
    """A driver whose line is the UDP port that its settings say."""

    settings: UdpSettings

    def make_transport(self) -> Transport:
        """Return the UDP port."""
        return self.settings.transport()


def finite_or_nan(values: Any) -> Floats:
    """Return values as float64, with NaN for what is infinite: what a broken packet may hold, and no number."""
    with np.errstate(invalid="ignore"):  # a signalling NaN
        out = np.array(values, dtype=np.float64)
    out[~np.isfinite(out)] = np.nan
    return out
