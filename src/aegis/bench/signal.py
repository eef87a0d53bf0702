# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The front end and a plain numpy chain on the same cubes: frames a second of one core, side by side in one run.

Each measurement is a process of its own with one thread.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from tqdm import tqdm

from aegis.bench import Row, three_digits
from aegis.bench.numpy_chain import NumpyChain
from aegis.bench.tracking import ONE_THREAD, OURS, PEER
from aegis.core.signal.cfar_theory import ordered
from aegis.core.signal.cube import Cube, Waveform, WaveformKind
from aegis.core.signal.equation import SPEED_OF_LIGHT
from aegis.core.signal.front_end import FrontEnd, Plan
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.types import Floats

SAMPLES, CHIRPS = 256, 128
TARGETS = 50
NOISE_LSB = 30.0  # standard deviation of I and of Q
CUBES = 4  # different ones, in turn
SEED = 1
DEADLINE_S = 300.0  # of one measurement


@dataclass(frozen=True)
class Case:
    """A kind of CFAR and a number of receive channels; frames measured of ours and of the numpy chain."""

    cfar: str
    channels: int
    frames: int = 200
    numpy_frames: int = 20


CASES = (Case("ca", 12), Case("ca", 8), Case("os", 12), Case("os", 8))


def run(runs: int, cases: Sequence[Case] = CASES) -> Iterator[Row]:
    """Measure each case `runs` times; yield a row a case.

    Args:
        runs: the rows state medians over these.
        cases: what to measure.
    """
    for case in tqdm(cases, unit="case", disable=None):
        ours, peer = [], []
        for _ in range(runs):  # in turn, so that what else the machine does meets both
            ours.append(_measure(OURS, case))
            peer.append(_measure(PEER, case))
        speed, peer_speed = ([one["frames_per_s"] for one in measured] for measured in (ours, peer))
        yield {
            "bench": "signal",
            "cfar": case.cfar,
            "rx": case.channels,
            "frames_per_s": round(float(np.median(speed)), 1),
            "numpy_frames_per_s": round(float(np.median(peer_speed)), 1),
            "ratio": three_digits(np.median(speed) / np.median(peer_speed)),
            "unit": "frames / CPU s",
            "runs": runs,
            "min": round(min(speed), 1),
            "max": round(max(speed), 1),
            "numpy_min": round(min(peer_speed), 1),
            "numpy_max": round(max(peer_speed), 1),
            "slowest_frame_ms": round(float(np.median([one["slowest_ms"] for one in ours])), 2),
            "samples": SAMPLES,
            "chirps": CHIRPS,
            "targets": TARGETS,
            "points": ours[0]["points"],
            "numpy_points": peer[0]["points"],
            "threads": 1,
        }


class Measured(TypedDict):
    """What a worker prints."""

    frames_per_s: float
    slowest_ms: float
    points: int


def _measure(which: str, case: Case) -> Measured:
    """Return what `_worker` prints, from a process of its own."""
    frames = case.frames if which == OURS else case.numpy_frames
    command = [sys.executable, "-m", __name__, which, case.cfar, str(case.channels), str(frames)]
    done = subprocess.run(command, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, timeout=DEADLINE_S)
    if done.returncode:
        raise RuntimeError(f"the measurement of {case} ({which}) failed:\n{done.stderr}")
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def _worker(which: str, cfar: str, channels: int, frames: int) -> None:
    """Print, as one line of JSON, the frames of a CPU second, the slowest frame [ms] and the points of the first cube."""
    cubes = [scene(channels, SEED + k)[0] for k in range(CUBES)]
    step = front_end(cfar) if which == OURS else numpy_chain(cfar, cubes[0])
    points = len(step(cubes[0])["range"])
    step(cubes[1])
    spent = []
    for k in range(frames):
        begin = time.process_time()
        step(cubes[k % CUBES])
        spent.append(time.process_time() - begin)
    print(json.dumps({"frames_per_s": frames / sum(spent), "slowest_ms": max(spent) * 1e3, "points": points}))


def front_end(cfar: str) -> Callable[[Cube], dict[str, Floats]]:
    """Return our chain, all parameters at their defaults but the CFAR's kind."""
    end = FrontEnd(FrontEndSettings.load({"cfar.method": cfar}))

    def step(cube: Cube) -> dict[str, Floats]:
        scan, _ = end.step(cube)
        return {name: getattr(scan, name) for name in ("range", "range_rate", "azimuth", "snr_db")}

    return step


def numpy_chain(cfar: str, cube: Cube) -> Callable[[Cube], dict[str, Floats]]:
    """Return the numpy chain for cubes like this one, with the same window and threshold."""
    settings = FrontEndSettings.load({"cfar.method": cfar})
    plan = Plan(cube.waveform, cube.data.shape, settings).cfar
    w, middle = plan.window, plan.shape[0] // 2
    count = int(plan.count[middle])
    rank = int(np.ceil(settings.cfar.os_rank * count))
    unbias = 1.0 if cfar == "ca" else plan.channels / ordered(plan.channels, count, rank).mean
    window = (w.guard_range, w.guard_doppler, w.train_range, w.train_doppler)
    chain = NumpyChain(cube.waveform, cube.data.shape, cfar, float(plan.alpha[middle]), unbias, window, rank - 1)
    return chain.step


def scene(channels: int, seed: int) -> tuple[Cube, dict[str, Floats]]:
    """Return a cube of targets in noise, no two within some cells of each other, and where they are."""
    rng = np.random.default_rng(seed)
    carrier, rate, slope, period = 77e9, 10e6, 30e12, 30e-6
    wavelength = SPEED_OF_LIGHT / carrier
    position = np.zeros((channels, 3))
    position[:, 1] = np.arange(channels) * wavelength / 4.0
    waveform = Waveform(WaveformKind.FMCW, carrier, rate, slope, period, position, np.zeros(channels))
    # A lattice of 16 x 8 places, so that no target falls into another's reference cells' middle.
    place = rng.permutation(16 * 8)[:TARGETS]
    rows = 16.0 * (place // 8) + rng.uniform(5.0, 11.0, TARGETS)
    columns = 16.0 * (place % 8) + rng.uniform(5.0, 11.0, TARGETS) - CHIRPS / 2
    azimuth = rng.uniform(-1.0, 1.0, TARGETS)
    snr_db = rng.uniform(22.0, 35.0, TARGETS)  # after all integration, without the windows' losses
    amplitude = NOISE_LSB * np.sqrt(2.0 * 10.0 ** (snr_db / 10.0) / (SAMPLES * CHIRPS * channels))
    x = rng.normal(scale=NOISE_LSB, size=(SAMPLES, CHIRPS, channels, 2)).view(np.complex128)[..., 0]
    fast, slow = np.arange(SAMPLES) / SAMPLES, np.arange(CHIRPS) / CHIRPS
    for k in range(TARGETS):
        across = np.exp(-1j * np.pi * np.arange(channels) * np.sin(azimuth[k]) + 1j * rng.uniform(0.0, 2.0 * np.pi))
        frame = np.multiply.outer(np.exp(2j * np.pi * rows[k] * fast), np.exp(2j * np.pi * columns[k] * slow))
        x += amplitude[k] * np.multiply.outer(frame, across)
    data = np.stack([x.real, x.imag], axis=-1).round().astype(np.int16)
    range_rate = columns * waveform.range_rate_span_mps / CHIRPS
    step_m = SPEED_OF_LIGHT * rate / (2.0 * slope * SAMPLES)
    truth = {"range": rows * step_m - carrier / slope * range_rate, "range_rate": range_rate, "azimuth": azimuth}
    return Cube(0, "radar", seed, "bench", waveform, data), truth


if __name__ == "__main__":
    _worker(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
