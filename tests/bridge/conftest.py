# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A bridge in this process (its application alone), a real bridge process, and a real publisher of its input."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import rclpy
import yaml
from anyio.from_thread import start_blocking_portal
from bridge_data import some_detections, some_threats, some_tracks
from fastapi.testclient import TestClient
from postgres import PostgresServer, find_binaries
from rclpy.executors import SingleThreadedExecutor
from redis_server import RedisServer, find_redis
from ros_services import proving
from run_bridge import ForkedBridge
from settings_of import dotted, settings_of
from websockets.sync.client import ClientConnection, connect

from aegis.bridge.accounts.store import DATABASE_FILE, Accounts
from aegis.bridge.app import create_app
from aegis.bridge.bridge import Bridge
from aegis.bridge.settings import BridgeSettings
from aegis.core.types import Detections, Threats, Tracks
from aegis.graph.nodes import nodes_beside_bridge
from aegis.ros.messages import picture
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.stages.base import StageContext
from aegis.ros.topics import TOPICS

SECRET = bytes(range(32, 96))
PASSWORD = "a good long password"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server, or skip where PostgreSQL is absent."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip(
            "the server programs of PostgreSQL (initdb, pg_ctl) are not on this machine: apt install postgresql"
        )
    server = PostgresServer(binaries)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running Redis, or skip where it is absent."""
    program = find_redis()
    if program is None:
        pytest.skip("redis-server is not on this machine: apt install redis-server")
    server = RedisServer(program, tmp_path)
    yield server
    server.remove()


# The application alone.


@dataclass
class App:
    bridge: Bridge
    client: TestClient

    def headers(self, *scopes: str) -> dict[str, str]:
        """Return the headers of somebody with these scopes, in a session of its own."""
        account = SimpleNamespace(name="somebody", role="viewer", scopes=scopes)
        return {"Authorization": f"Bearer {self.bridge.tokens.issue(account, secrets.token_hex(8))}"}


@pytest.fixture(scope="session")
def accounts_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bridge.db with accounts admin (admin) and eve (viewer), to be copied: making it takes longer than most tests."""
    directory = tmp_path_factory.mktemp("accounts")
    accounts = Accounts(directory)
    accounts.add("admin", PASSWORD, "admin")
    accounts.add("eve", PASSWORD, "viewer")
    accounts.close()
    return directory / DATABASE_FILE


@pytest.fixture
def open_app(tmp_path: Path, accounts_database: Path) -> Iterator[Callable[..., App]]:
    """Return a function that opens a bridge without a graph, with accounts admin (admin) and eve (viewer), and its application."""
    with ExitStack() as stack:

        def opened(**parameters: object) -> App:
            state_dir = tmp_path / "app_state"
            state_dir.mkdir(exist_ok=True)
            shutil.copy(accounts_database, state_dir)
            limits = {"login_per_account_per_minute": 5, "login_per_address_per_minute": 12}
            settings = settings_of(BridgeSettings, **limits, **parameters)
            context = StageContext(state_dir=state_dir, live=True)
            portal = stack.enter_context(start_blocking_portal())
            bridge = stack.enter_context(
                portal.wrap_async_context_manager(
                    Bridge.open(settings, nodes_beside_bridge(), context, SECRET, join=False)
                )
            )
            client = TestClient(create_app(bridge), raise_server_exceptions=False, base_url="http://127.0.0.1:8000")
            client.portal = portal  # the bridge's own event loop
            return App(bridge, client)

        yield opened


@pytest.fixture
def app(open_app: Callable[..., App]) -> App:
    """The application without a graph, with accounts admin (admin) and eve (viewer)."""
    return open_app()


# The real thing.


@dataclass
class BridgeProcess:
    """A running bridge, logged in to as its administrator."""

    process: ForkedBridge
    url: str
    password: str
    state_dir: Path
    errors: Path  # what it has written to standard error
    token: str = ""

    @property
    def lines(self) -> list[str]:
        return self.errors.read_text().splitlines(keepends=True) if self.errors.exists() else []

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers={"Authorization": f"Bearer {self.token}", **headers}, timeout=10)

    def login(self) -> httpx.Response:
        who = {"username": "admin", "password": self.password}
        return httpx.post(f"{self.url}/api/auth/login", json=who, timeout=10)

    def connect(self, **options: object) -> ClientConnection:
        """Return a context manager of a WebSocket that has said nothing yet."""
        return connect(self.url.replace("http", "ws") + "/ws/radar-stream", max_size=2**24, **options)

    @contextmanager
    def stream(self, **options: object) -> Iterator[ClientConnection]:
        """Open an authenticated WebSocket; its auth_ok is read."""
        with self.connect(**options) as socket:
            socket.send(json.dumps({"type": "auth", "token": self.token}))
            assert json.loads(socket.recv(10))["type"] == "auth_ok"
            yield socket


@pytest.fixture
def start_bridge(ros_domain: dict[str, str], tmp_path: Path, wait_for) -> Iterator:
    """Return a function that starts a bridge process with the given settings and logs in."""
    started: list[BridgeProcess] = []

    def start(namespace: str = "", **settings: object) -> BridgeProcess:
        state_dir = tmp_path / "bridge_state"
        state_dir.mkdir(exist_ok=True)
        # What tests publish comes neither regularly nor changed, unless they say so.
        values = dotted(BridgeSettings, {"port": 0, "data_silence_s": 600.0, "stuck_after": 0, **settings})
        errors = tmp_path / f"bridge_{len(started)}.log"
        process = ForkedBridge(ros_domain, errors, str(state_dir), namespace, json.dumps(values))
        bridge = BridgeProcess(process, "", "", state_dir, errors)
        started.append(bridge)

        def said(pattern: str) -> str:
            found = re.search(pattern, "".join(bridge.lines))
            return found.group(1) if found else ""

        def up() -> bool:
            assert process.poll() is None, "".join(bridge.lines)
            return "the bridge is on" in "".join(bridge.lines)

        wait_for(up, "the bridge starts")
        bridge.url = said(r"the bridge is on (\S+)")
        bridge.password = said(r"with the password\s+(\S+)")
        if bridge.password and bridge.url.startswith("http:"):
            bridge.token = bridge.login().json()["access_token"]
        return bridge

    yield start
    for bridge in started:
        if bridge.process.poll() is None:
            bridge.process.terminate()
            try:
                bridge.process.wait(15)
            except subprocess.TimeoutExpired:
                bridge.process.kill()
                bridge.process.wait()
                pytest.fail("the bridge did not stop")


class Publisher:
    """The stages before the bridge, as one real node of this process."""

    def __init__(self, namespace: str = "") -> None:
        self.context = rclpy.Context()
        rclpy.init(args=["test"], context=self.context)
        self.node = rclpy.create_node("test_stages", context=self.context, namespace=namespace)
        names = (
            "detections",
            "tracks",
            "threats",
            "ew/signals",
            "ew/advice",
            "events",
            "site_events",
            "status",
            "class_info",
        )
        self.publishers = {
            name: proving(self.node.create_publisher(message_class(TOPICS[name].type), name, qos_profile(TOPICS[name])))
            for name in names
        }
        self.heard: dict[str, list] = {"events": [], "status": [], "/diagnostics": []}
        for name, messages in self.heard.items():
            topic = TOPICS[name]
            self.node.create_subscription(message_class(topic.type), name, messages.append, qos_profile(topic))
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self.executor.spin, daemon=True)
        self.thread.start()

    def matched(self) -> bool:
        """Whether a bridge listens to everything, and is heard: what it says once must not be lost to us.

        Its status comes again and again. Where that has come, its events do too: both ends announce events first.
        """
        own = {"events", "status"}  # heard by this very node too
        listens = all(p.get_subscription_count() >= (2 if name in own else 1) for name, p in self.publishers.items())
        return listens and any("bridge" in m.stage for m in self.heard["status"])

    def send(self, data: object) -> None:
        kinds = {Detections: "detections", Tracks: "tracks", Threats: "threats"}
        name = kinds[type(data)]
        self.publishers[name].publish(getattr(picture, f"{name}_to_msg")(data))

    def send_scan(self, sequence: int, n: int = 2, stamp_ns: int | None = None) -> int:
        """Publish a scan as the stages would; return its stamp."""
        stamp_ns = time.time_ns() if stamp_ns is None else stamp_ns
        self.send(some_detections(sequence, stamp_ns))
        self.send(some_tracks(sequence, stamp_ns, n))
        self.send(some_threats(sequence, stamp_ns))
        return stamp_ns

    def close(self) -> None:
        self.executor.shutdown()
        self.thread.join(5)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)


@pytest.fixture
def publisher(ros_domain: dict[str, str]) -> Iterator[Publisher]:
    """A publisher in the test's domain."""
    assert os.environ["ROS_DOMAIN_ID"] == ros_domain["ROS_DOMAIN_ID"]
    one = Publisher()
    yield one
    one.close()


# Stages besides: a radar that sees an aircraft, and a jammer that comes up.

SCENARIO = {
    "name": "jammed",
    "duration_s": 300.0,
    "targets": [
        {
            "name": "aircraft", "class": "AIRCRAFT", "rcs_dbsm": 15.0, "swerling": 0,
            "motion": {"kind": "straight", "position_m": [-1500.0, 2000.0, 800.0], "speed_mps": 60.0, "course_deg": 90.0},
        },
    ],
    "jammers": [
        {
            "name": "jammer", "appears_s": 3.0, "eirp_w": 10.0, "frequency_hz": 9.4e9, "bandwidth_hz": 50e6,
            "position_m": [0.0, 8000.0, 500.0],
        }
    ],
}  # fmt: skip


@pytest.fixture
def start_stages(ros_domain, tmp_path: Path):
    """Return a function that starts stages in a process of their own, ten scans a second."""
    started: list[subprocess.Popen] = []
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(yaml.safe_dump(SCENARIO))

    def start(*names: str, more: dict[str, object] | None = None) -> subprocess.Popen:
        sets = {
            "simulator.scenario": scenario,
            "simulator.scan_interval_s": 0.1,
            "simulator.points.false_alarms_per_scan": 20,
            **(more or {}),
        }
        options = [word for key, value in sets.items() for word in ("--set", f"{key}={value}")]
        process = subprocess.Popen([sys.executable, "-m", "aegis.graph.node", *names, *options], env=ros_domain)
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.wait(15)
