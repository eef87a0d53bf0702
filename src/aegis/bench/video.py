# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plots of recorded marine radars: how many, how fast, and whether their errors are as stated.

No truth is there, but what is on land does not move: the same echo in two turns that follow each other differs by twice the
variance of one. Pairs are the nearest to each other, both ways, within a gate that is wider than the errors. The errors' parameters
were chosen on the first half of the 4G's turns.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from aegis.bench import BenchmarkError, Row, three_digits
from aegis.core.angles import wrapped
from aegis.core.params import ConfigError
from aegis.core.types import Floats
from aegis.core.video.extractor import Picture, PlotExtractor
from aegis.core.video.settings import VideoSettings
from aegis.core.video.spokes import Spokes
from aegis.drivers.frames import VideoFrame
from aegis.drivers.recording import Recording
from aegis.drivers.registry import driver_class

CAPTURES = Path("../shared/data/marine_radar_captures")
RECORDED = {  # file: driver, and which turns are shown
    "3g-trueheading.pcap.gz": ("navico", slice(None)),
    "4g-heading.pcap.gz": ("navico", slice(10, None)),
    "halo-velocitytrack-notarget.pcap.gz": ("navico", slice(None)),
    "garmin_xhd.pcap.gz": ("garmin_xhd", slice(None)),
    "quantum2_powerup.pcapng.gz": ("raymarine_quantum", slice(None)),
}
GATE_M, GATE_CELLS, GATE = 15.0, 5.0, np.radians(2.5)
LEAST_PLOTS = 3


def run(runs: int, captures: Path = CAPTURES) -> Iterator[Row]:
    """Yield a row for each recording.

    Args:
        runs: how often the time is taken; the least counts.
        captures: folder of the recordings.

    Raises:
        BenchmarkError: none of them is there.
    """
    there = [name for name in RECORDED if (captures / name).is_file()]
    if not there:
        raise BenchmarkError(f"{captures} has none of {', '.join(RECORDED)}; --captures names their folder")
    for name in there:
        driver, shown = RECORDED[name]
        frames = _frames(captures / name, driver)
        seconds, pictures = min((_extracted(frames) for _ in range(runs)), key=lambda found: found[0])
        spokes = sum(map(len, frames))
        turns = [p for p in pictures if len(p.columns["range"]) >= LEAST_PLOTS]
        yield {
            "capture": name.split(".")[0],
            "spokes": spokes,
            "us_a_spoke": three_digits(seconds / spokes * 1e6),
            "pictures": len(pictures),
            "plots_a_turn": float(np.median([len(p.columns["range"]) for p in turns])),
            **_spread(turns[shown], frames[0].cell_m),
        }


def _frames(path: Path, name: str) -> list[VideoFrame]:
    kind = driver_class(name)
    try:
        driver = kind.of_recording(kind.settings_type.load({"driver": name}), Recording(path))
    except ConfigError as error:
        raise BenchmarkError(str(error)) from None
    out: list[VideoFrame] = []
    with driver:
        try:
            while True:
                out += [frame for frame in driver.poll() if isinstance(frame, VideoFrame)]
        except EOFError:
            return out


def _extracted(frames: list[VideoFrame]) -> tuple[float, list[Picture]]:
    """Return CPU seconds and pictures."""
    extractor = PlotExtractor(VideoSettings())
    begin = time.process_time()
    out: list[Picture] = []
    for number, frame in enumerate(frames):
        out += extractor.step(
            Spokes(
                frame.received_ns, "radar", number, "radar", frame.azimuth, frame.heading, frame.time_offset,
                frame.first_range_m, frame.cell_m, frame.full_scale, frame.codes, frame.approaching, frame.receding,
            )
        )  # fmt: skip
    out += extractor.finish()
    return time.process_time() - begin, out


def _spread(turns: list[Picture], cell_m: float) -> Row:
    """Return how the plots of what is at rest spread, and what share of the differences is within 1 and 2 stated errors."""
    pairs = [_pairs(a.columns, b.columns, max(GATE_M, GATE_CELLS * cell_m)) for a, b in pairwise(turns)]
    found = np.concatenate(pairs) if pairs else np.zeros((0, 4))
    if not len(found):
        return {"pairs": 0}
    out: dict[str, object] = {"pairs": len(found)}
    for what, difference, stated, scale in (
        ("range_m", found[:, 0], found[:, 1], 1.0),
        ("azimuth_deg", found[:, 2], found[:, 3], 180.0 / np.pi),
    ):
        spread = np.median(np.abs(difference)) * 1.4826 / np.sqrt(2.0) * scale
        out[f"{what}_spread"] = three_digits(float(spread))
        out[f"{what}_stated"] = three_digits(float(np.median(stated) / np.sqrt(2.0) * scale))
        out[f"{what}_within"] = [three_digits(float((np.abs(difference) < k * stated).mean())) for k in (1, 2)]
    return out


def _pairs(a: dict[str, Floats], b: dict[str, Floats], gate_m: float) -> Floats:
    """Return (K, 4) of plots nearest to each other: difference and its stated error, in range and azimuth."""
    far = a["range"][:, None] - b["range"]
    round_ = wrapped(a["azimuth"][:, None] - b["azimuth"])
    distance = (far / gate_m) ** 2 + (round_ / GATE) ** 2
    best, back = distance.argmin(axis=1), distance.argmin(axis=0)
    i = np.flatnonzero((back[best] == np.arange(len(best))) & (distance.min(axis=1) < 1.0))
    j = best[i]
    errors = [np.hypot(a[name][i], b[name][j]) for name in ("range_sigma", "azimuth_sigma")]
    return np.column_stack([far[i, j], errors[0], round_[i, j], errors[1]])
