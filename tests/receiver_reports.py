# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a turning receiver of 36 beams of 10 degrees hears: quiet noise at -100 dB, 512 cells a beam, and jammers."""

from typing import Any

import numpy as np

from aegis.core.types import ReceiverNoise

NAN = float("nan")


def report(**changes: Any) -> ReceiverNoise:
    rng = changes.pop("rng", np.random.default_rng(0))
    n, cells = 36, 512
    azimuth = -np.pi + 2 * np.pi * (np.arange(n) + 0.5) / n
    up = np.asarray(changes.pop("up", np.ones(n)))
    beams = rng.gamma(cells, 1 / cells, n) * up
    values = {
        "stamp_ns": 0, "frame_id": "radar", "sequence": 1, "sensor_id": "r", "carrier_frequency": 9.4e9, "bandwidth": 5e6,
        "power_db": -100 + 10 * np.log10(beams.mean()), "cells": float(n * cells), "beamwidth": np.radians(10.0),
        "beam_cells": float(cells), "simultaneous": False, "azimuth": azimuth, "elevation": np.full(n, NAN),
        "beam_power_db": -100 + 10 * np.log10(beams),
    }  # fmt: skip
    return ReceiverNoise(**(values | changes))


def gaussian_beam(bearing: float, jnr: float, azimuth: np.ndarray) -> np.ndarray:
    off = np.angle(np.exp(1j * (azimuth - bearing)))
    return 1 + jnr * np.maximum(np.exp(-4 * np.log(2) * (off / np.radians(10.0)) ** 2), 1e-3)
