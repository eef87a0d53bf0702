# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a warning receiver hears."""

from __future__ import annotations

from dataclasses import dataclass

from aegis.core.types import Floats


@dataclass
class Pulses:
    """Pulse descriptors of a warning receiver; arrays (N,)."""

    stamp_ns: int  # that `toa` counts from
    frame_id: str
    sequence: int
    sensor_id: str
    toa: Floats  # [s]
    frequency: Floats  # [Hz]
    pulse_width: Floats  # [s]
    amplitude_db: Floats
    azimuth: Floats  # [rad]
    azimuth_sigma: Floats  # [rad]

    def __len__(self) -> int:
        return len(self.toa)
