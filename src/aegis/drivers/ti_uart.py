# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Points of TI's mmWave SDK out-of-box demo (SDK 3.x), over its serial data port; its configuration over the command port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from aegis.core.params import ConfigError, Settings, group, param
from aegis.drivers.contract import DriverSettings, Parser
from aegis.drivers.frames import DriverHealth, FormatError, Frame, PointFrame, finite_or_nan
from aegis.drivers.packet_driver import PacketDriver
from aegis.drivers.recording import Recording
from aegis.drivers.ti_cli import configure_radar, read_commands
from aegis.drivers.ti_tlv import HEADER_BYTES, MAGIC, MAX_PACKET_BYTES, DemoPacket, decode_packet, packet_length
from aegis.drivers.transport import SerialTransport, Transport

CYCLES = 1 << 32  # the radar's counter wraps
MAX_PROCESSING_US = 1_000_000
MAX_MISSED = 1000  # a larger step of the frame number is a restart


class DataLine(Settings):
    """The serial line that the points come on."""

    device: str = param("", "Serial line of the data, such as /dev/ttyACM1 (XDS110 Auxiliary Data Port).", was="device")
    baud: int = param(921_600, "Bits a second of the data line.", ge=1200, le=12_000_000, was="baud")


class ControlLine(Settings):
    """The serial line that the radar is configured on."""

    device: str = param(
        "", "Serial line of the commands, such as /dev/ttyACM0; needed with control.cfg_file.", was="control_device"
    )
    baud: int = param(115_200, "Bits a second of the command line.", ge=1200, le=12_000_000, was="control_baud")
    cfg_file: str = param("", "The demo's .cfg file, sent at every start; empty: the radar runs already.")
    command_timeout_s: float = param(3.0, "Time that the radar has to answer a command.", unit="s", gt=0.0, le=60.0)


class TiUartSettings(DriverSettings):
    """Parameters of a TI mmWave demo on serial lines."""

    data: DataLine = group(DataLine())
    control: ControlLine = group(ControlLine())
    cpu_clock_hz: float = param(
        200e6, "Clock whose cycles a packet's header has: 200 MHz of the R4F in SDK 3; 600 MHz where it is the DSP's.",
        unit="Hz", ge=1e6, le=1e10,
    )  # fmt: skip


class TiUartParser(Parser):
    """Bytes of the stream to frames. What contradicts itself is refused whole, as there is no checksum."""

    def __init__(self, cpu_clock_hz: float = 200e6) -> None:
        super().__init__()
        self.cpu_clock_hz = round(cpu_clock_hz)
        self.missed = 0  # frames
        self.values: dict[str, int] = {}  # what the radar tells of itself
        self.reset()

    def reset(self) -> None:
        """Forget what is not complete, and the radar's time."""
        self._buffer = bytearray()
        self._begun_ns = 0  # when the first byte of the buffer came
        self._in_garbage = False
        self._cycles: int | None = None  # of the last packet, with all wraps counted
        self._cycles_ns = 0  # when it came
        self._frame_number: int | None = None

    def feed(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take some bytes."""
        if not self._buffer:
            self._begun_ns = received_ns
        self._buffer += packet
        return [self._frame(demo, begun_ns) for demo, begun_ns in self._packets(received_ns)]

    def health(self) -> DriverHealth:
        """Return the radar's load and temperatures, as far as it sends them."""
        return DriverHealth(values={"frames_missed": self.missed, **self.values})

    def _packets(self, received_ns: int) -> Iterator[tuple[DemoPacket, int]]:
        """Yield the packets that are whole, with the time at which each began to come, and take them out of the buffer."""
        buffer = self._buffer
        while self._find_magic(received_ns) and len(buffer) >= HEADER_BYTES:
            length = packet_length(buffer)
            if not HEADER_BYTES <= length <= MAX_PACKET_BYTES:
                self._refuse("wrong length of a packet")
            elif buffer.find(MAGIC, len(MAGIC), length + len(MAGIC) - 1) >= 0:
                self._refuse("packet cut short")
            elif len(buffer) < length:
                return
            else:
                try:
                    demo = decode_packet(bytes(buffer[:length]))
                except FormatError as error:
                    self._refuse(str(error))
                    continue
                del buffer[:length]
                yield demo, self._begun_ns
                self._begun_ns = received_ns

    def _find_magic(self, received_ns: int) -> bool:
        """Drop what is before the next magic word; return whether there is one."""
        begin = self._buffer.find(MAGIC)
        if begin == 0:
            self._in_garbage = False
            return True
        # Of what is no magic word, the end may be the begin of one.
        garbage = begin if begin > 0 else len(self._buffer) - _magic_begun(self._buffer)
        if garbage:
            if not self._in_garbage:
                self.refused["bytes outside packets"] += 1
            self._in_garbage = begin < 0
            del self._buffer[:garbage]
            self._begun_ns = received_ns
        return begin > 0

    def _refuse(self, reason: str) -> None:
        """Count a packet, and look for the next after its magic word: its length may be what is wrong."""
        self.refused[reason] += 1
        self._in_garbage = True  # the rest of it is not counted again
        del self._buffer[: len(MAGIC)]

    def _frame(self, demo: DemoPacket, begun_ns: int) -> PointFrame:
        self.values |= demo.values
        if demo.unknown_records:
            self.refused["unknown record"] += demo.unknown_records
        if self._frame_number is not None and 1 < demo.frame_number - self._frame_number <= MAX_MISSED:
            self.missed += demo.frame_number - self._frame_number - 1
        self._frame_number = demo.frame_number
        right, forward, up, doppler = finite_or_nan(demo.points).T.copy()
        snr, noise = np.full((2, len(right)), np.nan)
        if demo.snr_noise is not None:
            snr, noise = demo.snr_noise.T * 0.1
        columns = {"x": forward, "y": -right, "z": up, "range_rate": doppler, "snr": snr, "noise": noise}
        return PointFrame(columns, self._sensor_time_ns(demo, begun_ns), begun_ns)

    def _sensor_time_ns(self, demo: DemoPacket, received_ns: int) -> int:
        """Return when the frame's last chirp ended, by the CPU's clock, from its start or a wrap of its counter.

        The header says when the packet was made. The processing before that is known where the demo sends its statistics
        (guiMonitor); otherwise the time is later by it. How long the chirps lasted, and so their middle, is not known here.
        """
        if self._cycles is None:
            self._cycles = demo.cpu_cycles
        else:
            step = (demo.cpu_cycles - self._cycles) % CYCLES
            # The counter wraps every 21 s; how often it did in a silence, the host's clock says.
            elapsed = (received_ns - self._cycles_ns) * self.cpu_clock_hz // 1_000_000_000
            self._cycles += step + max(0, round((elapsed - step) / CYCLES)) * CYCLES
        self._cycles_ns = received_ns
        processing_ns = demo.processing_us * 1000 if demo.processing_us <= MAX_PROCESSING_US else 0
        return self._cycles * 1_000_000_000 // self.cpu_clock_hz - processing_ns


def _magic_begun(buffer: bytearray) -> int:
    """Return how many bytes at the buffer's end may be the begin of a magic word."""
    return next((n for n in range(len(MAGIC) - 1, 0, -1) if buffer.endswith(MAGIC[:n])), 0)


class TiUart(PacketDriver):
    """A TI mmWave radar (xWR14xx, 16xx, 18xx, 68xx) that runs the SDK's out-of-box demo and sends points on a serial line.

    Needed in its configuration: `guiMonitor` with detected objects on; 1 rather than 2 gives SNR and noise too. Boards without
    raised antennas (xWR1642) send z = 0: tell `detection` so with `has_elevation: false`.
    """

    name = "ti_uart"
    output = "points"
    settings_type = TiUartSettings
    settings: TiUartSettings

    def make_transport(self) -> SerialTransport:
        """Return the data line."""
        data, control = self.settings.data, self.settings.control
        if not data.device:
            raise ConfigError(
                "data.device is empty; it names the serial line of the radar's data, such as /dev/ttyACM1"
            )
        if bool(control.cfg_file) != bool(control.device):
            raise ConfigError(
                "control.cfg_file and control.device: both are needed to configure the radar, or none of them"
            )
        self._commands = read_commands(Path(control.cfg_file)) if control.cfg_file else []
        return SerialTransport(data.device, data.baud)

    def recorded(self, recording: Recording) -> Transport:
        """Return the recorded bytes of the data line."""
        self._commands = []
        return recording.stream()

    def make_parser(self) -> TiUartParser:
        """Return the parser."""
        return TiUartParser(self.settings.cpu_clock_hz)

    def start(self) -> None:
        """Open the data line and, where asked, configure the radar."""
        super().start()
        control = self.settings.control
        if self._commands:
            try:
                configure_radar(
                    control.device,
                    control.baud,
                    self._commands,
                    control.command_timeout_s,
                    control.cfg_file,
                )
            except OSError:
                self.stop()
                raise
