# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The recorded smartmicro UMRR-96 of ../shared/data as PointCloud2, with the field names of its ROS 2 driver."""

import csv
import gzip
from itertools import groupby
from pathlib import Path

import numpy as np

from aegis.ros.bag import write_bag
from aegis.ros.messages.clouds import cloud_to_msg

START_NS = 1_637_000_000 * 1_000_000_000  # the csv counts from the start of the capture
FIELDS = {
    "range": "range_m",
    "azimuth_angle": "azimuth_rad",
    "elevation_angle": "elevation_rad",
    "radial_speed": "speed_radial_mps",
    "rcs": "rcs_m2",
    "power": "power_db",
    "noise": "noise_db",
}


def frames(data: Path) -> list[tuple[int, dict[str, np.ndarray]]]:
    """Return (stamp [ns], columns) of every frame."""
    with gzip.open(data / "smartmicro_umrr96" / "decoded_targets.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    out = []
    for _, group in groupby(rows, key=lambda row: int(row["frame"])):
        frame = list(group)
        columns = {name: np.array([float(row[column]) for row in frame]) for name, column in FIELDS.items()}
        out.append((START_NS + round(float(frame[0]["t_s"]) * 1e9), columns))
    return out


def write(data: Path, bag: Path) -> None:
    with write_bag(bag, ["radar/points"]) as writer:
        for stamp_ns, columns in frames(data):
            writer.write("radar/points", stamp_ns, cloud_to_msg(columns, frame_id="umrr", stamp_ns=stamp_ns))
