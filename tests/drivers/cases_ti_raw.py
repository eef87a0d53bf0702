# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Packets of TI's raw samples."""

import numpy as np
from driver_case import DriverCase
from ti_bytes import datagrams, four_lanes, samples, two_lanes, write_chirp

FRAMES = 5


def _udp() -> list[bytes]:
    """Return datagrams of 200 bytes, so that a frame (1024 bytes) has several and begins in the midst of one."""
    return datagrams(two_lanes(samples(FRAMES)), 200)


def _file() -> list[bytes]:
    return [four_lanes(frame) for frame in np.array(samples(FRAMES))]


CASES = [
    DriverCase("ti_raw", _udp, frames=FRAMES, line="udp", files=write_chirp),
    DriverCase(
        "ti_raw",
        _file,
        frames=FRAMES,
        line="file",
        settings={"source": "bin"},
        files=lambda folder: write_chirp(folder, adc_layout="interleaved"),
    ),
]
