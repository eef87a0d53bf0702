# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Against Apex, Dstl's middleware: every message of ours passes its validation, and goes all the way round.

It runs where AEGIS_APEX_PYTHON names a Python that has Apex; docs/sapient.md says how. With -s its verdict is printed.
"""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sapient_messages import message, tracks
from sapient_msg.bsi_flex_335_v2_0.task_pb2 import Task

from aegis.bench.live import free_port
from aegis.core.types import Alarm, AlarmState
from aegis.sapient.conversation import FUSION_NODE, MIDDLEWARE, Conversation
from aegis.sapient.ids import new_ulid

APEX = os.environ.get("AEGIS_APEX_PYTHON", "")
pytestmark = pytest.mark.skipif(not APEX, reason="AEGIS_APEX_PYTHON names no Python with Dstl's Apex")
MAIN = """
import signal, sys, threading
from sapient_apex_server import apex
running = apex.start_apex_main()
running.startup_complete.wait()
print("READY", flush=True)
over = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: over.set())
over.wait()
running.shutdown()
"""
CHECKS = (
    "mandatory_fields_present", "mandatory_oneof_present", "mandatory_repeated_present", "no_unknown_fields",
    "no_unknown_enum_values", "id_format_valid", "message_timestamp_reasonable", "detection_timestamp_reasonable",
    "supported_icd_version",
)  # fmt: skip


@contextmanager
def apex(folder: Path):
    """Apex with all its checks; yields the ports of its children and peers."""
    child, peer = free_port(), free_port()
    version = {"format": "PROTO", "icd_version": "BSI Flex 335 v2.0"}
    config = {
        "logLevel": "INFO",
        "connections": [{"type": "Child", "port": child, **version}, {"type": "Peer", "port": peer, **version}],
        "elasticConfig": {"enabled": False},
        "enableTimeSyncAdjustment": False,
        "messageMaxSizeKb": 1024,
        "middlewareId": "5913c0f4-9f89-4c01-ab90-939099797c4f",
        "enableMessageConversion": True,
        "allowPeerRegistration": True,
        "sendRegistrationAck": True,
        "rollover": {"enable": False},
        "validationOptions": {
            "validationTypes": CHECKS,
            "strictIdFormat": True,
            "messageTimestampRange": [-0.9, 0.1],
            "detectionMinimumGap": 0.08,
            "supportedIcdVersions": ["BSI Flex 335 v2.0"],
        },
    }
    (folder / "apex_config.json").write_text(json.dumps(config))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([APEX, "-c", MAIN], cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert "READY" in process.stdout.readline(), (folder / "log").read_text()
            yield child, peer
        finally:
            process.terminate()
            process.wait(20)


def verdict(folder: Path) -> list[tuple]:
    """What Apex has written down: type and error of each message, and how often it was forwarded."""
    (path,) = (folder / "data").glob("*.sqlite")
    with sqlite3.connect(path) as database:
        return database.execute(
            "select parsed_type, error_severity, error_description, forwarded_count from Message"
        ).fetchall()


def test_apex_takes_every_message_and_hands_our_tracks_back_to_us(settings, tmp_path, wait_for):
    begin = time.time_ns()
    with apex(tmp_path) as (child, peer):
        edge = Conversation(settings(**{"edge.connect": f"tcp://127.0.0.1:{child}", "edge.status_period_s": 1.0}), None)
        fusion = Conversation(settings(**{"edge.connect": "", "fusion.connect": f"tcp://127.0.0.1:{peer}"}), None)
        pictures = []

        def states() -> list[list[float]]:
            at = (time.time_ns() - begin) * 1e-9
            return [[1000.0 + 50.0 * at, 2000.0 - 300.0 * k, 300.0, 50.0, 0.0, 0.0] for k in range(5)]

        def turn() -> None:
            edge.take_tracks(tracks(time.time_ns(), *states()))
            for one in (edge, fusion):
                pictures.extend(one.poll(time.time_ns()))

        def turned(until) -> bool:
            turn()
            return until()

        wait_for(lambda: turned(lambda: edge.edge.registered and fusion.others.nodes), "a registration that goes round")
        wait_for(lambda: turned(lambda: len(pictures) >= 4), "pictures of the tracks that went round")
        alarm = Alarm(1, "gate", "gate", 1, AlarmState.ACTIVE, 1, time.time_ns(), "inside 'gate'")
        edge.take_alarms([alarm])
        wait_for(lambda: turned(lambda: fusion.others.counts["alert of another node"]), "the alert")
        for command in ({"request": "Status"}, {"detection_report_rate": 3}, {"look_at": {"range_bearing": {
            "coordinate_system": 1, "datum": 1}}}, {"mode_change": "Jam"}):  # fmt: skip
            task = Task(task_id=new_ulid(time.time_ns()), control=Task.CONTROL_START, command=Task.Command(**command))
            given = message(fusion.node_id, time.time_ns(), task=task, destination_id=edge.node_id)
            fusion.link.send(1, given.SerializeToString())
        wait_for(lambda: turned(lambda: fusion.others.counts["task_ack is not for a fusion node"] >= 4), "four answers")
        assert edge.edge.counts["task accepted"] == edge.edge.counts["task rejected"] == 2
        assert not edge.edge.refused
        shown = pictures[-1]
        edge.goodbye()

        def gone() -> bool:
            fusion.poll(time.time_ns())
            return {one.system for one in fusion.others.nodes.values()} == {"SYSTEM_GOODBYE"}

        wait_for(gone, "the goodbye")
        edge.close()
        fusion.close()
        assert FUSION_NODE not in fusion.link.trouble
        assert MIDDLEWARE not in edge.link.trouble
    found = verdict(tmp_path)
    kinds = Counter(kind for kind, *_ in found)
    print(
        f"\nApex: {len(found)} messages {dict(kinds)}; errors {[row[:3] for row in found if row[1]]}", file=sys.stderr
    )
    assert not [row for row in found if row[1] is not None]
    assert set(kinds) == {"registration", "status_report", "detection_report", "alert", "task", "task_ack"}
    assert all(forwarded for kind, _, _, forwarded in found)
    at = (shown.stamp_ns - begin) * 1e-9
    expected = [[1000.0 + 50.0 * at, 2000.0 - 300.0 * k, 300.0, 50.0, 0.0, 0.0] for k in range(5)]
    order = np.argsort(-shown.state[:, 1])
    np.testing.assert_allclose(shown.state[order], expected, atol=2.0)  # the clock is read twice
