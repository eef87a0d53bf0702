# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Raw frames and range-Doppler maps."""

from __future__ import annotations

import array
import math

import numpy as np
from aegis_msgs.msg import RadarCube
from aegis_msgs.msg import RangeDopplerMap as RangeDopplerMapMsg

from aegis.core.signal.cube import Cube, CubeError, RangeDopplerMap, Waveform, WaveformKind
from aegis.ros.messages.fields import make_header, pack, stamp_of

_CUBE_DTYPES = {
    RadarCube.INT16: ("<i2", ()),
    RadarCube.COMPLEX_INT16: ("<i2", (2,)),
    RadarCube.COMPLEX_FLOAT32: ("<c8", ()),
}


def cube_to_msg(cube: Cube) -> RadarCube:
    """Return the message of a raw frame."""
    w = cube.waveform
    m = RadarCube()
    m.header = make_header(cube.stamp_ns, cube.frame_id)
    m.sequence = int(cube.sequence)
    m.sensor_id = cube.sensor_id
    m.samples, m.chirps, m.channels = (int(n) for n in cube.data.shape[:3])
    if cube.data.dtype == np.complex64:
        m.datatype = RadarCube.COMPLEX_FLOAT32
    else:
        m.datatype = RadarCube.COMPLEX_INT16 if cube.data.ndim == 4 else RadarCube.INT16
    m.waveform = int(w.kind)
    m.carrier_frequency = float(w.carrier_frequency_hz)
    m.sample_rate = float(w.sample_rate_hz)
    m.chirp_slope = float(w.chirp_slope_hz_s)
    m.chirp_period = float(w.chirp_period_s)
    m.pulse_width = float(w.pulse_width_s)
    m.first_sample = float(w.first_sample_s)
    m.rcs_offset = float(w.rcs_offset_db)
    m.channel_position = pack("d", w.channel_position)
    m.channel_delay = pack("d", w.channel_delay_s)
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(cube.data, dtype=_CUBE_DTYPES[m.datatype][0]).tobytes())
    m.data = data
    return m


def cube_from_msg(m: RadarCube) -> Cube:
    """Return the raw frame of a message. Its samples are the message's own memory.

    Raises:
        CubeError: an unknown datatype or waveform, arrays of wrong lengths, or a value that no radar has.
    """
    if m.datatype not in _CUBE_DTYPES:
        raise CubeError("cube type", f"datatype {m.datatype}; 1 INT16, 2 COMPLEX_INT16, 3 COMPLEX_FLOAT32 are defined")
    if m.waveform not in list(WaveformKind):
        raise CubeError("waveform", f"waveform {m.waveform}; 1 FMCW and 2 PULSE are defined")
    channels = int(m.channels)
    for name, length in (("channel_position", 3 * channels), ("channel_delay", channels)):
        if len(getattr(m, name)) != length:
            raise CubeError(
                "channels", f"{name} has {len(getattr(m, name))} entries; {channels} channels need {length}"
            )
    dtype, last = _CUBE_DTYPES[m.datatype]
    shape = (int(m.samples), int(m.chirps), channels, *last)
    needed = math.prod(shape) * np.dtype(dtype).itemsize
    if len(m.data) != needed:
        raise CubeError(
            "truncated" if len(m.data) < needed else "length", f"{len(m.data)} bytes of data; {shape} needs {needed}"
        )
    samples = np.frombuffer(m.data, dtype=dtype).reshape(shape)
    waveform = Waveform(
        kind=WaveformKind(m.waveform),
        carrier_frequency_hz=float(m.carrier_frequency),
        sample_rate_hz=float(m.sample_rate),
        chirp_slope_hz_s=float(m.chirp_slope),
        chirp_period_s=float(m.chirp_period),
        channel_position=np.array(m.channel_position).reshape(channels, 3),
        channel_delay_s=np.array(m.channel_delay),
        pulse_width_s=float(m.pulse_width),
        first_sample_s=float(m.first_sample),
        rcs_offset_db=float(m.rcs_offset),
    )
    return Cube(stamp_of(m), m.header.frame_id, int(m.sequence), m.sensor_id, waveform, samples)


def range_doppler_to_msg(found: RangeDopplerMap, cube: Cube) -> RangeDopplerMapMsg:
    """Return the message of a cube's range-Doppler map."""
    m = RangeDopplerMapMsg()
    m.header = make_header(cube.stamp_ns, cube.frame_id)
    m.sequence = int(cube.sequence)
    m.sensor_id = cube.sensor_id
    m.ranges, m.range_rates = (int(n) for n in found.power_db.shape)
    m.first_range = float(found.first_range_m)
    m.range_step = float(found.range_step_m)
    m.first_range_rate = float(found.first_range_rate_mps)
    m.range_rate_step = float(found.range_rate_step_mps)
    m.power_db = pack("f", found.power_db)
    m.noise_db = pack("f", found.noise_db)
    return m
