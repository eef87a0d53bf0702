# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The recorded maritime radar of ../shared/data as a rosbag2, and its truth."""

import json
from pathlib import Path

import numpy as np

from aegis.ros.bag import write_bag
from aegis.ros.messages.clouds import cloud_to_msg

SCENARIOS = (2, 5, 13, 16)
RADAR = 2


def _load(data: Path, scenario: int) -> list[tuple[dict, list]]:
    folder = data / "autoferry_maritime_radar" / f"scenario{scenario}"
    detections = json.loads((folder / f"scenario{scenario}_detections.json").read_text())
    truth = json.loads((folder / f"scenario{scenario}_groundTruth.json").read_text())
    return [(d, g) for d, g in zip(detections, truth, strict=True) if d["sensorID"] == RADAR]


def plots(data: Path, scenario: int) -> list[tuple[int, np.ndarray]]:
    """Return (stamp [ns], (N, 2) east and north [m]) of every scan, in the fixed frame."""
    out = []
    for row, _ in _load(data, scenario):
        m = np.array(row["measurement"], dtype=float)
        north_east = m.reshape(2, -1).T + np.array(row["ownshipPosition"])[:2] if m.size else np.empty((0, 2))
        out.append((round(row["time"] * 1e9), north_east[:, ::-1]))
    return out


def truth(data: Path, scenario: int) -> list[np.ndarray]:
    """Return (T, 2) east and north [m] of the vessels at every scan."""
    return [np.array([t["position"][:2] for t in g])[:, ::-1] for _, g in _load(data, scenario)]


def write(data: Path, scenario: int, bag: Path) -> None:
    with write_bag(bag, ["radar/points"]) as writer:
        for stamp_ns, xy in plots(data, scenario):
            columns = {"x": xy[:, 0], "y": xy[:, 1]}
            writer.write("radar/points", stamp_ns, cloud_to_msg(columns, frame_id="map", stamp_ns=stamp_ns))


FAR_FROM_VESSELS_M = 40.0
SPOT_M = 8.0  # plots of one thing that lies still
LASTING_SCANS = 15


def lasting_spots(data: Path, scenario: int) -> list[tuple[np.ndarray, list[int]]]:
    """Return what has no truth and yet lies there: quays and moored boats, as (place (2,), scans that gave a plot of it)."""
    vessels = truth(data, scenario)
    spots: list[tuple[list[np.ndarray], list[int]]] = []
    for k, (_, xy) in enumerate(plots(data, scenario)):
        for plot in xy[
            np.linalg.norm(xy[:, None] - vessels[k], axis=2).min(axis=1, initial=np.inf) > FAR_FROM_VESSELS_M
        ]:
            near = [spot for spot in spots if np.linalg.norm(np.mean(spot[0], axis=0) - plot) < SPOT_M]
            places, scans = near[0] if near else ([], [])
            if not near:
                spots.append((places, scans))
            places.append(plot)
            if not scans or scans[-1] != k:
                scans.append(k)
    return [(np.mean(places, axis=0), scans) for places, scans in spots if len(scans) >= LASTING_SCANS]
