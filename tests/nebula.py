# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recordings of nebula (rosbag2 with nebula_msgs), and its decoded reference in YAML."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

DEFINITIONS = {
    "nebula_msgs/msg/NebulaPacket": "builtin_interfaces/Time stamp\nuint8[] data\n",
    "nebula_msgs/msg/NebulaPackets": "std_msgs/Header header\nnebula_msgs/NebulaPacket[] packets\n",
}


def read_packets(folder: Path) -> list[list[tuple[int, bytes]]]:
    """Return each message's packets, as time of receipt [ns] and data."""
    types = get_typestore(Stores.ROS2_JAZZY)
    for name, text in DEFINITIONS.items():
        types.register(get_types_from_msg(text, name))
    with AnyReader([folder], default_typestore=types) as reader:
        messages: list[Any] = [reader.deserialize(raw, c.msgtype) for c, _, raw in reader.messages()]
    return [
        [(p.stamp.sec * 1_000_000_000 + p.stamp.nanosec, bytes(p.data)) for p in message.packets]
        for message in messages
    ]


def read_trimmed(path: Path) -> tuple[list[tuple[int, bytes]], dict[str, Any]]:
    """Return the packets of a recording in tests/data, as time of receipt [ns] and data, and their decoded reference."""
    found = json.loads(gzip.decompress(path.read_bytes()))
    return [(stamp_ns, bytes.fromhex(data)) for stamp_ns, data in found["packets"]], found["reference"]


def digits(value: Any) -> str:
    """Return a number as the reference has it: a float32 in six digits."""
    return f"{float(np.float32(value)):.5e}"
