# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""PointCloud2 from any driver: decoded rightly, or refused, counted and reported; never guessed, never fatal."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sensor_msgs.msg import PointCloud2, PointField
from settings_of import settings_of

from aegis.core.detection.points import MOST_SIGMA
from aegis.core.detection.settings import DetectionSettings
from aegis.ros.messages.clouds import cloud_fields, cloud_to_msg
from aegis.ros.messages.fields import stamp_of
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.detection import DetectionStage

# PointField datatype, struct code, for all eight.
DATATYPES = [(1, "b"), (2, "B"), (3, "h"), (4, "H"), (5, "i"), (6, "I"), (7, "f"), (8, "d")]


def cloud(points, fields, *, frame_id="radar", big_endian=False, padding=0, height=1, row_padding=0) -> PointCloud2:
    """Return a cloud packed with struct: `fields` are (name, datatype, struct code); points are rows of numbers."""
    order = ">" if big_endian else "<"
    m = PointCloud2()
    m.header.frame_id = frame_id
    m.header.stamp.sec = 5
    offset = 0
    for name, datatype, code in fields:
        m.fields.append(PointField(name=name, offset=offset, datatype=datatype, count=1))
        offset += struct.calcsize(order + code)
    m.point_step = offset + padding
    m.height = height
    m.width = len(points) // height
    m.row_step = m.point_step * m.width + row_padding
    m.is_bigendian = big_endian
    data = b""
    for r in range(height):
        for p in points[r * m.width : (r + 1) * m.width]:
            data += b"".join(struct.pack(order + f[2], v) for f, v in zip(fields, p, strict=True)) + b"\xaa" * padding
        data += b"\xbb" * row_padding
    m.data = data
    return m


XYZV = [("x", 7, "f"), ("y", 7, "f"), ("z", 7, "f"), ("velocity", 7, "f")]
POINTS = [(10.0, 20.0, 1.0, -3.0), (30.0, -40.0, 2.0, 4.0)]


def stage(**parameters) -> DetectionStage:
    return DetectionStage(settings_of(DetectionSettings, **parameters), StageContext())


def run(message, **parameters):
    """Return (detections or None, counters, event names)."""
    s = stage(**parameters)
    outputs = list(s.on_message("radar/points", message))
    found = [o.message for o in outputs if o.topic == "detections"]
    return (found[0] if found else None), s.counters, [o.message.name for o in outputs if o.topic == "events"]


def test_a_plain_cloud():
    d, counters, events = run(cloud(POINTS, XYZV))
    np.testing.assert_allclose(d.range, [np.sqrt(501), np.sqrt(2504)], rtol=1e-6)
    np.testing.assert_allclose(d.azimuth, [np.arctan2(20, 10), np.arctan2(-40, 30)], rtol=1e-6)
    np.testing.assert_allclose(d.range_rate, [-3.0, 4.0])
    assert d.header.stamp.sec == 5
    assert d.header.frame_id == "radar"
    assert counters.dropped == 0
    assert events == [
        "RADAR_SCAN_COMPLETE", "RADAR_TARGETS_DETECTED", "DETECTION_RUNNING", "DETECTION_TARGETS_CLASSIFIED",
    ]  # fmt: skip


@pytest.mark.parametrize(("datatype", "code"), DATATYPES)
@pytest.mark.parametrize("big_endian", [False, True])
def test_every_datatype_and_byte_order(datatype, code, big_endian):
    fields = [(name, datatype, code) for name in ("x", "y", "z", "velocity")]
    d, _, _ = run(cloud([(3, 4, 0, 7)], fields, big_endian=big_endian))
    assert d.range[0] == 5.0
    assert d.range_rate[0] == 7.0


@given(
    st.permutations(XYZV + [("rcs", 8, "d"), ("label", 2, "B"), ("snr", 4, "H")]),
    st.integers(0, 9), st.sampled_from([1, 2, 3]), st.integers(0, 17), st.booleans(),
)  # fmt: skip
@settings(max_examples=60)
def test_layouts_do_not_matter(fields, padding, height, row_padding, big_endian):
    values = {"x": 3.0, "y": 4.0, "z": 0.0, "velocity": 7.0, "rcs": -12.5, "label": 9, "snr": 20}
    points = [[values[f[0]] + (k * 100 if f[0] == "x" else 0) for f in fields] for k in range(6)]
    m = cloud(points, fields, padding=padding, height=height, row_padding=row_padding, big_endian=big_endian)
    d, counters, _ = run(m, distance_m=0.0)
    np.testing.assert_allclose(d.range, np.hypot(3.0 + 100 * np.arange(6), 4.0), rtol=1e-6)
    np.testing.assert_allclose(d.rcs_dbsm, -12.5)
    np.testing.assert_allclose(d.snr_db, 20.0)
    assert counters.dropped == counters.objects_dropped == 0


def broken(**changes):
    m = cloud(POINTS, XYZV)
    for name, value in changes.items():
        setattr(m, name, value)
    return m


def with_field(index, **changes):
    m = cloud(POINTS, XYZV)
    for name, value in changes.items():
        setattr(m.fields[index], name, value)
    return m


REFUSED = {
    "missing field": (cloud([p[:3] for p in POINTS], XYZV[:3]), "velocity"),
    "foreign frame_id": (cloud(POINTS, XYZV, frame_id="lidar"), "'lidar', but 'radar' is expected"),
    "truncated": (broken(data=cloud(POINTS, XYZV).data[:-1]), "31 bytes of data; 32 are needed"),
    "datatype": (with_field(0, datatype=9), "datatype 9"),
    "offset": (with_field(3, offset=13), "does not fit point_step 16"),
    "row_step": (broken(row_step=31), "row_step 31"),
    "count": (with_field(1, count=2), "count 2"),
    "duplicate field": (with_field(1, name="x"), "twice"),
    "too many points": (broken(width=300_000), "max_points"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_read_is_refused_counted_and_reported(reason):
    message, text = REFUSED[reason]
    s = stage()
    outputs = list(s.on_message("radar/points", message))
    assert [o.message.name for o in outputs] == ["DETECTION_ERROR"]
    assert text in json.loads(outputs[0].message.data)["message"]
    assert s.counters.dropped == 1
    assert s.counters.reasons == {reason: 1}
    _, diagnostics = s.status(6_000_000_000)
    (status,) = diagnostics.message.status
    assert status.level == b"\x01"  # WARN
    values = {v.key: v.value for v in status.values}
    assert values[f"dropped: {reason}"] == "1"
    assert text in values["last_refusal"]
    # And the next good cloud is taken.
    assert [o for o in s.on_message("radar/points", cloud(POINTS, XYZV)) if o.topic == "detections"]


def test_points_with_nan_are_dropped_one_by_one():
    points = [POINTS[0], (np.nan, 1.0, 1.0, 0.0), (1.0, np.inf, 1.0, 0.0), POINTS[1]]
    d, counters, _ = run(cloud(points, XYZV))
    assert len(d.range) == 2
    assert counters.dropped == 0
    assert counters.reasons == {"point not finite": 2}
    assert counters.objects_dropped == 2


def test_an_empty_cloud_is_a_scan_without_detections():
    d, counters, events = run(cloud([], XYZV))
    assert len(d.range) == 0
    assert d.sequence == 1
    assert counters.dropped == 0
    assert "RADAR_TARGETS_DETECTED" not in events


EMPTY = {
    "no fields": {"fields": [], "point_step": 0, "row_step": 0},
    "no steps": {"point_step": 0, "row_step": 0},
    "x, y and z only": {"fields": cloud([], XYZV[:3]).fields, "point_step": 12},
    "fields that do not fit": {"point_step": 1},
    "height 0": {"height": 0, "fields": []},
    "width 7, height 0": {"height": 0, "width": 7, "fields": [], "row_step": 0},
    "a datatype of nobody": {"fields": [PointField(name="x", datatype=77, count=3)]},
    "bytes that are left from before": {"fields": [], "data": bytes(64)},
}


@pytest.mark.parametrize("kind", EMPTY)
@pytest.mark.parametrize("parameters", [{}, {"position": "polar", "snr": "sn"}, {"has_doppler": False}])
def test_a_cloud_without_points_is_a_scan_that_saw_nothing_whatever_else_it_says(kind, parameters):
    m = cloud([], XYZV)
    for name, value in EMPTY[kind].items():
        setattr(m, name, value)
    d, counters, events = run(m, **parameters)
    assert len(d.range) == 0
    assert counters.dropped == counters.objects_dropped == 0
    assert "DETECTION_ERROR" not in events


def test_a_cloud_with_points_but_none_of_our_fields_is_refused():
    _, counters, _ = run(cloud([(1.0,)], [("other", 7, "f")]))
    assert counters.reasons == {"missing field": 1}


def test_what_is_missing_is_said_beside_what_is_there():
    s = stage()
    (told,) = s.on_message(
        "radar/points", cloud([(1.0, 2.0, 3.0, 4.0)], [(n, 7, "f") for n in ("x", "y", "z", "Doppler")])
    )
    said = json.loads(told.message.data)["message"]
    assert "no field 'range_rate or doppler or velocity'" in said
    assert said.endswith("The cloud has x, y, z, Doppler")


@pytest.mark.parametrize(("height", "row_step"), [(1, 0), (1, 2), (1, 16), (1, 32), (1, 1000), (2, 0), (2, 1)])
def test_a_row_step_that_was_left_out_or_counts_points_is_what_rviz_takes_it_for(height, row_step):
    """RViz looks at width, height and point_step alone."""
    m = cloud(POINTS, XYZV, height=height)
    m.row_step = row_step
    d, counters, _ = run(m)
    np.testing.assert_allclose(d.range, [np.sqrt(501), np.sqrt(2504)], rtol=1e-6)
    assert counters.dropped == 0


def test_rows_that_may_be_padded_are_not_guessed():
    m = cloud(POINTS, XYZV, height=2, row_padding=8)
    m.row_step = 0
    _, counters, _ = run(m)
    assert counters.reasons == {"row_step": 1}


def test_a_cloud_without_a_stamp_is_refused_and_the_reason_names_the_drivers_duty():
    m = cloud(POINTS, XYZV)
    m.header.stamp.sec = 0
    s = stage()
    outputs = list(s.on_message("radar/points", m)) + list(s.on_message("radar/points", m))
    assert [o.message.name for o in outputs] == ["DETECTION_ERROR"]  # told once a minute, counted always
    reason = "header.stamp is zero, and the driver has to set it"
    row, diagnostics = (o.message for o in s.status(6_000_000_000))
    assert json.loads(row.detail[0])["dropped_by_reason"] == {reason: 2}
    (status,) = diagnostics.status
    assert (status.level, {v.key: v.value for v in status.values}[f"dropped: {reason}"]) == (b"\x01", "2")
    assert status.message.startswith(
        "2 inputs refused since the last status; the last: header.stamp of the cloud is zero"
    )
    assert "drivers/README.md" in status.message


FIELDS = ("range_rate", "snr", "rcs", "noise", "range_sigma", "azimuth_sigma", "elevation_sigma", "range_rate_sigma")
ODD = [np.inf, -np.inf, np.nan, 0.0, -0.0, -1.0, 3.4028235e38, -3.4028235e38, 1e-45, 1e300, 1e-300, 299_792_459.0]


@settings(max_examples=150)
@given(
    st.lists(st.fixed_dictionaries({}, optional={n: st.sampled_from(ODD) | st.floats() for n in FIELDS}), min_size=1, max_size=6),
    st.sampled_from([(7, "f"), (8, "d")]), st.booleans(), st.booleans(), st.sampled_from(["db", "linear"]),
)  # fmt: skip
def test_whatever_the_optional_fields_hold_no_object_is_lost_and_nothing_infinite_goes_out(
    points, number, together, polar, unit
):
    """Points 1 km apart, or of one object; the expected places are those of the points, by arithmetic of their own.

    A point whose stated error reaches the next one may be of the same object: then only its place is bounded.
    """
    fields = [(name, *number) for name in (("range", "azimuth", "elevation") if polar else ("x", "y", "z")) + FIELDS]
    far = [1000.0 + (1.0 if together else 1000.0) * k for k in range(len(points))]
    place = [(r, 0.0, 0.0) for r in far]
    usual = dict.fromkeys(FIELDS, 10.0)
    with np.errstate(over="ignore"):
        rows = [
            (*at, *(float(np.float32(v)) if number[1] == "f" else v for v in (usual | point).values()))
            for at, point in zip(place, points, strict=True)
        ]
    vague = any(100.0 < point.get("range_sigma", 10.0) <= MOST_SIGMA[0] for point in points)
    m = cloud(rows, fields)
    d, counters, _ = run(m, snr_unit=unit, rcs_unit="m2" if unit == "linear" else "dbsm", range_rate_mps=1e9)
    assert counters.dropped == counters.objects_dropped == 0
    if together or vague:
        assert len(d.range) <= len(points)
        assert all(min(far) - 1e-3 <= r <= max(far) + 1e-3 for r in d.range)
    else:
        np.testing.assert_allclose(d.range, far, rtol=1e-6)
    assert sum(d.points) == len(points)
    for column in (d.snr_db, d.rcs_dbsm, d.noise_db, d.range_rate, d.elevation, d.variance):
        assert not np.isinf(column).any()
    variance = np.reshape(d.variance, (-1, 4))
    assert (variance[:, :3] > 0.0).all()


def test_one_unknown_of_a_group_leaves_the_object_as_it_would_be_without_that_statement():
    points = [(1000.0 + k, 0.0, 0.0, -3.0, 1.0) for k in range(5)]
    fields = [*XYZV, ("range_sigma", 7, "f")]
    odd = [(*p[:4], np.inf if k == 2 else p[4]) for k, p in enumerate(points)]
    unsaid = [(*p[:4], np.nan if k == 2 else p[4]) for k, p in enumerate(points)]
    a, b = run(cloud(odd, fields))[0], run(cloud(unsaid, fields))[0]
    assert len(a.range) == 1
    assert repr(a) == repr(b)  # in which NaN is equal to NaN


def test_a_2d_sensor_without_doppler():
    d, _, _ = run(cloud([p[:2] for p in POINTS], XYZV[:2]), has_elevation=False, has_doppler=False)
    np.testing.assert_allclose(d.range, [np.hypot(10, 20), 50.0], rtol=1e-6)
    assert np.isnan(d.elevation).all()
    assert np.isnan(d.range_rate).all()
    variance = np.reshape(d.variance, (2, 4))
    assert np.isnan(variance[:, 2:]).all()
    assert (variance[:, :2] > 0).all()


@settings(max_examples=200)
@given(st.data())
def test_a_mutated_cloud_never_raises(data):
    m = cloud(POINTS, XYZV)
    number = st.integers(0, 2**32 - 1)
    for name in data.draw(st.sets(st.sampled_from(["height", "width", "point_step", "row_step"]))):
        setattr(m, name, data.draw(st.one_of(st.integers(0, 40), number), label=name))
    m.is_bigendian = data.draw(st.booleans())
    for field in m.fields:
        field.offset = data.draw(st.one_of(st.just(field.offset), number))
        field.datatype = data.draw(st.integers(0, 255))
        field.count = data.draw(st.integers(0, 3))
    m.data = data.draw(st.binary(max_size=80))
    d, counters, _ = run(m)
    assert (d is None) == (counters.dropped == 1)
    if d is not None:
        assert np.isfinite(d.range).all()


def test_nothing_infinite_is_packed():
    columns = {"x": np.array([1.0, 2.0, 3.0]), "snr": np.array([np.inf, -np.inf, 1e300])}
    m = cloud_to_msg(columns, frame_id="radar", stamp_ns=1)
    table = np.frombuffer(m.data, "<f4").reshape(3, 2)
    assert np.isnan(table[:, 1]).all()
    assert not m.is_dense


def test_what_cloud_to_msg_packs_comes_back():
    columns = {"x": np.array([1.5, 2.5]), "rcs": np.array([-20.0, np.nan])}
    m = cloud_to_msg(columns, frame_id="radar", stamp_ns=3_000_000_007)
    back = cloud_fields(m, {"x", "rcs", "absent"})
    np.testing.assert_array_equal(back["x"], columns["x"])
    np.testing.assert_array_equal(back["rcs"], columns["rcs"])
    assert set(back) == {"x", "rcs"}
    assert (stamp_of(m), m.is_dense) == (3_000_000_007, False)
