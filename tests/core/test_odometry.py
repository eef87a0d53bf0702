# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A sensor on a moving platform: its pose between odometry messages, and scans that wait for them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from aegis.core.angles import wrapped
from aegis.core.odometry import (
    GAP,
    NO_ODOMETRY,
    RESTARTED,
    TOO_OLD,
    WENT_BACKWARDS,
    MovingPlatform,
    OdometryBuffer,
    PlatformState,
    at_the_stamp,
    carried,
)
from aegis.core.rotation import turned_by
from aegis.core.sensor import SensorPose
from aegis.core.types import Pose, Scan, Sector

MS = 1_000_000
START_NS = 1_700_000_000 * 1_000_000_000
RADIUS, SPEED = 40.0, 12.0  # of the circle, anticlockwise
TURN = SPEED / RADIUS
CENTRE = np.array([100.0, -50.0, 3.0])
MOUNTING = SensorPose(
    sensor_x=2.0, sensor_y=-0.7, sensor_z=1.5, sensor_yaw_deg=-90.0
)  # on the right, looks to the right


def on_circle(t: float) -> PlatformState:
    angle = TURN * t
    return PlatformState(
        stamp_ns=START_NS + round(t * 1e9),
        position=CENTRE + RADIUS * np.array([np.cos(angle), np.sin(angle), 0.0]),
        orientation=np.array([0.0, 0.0, np.sin((angle + np.pi / 2) / 2), np.cos((angle + np.pi / 2) / 2)]),
        velocity=np.array([SPEED, 0.0, 0.0]),
        turn_rate=np.array([0.0, 0.0, TURN]),
    )


@pytest.mark.parametrize("for_s", [0.1, -0.1, 0.5, 0.0])
def test_a_state_is_carried_on_along_its_circle(for_s):
    found, there = carried(on_circle(1.0), START_NS + round((1.0 + for_s) * 1e9)), on_circle(1.0 + for_s)
    # It goes the length of the arc along its chord: v t (w t)^2 / 24 too far.
    np.testing.assert_allclose(
        found.position, there.position, atol=1e-9 + SPEED * abs(for_s) * (TURN * for_s) ** 2 / 24
    )
    turned = Rotation.from_quat(found.orientation).inv() * Rotation.from_quat(there.orientation)
    assert turned.magnitude() == pytest.approx(0.0, abs=1e-9)
    assert found.stamp_ns == there.stamp_ns


def test_what_is_too_long_ago_is_not_carried_on():
    state = on_circle(1.0)
    assert carried(state, state.stamp_ns + 1001 * MS) is state


@given(st.lists(st.floats(-4, 4), min_size=3, max_size=3))
def test_a_turn_about_an_axis_is_that_of_scipy(vector):
    np.testing.assert_allclose(turned_by(np.array(vector)), Rotation.from_rotvec(vector).as_matrix(), atol=1e-12)


def sensor_on_circle(t: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Return position, velocity and heading of the sensor, by hand: it drives circles of its own about the same centre."""
    ahead, left, up = 2.0, -0.7, 1.5
    radius = np.hypot(RADIUS - left, ahead)
    angle = TURN * t + np.arctan2(ahead, RADIUS - left)
    position = CENTRE + np.array([radius * np.cos(angle), radius * np.sin(angle), up])
    velocity = radius * TURN * np.array([-np.sin(angle), np.cos(angle), 0.0])
    return (
        position,
        velocity,
        TURN * t,
    )  # tangent is a right angle ahead of the radius, the sensor looks one back from that


def buffer_of(states, *, max_gap_s=0.5, mounting=MOUNTING, **options) -> OdometryBuffer:
    out = OdometryBuffer(mounting, max_gap_s=max_gap_s, **options)
    for state in states:
        out.add(state)
    return out


@pytest.mark.parametrize("step_s", [0.01, 0.1])
def test_a_sensor_on_a_circle_drive_is_where_the_closed_form_says(step_s):
    buffer = buffer_of(on_circle(k * step_s) for k in range(round(10.0 / step_s) + 1))
    sagitta = SPEED**2 / RADIUS * step_s**2 / 8  # what a chord is short of the arc
    worst = 0.0
    for t in np.random.default_rng(1).uniform(0.0, 10.0, 200):
        pose = buffer.pose_at(START_NS + round(t * 1e9))
        position, velocity, heading = sensor_on_circle(t)
        error = np.linalg.norm(pose.position - position)
        assert error < sagitta + 1e-6
        worst = max(worst, error)
        np.testing.assert_allclose(pose.velocity, velocity, atol=1e-6)
        x_axis = [np.cos(heading), np.sin(heading), 0.0]
        np.testing.assert_allclose(pose.rotation @ [1, 0, 0], x_axis, atol=1e-8)
        np.testing.assert_allclose(pose.rotation @ [0, 0, 1], [0, 0, 1], atol=1e-12)
    assert worst > 0.9 * sagitta  # the docstring's bound is the error, not a guess far above it


def test_the_velocity_of_the_sensor_is_the_derivative_of_its_position():
    """Tumbling about an oblique axis, so that every component of omega x lever counts."""
    turn_rate, velocity = np.array([0.3, -0.5, 0.8]), np.array([5.0, -1.0, 0.5])
    first = Rotation.from_euler("xyz", [0.2, -0.1, 2.0])

    def state(t: float) -> PlatformState:
        # Constant body rates: R(t) = R0 exp(omega t); the origin's path by quadrature of R(t) v, dense enough for the test.
        grid = np.linspace(0.0, t, 2001)
        over_ground = (first * Rotation.from_rotvec(grid[:, None] * turn_rate)).apply(velocity)
        now = first * Rotation.from_rotvec(turn_rate * t)
        return PlatformState(
            START_NS + round(t * 1e9), np.trapezoid(over_ground, grid, axis=0), now.as_quat(), velocity, turn_rate
        )

    buffer = buffer_of(state(t) for t in np.arange(0.9, 1.1, 0.001))
    h = 0.01
    before, at, after = (buffer.pose_at(START_NS + round(t * 1e9)) for t in (1.0 - h, 1.0, 1.0 + h))
    np.testing.assert_allclose((after.position - before.position) / (2 * h), at.velocity, atol=1e-3)
    plain = buffer_of([state(0.9995), state(1.0005)], mounting=SensorPose()).pose_at(START_NS + 1000 * MS)
    assert np.linalg.norm(at.velocity - plain.velocity) > 1.0  # the lever arm does matter here


def test_conventions_of_quaternion_and_mounting_by_hand():
    quarter = np.array([0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)])  # x y z w: heads north
    state = PlatformState(5, np.array([10.0, 20.0, 0.0]), quarter, np.array([3.0, 1.0, 0.0]), np.zeros(3))
    pose = buffer_of([state], mounting=SensorPose(sensor_x=2.0, sensor_yaw_deg=90.0)).pose_at(5)
    np.testing.assert_allclose(pose.position, [10.0, 22.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(pose.rotation @ [1, 0, 0], [-1, 0, 0], atol=1e-12)  # looks to its left: west
    np.testing.assert_allclose(pose.velocity, [-1.0, 3.0, 0.0], atol=1e-12)  # 3 ahead is north, 1 to the left is west
    # And nose up, where the order of the two rotations shows: the sensor still looks to the platform's left, which is map's y.
    nose_up = PlatformState(5, np.zeros(3), np.array([0.0, -np.sqrt(0.5), 0.0, np.sqrt(0.5)]), np.zeros(3), np.zeros(3))
    pose = buffer_of([nose_up], mounting=SensorPose(sensor_yaw_deg=90.0)).pose_at(5)
    np.testing.assert_allclose(pose.rotation @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(pose.rotation @ [0, 1, 0], [0, 0, -1], atol=1e-12)


@given(st.integers(0, 10_000), st.floats(0.0, 1.0))
def test_orientation_is_on_the_shortest_arc_whatever_the_quaternions_sign(seed, share):
    """A quaternion and its negative are one orientation; half of the publishers flip somewhere."""
    rng = np.random.default_rng(seed)
    first = Rotation.random(rng=rng)
    arc = rng.normal(size=3)
    arc *= rng.uniform(0.0, 3.0) / np.linalg.norm(arc)
    at = PlatformState(0, np.zeros(3), first.as_quat(), np.zeros(3), np.zeros(3))
    sign = rng.choice([-1.0, 1.0])
    then = PlatformState(
        100 * MS, np.zeros(3), sign * (Rotation.from_rotvec(arc) * first).as_quat(), np.zeros(3), np.zeros(3)
    )
    stamp_ns = round(share * 100 * MS)
    pose = buffer_of([at, then], mounting=SensorPose()).pose_at(stamp_ns)
    expected = (Rotation.from_rotvec(arc * stamp_ns / (100 * MS)) * first).as_matrix()
    np.testing.assert_allclose(pose.rotation, expected, atol=1e-9)


def test_there_is_no_pose_outside_the_buffer_or_in_a_gap():
    buffer = buffer_of([on_circle(t) for t in (1.0, 1.1, 1.7)], max_gap_s=0.5)
    known = [t for t in (0.999, 1.0, 1.05, 1.1, 1.4, 1.7, 1.701) if buffer.pose_at(on_circle(t).stamp_ns) is not None]
    assert known == [1.0, 1.05, 1.1, 1.7]  # on the edge of the gap it is known, within it is not
    assert buffer_of([]).pose_at(START_NS) is None


def test_the_buffer_is_bounded_and_takes_only_what_is_later():
    buffer = buffer_of((on_circle(k / 100) for k in range(50)), capacity=10)
    assert (buffer.oldest_ns, buffer.newest_ns) == (on_circle(0.40).stamp_ns, on_circle(0.49).stamp_ns)
    assert buffer.pose_at(on_circle(0.399).stamp_ns) is None
    for late in (0.49, 0.45):
        with pytest.raises(ValueError, match="is not after"):
            buffer.add(on_circle(late))


# Scans that wait.


def scan(t: float, sequence: int = 1) -> Scan:
    return Scan(START_NS + round(t * 1e9), "radar", sequence, *[np.empty(0)] * 7)


def platform(max_waiting: int = 10) -> MovingPlatform:
    return MovingPlatform(buffer_of([]), max_waiting=max_waiting)


def taken(at: MovingPlatform, **options) -> list[tuple[int, str]]:
    return [(s.scan.sequence, s.reason) for s in at.settled(**options)]


def test_a_scan_waits_for_odometry_at_or_after_its_stamp():
    at = platform()
    at.add_odometry(on_circle(0.0))
    at.add_scan(scan(0.15))
    assert taken(at) == []
    at.add_odometry(on_circle(0.1))
    assert (taken(at), at.waiting) == ([], 1)
    at.add_odometry(on_circle(0.2))
    ((_, pose, reason),) = at.settled()
    np.testing.assert_allclose(pose.position, sensor_on_circle(0.15)[0], atol=0.01)
    assert (reason, at.waiting) == ("", 0)
    at.add_scan(scan(0.2, 2))  # exactly at the last one: nothing to wait for
    assert taken(at) == [(2, "")]


@given(st.data())
def test_it_does_not_matter_which_came_first(data):
    """Every interleaving of the same scans and odometry gives the same poses, in the same order; also of scans out of order."""
    times = data.draw(st.lists(st.integers(-50, 450), min_size=1, max_size=8), label="scans [ms]")
    states = [on_circle(t / 1000) for t in (0, 100, 130, 300, 900)]  # with a gap
    scans = [scan(t / 1000, k) for k, t in enumerate(times)]
    order = data.draw(st.permutations([0] * len(scans) + [1] * len(states)))

    def run(order) -> list:
        at, out, queues = platform(), [], (iter(scans), iter(states))
        for which in order:
            (at.add_odometry if which else at.add_scan)(next(queues[which]))
            out += [(s.scan.sequence, s.reason, s.pose.position.tolist() if s.pose else None) for s in at.settled()]
        return out

    reference = run([1] * len(states) + [0] * len(scans))
    assert run(order) == reference
    expected = ["" if 0 <= t <= 300 else TOO_OLD if t < 0 else GAP for t in times]
    assert [reason for _, reason, _ in reference] == expected


def test_with_no_odometry_the_oldest_scans_are_given_up():
    at = platform(max_waiting=3)
    given_up = []
    for k in range(1, 6):
        at.add_scan(scan(0.1 * k, k))
        given_up += taken(at)
    assert given_up == [(1, NO_ODOMETRY), (2, NO_ODOMETRY)]
    assert at.waiting == 3
    at.add_odometry(on_circle(0.0))
    at.add_odometry(on_circle(0.45))
    assert taken(at) == [(3, ""), (4, "")]
    assert taken(at, final=True) == [(5, NO_ODOMETRY)]
    assert at.waiting == 0


def test_a_scan_of_a_wrong_future_does_not_stop_those_behind_it_for_good():
    at = platform(max_waiting=2)
    at.add_odometry(on_circle(0.0))
    at.add_scan(scan(1e6, 1))
    at.add_scan(scan(0.1, 2))
    at.add_odometry(on_circle(0.2))
    assert taken(at) == []
    at.add_scan(scan(0.15, 3))
    assert taken(at) == [(1, NO_ODOMETRY), (2, ""), (3, "")]


def test_odometry_that_goes_backwards_begins_anew():
    at = platform()
    at.add_odometry(on_circle(9.9))
    assert not at.add_odometry(on_circle(10.0))
    at.add_scan(scan(10.05, 1))
    assert at.add_odometry(on_circle(0.0))  # the bag looped
    at.add_scan(scan(0.05, 2))
    assert taken(at) == [(1, WENT_BACKWARDS)]
    assert not at.add_odometry(on_circle(0.1))
    ((settled, pose, _),) = at.settled()
    assert settled.sequence == 2
    np.testing.assert_allclose(pose.position, sensor_on_circle(0.05)[0], atol=0.01)
    with pytest.raises(ValueError, match="is not after"):
        at.add_odometry(on_circle(0.1))  # the same stamp again is no new beginning
    at.add_scan(scan(0.07, 3))
    assert taken(at) == [(3, "")]


def test_of_a_loop_the_scans_that_come_before_their_odometry_are_kept():
    at = platform()
    at.add_odometry(on_circle(0.0))
    at.add_odometry(on_circle(0.1))
    at.add_odometry(on_circle(9.9))
    at.add_scan(scan(9.95, 1))
    at.add_scan(scan(0.05, 2))  # the bag looped
    at.add_scan(scan(0.07, 3))
    assert at.add_odometry(on_circle(0.0))
    assert taken(at) == [(1, WENT_BACKWARDS)]
    at.add_odometry(on_circle(0.1))
    assert taken(at) == [(2, ""), (3, "")]


def test_after_a_restart_neither_old_odometry_nor_old_scans_count():
    at = platform()
    at.add_odometry(on_circle(0.0))
    at.add_scan(scan(0.05, 1))
    at.restart()
    at.add_odometry(on_circle(0.1))
    at.add_scan(scan(0.05, 2))
    assert taken(at) == [(1, RESTARTED), (2, TOO_OLD)]


def test_what_the_caller_has_not_taken_is_still_there():
    at = platform()
    for k in (1, 2, 3):
        at.add_scan(scan(0.01 * k, k))
    at.add_odometry(on_circle(0.0))
    at.add_odometry(on_circle(0.1))
    assert next(at.settled()).scan.sequence == 1  # and the caller fails
    assert taken(at) == [(2, ""), (3, "")]


def test_a_scan_is_as_seen_from_where_the_sensor_was_at_its_stamp():
    """A fixed mark, seen at other times than the stamp from a ship on its way: the same place from the stamp's pose."""
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # x of the sensor is north
    pose = Pose(np.array([100.0, 50.0, 3.0]), turn, np.array([3.0, -8.0, 0.0]))
    marks = np.array([[400.0, 900.0, 3.0], [-2000.0, 70.0, 3.0], [600.0, 50.0, 203.0]])
    offsets = np.array([-1.25, 0.0, 0.8])
    seen = (marks - pose.position - offsets[:, None] * pose.velocity) @ turn
    ground = np.hypot(seen[:, 0], seen[:, 1])
    nothing = np.full(3, np.nan)
    scan = Scan(
        0, "radar", 1, np.hypot(ground, seen[:, 2]), np.arctan2(seen[:, 1], seen[:, 0]), np.arctan2(seen[:, 2], ground),
        nothing, nothing, nothing, nothing, None, offsets,
    )  # fmt: skip
    found = at_the_stamp(scan, pose)
    flat = found.range * np.cos(found.elevation)
    local = np.stack(
        [flat * np.cos(found.azimuth), flat * np.sin(found.azimuth), found.range * np.sin(found.elevation)], 1
    )
    np.testing.assert_allclose(pose.position + local @ turn.T, marks, atol=1e-9)
    level = replace(scan, elevation=nothing, range=ground)  # a sensor without elevation sees marks in its plane
    assert np.isnan(at_the_stamp(level, pose).elevation).all()
    np.testing.assert_allclose(at_the_stamp(level, pose).azimuth, found.azimuth, atol=1e-9)
    assert at_the_stamp(replace(scan, time_offset=np.zeros(3)), pose).range is scan.range


def test_a_still_post_stays_where_it_is_whenever_it_was_measured():
    """The sensor goes round a circle; every point is the post, from where the sensor was then. One has no odometry."""
    buffer = buffer_of([on_circle(t) for t in np.arange(0.0, 3.01, 0.05)], max_gap_s=0.5)
    post = np.array([60.0, 5.0, 2.0])
    offset = np.array([-1.7, -0.6, -0.013, 0.0, 0.4, 5.0])
    polar = []
    for dt in [*offset[:-1], 1.0]:  # the last place known
        pose = buffer.pose_at(on_circle(2.0 + dt).stamp_ns)
        x, y, z = (post - pose.position) @ pose.rotation
        polar.append([np.linalg.norm([x, y, z]), np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))])
    r, azimuth, elevation = np.array(polar).T
    nothing = np.full(6, np.nan)
    stamp_ns = on_circle(2.0).stamp_ns
    seen = Scan(stamp_ns, "radar", 1, r, azimuth, elevation, *[nothing] * 4, time_offset=offset)
    pose = buffer.pose_at(stamp_ns)
    found = at_the_stamp(seen, pose, buffer.pose_at)
    flat = np.cos(found.elevation)
    direction = np.stack([flat * np.cos(found.azimuth), flat * np.sin(found.azimuth), np.sin(found.elevation)], axis=1)
    places = (found.range[:, None] * direction) @ pose.rotation.T + pose.position
    np.testing.assert_allclose(places[:5], np.broadcast_to(post, (5, 3)), atol=0.02)
    assert found.time_offset.tolist() == offset.tolist()


def test_a_still_post_has_the_range_rate_of_the_stamp_whenever_it_was_measured():
    """Against the derivative of the distance from the sensor's closed form, at the points' own times and at the stamp."""
    buffer = buffer_of([on_circle(t) for t in np.arange(0.0, 4.01, 0.02)])
    posts = np.array([[60.0, 5.0, 2.0], [-300.0, 40.0, 60.0], [110.0, -70.0, 4.0]])
    offset = np.array([-1.2, 0.07, 0.9])

    def seen(post: np.ndarray, t: float) -> tuple[float, float, float, float]:
        step = 1e-4
        near, far = (np.linalg.norm(post - sensor_on_circle(t + dt)[0]) for dt in (-step, step))
        position, _, heading = sensor_on_circle(t)
        x, y, z = post - position
        range_m, azimuth = np.linalg.norm([x, y, z]), np.arctan2(y, x) - heading
        return range_m, azimuth, np.arcsin(z / range_m), (far - near) / (2.0 * step)

    r, azimuth, elevation, rate = np.array([seen(p, 2.0 + dt) for p, dt in zip(posts, offset, strict=True)]).T
    nothing, stamp_ns = np.full(3, np.nan), on_circle(2.0).stamp_ns
    scan = Scan(stamp_ns, "radar", 1, r, azimuth, elevation, rate, nothing, nothing, nothing, time_offset=offset)
    found = at_the_stamp(scan, buffer.pose_at(stamp_ns), buffer.pose_at)
    wanted = np.array([seen(post, 2.0) for post in posts])
    assert np.abs(rate - wanted[:, 3]).max() > 1.0
    np.testing.assert_allclose(found.range, wanted[:, 0], atol=0.01)
    np.testing.assert_allclose(found.range_rate, wanted[:, 3], atol=0.01)


@pytest.mark.parametrize("delay_s", [0.1, 0.7])
def test_what_was_measured_before_its_stamp_is_where_the_platform_was_then(delay_s):
    """A still post, one range and azimuth a time, from the sensor's closed form; and an antenna that looked at it."""
    buffer = buffer_of([on_circle(t) for t in np.arange(0.0, 4.01, 0.02)])
    post, offset = np.array([60.0, 5.0, 4.5]), np.array([-0.4, 0.0])
    polar = []
    for dt in offset:
        position, velocity, heading = sensor_on_circle(2.0 + dt - delay_s)
        x, y, _ = post - position
        polar.append((np.hypot(x, y), np.arctan2(y, x) - heading, 0.0, -(post - position) @ velocity / np.hypot(x, y)))
    r, azimuth, elevation, rate = np.array(polar).T
    nothing, stamp_ns = np.full(2, np.nan), on_circle(2.0).stamp_ns
    sector = Sector(-0.4, 0.0, azimuth[1], (azimuth[1] - azimuth[0]) / 0.4)
    scan = Scan(
        stamp_ns, "radar", 1, r, azimuth, elevation, rate, *[nothing] * 3, time_offset=offset, sector=sector
    )  # fmt: skip
    pose = buffer.pose_at(stamp_ns)
    found = at_the_stamp(scan, pose, buffer.pose_at, delay_s)
    position, velocity, heading = sensor_on_circle(2.0)
    away = post - position
    np.testing.assert_allclose(found.range, np.linalg.norm(away), atol=0.01)
    np.testing.assert_allclose(wrapped(found.azimuth - np.arctan2(away[1], away[0]) + heading), 0.0, atol=1e-3)
    np.testing.assert_allclose(found.range_rate, -away @ velocity / np.linalg.norm(away), atol=0.01)
    assert found.time_offset.tolist() == offset.tolist()  # the tracker takes the delay off itself
    seen = found.sector.azimuth + found.sector.rate * offset
    turned = sensor_on_circle(2.0 - delay_s)[2] - sensor_on_circle(2.0)[2]
    np.testing.assert_allclose(seen, azimuth + turned + TURN * offset, atol=1e-3)


def test_an_antenna_on_a_ship_that_turns_turns_faster_or_slower():
    buffer = buffer_of([on_circle(t) for t in np.arange(0.0, 3.01, 0.05)], max_gap_s=0.5)
    pose = buffer.pose_at(on_circle(2.0).stamp_ns)
    here = replace(scan(2.0), sector=Sector(-1.0, 0.0, 0.3, -1.5))
    sector = at_the_stamp(here, pose, buffer.pose_at).sector
    assert (sector.begin_s, sector.end_s, sector.azimuth) == (-1.0, 0.0, 0.3)
    assert sector.rate == pytest.approx(-1.5 + TURN)


def test_a_scan_waits_for_odometry_at_its_latest_point():
    at = platform()
    at.add_odometry(on_circle(0.0))
    at.add_odometry(on_circle(0.2))
    late = replace(scan(0.1), range=np.ones(1), azimuth=np.ones(1), time_offset=np.array([0.3]))
    at.add_scan(late)
    assert taken(at) == []
    at.add_odometry(on_circle(0.4))
    assert taken(at) == [(1, "")]
    at.add_scan(replace(late, stamp_ns=late.stamp_ns + 200_000_000))
    assert taken(at) == []
    assert taken(at, final=True) == [(1, "")]
