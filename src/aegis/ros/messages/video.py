# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A turning radar's video, both ways."""

from __future__ import annotations

import array

import numpy as np
from aegis_msgs.msg import RadarVideo

from aegis.core.video.spokes import Spokes, VideoError
from aegis.ros.messages.fields import make_header, pack, stamp_of


def video_to_msg(video: Spokes) -> RadarVideo:
    """Return the message of some spokes."""
    m = RadarVideo()
    m.header = make_header(video.stamp_ns, video.frame_id)
    m.sequence = int(video.sequence)
    m.sensor_id = video.sensor_id
    m.spokes, m.cells = (int(n) for n in video.codes.shape)
    m.azimuth, m.heading, m.time_offset = (pack("d", v) for v in (video.azimuth, video.heading, video.time_offset))
    m.first_range, m.cell_length = float(video.first_range_m), float(video.cell_m)
    m.full_scale, m.approaching, m.receding = int(video.full_scale), int(video.approaching), int(video.receding)
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(video.codes).tobytes())
    m.data = data
    return m


def video_from_msg(m: RadarVideo) -> Spokes:
    """Return the spokes of a message.

    Raises:
        VideoError: arrays of wrong lengths, or values that no video has.
    """
    spokes, cells = int(m.spokes), int(m.cells)
    if len(m.data) != spokes * cells:
        raise VideoError(
            "truncated", f"{len(m.data)} bytes of data; {spokes} spokes of {cells} cells need {spokes * cells}"
        )
    return Spokes(
        stamp_ns=stamp_of(m),
        frame_id=m.header.frame_id,
        sequence=int(m.sequence),
        sensor_id=m.sensor_id,
        azimuth=np.array(m.azimuth),
        heading=np.array(m.heading),
        time_offset=np.array(m.time_offset),
        first_range_m=float(m.first_range),
        cell_m=float(m.cell_length),
        full_scale=int(m.full_scale),
        codes=np.frombuffer(m.data, np.uint8).reshape(spokes, cells),
        approaching=int(m.approaching),
        receding=int(m.receding),
    )
