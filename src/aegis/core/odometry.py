# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A sensor on a moving platform: odometry, kept for a while, and the sensor's pose at the stamps of scans."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from aegis.core import rotation
from aegis.core.sensor import SensorPose
from aegis.core.types import Floats, Pose, Scan

KEPT_STATES = 2000  # 10 s at 200 Hz
MAX_WAITING = 10  # scans; 1 s at 10 Hz
LONGEST_WAIT_S = 2.0  # for odometry at a scan's latest point, after the stamp
LEAST_RANGE_M = 1e-3  # directions are undefined at the sensor itself
STEP_S = 0.02  # between the times at which the sensor's pose is looked up for a scan's points
MOST_STEPS = 200
CARRIED_S = 1.0  # for so long one state tells where the platform is

# Why a scan got no pose.
NO_ODOMETRY = "no odometry in time"
TOO_OLD = "older than the odometry"
GAP = "gap in the odometry"
WENT_BACKWARDS = "odometry went backwards"
RESTARTED = "restarted while it waited"


@dataclass(frozen=True)
class PlatformState:
    """One odometry message: where the platform's frame (x ahead, y left, z up) is in `map`, and how it moves."""

    stamp_ns: int
    position: Floats  # (3,) of its origin, in map [m]
    orientation: Floats  # (4,) unit quaternion x y z w; turns vectors of the platform's frame into map
    velocity: Floats  # (3,) of its origin over ground, along the platform's own axes [m/s]
    turn_rate: Floats  # (3,) about the platform's own axes [rad/s]


def carried(state: PlatformState, stamp_ns: int) -> PlatformState:
    """Return a state as it is at another time by its own motion, as it was where that is too long from it.

    It turns evenly, and goes as far as it has speed in the direction half-way: an arc's length, where its chord is right.
    """
    for_s = (stamp_ns - state.stamp_ns) * 1e-9
    if abs(for_s) > CARRIED_S:
        return state
    turn = rotation.matrix_of(state.orientation)
    way = turn @ rotation.turned_by(state.turn_rate * (for_s / 2.0)) @ state.velocity * for_s
    orientation = rotation.quaternion_of(turn @ rotation.turned_by(state.turn_rate * for_s))
    return replace(state, stamp_ns=stamp_ns, position=state.position + way, orientation=orientation)


class OdometryBuffer:
    """The latest states of a platform, in the order of their stamps, and the pose of a sensor on it in between."""

    def __init__(self, mounting: SensorPose, *, max_gap_s: float, capacity: int = KEPT_STATES) -> None:
        """Make an empty buffer.

        Args:
            mounting: the sensor's place in the platform's frame.
            max_gap_s: between states farther apart there is no pose.
            capacity: how many states are kept.
        """
        self._lever = mounting.position()
        self._mounting = mounting.rotation()
        self._max_gap_ns = round(max_gap_s * 1e9)
        self._states: deque[PlatformState] = deque(maxlen=capacity)

    @property
    def oldest_ns(self) -> int | None:
        """Stamp of the oldest state that is kept; None of an empty buffer."""
        return self._states[0].stamp_ns if self._states else None

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the latest state; None of an empty buffer."""
        return self._states[-1].stamp_ns if self._states else None

    def add(self, state: PlatformState) -> None:
        """Keep a state, which is later than all before it; beyond the capacity the oldest is forgotten.

        Raises:
            ValueError: it is not later.
        """
        if self._states and state.stamp_ns <= self._states[-1].stamp_ns:
            raise ValueError(f"stamp {state.stamp_ns} is not after {self._states[-1].stamp_ns}")
        self._states.append(state)

    def clear(self) -> None:
        """Forget all states."""
        self._states.clear()

    def pose_at(self, stamp_ns: int) -> Pose | None:
        """Return the sensor's pose; None before the first state, after the last, or where two are too far apart.

        The origin's position is interpolated linearly, which on a curve is short by at most a dt^2 / 8 (a: acceleration, dt:
        time between states); the orientation on the shortest arc (slerp); the velocities linearly in the platform's own
        axes, in which they are constant on a circle.
        """
        i = bisect_left(self._states, stamp_ns, key=lambda state: state.stamp_ns)
        if i == len(self._states):
            return None
        after = self._states[i]
        if after.stamp_ns == stamp_ns:
            return self._pose(after.position, rotation.matrix_of(after.orientation), after.velocity, after.turn_rate)
        if i == 0:
            return None
        before = self._states[i - 1]
        span_ns = after.stamp_ns - before.stamp_ns
        if span_ns > self._max_gap_ns:
            return None
        share = (stamp_ns - before.stamp_ns) / span_ns
        turned = rotation.between(before.orientation, after.orientation, share)

        def between(a: Floats, b: Floats) -> Floats:
            return a + share * (b - a)

        return self._pose(
            between(before.position, after.position),
            rotation.matrix_of(turned),
            between(before.velocity, after.velocity),
            between(before.turn_rate, after.turn_rate),
        )

    def _pose(self, position: Floats, turn: Floats, velocity: Floats, turn_rate: Floats) -> Pose:
        """Return the pose of the sensor from the platform's; a point of a rigid body moves at v + omega x lever."""
        return Pose(
            position=position + turn @ self._lever,
            rotation=turn @ self._mounting,
            velocity=turn @ (velocity + np.cross(turn_rate, self._lever)),
        )


def at_the_stamp(
    scan: Scan, pose: Pose, pose_at: Callable[[int], Pose | None] | None = None, delay_s: float = 0.0
) -> Scan:
    """Return a scan as the sensor at `pose`, that of the stamp, would have measured what it saw at the points' own times.

    Args:
        scan: whose points have times of their own.
        pose: at the stamp.
        pose_at: the sensor's pose at a time [ns]; before and after all that are known, and for None, it was elsewhere by its
            velocity times the difference, and had not turned.
        delay_s: how long before those times they were measured.
    """
    offset, sector = scan.time_offset - delay_s, scan.sector
    ends = () if sector is None else (sector.begin_s - delay_s, sector.end_s - delay_s)
    if not offset.any() and not any(ends):
        return scan
    low, high = min(0.0, float(offset.min(initial=0.0)), *ends), max(0.0, float(offset.max(initial=0.0)), *ends)
    steps = int(np.clip(np.ceil((high - low) / STEP_S), 1, MOST_STEPS))
    times = np.linspace(low, high, steps + 1).tolist() if pose_at is not None else []
    found = [(time, pose_at(scan.stamp_ns + round(time * 1e9))) for time in times if pose_at is not None]
    known = [(time, here) for time, here in found if here is not None] or [(0.0, pose)]
    when = np.array([time for time, _ in known])
    first = np.clip(np.searchsorted(when, offset, side="right") - 1, 0, len(when) - 1)
    elevation = np.nan_to_num(scan.elevation)
    flat = scan.range * np.cos(elevation)
    points = np.stack(
        [flat * np.cos(scan.azimuth), flat * np.sin(scan.azimuth), scan.range * np.sin(elevation)], axis=1
    )
    own_rate = np.zeros(len(scan))  # by which each sight line grew for the sensor's own motion at the point's time
    for k in np.unique(first).tolist():
        (begin, here), (end, there) = known[k], known[min(k + 1, len(known) - 1)]
        mine = first == k
        ahead = (offset[mine] - begin)[:, None]
        in_map = points[mine] @ here.rotation.T + here.position
        place, moving = here.position + ahead * here.velocity, here.velocity[None]
        if end > begin and (ahead >= 0.0).all():
            share = ahead / (end - begin)
            in_map += share * (points[mine] @ there.rotation.T + there.position - in_map)
            place = here.position + share * (there.position - here.position)
            moving = here.velocity + share * (there.velocity - here.velocity)
        else:
            in_map += ahead * here.velocity
        own_rate[mine] = ((place - in_map) * moving).sum(axis=1) / np.maximum(scan.range[mine], LEAST_RANGE_M)
        points[mine] = (in_map - pose.position) @ pose.rotation
    ground = np.hypot(points[:, 0], points[:, 1])
    reach = np.hypot(ground, points[:, 2])
    rate_at_stamp = -(points @ (pose.velocity @ pose.rotation)) / np.maximum(reach, LEAST_RANGE_M)
    if sector is not None and len(known) > 1:  # the antenna turns with its platform
        ahead = np.stack([here.rotation[:, 0] @ pose.rotation for _, here in known])
        heading = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
        turned = float(np.interp(-delay_s, when, heading)) if delay_s else 0.0
        rate = float(heading[-1] - heading[0]) / float(when[-1] - when[0])
        sector = replace(sector, azimuth=sector.azimuth + turned, rate=sector.rate + rate)
    return replace(
        scan,
        range=reach,
        range_rate=scan.range_rate - own_rate + rate_at_stamp,  # what the object's own motion makes of it stays
        azimuth=np.arctan2(points[:, 1], points[:, 0]),
        elevation=np.where(np.isnan(scan.elevation), np.nan, np.arctan2(points[:, 2], ground)),
        sector=sector,
    )


class Settled(NamedTuple):
    """A scan that waits no more: with the pose of its sensor, or without one and the reason."""

    scan: Scan
    pose: Pose | None
    reason: str


class MovingPlatform:
    """Lets scans wait until odometry at or after their stamp is there, so that it does not matter which came first.

    Scans leave in the order in which they came. What is settled stays until it is taken by `settled`.
    """

    def __init__(self, buffer: OdometryBuffer, *, max_waiting: int = MAX_WAITING) -> None:
        self._buffer = buffer
        self._max_waiting = max_waiting
        self._waiting: deque[Scan] = deque()
        self._given_up: deque[Settled] = deque()

    def pose_at(self, stamp_ns: int) -> Pose | None:
        """Return the sensor's pose, as `OdometryBuffer.pose_at`."""
        return self._buffer.pose_at(stamp_ns)

    @property
    def waiting(self) -> int:
        """How many scans wait."""
        return len(self._waiting)

    def add_scan(self, scan: Scan) -> None:
        """Take a scan; `settled` says what becomes of it."""
        self._waiting.append(scan)

    def add_odometry(self, state: PlatformState) -> bool:
        """Take odometry; return whether its time went backwards, which makes everything before it void.

        Of the scans that wait those stay that are nearer to the new time than to the old one.

        Raises:
            ValueError: it has the stamp of the last one.
        """
        newest_ns = self._buffer.newest_ns
        backwards = newest_ns is not None and state.stamp_ns < newest_ns
        if backwards:
            assert newest_ns is not None
            middle_ns = (state.stamp_ns + newest_ns) // 2
            anew = [scan for scan in self._waiting if scan.stamp_ns < middle_ns]  # they came before their odometry
            self._waiting = deque(scan for scan in self._waiting if scan.stamp_ns >= middle_ns)
            self.restart(WENT_BACKWARDS)
            self._waiting.extend(anew)
        self._buffer.add(state)
        return backwards

    def restart(self, reason: str = RESTARTED) -> None:
        """Forget the odometry, and give up the scans that wait."""
        self._buffer.clear()
        self._given_up.extend(Settled(scan, None, reason) for scan in self._waiting)
        self._waiting.clear()

    def settled(self, *, final: bool = False) -> Iterator[Settled]:
        """Yield, and forget, the scans that wait no more; all of them where no more odometry will come (`final`).

        One at a time: where the caller fails at one, the others are still there.
        """
        while self._given_up:
            yield self._given_up.popleft()
        while self._waiting:
            stamp_ns = self._waiting[0].stamp_ns
            oldest_ns, newest_ns = self._buffer.oldest_ns, self._buffer.newest_ns
            until_ns = stamp_ns if final else stamp_ns + _after_stamp_ns(self._waiting[0])
            if oldest_ns is not None and newest_ns is not None and until_ns <= newest_ns:
                pose = self._buffer.pose_at(stamp_ns)
                reason = "" if pose is not None else TOO_OLD if stamp_ns < oldest_ns else GAP
                yield Settled(self._waiting.popleft(), pose, reason)
            elif final or len(self._waiting) > self._max_waiting:
                yield Settled(self._waiting.popleft(), None, NO_ODOMETRY)
            else:
                return


def _after_stamp_ns(scan: Scan) -> int:
    """Return how long after its stamp a scan's latest point was measured [ns]."""
    return round(min(float(scan.time_offset.max(initial=0.0)), LONGEST_WAIT_S) * 1e9)
