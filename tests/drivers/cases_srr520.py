# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Packets of a Continental SRR520, each a CAN frame, on the bus or from a gateway by UDP: scans, status and time; object lists."""

from driver_case import DriverCase
from srr520_packets import objects, scan, status, sync_message

DETECTION = {"range": 1000, "azimuth_angle": 300, "range_rate": 1023, "rcs": 80, "snr": 5, "pdh01": 1}


def _detections() -> list[bytes]:
    near = scan("near", [DETECTION | {"range": 100 * i} for i in range(1, 26)], cycle=10)
    return [
        *near,
        sync_message(0x20, 3, 2000),
        sync_message(0x28, 3, 250_000_000),
        *scan("hrr", [DETECTION] * 3, cycle=11, us=1_050_000),
        status(),
        *scan("near", [], cycle=12, us=1_100_000),
    ]


def _objects() -> list[bytes]:
    entry = {
        "object_id": 8,
        "dist_x": 36_000,
        "dist_y": 33_000,
        "v_abs_x": 9000,
        "rcs": 2000,
        "score": 15,
        "box_valid": 1,
    }
    return [*objects([entry] * 40, cycle=4), status(), *objects([entry], cycle=5), *objects([], cycle=6)]


CASES = [
    DriverCase("srr520", _detections, frames=3, line="can", fuzz_packets=10_000),  # its parser is that of UDP
    DriverCase("srr520", _detections, frames=3, line="udp", settings={"line": "udp"}),
    DriverCase("srr520", _objects, frames=3, line="udp", settings={"line": "udp", "publish": "objects"}),
]
