# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reading points, grouping them, measuring the group."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from settings_of import settings_of

from aegis.core.detection.detector import Detector, group_points, strongest
from aegis.core.detection.points import PointsError, read_points
from aegis.core.detection.settings import DetectionSettings, GroupingSettings
from aegis.core.params import ConfigError
from aegis.core.types import ClassId, Scan


def read(columns, **parameters):
    s = settings_of(DetectionSettings, **parameters)
    columns = {k: np.asarray(v, dtype=float) for k, v in columns.items()}
    return read_points(columns, s, stamp_ns=1, frame_id="radar", sequence=1)


def scan_of(**columns) -> Scan:
    n = len(columns["range"])
    names = ("range", "azimuth", "elevation", "range_rate", "snr_db", "rcs_dbsm", "noise_db")
    return Scan(1, "radar", 1, **{k: np.asarray(columns.get(k, np.full(n, np.nan)), dtype=float) for k in names})


def test_cartesian_and_polar_say_the_same():
    r, az, el = 1000.0, 0.3, 0.1
    xyz = {"x": [r * np.cos(el) * np.cos(az)], "y": [r * np.cos(el) * np.sin(az)], "z": [r * np.sin(el)]}
    a, _ = read({**xyz, "doppler": [5.0]})
    b, _ = read({"range": [r], "azimuth": [az], "elevation": [el], "velocity": [5.0]})
    for name in ("range", "azimuth", "elevation", "range_rate"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-12)


def test_a_vendors_names_units_and_signs():
    scan, _ = read(
        {"Rng": [50.0], "Az": [190.0], "El": [3.0], "closing_kmh": [36.0], "sn": [100.0], "sigma": [0.1]},
        position="polar", range="Rng", azimuth="Az", elevation="El", angle_unit="deg",
        azimuth_sign=-1, elevation_sign=-1, range_rate="closing_kmh", range_rate_scale=-1 / 3.6,
        snr="sn", snr_unit="linear", rcs="sigma", rcs_unit="m2",
    )  # fmt: skip
    assert scan.azimuth[0] == pytest.approx(np.deg2rad(170.0))  # -190 degrees, wrapped
    assert scan.elevation[0] == pytest.approx(np.deg2rad(-3.0))
    assert scan.range_rate[0] == pytest.approx(-10.0)
    assert scan.snr_db[0] == pytest.approx(20.0)
    assert scan.rcs_dbsm[0] == pytest.approx(-10.0)


@pytest.mark.parametrize(("azimuth", "elevation"), [(60.0, 10.0), (170.0, 1.0), (9.0, 1.0), (1.0, 15.0)])
def test_degrees_where_radians_are_expected_are_refused_with_the_cure(azimuth, elevation):
    """As a few points of them are angles in radians too, these would be seen anywhere, and the others were not finite."""
    rng = np.random.default_rng(1)
    cloud = {
        "range": np.full(200, 50.0), "velocity": np.zeros(200), "azimuth": rng.uniform(-azimuth, azimuth, 200),
        "elevation": rng.uniform(-elevation, elevation, 200),
    }  # fmt: skip
    with pytest.raises(PointsError, match=r"fields\.angle_unit: deg") as refused:
        read(cloud)
    assert refused.value.reason == "angles look like degrees"
    scan, dropped = read(cloud, angle_unit="deg")
    assert not dropped
    np.testing.assert_allclose(np.degrees(scan.azimuth), cloud["azimuth"], atol=1e-9)


def test_radians_with_garbage_among_them_are_no_degrees():
    angles = np.linspace(-np.pi, np.pi, 100)
    broken = np.where(np.arange(100) % 12 == 0, 100.0, angles / 2)
    cloud = {"range": np.full(100, 50.0), "velocity": np.zeros(100), "azimuth": angles, "elevation": angles / 2}
    assert len(read(cloud)[0]) == 100
    for unknown in (broken, np.full(100, 3.4e38), np.full(100, np.nan)):
        scan, dropped = read({**cloud, "azimuth": unknown})
        assert len(scan) + dropped["point not finite"] == 100
    assert len(read({**cloud, "elevation": np.full(100, 1e9)}, has_elevation=False)[0]) == 100


def test_what_a_sensor_does_not_measure_is_unknown_and_not_zero():
    scan, _ = read({"x": [3.0], "y": [4.0], "z": [0.0], "velocity": [0.0]}, has_elevation=False, has_doppler=False)
    assert scan.range[0] == 5.0
    assert np.isnan(scan.elevation[0])
    assert np.isnan(scan.range_rate[0])


def test_snr_from_power_and_noise_only_when_both_are_there():
    xyz = {"x": [1.0], "y": [1.0], "z": [1.0], "velocity": [0.0]}
    assert read({**xyz, "power": [110.0], "noise": [95.0]})[0].snr_db[0] == 15.0
    assert np.isnan(read({**xyz, "power": [110.0]})[0].snr_db[0])


POLAR = {"range": [100.0, 200.0], "azimuth": [0.1, 0.2], "elevation": [0.0, 0.0], "range_rate": [1.0, 2.0]}


def test_errors_that_a_sensor_states_are_taken_and_the_parameters_fill_what_it_leaves_open():
    stated = {"range_sigma": [0.2, 0.3], "azimuth_sigma": [0.01, np.nan], "range_rate_sigma": [0.0, 0.5]}
    parameters = {
        "range_sigma_m": 7.0,
        "azimuth_sigma_deg": 2.0,
        "elevation_sigma_deg": 3.0,
        "range_rate_sigma_mps": 4.0,
    }
    scan, _ = read({**POLAR, **stated}, **parameters)
    sigma = np.sqrt(Detector(settings_of(DetectionSettings, **parameters)).point_variance(scan))
    expected = [[0.2, 0.01, np.deg2rad(3.0), 4.0], [0.3, np.deg2rad(2.0), np.deg2rad(3.0), 0.5]]
    np.testing.assert_allclose(sigma, expected, rtol=1e-12)
    ignoring = {**parameters, "stated_errors": "ignore"}
    scan, _ = read({**POLAR, **stated}, **ignoring)
    sigma = np.sqrt(Detector(settings_of(DetectionSettings, **ignoring)).point_variance(scan))
    np.testing.assert_allclose(sigma, [[7.0, np.deg2rad(2.0), np.deg2rad(3.0), 4.0]] * 2, rtol=1e-12)


def test_a_stated_error_of_what_is_not_measured_means_nothing():
    scan, _ = read({**POLAR, "elevation_sigma": [0.1, 0.1]}, has_elevation=False)
    assert np.isnan(Detector(DetectionSettings()).point_variance(scan)[:, 2]).all()


@pytest.mark.parametrize("missing", ["x", "y", "z", "velocity"])
def test_a_missing_field_is_named(missing):
    columns = {"x": [1.0], "y": [1.0], "z": [1.0], "velocity": [0.0]}
    del columns[missing]
    with pytest.raises(PointsError, match="no field") as error:
        read(columns, position="cartesian")
    assert error.value.reason == "missing field"


def test_points_that_cannot_be_are_dropped_and_counted():
    scan, dropped = read(
        {"x": [1.0, np.nan, np.inf, 0.0, 5e6], "y": [0.0] * 5, "z": [0.0] * 5, "velocity": [np.nan, 0, 0, 0, 0]}
    )
    assert len(scan) == 1
    assert np.isnan(scan.range_rate[0])  # a point without range rate is still a point
    assert dropped == {"point not finite": 2, "point out of range": 2}


@pytest.mark.parametrize("optional", [False, True])
def test_a_point_without_an_elevation_counts_where_that_is_said(optional):
    columns = {"range": [100.0, 100.0, 100.0, np.nan], "azimuth": [0.0] * 4, "elevation": [0.1, np.nan, 9.0, np.nan]}
    scan, dropped = read(columns, has_doppler=False, elevation_optional=optional)
    # 9 rad is none that is not known, but one that cannot be.
    np.testing.assert_array_equal(scan.elevation, [0.1, np.nan] if optional else [0.1])
    assert dropped == {"point not finite": 2 if optional else 3}


def test_unknown_class_names_are_refused():
    with pytest.raises(ConfigError, match="no class UFO"):
        DetectionSettings.load({"classification.classes": ["UFO"]})


def brute_force_groups(scan: Scan, distance: float, speed: float, echo=None, large=(0.0, np.inf)) -> list[int]:
    """Return single-linkage groups of errorless points, by definition: compare all, merge until nothing changes.

    `echo` of each point's object and `large`, a distance and an RCS [m^2], are of large objects.
    """
    n = len(scan)
    echo = np.zeros(n) if echo is None else echo
    group = list(range(n))
    for i in range(n):
        for j in range(i):
            turn = (scan.azimuth[i] - scan.azimuth[j] + np.pi) % (2 * np.pi) - np.pi
            middle = (scan.range[i] + scan.range[j]) / 2
            weak, strong = sorted((echo[i], echo[j]))
            reach = large[0] if weak + strong >= large[1] and weak >= strong / 1000.0 else distance
            if (
                abs(scan.range[i] - scan.range[j]) <= reach
                and abs(middle * np.cos((scan.elevation[i] + scan.elevation[j]) / 2) * turn) <= reach
                and abs(middle * (scan.elevation[i] - scan.elevation[j])) <= reach
                and abs(scan.range_rate[i] - scan.range_rate[j]) <= speed
            ):
                a, b = group[i], group[j]
                group = [min(a, b) if g in (a, b) else g for g in group]
    order: dict[int, int] = {}
    return [order.setdefault(g, len(order)) for g in group]


@given(st.integers(0, 25), st.integers(0, 10_000))
def test_groups_are_those_of_the_definition(n, seed):
    rng = np.random.default_rng(seed)
    scan = scan_of(
        range=rng.uniform(80, 120, n), azimuth=np.pi + rng.uniform(-0.3, 0.3, n), elevation=rng.uniform(-0.1, 0.1, n),
        range_rate=rng.uniform(-3, 3, n),
    )  # fmt: skip
    scan.azimuth = (scan.azimuth + np.pi) % (2 * np.pi) - np.pi  # across the jump of the azimuth
    groups = group_points(scan, np.zeros((n, 4)), GroupingSettings(distance_m=8.0, range_rate_mps=2.0))
    assert groups.tolist() == brute_force_groups(scan, 8.0, 2.0)
    # The same where some are strong, as parts of large objects are, and of some the RCS is unknown.
    scan.rcs_dbsm = np.where(rng.random(n) < 0.2, np.nan, rng.uniform(-20.0, 25.0, n))
    echo = np.zeros(n)
    for g in set(groups.tolist()):
        echo[groups == g] = np.nansum(10.0 ** (scan.rcs_dbsm[groups == g] / 10.0))
    settings = GroupingSettings(distance_m=8.0, range_rate_mps=2.0, large_factor=1.75, large_rcs_dbsm=20.0)
    large = group_points(scan, np.zeros((n, 4)), settings)
    assert large.tolist() == brute_force_groups(scan, 8.0, 2.0, echo, (14.0, 100.0))


@pytest.mark.parametrize(
    ("rcs_dbsm", "apart_m", "options", "objects"),
    [
        ([25.0, 12.0], 55.0, {}, 1),  # bow and stern of a coaster
        ([25.0, 12.0], 85.0, {}, 2),
        ([10.0, 10.0], 55.0, {}, 2),  # two cars
        ([25.0, -18.0], 55.0, {}, 2),  # a drone beside a ship
        ([np.nan, np.nan], 55.0, {}, 2),
        ([25.0, 12.0], 55.0, {"grouping.large_factor": 1.0}, 2),
        ([25.0, 12.0], 5.0, {"grouping.distance_m": 0.0}, 2),  # no grouping is none
    ],
)
def test_far_apart_are_parts_of_one_object_where_they_are_strong_together(rcs_dbsm, apart_m, options, objects):
    scan = scan_of(
        range=[6000.0, 6000.0 + apart_m], azimuth=[0.0, 0.0], elevation=[0.0, 0.0], range_rate=[-5.0, -5.5],
        snr_db=[30.0, 30.0], rcs_dbsm=rcs_dbsm,
    )  # fmt: skip
    assert len(Detector(DetectionSettings.load(options)).step(scan)[0]) == objects


def test_one_vehicle_of_many_points_is_one_detection_at_its_middle():
    rng = np.random.default_rng(1)
    x, y = 60.0 + rng.uniform(-2, 2, 30), 10.0 + rng.uniform(-1, 1, 30)
    scan, _ = read({"x": [*x, 200.0], "y": [*y, 0.0], "z": np.zeros(31), "velocity": [*np.full(30, -8.0), 3.0]})
    detections, dropped = Detector(DetectionSettings()).step(scan)
    assert detections.points.tolist() == [30, 1]
    assert not dropped
    assert detections.range[0] * np.cos(detections.azimuth[0]) == pytest.approx(x.mean(), abs=0.05)
    assert detections.range[0] * np.sin(detections.azimuth[0]) == pytest.approx(y.mean(), abs=0.05)
    np.testing.assert_allclose(detections.range_rate, [-8.0, 3.0])


@pytest.mark.parametrize("elevation_deg", [0.0, 45.0, 70.0, 85.0])
def test_points_are_as_far_apart_as_they_are_however_high(elevation_deg):
    """Two points beside one another across the line of sight, by their places: 19 m are one object, 23 m are two."""
    e = np.deg2rad(elevation_deg)
    for apart, objects in ((19.0, 1), (23.0, 2)):
        middle = 3000.0 * np.array([np.cos(e), 0.0, np.sin(e)])
        places = middle + np.outer([0.5, -0.5], [0.0, apart, 0.0])
        reach = np.linalg.norm(places, axis=1)
        nothing = np.full(2, np.nan)
        scan = Scan(
            1, "radar", 1, reach, np.arctan2(places[:, 1], places[:, 0]), np.arcsin(places[:, 2] / reach), np.zeros(2), nothing,
            nothing, nothing,
        )  # fmt: skip
        assert group_points(scan, np.zeros((2, 4)), GroupingSettings(distance_m=20.0)).max() + 1 == objects


def test_the_variance_of_a_group_is_that_of_its_mean():
    """Monte Carlo: points of one place with the stated errors; their weighted mean has the stated variance."""
    rng = np.random.default_rng(2)
    s = settings_of(DetectionSettings, range_sigma_m=2.0, distance_m=50.0)
    ranges, variances = [], []
    for _ in range(500):
        scan = scan_of(
            range=1000.0 + rng.normal(0, 2.0, 4), azimuth=np.zeros(4), elevation=np.zeros(4), range_rate=np.zeros(4),
            snr_db=np.full(4, s.accuracy.reference_snr_db),
        )  # fmt: skip
        d, _ = Detector(s).step(scan)
        ranges.append(d.range[0])
        variances.append(d.variance[0, 0])
    assert np.var(ranges) == pytest.approx(1.0, rel=0.2)  # 2^2 / 4; 500 samples are good to 6 %
    # The scatter of the points counts too (an extended object), so that the stated variance is the larger one.
    assert 1.0 < np.mean(variances) < 2.1


def test_errors_follow_the_snr():
    s = settings_of(DetectionSettings, range_sigma_m=2.0, reference_snr_db=13.0)
    scan = scan_of(range=[100.0, 100.0], azimuth=[0, 1], elevation=[0, 0], range_rate=[0, 0], snr_db=[13.0, 19.0206])
    variance = Detector(s).point_variance(scan)
    assert variance[0, 0] == pytest.approx(4.0)
    assert variance[1, 0] == pytest.approx(1.0, rel=1e-4)  # 6.02 dB: four times the SNR, half the error


def test_a_cartesian_error_is_the_same_in_metres_everywhere():
    s = settings_of(DetectionSettings, cartesian_sigma_m=6.0, has_elevation=False, has_doppler=False)
    d, _ = Detector(s).step(scan_of(range=[10.0, 1000.0], azimuth=[0.0, 1.0]))
    assert d.cartesian_accuracy
    np.testing.assert_allclose(np.sqrt(d.variance[:, 1]) * d.range, 6.0)
    np.testing.assert_allclose(np.sqrt(d.variance[:, 0]), 6.0)


def test_max_targets_keeps_the_strongest_and_counts_the_rest():
    n = 10
    scan = scan_of(
        range=np.arange(1, n + 1) * 100.0, azimuth=np.zeros(n), elevation=np.zeros(n), range_rate=np.zeros(n),
        snr_db=np.arange(n) * 1.0,
    )  # fmt: skip
    d, dropped = Detector(settings_of(DetectionSettings, max_targets=3)).step(scan)
    np.testing.assert_allclose(d.snr_db, [7.0, 8.0, 9.0])
    assert dropped == {"over max_targets": 7}
    assert d.id.tolist() == [1, 2, 3]


def test_the_confidence_threshold_is_honoured():
    scan = scan_of(range=[500.0], azimuth=[0.0], elevation=[0.2], range_rate=[-15.0], rcs_dbsm=[-20.0])
    sure, _ = Detector(settings_of(DetectionSettings, confidence_threshold=0.0)).step(scan)
    assert sure.class_id[0] == sure.class_probability[0].argmax() != ClassId.UNKNOWN
    unsure, _ = Detector(settings_of(DetectionSettings, confidence_threshold=1.0)).step(scan)
    assert unsure.class_id[0] == ClassId.UNKNOWN
    assert unsure.confidence[0] == sure.confidence[0]


def test_a_group_has_the_range_rate_of_its_strongest_point_where_asked_for():
    """A person walks at 1.2 m/s; the limbs swing, and a rotor's blade is anywhere."""
    scan = scan_of(
        range=[30.0, 30.1, 29.9, 80.0, 80.2], azimuth=[0.1, 0.1, 0.1, -0.2, -0.2], range_rate=[-3.9, -1.2, 0.4, 25.0, 5.0],
        snr_db=[12.0, 24.0, 15.0, 10.0, 20.0], elevation=[np.nan] * 5,
    )  # fmt: skip
    changes = {"has_elevation": False, "range_rate_mps": 60.0, "distance_m": 2.0, "range_sigma_m": 0.1}
    d, _ = Detector(settings_of(DetectionSettings, range_rate_of="strongest", **changes)).step(scan)
    assert d.range_rate.tolist() == [-1.2, 5.0]
    mean, _ = Detector(settings_of(DetectionSettings, **changes)).step(scan)
    assert -1.2 < mean.range_rate[0] < -1.0
    assert d.variance[0, 3] < mean.variance[0, 3]  # the limbs are no error of the body's


def test_strongest_of_groups_in_any_order_and_without_snr():
    group, snr = np.array([1, 0, 1, 2, 0]), np.array([3.0, 9.0, 8.0, np.nan, 2.0])
    assert strongest(group, snr, 3).tolist() == [1, 2, 3]
    assert strongest(np.empty(0, dtype=int), np.empty(0), 0).tolist() == []


def test_an_objects_middle_is_not_known_better_than_it_is_large():
    scan = scan_of(
        range=[30.0, 0.5], azimuth=[0.0, 1.0], elevation=[0.0, 0.0], range_rate=[1.0, 1.0], snr_db=[40.0, 40.0]
    )
    exact, _ = Detector(DetectionSettings()).step(scan)
    wide, _ = Detector(settings_of(DetectionSettings, object_sigma_m=0.7, object_range_rate_sigma_mps=0.5)).step(scan)
    added = wide.variance - exact.variance
    np.testing.assert_allclose(added[0], [0.49, 0.49 / 900.0, 0.49 / 900.0, 0.25])
    np.testing.assert_allclose(added[1], [0.49, 1.0, 1.0, 0.25])  # nearer than it is large: a radian


def test_an_empty_scan_gives_no_detections():
    d, dropped = Detector(DetectionSettings()).step(scan_of(range=[]))
    assert len(d) == 0
    assert d.class_probability.shape == (0, len(ClassId))
    assert not dropped


AT_NS = 1_700_000_000 * 1_000_000_000 + 250_000_000
PLACES = {"range": [10.0, 20.0, 30.0], "azimuth": [0.0, 0.5, 1.0]}


def read_times(columns, **parameters):
    s = settings_of(DetectionSettings, has_elevation=False, has_doppler=False, **parameters)
    columns = {k: np.asarray(v, dtype=float) for k, v in columns.items()}
    return read_points(columns, s, stamp_ns=AT_NS, frame_id="radar", sequence=1)[0]


@pytest.mark.parametrize(
    ("name", "values", "parameters"),
    [
        ("time_offset", [-0.1, 0.0, 0.05], {}),
        ("time", [-0.1, 0.0, 0.05], {}),  # Velodyne
        ("t", [-1e8, 0.0, 5e7], {}),  # Ouster: nanoseconds in whole numbers
        ("t", [-0.1, 0.0, 0.05], {}),
        ("offset_time", [-1e8, 0.0, 5e7], {}),  # Livox
        ("time_offset_ns", [-1e8, 0.0, 5e7], {}),
        ("timestamp", [AT_NS - 1e8, AT_NS, AT_NS + 5e7], {}),
        ("timestamp", [(AT_NS - 1e8) * 1e-9, AT_NS * 1e-9, (AT_NS + 5e7) * 1e-9], {}),  # Hesai
        ("timestamp", [(AT_NS - 1e8) * 1e-3, AT_NS * 1e-3, (AT_NS + 5e7) * 1e-3], {}),
        ("dt", [-100.0, 0.0, 50.0], {"fields.time": "dt", "time_unit": "ms"}),
        ("t", [-100.0, 0.0, 50.0], {"time_unit": "ms"}),
    ],
)
def test_a_points_own_time_by_its_usual_names(name, values, parameters):
    scan = read_times({**PLACES, name: values}, **parameters)
    np.testing.assert_allclose(scan.time_offset, [-0.1, 0.0, 0.05], atol=1e-6)
    assert (scan.untimed, scan.sector) == (0, None)


def test_without_a_time_all_points_are_of_the_stamp():
    assert read_times(PLACES).time_offset.tolist() == [0.0, 0.0, 0.0]
    assert read_times({**PLACES, "time": [1.0, 2.0, 3.0]}, **{"fields.time": ""}).time_offset.tolist() == [0.0] * 3
    with pytest.raises(PointsError, match="no field 'when'"):
        read_times(PLACES, **{"fields.time": "when"})


def test_times_that_cannot_be_are_those_of_the_stamp_and_counted():
    scan = read_times({**PLACES, "time_offset": [np.nan, 31.0, -0.5]})
    assert scan.time_offset.tolist() == [0.0, 0.0, -0.5]
    assert scan.untimed == 2
    assert read_times({**PLACES, "time_offset": [np.nan] * 3}).untimed == 3


def test_points_without_a_range_say_where_the_antenna_has_looked():
    beams = {
        "range": [np.nan, 10.0, np.nan, np.nan], "azimuth": [3.0, 2.5, 0.5, -2.0], "time_offset": [-2.0, -1.5, -1.0, 0.0]
    }  # fmt: skip
    scan = read_times(beams)
    assert scan.range.tolist() == [10.0]
    assert (scan.sector.begin_s, scan.sector.end_s) == (-2.0, 0.0)
    assert scan.sector.rate == pytest.approx(-2.5)  # 5 rad in 2 s, clockwise
    assert scan.sector.azimuth == pytest.approx(-2.0)
    unknown = read_times({**beams, "azimuth": [np.nan, 2.5, np.nan, np.nan]}).sector
    assert (unknown.begin_s, unknown.end_s, np.isnan(unknown.rate)) == (-2.0, 0.0, True)
    only = read_times({"range": [np.nan], "azimuth": [0.7], "time_offset": [-0.5]}).sector
    assert (only.begin_s, only.end_s, only.azimuth) == (-0.5, -0.5, pytest.approx(0.7))


def test_a_group_has_the_mean_time_and_nothing_of_the_next_turn():
    scan = scan_of(range=[100.0, 101.0, 100.5], azimuth=[0.0, 0.01, 0.0])
    scan.time_offset = np.array([0.0, 0.1, 2.5])
    found, _ = Detector(DetectionSettings()).step(scan)
    np.testing.assert_allclose(found.time_offset, [0.05, 2.5])
    assert found.points.tolist() == [2, 1]
