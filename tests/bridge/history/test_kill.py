# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A bridge that is killed, and a database that crashes, in the middle of a stream of events: nothing acknowledged is lost.

The sender is one as anybody may write it: it sends no more at a time than DDS keeps, reads what is acknowledged, and goes back
to what is not when that does not move on. It is told nothing about kills, restarts, and who listens.
"""

import http.client
import json
import random
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import event_messages
import httpx
import psycopg
import pytest
import rclpy
from amounts import amount
from postgres import PostgresServer
from ros_services import proving

from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS

RUN_ID, STAGE, EPOCH = "kill-test", "tracking", 7
WINDOW = 90  # the topic keeps 100
PAUSE_S = 0.005  # asking costs the bridge as much as some events
PATIENCE_S = 0.5
FIRST_STAMP_NS = time.time_ns()
COLUMNS = "sequence, stamp_ns, data, run_id, epoch"


class Asked:
    """A bridge process, asked over one connection that stays."""

    def __init__(self, bridge) -> None:
        self._bridge = bridge
        self._connection = http.client.HTTPConnection(bridge.url.removeprefix("http://"), timeout=20)

    def status(self) -> dict:
        try:
            headers = {"Authorization": f"Bearer {self._bridge.token}"}
            self._connection.request("GET", "/api/history/status", headers=headers)
            answer = self._connection.getresponse()
            assert answer.status == 200
            return json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()  # the next request opens it again
            raise

    def acknowledged(self) -> int:
        """Return how many of the test's events are acknowledged from the first on, by a bridge that may be down."""
        try:
            position = self.status()["acknowledged"].get(STAGE)
        except (OSError, http.client.HTTPException):
            return 0
        if position is None or position["first"] != 1:
            return 0
        assert (position["run_id"], position["epoch"]) == (RUN_ID, EPOCH)
        return position["sequence"]


class Sender(threading.Thread):
    """Publishes events 1 to n until all are acknowledged."""

    def __init__(self, n: int) -> None:
        super().__init__(daemon=True)
        self._n = n
        self._context = rclpy.Context()
        rclpy.init(args=["test"], context=self._context)
        self._node = rclpy.create_node("sender", context=self._context)
        topic = TOPICS["events"]
        self._publisher = proving(
            self._node.create_publisher(message_class(topic.type), topic.name, qos_profile(topic))
        )
        self._stopping = False
        self.asked: Asked | None = None  # another one after a restart
        self.acknowledged = 0
        self.sent = 0
        self.done = False

    def run(self) -> None:
        following, moved_at = 1, time.monotonic()
        while self.acknowledged < self._n and not self._stopping:
            while following <= min(self.acknowledged + WINDOW, self._n):
                self._publisher.publish(event_message(following))
                self.sent += 1
                following += 1
            time.sleep(PAUSE_S)
            acknowledged = self.asked.acknowledged()
            if acknowledged > self.acknowledged:
                self.acknowledged, moved_at = acknowledged, time.monotonic()
            elif time.monotonic() - moved_at > PATIENCE_S:
                following, moved_at = self.acknowledged + 1, time.monotonic()
        self.done = True

    def close(self) -> None:
        self._stopping = True
        if self.is_alive():
            self.join(30)
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)


@pytest.fixture
def start_sender(ros_domain) -> Iterator:
    """Return a function that starts to send n events to a bridge."""
    started: list[Sender] = []

    def start(n: int, bridge) -> Sender:
        sender = Sender(n)
        sender.asked = Asked(bridge)
        sender.start()
        started.append(sender)
        return sender

    yield start
    for sender in started:
        sender.close()


def event_message(sequence: int):
    return event_messages.event_message(
        "TRACKING_UPDATED",
        data={"n": sequence},
        stage=STAGE,
        stamp_ns=FIRST_STAMP_NS + sequence,
        run_id=RUN_ID,
        epoch=EPOCH,
        sequence=sequence,
    )


def on_disk(state_dir: Path) -> set[int]:
    """Return the sequence numbers in the history of a bridge that is down."""
    with sqlite3.connect(state_dir / "history.db") as history:
        return {row[0] for row in history.execute("SELECT sequence FROM events WHERE stage = ?", [STAGE])}


def assert_all_once(rows: Iterable[tuple[int, int, str, str, int]], n: int) -> None:
    expected = [(i, FIRST_STAMP_NS + i, {"n": i}, RUN_ID, EPOCH) for i in range(1, n + 1)]
    assert sorted((s, t, json.loads(d), r, e) for s, t, d, r, e in rows) == expected


def test_a_killed_bridge_loses_no_acknowledged_event(start_bridge, start_sender, wait_for):
    n, kills = amount(40_000, nightly=1_000_000), 3
    bridge = start_bridge()
    begin = time.monotonic()
    sender = start_sender(n, bridge)
    seed = time.time_ns()
    for at in sorted(random.Random(seed).sample(range(1, n), kills)):
        wait_for(lambda at=at: sender.acknowledged >= at, f"{at} events are acknowledged", amount(120, nightly=3600))
        bridge.process.kill()
        bridge.process.wait()
        acknowledged = sender.acknowledged
        missing = set(range(1, acknowledged + 1)) - on_disk(bridge.state_dir)
        assert not missing, f"killed at {at}, with the seed {seed}"
        token = bridge.token
        bridge = start_bridge()
        bridge.token = token  # the key that signed it is kept
        asked = Asked(bridge)
        wait_for(lambda asked=asked, a=acknowledged: asked.acknowledged() >= a, "the history is open again")
        sender.asked = asked
    wait_for(lambda: sender.done, "all are acknowledged", amount(120, nightly=3600))
    took_s = time.monotonic() - begin
    assert sender.acknowledged == n
    wait_for(lambda: Asked(bridge).status()["backlog"]["messages"] == 0, "all are in the history")
    print(f"{n} events in {took_s:.1f} s, {kills} restarts included; {sender.sent} sent")
    with sqlite3.connect(bridge.state_dir / "history.db") as history:
        assert_all_once(history.execute(f"SELECT {COLUMNS} FROM events WHERE stage = ?", [STAGE]), n)


def test_a_database_that_is_gone_for_30_s_misses_nothing(
    start_bridge, start_sender, wait_for, postgres: PostgresServer
):
    n, outage_s = 12_000, 30.0
    url = postgres.create_database()
    bridge = start_bridge(database_url=url)
    sender = start_sender(n, bridge)
    wait_for(lambda: sender.acknowledged >= n // 4, "a quarter is acknowledged")
    postgres.stop("immediate")
    stopped_at = time.monotonic()
    try:
        before = sender.acknowledged
        wait_for(lambda: sender.acknowledged >= before + n // 4, "the acknowledgements go on")
        wait_for(lambda: Asked(bridge).status()["database"]["state"] == "away", "the bridge sees it")
        answer = bridge.get("/api/events")
        assert (answer.status_code, answer.json()["waiting_for"]) == (503, "database")
        (warning,) = httpx.get(bridge.url + "/ready").json()["warnings"]
        assert warning.startswith("history: ")
        wait_for(lambda: time.monotonic() - stopped_at > outage_s, "the outage", outage_s + 5)
        backlog = Asked(bridge).status()["backlog"]
        assert backlog["messages"] > n // 4
        assert outage_s / 2 < backlog["age_s"] < 2 * outage_s
    finally:
        postgres.start()
    wait_for(lambda: sender.done, "all are acknowledged", 60)
    wait_for(lambda: Asked(bridge).status()["backlog"]["messages"] == 0, "all are in the history", 60)
    assert Asked(bridge).status()["dropped"] == {}
    assert httpx.get(bridge.url + "/ready").json()["warnings"] == []
    told = [
        one["name"] for one in bridge.get("/api/events?stage=bridge").json()["items"] if "BROADCAST" not in one["name"]
    ]
    assert (told.count("HISTORY_AWAY"), told.count("SOURCE_BACK")) == (1, 1)
    with psycopg.connect(url) as history:
        assert_all_once(history.execute(f"SELECT {COLUMNS} FROM events WHERE stage = %s", [STAGE]), n)
    assert postgres.password not in "".join(bridge.lines)
