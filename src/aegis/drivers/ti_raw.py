# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Raw samples of TI's mmWave radars: from a DCA1000 capture card, from its .bin recordings, from .npy frames."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from aegis.core.params import ConfigError, group, param
from aegis.core.signal.cube import Waveform
from aegis.drivers.contract import DriverSettings, Parser
from aegis.drivers.dca1000 import Dca1000Parser
from aegis.drivers.frames import CubeFrame, Frame
from aegis.drivers.packet_driver import PacketDriver, UdpSettings
from aegis.drivers.recording import Recording, sent_to
from aegis.drivers.ti_chirp import LANES, ChirpConfig, load_chirp
from aegis.drivers.transport import FileTransport, Packet, Transport

NPY_MAGIC = b"\x93NUMPY"
MAX_SENSOR_TIME_NS = 1 << 62  # a frame number beyond it is of a broken packet


class TiRawSettings(DriverSettings):
    """Parameters of a raw TI radar."""

    udp: UdpSettings = group(UdpSettings(port=4098))
    source: Literal["udp", "bin", "npy"] = param(
        "udp", "The DCA1000 itself, a .bin file of its samples, or a .npy file of frames. One frame of a file a look."
    )
    path: str = param("", "The recording, where source is bin or npy.")
    chirp_config: str = param(
        "", "The chirps: mmWave Studio's .mmwave.json, or YAML with the keys of ti_chirp.ChirpConfig."
    )
    board: str = param(
        "", "Antennas, where chirp_config does not say: xWR1443BOOST, xWR1642BOOST, xWR1843BOOST, xWR6843ISK."
    )


class CubeMaker:
    """A frame's bytes to a cube.

    TI's samples, I + jQ, have a positive beat frequency where the slope is positive, and so our sign: nothing is conjugated.

    Args:
        chirp: what was sent.
        waveform: its waveform; of fewer channels, where only some were recorded.
        layout: order of the samples, or "plain": chirp, receiver, sample, part.
    """

    def __init__(self, chirp: ChirpConfig, waveform: Waveform, layout: str) -> None:
        self.chirp, self.waveform, self.layout = chirp, waveform, layout
        channels = len(waveform.channel_delay_s)
        transmitters = len(np.unique(waveform.channel_delay_s))
        receivers = channels // transmitters
        loops, samples, parts = chirp.loops, chirp.samples, chirp.parts
        self._receivers = receivers
        self._cube_shape = (samples, loops, channels) + ((2,) if parts == 2 else ())
        shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]  # of the bytes; axes in the cube's order
        if parts == 2:
            shapes = {
                # I0 I1 Q0 Q1 I2 I3 Q2 Q3 ...
                "non_interleaved": ((loops, transmitters, receivers, samples // 2, 2, 2), (3, 5, 0, 1, 2, 4)),
                # I of four lanes, Q of four lanes, next sample
                "interleaved": ((loops, transmitters, samples, 2, LANES), (2, 0, 1, 4, 3)),
                "plain": ((loops, transmitters, receivers, samples, 2), (3, 0, 1, 2, 4)),
            }
        else:
            shapes = {
                "non_interleaved": ((loops, transmitters, receivers, samples), (3, 0, 1, 2)),
                "interleaved": ((loops, transmitters, samples, LANES), (2, 0, 1, 3)),
            }
        self._shape, self._axes = shapes[layout]
        self.frame_bytes = int(np.prod(self._shape)) * 2

    def frame(self, raw: bytes | bytearray, index: int, received_ns: int) -> CubeFrame:
        """Return a frame of `frame_bytes` bytes, the `index`th since the radar began."""
        data = np.frombuffer(raw, "<i2").reshape(self._shape)
        if self.layout == "interleaved":
            data = data[..., : self._receivers]
        data = data.transpose(self._axes).reshape(self._cube_shape)
        if self.chirp.sample_format == "qi":
            data = data[..., ::-1]
        cube = np.ascontiguousarray(data, dtype=np.int16)
        return CubeFrame(self.waveform, cube, self._sensor_time_ns(index), received_ns)

    def _sensor_time_ns(self, index: int) -> int | None:
        """Return when a frame was measured (its middle), by the radar's own timer, from the capture's begin.

        The samples have no time. But the radar begins its frames by its own clock, and the count of bytes says the number of the
        frame, also after a loss. Where a pulse from outside begins the frames, nothing is known.
        """
        if not self.chirp.frame_period_ms or self.chirp.hardware_trigger:
            return None
        time_ns = index * round(self.chirp.frame_period_ms * 1e6) + round(self.chirp.active_s * 0.5e9)
        return time_ns if time_ns < MAX_SENSOR_TIME_NS else None


class RecordingParser(Parser):
    """Frames one after the other, without anything between them."""

    def __init__(self, cubes: CubeMaker) -> None:
        super().__init__()
        self.cubes = cubes
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._buffer, self._index = bytearray(), 0

    def feed(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take some bytes."""
        self._buffer += packet
        size = self.cubes.frame_bytes
        whole = len(self._buffer) // size
        out: list[Frame] = [
            self.cubes.frame(bytes(self._buffer[i * size : (i + 1) * size]), self._index + i, received_ns)
            for i in range(whole)
        ]
        del self._buffer[: whole * size]
        self._index += whole
        return out

    def finish(self) -> list[Frame]:
        """Count a frame that is not whole."""
        if self._buffer:
            self.refused["incomplete frame"] += 1
            self._buffer.clear()
        return []


class NpyTransport(Transport):
    """Frames of a .npy file, each as bytes of the "plain" layout.

    Args:
        path: complex array of (chirps, receivers, samples), of frames of that, or of (chirps, samples): one channel. The chirps of
            several transmitters follow one another as sent. Values are whole numbers of 16 bits, with or without sign.
        chirp: what was sent.
        received_ns: when the frames came; None: now, at each look.

    Raises:
        ConfigError: the file is none, or does not fit the chirps.
    """

    def __init__(self, path: Path, chirp: ChirpConfig, received_ns: int | None = None) -> None:
        super().__init__()
        self._received_ns = received_ns
        self.path = path
        frames = self._load()
        chirps = chirp.loops * len(chirp.tx_order)
        self.single_channel = frames.ndim == 2
        if self.single_channel:
            expected: tuple[int, ...] = (chirp.loops, chirp.samples)
            text = f"(loops, samples) = {expected} of one channel, or (chirps, receivers, samples) = "
        else:
            expected = (chirps, len(chirp.rx), chirp.samples)
            text = "(chirps, receivers, samples) = "
        text += f"{(chirps, len(chirp.rx), chirp.samples)}, is expected by chirp_config"
        if frames.dtype.kind != "c" or chirp.parts != 2:
            raise ConfigError(
                f"path: {path} holds {frames.dtype}, chirp_config says {chirp.sample_format}; both must be complex"
            )
        if frames.shape[-len(expected) :] != expected or frames.ndim > 4:
            raise ConfigError(f"path: {path} holds an array of shape {frames.shape}; {text}")
        self._frame_shape = expected
        self._next: int | None = None

    def _load(self) -> NDArray[Any]:
        try:
            frames = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ConfigError(f"path: {self.path} is no .npy array: {error}") from None
        if not isinstance(frames, np.ndarray) or not frames.size:
            raise ConfigError(f"path: {self.path} holds no array, or an empty one")
        return frames

    def open(self) -> None:
        """Begin at the first frame."""
        with self.path.open("rb"):
            self._next = 0

    def read(self, timeout_s: float) -> list[Packet]:
        """Return the next frame."""
        if self._next is None:
            raise OSError(f"{self.path} is not open")
        frames = self._load().reshape(-1, *self._frame_shape)
        if self._next >= len(frames):
            raise EOFError(f"{self.path} is at its end")
        frame = frames[self._next]
        self._next += 1
        values = np.stack([frame.real, frame.imag], axis=-1)
        if not (np.isfinite(values).all() and values.min() >= -32_768 and values.max() <= 65_535):
            self.refused["samples beyond 16 bits"] += 1
            return []
        if (values != np.rint(values)).any():
            self.refused["samples not whole numbers"] += 1
            return []
        plain = values.astype(np.int32).astype("<i2")  # as two's complement, where they were saved without sign
        return [Packet(plain.tobytes(), time.time_ns() if self._received_ns is None else self._received_ns)]

    def close(self) -> None:
        """Forget the place."""
        self._next = None


class TiRaw(PacketDriver):
    """A TI mmWave radar (xWR12xx to xWR68xx) whose ADC samples a DCA1000 sends, or that were recorded.

    The radar and the card are configured and started by TI's tools (mmWave Studio, DCA1000EVM CLI); this driver listens.
    """

    name = "ti_raw"
    output = "cube"
    one_sender = True
    settings_type = TiRawSettings
    settings: TiRawSettings

    def make_transport(self) -> Transport:
        """Return the line."""
        settings = self.settings
        chirp, waveform = self._chirp()
        transport: Transport
        if settings.source == "udp":
            transport = settings.udp.transport()
        else:
            path = Path(settings.path)
            if not settings.path or not path.is_file():
                raise ConfigError(f"path = '{settings.path}' names no file, and source is '{settings.source}'")
            if settings.source == "npy":
                return self._npy(path, chirp, waveform)
            size = CubeMaker(chirp, waveform, chirp.adc_layout).frame_bytes
            if path.stat().st_size < size:
                raise ConfigError(f"path: {path} has {path.stat().st_size} bytes; one frame of chirp_config has {size}")
            transport = FileTransport(path, chunk_bytes=size)
        self.cubes = CubeMaker(chirp, waveform, chirp.adc_layout)
        return transport

    def recorded(self, recording: Recording) -> Transport:
        """Return the line of a recording: the card's datagrams in a capture, a .npy file, or else the samples of a .bin file."""
        chirp, waveform = self._chirp()
        if recording.begin[:6] == NPY_MAGIC:
            self.settings = self.settings.model_copy(update={"source": "npy"})
            recording.timed = False
            return self._npy(recording.path, chirp, waveform, recording.start_ns)
        self.cubes = CubeMaker(chirp, waveform, chirp.adc_layout)
        if recording.kind == "bytes":
            self.settings = self.settings.model_copy(update={"source": "bin"})
            return recording.stream()
        self.settings = self.settings.model_copy(update={"source": "udp"})
        udp = self.settings.udp
        return recording.datagrams(*sent_to(udp.port, udp.multicast_group, udp.source_address))

    def _chirp(self) -> tuple[ChirpConfig, Waveform]:
        settings = self.settings
        if not settings.chirp_config:
            raise ConfigError(
                "chirp_config is empty; it names mmWave Studio's .mmwave.json or a YAML file of the chirps"
            )
        chirp = load_chirp(Path(settings.chirp_config), settings.board)
        return chirp, chirp.waveform()

    def _npy(self, path: Path, chirp: ChirpConfig, waveform: Waveform, received_ns: int | None = None) -> Transport:
        transport = NpyTransport(path, chirp, received_ns)
        if transport.single_channel:
            waveform = replace(
                waveform,
                channel_position=waveform.channel_position[:1],
                channel_delay_s=waveform.channel_delay_s[:1],
            )
        self.cubes = CubeMaker(chirp, waveform, "plain")
        return transport

    def make_parser(self) -> Parser:
        """Return the parser."""
        return Dca1000Parser(self.cubes) if self.settings.source == "udp" else RecordingParser(self.cubes)
