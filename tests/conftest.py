# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""For all tests: how they are shared out, a ROS domain of their own, the recorded data, waiting for conditions."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))  # helpers beside the tests, shared by them

# As `import aegis` says it, before numpy is loaded: another number of threads gives other last bits than a live node.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"  # before rclpy's messages are first imported

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as under nohup; what tests start would not hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
# No test of ours fails because the machine is slow: neither at one example, nor at making them.
settings.register_profile(
    "ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=False, print_blob=True
)
settings.load_profile("ci")

MAX_WORKERS = 3
# The files that take longest, longest first: a long one that begins last would be waited for.
LONG_FILES = (
    "bridge/test_api_fuzz.py",
    "bridge/test_bridge_process.py",
    "bridge/history/test_kill.py",
    "bridge/test_web_page.py",
    "graph/test_live.py",
    "bridge/stream/test_stream_process.py",
    "packaging/test_packages.py",
    "packaging/test_colcon.py",
    "bench/test_bench_tracking.py",
    "drivers/test_fuzz.py",
    "bench/test_bench_bridge.py",
    "graph/test_bags.py",
    "graph/test_node.py",
    "graph/test_whole_graph.py",
    "bridge/accounts/test_live_accounts.py",
    "bench/test_bench_signal.py",
    "bridge/http/test_protocol.py",
)

# ROS domains whose ports lie below the ephemeral ones.
LAST_DOMAIN = 99
PORT_BASE, PORTS_PER_DOMAIN = 7400, 250  # of RTPS 2.5, 9.6.2.3


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run one more than there are cores, three at most: a third of the time is waiting, for processes, discovery and deadlines.

    In this process where output is to be seen (-s), or one file is run, which is not shared out.
    """
    files = {argument.split("::")[0] for argument in config.args}
    if config.option.capture == "no" or (len(files) == 1 and files.pop().endswith(".py")):
        return 0
    return min(MAX_WORKERS, 1 + (os.cpu_count() or 1))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the long files first."""
    place = {Path(__file__).parent / name: n for n, name in enumerate(LONG_FILES)}
    assert all(path.is_file() for path in place), "a file in LONG_FILES is not there any more"
    items.sort(key=lambda item: place.get(item.path, len(place)))


def used_domains() -> set[int]:
    """Return the ROS domains that have a UDP port bound on this machine: somebody may be heard there."""
    found = set()
    for table in (Path("/proc/net/udp"), Path("/proc/net/udp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            port = int(line.split()[1].rpartition(":")[2], 16)
            found.add((port - PORT_BASE) // PORTS_PER_DOMAIN)
    return found


def own_domains() -> Iterator[int]:
    """Yield the domains of this process, again and again, from a place that differs between test runs side by side.

    Worker k of n has every n-th domain from the k-th on.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    domains = range(1 + worker, LAST_DOMAIN + 1, workers)
    return itertools.islice(itertools.cycle(domains), os.getpid() % len(domains), None)


_DOMAINS = own_domains()


def free_domain() -> int:
    """Return a domain where nobody is heard, and which was not given out lately."""
    used = used_domains()
    return next(domain for domain in itertools.islice(_DOMAINS, LAST_DOMAIN) if domain not in used)


@pytest.fixture
def ros_domain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Give this test a ROS domain, a log and a state directory of its own; return the environment for child processes."""
    monkeypatch.setenv("ROS_DOMAIN_ID", str(free_domain()))
    # Not shared memory: tests kill processes, and a killed process leaves its ports there to the next one in the domain.
    monkeypatch.setenv("FASTDDS_BUILTIN_TRANSPORTS", "UDPv4")
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "ros_log"))
    monkeypatch.setenv("AEGIS_STATE_DIR", str(tmp_path / "state"))
    return dict(os.environ)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small_disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="session")
def small_data() -> Path:
    """Return the folder of trimmed recordings that are in the repository (SOURCE.md there)."""
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of recorded data, or skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the recorded data (../shared/data) is not on this machine")
    return SHARED_DATA


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Return a function that polls a condition until it holds, or fails at the deadline."""

    def wait(condition: Callable[[], bool], what: str, deadline_s: float = 60.0) -> None:
        end = time.monotonic() + deadline_s
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"{what}: not within {deadline_s} s")
            time.sleep(0.01)

    return wait
