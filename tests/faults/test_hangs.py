# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Processes that do not go on: stopped, or in a callback without end. And those that only take long."""

import asyncio
import contextlib
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from processor import waited_s
from prometheus_client import CollectorRegistry

sys.path.insert(0, str(Path(__file__).parents[1] / "graph"))
from test_supervisor import start, stop

from aegis import heartbeat
from aegis.bridge.telemetry.loop_lag import TICK_S, LoopLag
from aegis.graph.watchdog import LONG_AFTER_S
from aegis.heartbeat import Heartbeats, Loop

HANG_AFTER_S = 1.0
# A child notes each of its starts, and then goes round.
BEGIN = """
import os, time
from aegis.heartbeat import Loop, beat
file = open({starts!r}, "a")
print(os.getpid(), file=file, flush=True)
first = sum(1 for _ in open({starts!r})) == 1
"""
GO_ROUND = """
while True:
    beat(Loop.EXECUTOR)
    time.sleep(0.05)
"""
HANG = """
def stuck():
    while first:
        time.sleep(1)
beat(Loop.EXECUTOR, works=True)
print(time.monotonic(), file=file, flush=True)
stuck()
"""
# Works twice for longer than is told of, and rests as long in between.
LONG = """
for _ in range(2):
    beat(Loop.EXECUTOR, works=True)
    time.sleep(0.5)
    beat(Loop.EXECUTOR)
    time.sleep(0.5)
"""
# Works for longer than a hang takes, but others have the processor: it is one of many on one core.
STARVED = """
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
worker = os.getpid()
for _ in range(7):
    if os.fork() == 0:
        while os.getppid() == worker:
            for _ in range(1000): pass
        os._exit(0)
for _ in range(2):
    beat(Loop.EXECUTOR)
    end = time.process_time() + 0.25
    while time.process_time() < end: pass
file.write("worked\\n"); file.flush()
"""
# A node of ours whose stage does not return from its timer, in the first process.
NODE = """
import sys
import rclpy
from rclpy.executors import SingleThreadedExecutor
from aegis.core.params import Settings
from aegis.ros.host import StageHost
from aegis.ros.stages.base import Stage, StageContext
class Stuck(Stage):
    name, settings_type, period_s = "stuck", Settings, 0.1
    def on_message(self, topic, message):
        return ()
    def on_timer(self, now_ns):
        while first:
            time.sleep(1)
        print("goes round", file=file, flush=True)
        return ()
rclpy.init(args=["test"])
node = rclpy.create_node("stuck")
StageHost(node, Stuck(Settings(), StageContext("run", 0, None, True)))
executor = SingleThreadedExecutor()
executor.add_node(node)
executor.spin()
"""


@pytest.fixture
def starts(tmp_path: Path) -> Path:
    return tmp_path / "starts"


def pids(starts: Path) -> list[int]:
    return [int(line) for line in starts.read_text().split() if line.isdigit()] if starts.exists() else []


def test_a_stopped_process_is_noticed_at_once_killed_and_restarted(starts, wait_for):
    process = start(BEGIN.format(starts=str(starts)) + GO_ROUND, HANG_AFTER_S)
    try:
        wait_for(lambda: len(pids(starts)) == 1, "the child")
        begin = time.monotonic()
        os.kill(pids(starts)[0], signal.SIGSTOP)
        said = process.stdout.readline()
        noticed_s = time.monotonic() - begin
        wait_for(lambda: len(pids(starts)) == 2, "another child")
    finally:
        said += stop(process)
    assert said.startswith("child was stopped by a signal; it is killed in 0.5 s")
    assert "child was killed by SIGKILL" in said
    assert noticed_s <= 0.3


def test_a_process_that_goes_on_in_time_is_left_alone(starts, wait_for):
    process = start(BEGIN.format(starts=str(starts)) + GO_ROUND, HANG_AFTER_S)
    try:
        wait_for(lambda: len(pids(starts)) == 1, "the child")
        os.kill(pids(starts)[0], signal.SIGSTOP)
        said = process.stdout.readline()
        os.kill(pids(starts)[0], signal.SIGCONT)
        said += process.stdout.readline()
    finally:
        said += stop(process)
    assert "child goes on" in said
    assert "SIGKILL" not in said
    assert len(pids(starts)) == 1


def test_a_callback_without_end_is_noticed_shown_killed_and_its_process_restarted(starts, wait_for, tmp_path):
    with (tmp_path / "errors").open("w+") as errors:
        process = start(BEGIN.format(starts=str(starts)) + HANG + GO_ROUND, HANG_AFTER_S, stderr=errors)
        try:
            wait_for(lambda: len(pids(starts)) == 1, "the child")
            waited_before_s = waited_s(process.pid, os.getpid())
            told = process.stdout.readline()
            told_at, busy_s = time.monotonic(), waited_s(process.pid, os.getpid()) - waited_before_s
            said = process.stdout.readline()
            said_at = time.monotonic()
            wait_for(lambda: len(pids(starts)) == 2, "another child")
            begin = float(starts.read_text().split()[1])
        finally:
            said += stop(process)
        errors.seek(0)
        where = errors.read()
    assert re.match(r"child has been in one callback for 0\.\d s; it may work", told)
    assert LONG_AFTER_S <= told_at - begin <= 0.3 + busy_s
    assert said.startswith("child hangs: it has been in one callback for 1.")
    assert "--hang-after (now 1 s)" in said.splitlines()[0]
    assert said_at - begin >= HANG_AFTER_S
    assert "in stuck" in where


def test_a_long_callback_is_told_of_once_a_minute_and_rest_is_none(starts, wait_for):
    process = start(
        BEGIN.format(starts=str(starts)) + LONG + "print('done', file=file, flush=True)" + GO_ROUND, HANG_AFTER_S
    )
    try:
        wait_for(lambda: starts.exists() and "done" in starts.read_text(), "its work")
    finally:
        said = stop(process)
    assert re.fullmatch(
        r"child has been in one callback for 0\.\d s; it may .*\nchild goes on, after 0\.\d s or more\nstopping\n", said
    )
    assert len(pids(starts)) == 1


def test_a_node_says_that_its_executor_goes_round(starts, wait_for, ros_domain):
    process = start(BEGIN.format(starts=str(starts)) + NODE, 2.0)
    try:
        wait_for(lambda: starts.exists() and "goes round" in starts.read_text(), "a node that works")
    finally:
        said = stop(process)
    assert "child has been in one callback for 0." in said
    assert "goes on" not in said
    assert "child hangs" in said
    assert len(pids(starts)) == 2


def test_the_bridge_says_that_its_event_loop_goes_round(monkeypatch):
    heartbeats = Heartbeats()
    monkeypatch.setattr(heartbeat, "_own", heartbeats)

    async def run() -> list[tuple[int, int]]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3 * TICK_S):
                await LoopLag(CollectorRegistry()).run()
        return [heartbeats.last(Loop.SERVER)]

    begin_ns = time.monotonic_ns()
    assert heartbeats.last(Loop.SERVER) is None
    ((beat_ns, thread),) = asyncio.run(run())
    assert beat_ns > begin_ns + TICK_S * 1e9
    assert thread == threading.get_native_id()


def test_a_slow_start_is_no_hang(starts, wait_for):
    process = start(
        BEGIN.format(starts=str(starts)) + "time.sleep(2.5)\nprint('ready', file=file, flush=True)" + GO_ROUND,
        HANG_AFTER_S,
    )
    try:
        wait_for(lambda: starts.exists() and "ready" in starts.read_text(), "the end of its start")
    finally:
        said = stop(process)
    assert "hangs" not in said
    assert len(pids(starts)) == 1


def test_a_start_without_end_is_killed_after_ten_times_as_long_shown_and_tried_again(starts, wait_for, tmp_path):
    hang = "def stuck():\n    while first: time.sleep(0.1)\nstuck()\nprint('ready', file=file, flush=True)"
    with (tmp_path / "errors").open("w+") as errors:
        process = start(BEGIN.format(starts=str(starts)) + hang + GO_ROUND, 0.2, stderr=errors)
        try:
            wait_for(lambda: starts.exists() and "ready" in starts.read_text(), "a second start that ends")
        finally:
            said = stop(process)
        errors.seek(0)
        where = errors.read()
    assert re.match(r"child hangs: it has been starting for 2\.\d s, and is killed\..*10 times that for a start", said)
    assert "child was killed by SIGKILL after 2." in said
    assert len(pids(starts)) == 2
    assert "in stuck" in where


def test_waiting_for_a_processor_is_no_hang(starts, wait_for):
    """A quarter of a second of work takes two on a core that eight share, which is longer than a hang."""
    process = start(BEGIN.format(starts=str(starts)) + STARVED + GO_ROUND, HANG_AFTER_S)
    try:
        begin = time.monotonic()
        wait_for(lambda: starts.exists() and "worked" in starts.read_text(), "the work", 120.0)
        took_s = time.monotonic() - begin
    finally:
        said = stop(process)
    assert took_s > 2 * HANG_AFTER_S
    assert "hangs" not in said
    assert len(pids(starts)) == 1


def test_a_process_that_is_told_to_let_hang_is_let_hang(starts, wait_for):
    process = start(BEGIN.format(starts=str(starts)) + GO_ROUND, 0.0)
    try:
        wait_for(lambda: len(pids(starts)) == 1, "the child")
        os.kill(pids(starts)[0], signal.SIGSTOP)
        wait_for(lambda: Path(f"/proc/{pids(starts)[0]}/stat").read_text().split()[2] == "T", "it is stopped")
        end = time.monotonic() + 1.0
        wait_for(lambda: time.monotonic() > end, "longer than a grace")
        os.kill(pids(starts)[0], signal.SIGCONT)
    finally:
        said = stop(process)
    assert said == "stopping\n"


@pytest.mark.parametrize(("code", "ends"), [(2, True), (1, False)])
def test_exit_code_2_of_the_first_start_is_final_at_any_age(code, ends):
    """What reads a large file first finds late that a parameter is wrong."""
    process = start(f"import sys; sys.exit({code})", healthy_after_s=0.0)
    said = process.stdout.readline()
    if ends:
        process.communicate(timeout=20)
        assert process.returncode == code
    else:
        stop(process)
    assert ("child could not start (exit code 2)" in said) is ends
