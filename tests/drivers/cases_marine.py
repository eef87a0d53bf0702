# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Garmin xHD, Raymarine Quantum and ASTERIX CAT240: spokes one by one, put together by 32."""

import math
import time

from asterix_bytes import datablock
from driver_case import DriverCase
from marine_packets import LEVELS, cat240, garmin_report, garmin_spoke, quantum_spoke, quantum_status


def _garmin() -> list[bytes]:
    return [garmin_report(0x919, 1), *(garmin_spoke(n) for n in range(96))]


def _quantum() -> list[bytes]:
    return [quantum_status(), *(quantum_spoke(n) for n in range(96))]


def _cat240() -> list[bytes]:
    now_s = time.time() % 86_400
    spokes = [cat240(n / 1024 * 2 * math.pi, LEVELS, seconds=now_s) for n in range(64)]
    return [datablock(240, a, b) for a, b in zip(spokes[::2], spokes[1::2], strict=True)]


CASES = [
    DriverCase("garmin_xhd", _garmin, frames=3, line="udp", settings={"udp.multicast_group": ""}),
    DriverCase("raymarine_quantum", _quantum, frames=3, line="udp", settings={"udp.multicast_group": ""}),
    DriverCase("asterix_video", _cat240, frames=2, line="udp"),
]
