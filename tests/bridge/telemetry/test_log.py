# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The bridge's own log: plain on standard error as ever, and JSON in its file, with the request that a line belongs to."""

import json
import logging
from datetime import datetime
from types import SimpleNamespace

import pytest

from aegis.bridge.http.request_id import ACCESS_LOG, current_request
from aegis.bridge.telemetry.log import bridge_log
from aegis.bridge.telemetry.settings import LogSettings

OURS, FOREIGN, ACCESS = (logging.getLogger(name) for name in ("aegis.bridge.test", "somebody.else", ACCESS_LOG))


def rows(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "bridge.log").read_bytes().splitlines()]


def test_a_line_says_who_when_and_for_whom(tmp_path, capsys):
    token = current_request.set({"request_id": "number-1", "principal": SimpleNamespace(name="eve")})
    try:
        with bridge_log(tmp_path, LogSettings()):
            OURS.warning("'%s' left", "eve")
            try:
                raise ValueError("no, really")
            except ValueError:
                OURS.exception("it broke")
            current_request.set(None)
            ACCESS.info("GET /x 200", extra={"fields": {"status": 200, "bytes": 7}})
    finally:
        current_request.reset(token)
    left, broke, access = rows(tmp_path)
    age_s = datetime.now().astimezone().timestamp() - datetime.fromisoformat(left["timestamp"]).timestamp()
    assert 0.0 <= age_s < 10.0
    assert {name: left[name] for name in left if name != "timestamp"} == {
        "level": "WARNING", "logger": "aegis.bridge.test", "event": "'eve' left", "request_id": "number-1", "user": "eve",
    }  # fmt: skip
    assert broke["event"] == "it broke"
    assert broke["exception"].startswith("Traceback")
    assert "no, really" in broke["exception"]
    assert (access["request_id"], access["user"], access["status"], access["bytes"]) == (None, None, 200, 7)
    said = capsys.readouterr().err
    assert said.startswith("WARNING aegis.bridge.test: 'eve' left\nERROR aegis.bridge.test: it broke\nTraceback")
    assert "GET /x" not in said


@pytest.mark.parametrize(
    ("level", "ours", "foreign"),
    [("DEBUG", "DIWE", "IWE"), ("INFO", "IWE", "IWE"), ("WARNING", "WE", "WE"), ("ERROR", "E", "E")],
)
def test_the_level_holds_for_file_and_standard_error(tmp_path, capsys, level, ours, foreign):
    before = logging.getLogger().level, list(logging.getLogger().handlers)
    with bridge_log(tmp_path, LogSettings(level=level)):
        for logger in (OURS, FOREIGN):
            for severity in ("DEBUG", "INFO", "WARNING", "ERROR"):
                logger.log(getattr(logging, severity), severity)
    said = [(row["logger"], row["event"][0]) for row in rows(tmp_path)]
    assert said == [(OURS.name, word) for word in ours] + [(FOREIGN.name, word) for word in foreign]
    assert len(capsys.readouterr().err.splitlines()) == len(said)
    assert (logging.getLogger().level, list(logging.getLogger().handlers)) == before
