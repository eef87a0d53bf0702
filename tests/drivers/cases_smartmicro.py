# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Packets of a smartmicro UMRR: target lists of all versions, one without targets, and a log message."""

from driver_case import DriverCase
from smartmicro_packets import cut, log, port


def _targets(n: int) -> list[dict[str, float]]:
    return [
        {
            "range": 5.0 + i,
            "speed_radial": -3.0 + 0.25 * i,
            "azimuth": -0.75 + 0.03125 * i,
            "elevation": 0.03125,
            "range_variance": 0.0025,
            "speed_variance": 0.0001,
            "azimuth_variance": 0.0001,
            "elevation_variance": 0.0001,
            "rcs": 0.5,
            "power": 120.0,
            "noise": 95.0,
            "peak_index": i,
        }
        for i in range(n)
    ]


def _packets() -> list[bytes]:
    ports = [
        port(_targets(40)),
        port(_targets(3)),
        port([]),
        port(_targets(30), version=2, order="<"),
        port(_targets(30), version=3, order="<"),
        port(_targets(30), version=4, order="<", acquisition_start=100 << 32),
    ]
    packets = [packet for counter, data in enumerate(ports, 65_533) for packet in cut(data, counter)]
    return [*packets[:4], log("INFO    | all is well"), *packets[4:]]


CASES = [DriverCase("smartmicro_umrr", _packets, frames=6, line="udp")]
