# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What TI radars send, written from TI's documents, apart from the drivers' code."""

import struct
from pathlib import Path

import numpy as np
import yaml

CHIRP = {
    "start_frequency_ghz": 77.0,
    "slope_mhz_us": 60.0,
    "sample_rate_ksps": 2500.0,
    "samples": 8,
    "idle_us": 30.0,
    "adc_start_us": 6.0,
    "ramp_end_us": 62.0,
    "loops": 4,
    "tx_order": [1, 3],
    "rx": [1, 2, 3, 4],
    "frame_period_ms": 50.0,
    "board": "xWR1843BOOST",
}

FRAME_BYTES = 4 * 2 * 4 * 8 * 2 * 2  # loops, transmitters, receivers, samples, I and Q, bytes
FRAME_CYCLES = 20_000_000  # 0.1 s at 200 MHz


def write_chirp(folder: Path, **changes) -> dict[str, str]:
    """Write the YAML and return the setting that names it."""
    path = folder / "chirp.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in {**CHIRP, **changes}.items() if v is not None}))
    return {"chirp_config": str(path)}


def samples(frames: int = 1, seed: int = 0, **changes) -> np.ndarray:
    """Return int16 (frames, loops, transmitters, receivers, samples, 2: I and Q), with both extremes among them."""
    chirp = {**CHIRP, **changes}
    shape = (frames, chirp["loops"], len(chirp["tx_order"]), len(chirp["rx"]), chirp["samples"], 2)
    out = np.random.default_rng(seed).integers(-32768, 32768, shape, dtype=np.int16)
    out.flat[:4] = -32768, 32767, 0, -1
    return out


def cube_of(frame: np.ndarray) -> np.ndarray:
    """Return (samples, loops, channels, 2) of (loops, transmitters, receivers, samples, 2), cell by cell."""
    loops, transmitters, receivers, n, _ = frame.shape
    cube = np.empty((n, loops, transmitters * receivers, 2), np.int16)
    for tx in range(transmitters):
        for rx in range(receivers):
            cube[:, :, tx * receivers + rx] = frame[:, tx, rx].transpose(1, 0, 2)
    return cube


def two_lanes(data: np.ndarray, *, q_first: bool = False) -> bytes:
    """Write chirps as xWR16xx does (SWRA581B): a receiver after the other, and of each I0 I1 Q0 Q1 I2 I3 Q2 Q3 ..."""
    words = []
    for chirp in data.reshape(-1, *data.shape[-3:]):
        for receiver in chirp.tolist():
            for (i0, q0), (i1, q1) in zip(receiver[0::2], receiver[1::2], strict=True):
                words += [q0, q1, i0, i1] if q_first else [i0, i1, q0, q1]
    return struct.pack(f"<{len(words)}h", *words)


def four_lanes(data: np.ndarray) -> bytes:
    """Write chirps as xWR14xx does (SWRA581B): of each sample I of four lanes, then Q of four; lanes that are off are 0."""
    words = []
    for chirp in data.reshape(-1, *data.shape[-3:]):
        for n in range(chirp.shape[1]):
            for part in (0, 1):
                on = [int(receiver[n][part]) for receiver in chirp]
                words += on + [0] * (4 - len(on))
    return struct.pack(f"<{len(words)}h", *words)


def datagrams(stream: bytes, size: int = 1456, first: int = 1, before: int = 0) -> list[bytes]:
    """Cut a stream as the DCA1000 does (SPRUIJ4A): sequence number, bytes sent before, data."""
    return [
        struct.pack("<I", (first + i) % 2**32) + struct.pack("<Q", (before + at) % 2**48)[:6] + stream[at : at + size]
        for i, at in enumerate(range(0, len(stream), size))
    ]


def record(kind: int, value: bytes) -> bytes:
    return struct.pack("<II", kind, len(value)) + value


def demo_packet(
    points: list[tuple[float, float, float, float]],
    *,
    number: int = 1,
    cycles: int = 0,
    side: list[tuple[int, int]] | None = None,
    more: tuple[bytes, ...] = (),
    subframe: int = 0,
) -> bytes:
    """Return a packet of the demo: points are (x, y, z, Doppler) in TI's axes; side information is (SNR, noise) in 0.1 dB."""
    records = list(more)
    if points:
        records.insert(0, record(1, b"".join(struct.pack("<4f", *point) for point in points)))
    if side:
        records.insert(1, record(7, b"".join(struct.pack("<2h", *pair) for pair in side)))
    body = b"".join(records)
    length = -(-(40 + len(body)) // 32) * 32
    magic = struct.pack("<4H", 0x0102, 0x0304, 0x0506, 0x0708)
    header = struct.pack(
        "<8I", 0x03060200, length, 0xA1843, number, cycles % 2**32, len(points), len(records), subframe
    )
    return magic + header + body + bytes(length - 40 - len(body))


def stats(processing_us: int, load: int = 20) -> bytes:
    return record(6, struct.pack("<6I", processing_us, 9000, 30_000, 0, load, 5))


def temperature(degrees: int, valid: bool = True) -> bytes:
    return record(9, struct.pack("<iI10h", 0 if valid else -1, 64_807, *[degrees] * 10))


def demo_stream() -> list[bytes]:
    """Return frames with all kinds of records, without side information, and without points."""
    points = [(1.5, 4.0, 0.25, -2.0), (-3.0, 10.0, -1.0, 0.5), (0.0, 2.0, 0.0, 0.0)]
    side = [(250, 310), (120, 333), (-5, 400)]
    maps = (
        record(2, struct.pack("<64H", *range(64))),
        record(3, bytes(128)),
        record(4, bytes(256)),
        record(5, bytes(512)),
    )
    return [
        demo_packet(points, number=1, cycles=1000, side=side, more=(*maps, stats(4000), temperature(48))),
        demo_packet(points[:1], number=2, cycles=1000 + FRAME_CYCLES, side=side[:1], more=(stats(3000),)),
        demo_packet([], number=3, cycles=1000 + 2 * FRAME_CYCLES, more=(stats(2000),)),
        demo_packet(points * 5, number=4, cycles=1000 + 3 * FRAME_CYCLES),
    ]
