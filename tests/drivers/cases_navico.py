# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Spokes of a 4G and of a HALO with its marks, own ship's sentences and reports among them."""

import numpy as np
from driver_case import DriverCase
from navico_packets import packet, spoke, velocity_track


def _packets() -> list[bytes]:
    levels = np.zeros(1024, np.uint8)
    levels[300:310] = 13
    levels[303:306] = 15
    begin = [velocity_track(1), b"$GPRMC,191859.00,A,5831.77473,N,01500.42071,E,0.018,,100816,,,D*74\r\n"]
    return begin + [
        packet(*(spoke(2 * n + k, (2 * n + k) * 2, levels, heading=0x4000 | 2571) for k in range(2))) for n in range(6)
    ]


CASES = [
    DriverCase(
        "navico",
        _packets,
        frames=6,
        line="udp",
        settings={"udp.multicast_group": "", "report.port": 0},
    )
]
