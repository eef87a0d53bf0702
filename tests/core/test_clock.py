# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The sensor's clock: stamps against a truth that the test made."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.core.clock import LATE_RUN, SensorClock

HOST_NS = 1_700_000_000 * 10**9
SHORTEST_S = 0.002


def frames(n: int, *, hz: float = 20.0, drift: float = 0.0, jitter_s: float = 0.004, seed: int = 1) -> np.ndarray:
    """Return (n, 3) integer ns: true time by the host's clock, sensor's clock, received; the sensor counts from its start."""
    rng = np.random.default_rng(seed)
    elapsed = np.arange(n) / hz
    true = HOST_NS + np.round(elapsed * 1e9).astype(np.int64)
    sensor = 5 * 10**9 + np.round(elapsed * (1.0 - drift) * 1e9).astype(np.int64)
    way = SHORTEST_S + rng.exponential(jitter_s, n)
    return np.stack([true, sensor, true + np.round(way * 1e9).astype(np.int64)], axis=1)


def run(clock: SensorClock, rows: np.ndarray) -> np.ndarray:
    """Return (n,) errors of the stamps [s]."""
    return np.array([clock.stamp(int(s), int(r)) - int(t) for t, s, r in rows]) * 1e-9


@pytest.mark.parametrize("drift", [0.0, 80e-6, -80e-6])
def test_stamps_follow_the_sensor_and_not_the_way(drift: float) -> None:
    clock = SensorClock(delay_s=SHORTEST_S)
    errors = run(clock, frames(2400, drift=drift))
    settled = errors[600:]
    # The way jitters by 4 ms. The shortest of hundreds of ways is longer than the shortest possible by 4 ms / hundreds.
    assert np.abs(settled).max() < 0.5e-3
    assert np.diff(settled).std() < 0.05e-3
    assert clock.drift_ppm == pytest.approx(drift * 1e6, abs=5.0)
    assert clock.jitter_s == pytest.approx(0.004, rel=0.15)
    assert clock.offset_s == pytest.approx((HOST_NS - 5 * 10**9) * 1e-9 + SHORTEST_S, abs=0.02)
    assert clock.steps == 0


def test_a_step_of_the_sensors_clock_is_found_and_followed() -> None:
    rows = frames(400)
    for change_s in (-0.5, 30.0, 3600.0):
        stepped = rows.copy()
        stepped[200:, 1] += round(change_s * 1e9)
        clock = SensorClock(delay_s=SHORTEST_S)
        errors = run(clock, stepped)
        assert clock.steps == 1
        assert np.abs(errors[200 + LATE_RUN :]).max() < 0.005


def test_one_late_frame_is_a_delay_and_no_step() -> None:
    rows = frames(400)
    rows[200, 2] += 3 * 10**9
    clock = SensorClock(delay_s=SHORTEST_S)
    errors = run(clock, rows)
    assert clock.steps == 0
    assert abs(errors[200]) < 0.005


def test_without_a_sensor_time_the_stamp_is_of_receipt() -> None:
    clock = SensorClock(delay_s=0.05)
    assert clock.stamp(None, HOST_NS) == HOST_NS - 50_000_000
    assert math.isnan(clock.offset_s)
    assert math.isnan(clock.jitter_s)


@given(st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 2**62)), max_size=60))
def test_whatever_the_clocks_say_no_stamp_is_later_than_its_receipt(times: list[tuple[int, int]]) -> None:
    clock = SensorClock()
    for sensor, received in times:
        # Floats of seconds since the first frame hold 2^62 ns to half a microsecond.
        assert clock.stamp(sensor, received) <= received + 1000


def test_a_stuck_sensor_clock_is_seen_as_steps() -> None:
    clock = SensorClock()
    for k in range(200):
        clock.stamp(10**9, HOST_NS + k * 50_000_000)
    assert clock.steps > 0
