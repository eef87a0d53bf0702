# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Messages of flat arrays against their dataclasses: bytes on the wire, the way back, and what does not fit."""

from dataclasses import dataclass, fields
from typing import Annotated

import numpy as np
import pytest
from aegis_msgs.msg import DetectionArray, EwAdviceArray, EwSignalArray, ThreatArray, TrackArray, TruthArray

from aegis.core.types import (
    N_CLASSES,
    Advice,
    AdviceState,
    Detections,
    Floats,
    Ints,
    Row,
    Sector,
    Signal,
    SignalKind,
    Threats,
    Tracks,
    Truth,
)
from aegis.ros.bag import serialize, typestore
from aegis.ros.messages import ew, picture
from aegis.ros.messages.columns import ArrayConverter, RecordConverter

KINDS = {
    "detections": (Detections, DetectionArray, picture.detections_to_msg, picture.detections_from_msg),
    "tracks": (Tracks, TrackArray, picture.tracks_to_msg, picture.tracks_from_msg),
    "threats": (Threats, ThreatArray, picture.threats_to_msg, picture.threats_from_msg),
    "truth": (Truth, TruthArray, picture.truth_to_msg, picture.truth_from_msg),
}
# How many numbers one object has in a column.
ROWS = {"state": (6,), "covariance": (6, 6), "variance": (4,), "class_probability": (N_CLASSES,)}
LARGEST = {"uint8": 2**8, "uint16": 2**16, "uint32": 2**32, "uint64": 2**64}


def drawn(kind, message, rng, n):
    """Return a dataclass of `n` objects with numbers of all magnitudes, NaN and infinity among them."""
    values = {"stamp_ns": int(rng.integers(0, 2**60)), "frame_id": "a frame", "pose": None, "sector": None}
    for name, wire in message.get_fields_and_field_types().items():
        item = wire.removeprefix("sequence<").removesuffix(">")
        if wire in ("sequence<double>", "sequence<float>"):
            column = rng.normal(0, 1e3, (n, *ROWS.get(name, ())))
            column[rng.random(column.shape) < 0.1] = np.nan
            column[rng.random(column.shape) < 0.05] = -np.inf
            values[name] = column
        elif wire == "sequence<string>":
            values[name] = [f"because of {i}, ü" for i in range(n)]
        elif wire.startswith("sequence"):
            values[name] = rng.integers(0, LARGEST[item], n)
        elif wire in ("string", "boolean", "uint8", "uint32", "uint64"):
            value = {
                "string": "a sensor",
                "boolean": True,
                "uint8": 200,
                "uint32": 3_000_000_000,
                "uint64": int(rng.integers(0, 2**63)),
            }
            values[name] = value[wire]
    return kind(**{f.name: values[f.name] for f in fields(kind)})


@pytest.mark.parametrize("topic", KINDS)
@pytest.mark.parametrize("n", [0, 1, 17])
def test_the_bytes_are_those_of_a_message_filled_number_by_number(topic, n):
    """rclpy itself turns lists of Python numbers into its arrays, and checks each; `rosbags` makes the bytes."""
    kind, message, to_msg, from_msg = KINDS[topic]
    data = drawn(kind, message, np.random.default_rng(n), n)
    by_hand = message()
    by_hand.header.stamp.sec, by_hand.header.stamp.nanosec = data.stamp_ns // 10**9, data.stamp_ns % 10**9
    by_hand.header.frame_id = data.frame_id
    for name in message.get_fields_and_field_types():
        if hasattr(data, name):
            value = getattr(data, name)
            setattr(by_hand, name, value.ravel().tolist() if isinstance(value, np.ndarray) else value)

    sent = to_msg(data)
    store, ros_type = typestore(), f"aegis_msgs/msg/{message.__name__}"
    assert bytes(serialize(sent, ros_type, store)) == bytes(serialize(by_hand, ros_type, store))

    back = from_msg(sent)
    for f in fields(kind):
        value, returned = getattr(data, f.name), getattr(back, f.name)
        if not isinstance(value, np.ndarray):
            assert returned == value
            continue
        assert returned.dtype == value.dtype
        single = message.get_fields_and_field_types()[f.name] == "sequence<float>"
        np.testing.assert_array_equal(returned, value.astype(np.float32) if single else value)


def test_a_sector_and_times_there_and_back():
    data = drawn(Detections, DetectionArray, np.random.default_rng(1), 3)
    data.sector = Sector(-1.0, 0.5, 0.25, float("nan"))
    data.time_offset = np.array([-1.0, 0.0, 0.5])
    back = picture.detections_from_msg(picture.detections_to_msg(data))
    assert back.time_offset.tolist() == [-1.0, 0.0, 0.5]
    assert (back.sector.begin_s, back.sector.end_s, back.sector.azimuth) == (-1.0, 0.5, 0.25)
    assert np.isnan(back.sector.rate)


def test_detections_that_say_no_times_are_of_the_stamp():
    m = picture.detections_to_msg(drawn(Detections, DetectionArray, np.random.default_rng(1), 3))
    m.time_offset = []
    assert picture.detections_from_msg(m).time_offset.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("begin", "end"), [(1.0, 0.0), (float("nan"), 0.0), (0.0, float("inf"))])
def test_a_sector_that_is_none_is_refused(begin, end):
    m = picture.detections_to_msg(drawn(Detections, DetectionArray, np.random.default_rng(1), 3))
    m.has_sector, m.sector_begin, m.sector_end = True, begin, end
    with pytest.raises(ValueError, match=r"its end is expected at or after its begin"):
        picture.detections_from_msg(m)


def test_a_count_that_uint16_cannot_hold_is_the_largest_that_it_can():
    data = drawn(Detections, DetectionArray, np.random.default_rng(1), 3)
    data.points = np.array([65_534, 65_536, 1_000_000])
    assert list(picture.detections_to_msg(data).points) == [65_534, 65_535, 65_535]


@pytest.mark.parametrize("topic", KINDS)
def test_every_array_of_another_length_is_refused_by_name(topic):
    kind, message, to_msg, from_msg = KINDS[topic]
    columns = [name for name, wire in message.get_fields_and_field_types().items() if wire.startswith("sequence")]
    for name in columns[1:]:
        if name == "unlisted_track_id":  # it says how many entries the other column of its kind has
            continue
        m = to_msg(drawn(kind, message, np.random.default_rng(1), 3))
        getattr(m, name).pop()
        size = 3 * int(np.prod(ROWS.get(name, ())))
        with pytest.raises(
            ValueError, match=rf"{message.__name__}\.{name} has {size - 1} entries; {size} are expected"
        ):
            from_msg(m)


def test_signals_and_advice_there_and_back():
    signal = Signal(
        7,
        SignalKind.EMITTER,
        -0.25,
        0.5,
        12.5,
        float("inf"),
        0.75,
        "noise 12.5 dB up",
        9,
        "a radar",
        1.0,
        -2.0,
        4.0,
        0.5,
        3.0,
        "front",
    )
    m = ew.signals_to_msg([signal], stamp_ns=5, frame_id="radar", sequence=3, sensor_id="left")
    assert (m.sequence, m.sensor_id, m.header.frame_id, list(m.kind)) == (3, "left", "radar", [4])
    assert ew.signals_from_msg(m) == [signal]
    advice = Advice(9, 2**32 - 1, 0, "CHAFF", 1, "it comes", 3.5, 8_500_000_000, AdviceState.REJECTED, "ann")
    m = ew.advice_to_msg([advice], stamp_ns=5)
    assert (list(m.valid_until), list(m.requires_acknowledgement), list(m.state)) == ([8.5], [True], [3])
    assert ew.advice_from_msg(m) == [advice]
    assert ew.signals_from_msg(EwSignalArray()) == ew.advice_from_msg(EwAdviceArray()) == []


def test_signals_and_advice_that_contradict_themselves_are_refused():
    m = ew.advice_to_msg([Advice(1, 2, 3, "", 1, "", 0.0, 0, AdviceState.PROPOSED)], stamp_ns=5)
    for name in ("track_id", "technique", "valid_until", "state"):
        column = getattr(m, name)
        column.append(column[0])
        with pytest.raises(ValueError, match=rf"EwAdviceArray\.{name} has 2 entries; 1 are expected"):
            ew.advice_from_msg(m)
        column.pop()
    m.state[0] = 77
    with pytest.raises(ValueError, match="77 is not a valid AdviceState"):
        ew.advice_from_msg(m)


@dataclass(kw_only=True)
class Wider(Tracks):
    heading: Floats


@dataclass
class OtherType:
    stamp_ns: int
    frame_id: str
    track_id: Ints
    score: Ints  # float32 in the message


@dataclass
class Narrower:
    stamp_ns: int
    frame_id: str
    track_id: Ints
    state: Annotated[Floats, Row(6)]


REST = set(TrackArray.get_fields_and_field_types()) - {"track_id", "state"}


def test_a_field_that_the_message_lacks_is_named():
    with pytest.raises(TypeError, match=r"aegis_msgs/TrackArray .* no field 'heading', which Wider has; install ./msg"):
        ArrayConverter(Wider, TrackArray)


def test_a_field_that_the_dataclass_lacks_is_named():
    assert ArrayConverter(Narrower, TrackArray, apart=REST)
    with pytest.raises(TypeError, match="it has a field 'hits', which Narrower has not"):
        ArrayConverter(Narrower, TrackArray, apart=REST - {"hits"})
    with pytest.raises(TypeError, match="it has a field 'sequence', which Signal has not"):
        RecordConverter(Signal, EwSignalArray, apart=["sensor_id"])


def test_a_field_of_another_type_is_named():
    rest = set(ThreatArray.get_fields_and_field_types()) - {"track_id", "score"}
    with pytest.raises(
        TypeError, match=r"ThreatArray .* field 'score' is sequence<float>, where OtherType has .*int64"
    ):
        ArrayConverter(OtherType, ThreatArray, apart=rest)
