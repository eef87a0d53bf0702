# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Packets of a Continental ARS548: detection lists and status; object lists and status."""

from ars548_packets import detections, objects, status
from driver_case import DriverCase


def _detections() -> list[bytes]:
    entries = [
        {
            "range": 10.0 + i,
            "azimuth_angle": 0.125 * i - 0.5,
            "elevation_angle": 0.0625,
            "range_rate": -2.5,
            "range_std": 0.25,
            "azimuth_angle_std": 0.0078125,
            "elevation_angle_std": 0.0625,
            "range_rate_std": 0.125,
            "invalid_flags": 0x30 if i == 3 else 0,
            "rcs": -5 + i,
            "measurement_id": i,
        }
        for i in range(8)
    ]
    lists = [detections(entries[:n], nanoseconds=50_000_000 * k, counter=k) for k, n in enumerate((8, 0, 3), 1)]
    return [lists[0], status(), *lists[1:]]


def _objects() -> list[bytes]:
    entry = {
        "object_id": 7,
        "position_x": 20.0,
        "position_y": -3.0,
        "position_x_std": 0.25,
        "raw_classification_car": 100,
    }
    return [objects([entry]), objects([entry] * 5), status(), objects([]), objects([entry] * 120, capacity=200)]


CASES = [
    DriverCase("ars548", _detections, frames=3, line="udp", settings={"udp.multicast_group": ""}),
    DriverCase(
        "ars548",
        _objects,
        frames=4,
        line="udp",
        settings={"udp.multicast_group": "", "publish": "objects"},
        fuzz_packets=20_000,
    ),
]
