"""Fixtures for all tests: a ROS domain of their own, the recorded data, waiting for conditions."""

import itertools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # helpers beside the tests, shared by them

os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"  # before rclpy's messages are first imported

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
# Domains whose ports lie below the ephemeral ones, from a place that differs between test runs side by side.
_DOMAINS = itertools.cycle(range(1, 100))
for _ in range(os.getpid() % 99):
    next(_DOMAINS)


@pytest.fixture
def ros_domain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Give this test a ROS domain, a log and a state directory of its own; return the environment for child processes."""
    monkeypatch.setenv("ROS_DOMAIN_ID", str(next(_DOMAINS)))
    # Not shared memory: tests kill processes, and a killed process leaves its ports there to the next one in the domain.
    monkeypatch.setenv("FASTDDS_BUILTIN_TRANSPORTS", "UDPv4")
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "ros_log"))
    monkeypatch.setenv("AEGIS_STATE_DIR", str(tmp_path / "state"))
    return dict(os.environ)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of recorded data, or skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the recorded data (../shared/data) is not on this machine")
    return SHARED_DATA


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Return a function that polls a condition until it holds, or fails at the deadline."""

    def wait(condition: Callable[[], bool], what: str, deadline_s: float = 30.0) -> None:
        end = time.monotonic() + deadline_s
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"{what}: not within {deadline_s} s")
            time.sleep(0.01)

    return wait
