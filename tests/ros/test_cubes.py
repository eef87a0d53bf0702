# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""RadarCube messages: what goes in comes out, through rclpy's own serialisation; what cannot be is refused with a reason."""

import array

import numpy as np
import pytest
from aegis_msgs.msg import RadarCube
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message

from aegis.core.signal.cube import Cube, CubeError, Waveform, WaveformKind
from aegis.ros.messages.cubes import cube_from_msg, cube_to_msg


def waveform(channels: int, **changes) -> Waveform:
    rng = np.random.default_rng(channels)
    fields = {
        "kind": WaveformKind.FMCW, "carrier_frequency_hz": 77e9, "sample_rate_hz": 10e6, "chirp_slope_hz_s": 30e12,
        "chirp_period_s": 60e-6, "channel_position": rng.normal(size=(channels, 3)), "channel_delay_s": rng.uniform(size=channels),
    }  # fmt: skip
    return Waveform(**{**fields, **changes})


def data(kind: str, shape: tuple[int, int, int]) -> np.ndarray:
    rng = np.random.default_rng(sum(shape))
    if kind == "complex64":
        return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)
    return rng.integers(-(2**15), 2**15, (*shape, 2) if kind == "iq" else shape, dtype=np.int16)


@pytest.mark.parametrize("kind", ["real", "iq", "complex64"])
@given(shape=st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5)))
def test_a_cube_comes_back_from_the_wire_as_it_was(kind, shape):
    sent = Cube(1_700_000_000_123_456_789, "radar", 7, "front", waveform(shape[2]), data(kind, shape))
    m = deserialize_message(serialize_message(cube_to_msg(sent)), RadarCube)
    got = cube_from_msg(m)
    assert (got.stamp_ns, got.frame_id, got.sequence, got.sensor_id) == (sent.stamp_ns, "radar", 7, "front")
    assert got.data.dtype == sent.data.dtype
    np.testing.assert_array_equal(got.data, sent.data)
    assert got.data.flags.c_contiguous
    a, b = vars(got.waveform), vars(sent.waveform)
    assert a.keys() == b.keys()
    for name, value in b.items():
        np.testing.assert_array_equal(a[name], value, err_msg=name)


def test_samples_lie_in_the_message_as_its_definition_says():
    cube = Cube(0, "radar", 1, "front", waveform(3), data("iq", (4, 5, 3)))
    m = cube_to_msg(cube)
    sample, chirp, channel = 2, 3, 1
    at = 2 * 2 * ((sample * m.chirps + chirp) * m.channels + channel)
    assert int.from_bytes(bytes(m.data[at : at + 2]), "little", signed=True) == cube.data[sample, chirp, channel, 0]
    assert int.from_bytes(bytes(m.data[at + 2 : at + 4]), "little", signed=True) == cube.data[sample, chirp, channel, 1]


@pytest.mark.parametrize(("field", "value", "reason", "text"), [
    ("datatype", 0, "cube type", "datatype 0; 1 INT16"),
    ("waveform", 9, "waveform", "waveform 9; 1 FMCW"),
    ("samples", 5, "truncated", "bytes of data"),
    ("samples", 3, "length", "bytes of data"),
    ("channels", 2, "channels", "channel_position has 9 entries; 2 channels need 6"),
    ("channel_delay", [0.0], "channels", "channel_delay has 1"),
    ("chirp_period", 0.0, "waveform", "chirp_period_s is 0; a positive number"),
    ("sample_rate", float("nan"), "waveform", "sample_rate_hz is nan"),
    ("chirp_slope", 0.0, "waveform", "an FMCW chirp has a slope"),
    ("channel_delay", [0.0, 0.0, float("inf")], "waveform", "not finite"),
])  # fmt: skip
def test_what_is_no_cube_is_refused_with_a_reason(field, value, reason, text):
    m = cube_to_msg(Cube(0, "radar", 1, "front", waveform(3), data("real", (4, 5, 3))))
    setattr(m, field, array.array("d", value) if isinstance(value, list) else value)
    with pytest.raises(CubeError, match=text) as caught:
        cube_from_msg(m)
    assert caught.value.reason == reason


def test_an_empty_cube_is_refused():
    m = cube_to_msg(Cube(0, "radar", 1, "front", waveform(3), data("real", (4, 5, 3))))
    m.chirps, m.data = 0, array.array("B")
    with pytest.raises(CubeError, match="no samples"):
        cube_from_msg(m)
