# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""marine_sensor_msgs/RadarSector, of other people's drivers of radars that turn, to video. Needs no such package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from builtin_interfaces.msg import Duration
from std_msgs.msg import Header

from aegis.core.video.spokes import Spokes, VideoError
from aegis.ros.messages.fields import ns_from_time

FULL_SCALE = 255
FAR_ABOVE, ODD_SAMPLES = 2.0, 2  # times the full scale; so many samples of a sector may be


class RadarEcho(Protocol):
    """marine_sensor_msgs/RadarEcho: a ray."""

    echoes: Sequence[float]


class RadarSector(Protocol):
    """marine_sensor_msgs/RadarSector."""

    header: Header  # of the first ray
    angle_start: float  # [rad] anticlockwise from x
    angle_increment: float
    time_increment: Duration
    range_min: float  # [m] of the first sample
    range_max: float  # of the last
    intensities: Sequence[RadarEcho]


def video_from_sector(m: RadarSector, *, full_scale: float, sequence: int, sensor_id: str) -> Spokes:
    """Return the spokes of a sector; it has no headings.

    Args:
        m: the message.
        full_scale: its largest intensity.
        sequence, sensor_id: carried into the spokes.

    Raises:
        VideoError: rays of different lengths, none, or values that no video has; or levels far above the full scale.
    """
    rays = [np.asarray(ray.echoes, dtype=np.float64) for ray in m.intensities]
    lengths = {len(ray) for ray in rays}
    if len(lengths) != 1 or lengths == {0}:
        raise VideoError(
            "video shape", f"RadarSector with rays of {sorted(lengths) or 'no'} samples; one length is expected"
        )
    (cells,) = lengths
    n = len(rays)
    intensities = np.stack(rays)
    above = intensities[np.isfinite(intensities) & (intensities > FAR_ABOVE * full_scale)]
    if len(above) > ODD_SAMPLES:  # all echoes would be as strong
        raise VideoError(
            "levels above full scale",
            f"RadarSector with intensities up to {above.max():g}, and video.sector_full_scale is {full_scale:g}: set it to the"
            " largest that the driver sends (255, where it sends octets)",
        )
    levels = np.nan_to_num(intensities * (FULL_SCALE / full_scale), nan=0.0, posinf=FULL_SCALE, neginf=0.0)
    step_s = m.time_increment.sec + m.time_increment.nanosec * 1e-9
    cell_m = (float(m.range_max) - float(m.range_min)) / max(cells - 1, 1)
    return Spokes(
        stamp_ns=ns_from_time(m.header.stamp),
        frame_id=m.header.frame_id,
        sequence=sequence,
        sensor_id=sensor_id,
        azimuth=np.asarray(float(m.angle_start) + float(m.angle_increment) * np.arange(n), dtype=np.float64),
        heading=np.full(n, np.nan),
        time_offset=step_s * np.arange(n),
        first_range_m=float(m.range_min) - cell_m / 2.0,
        cell_m=cell_m,
        full_scale=FULL_SCALE,
        codes=np.clip(np.rint(levels), 0, FULL_SCALE).astype(np.uint8),
    )
