# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`GET /api/incident`: the zip of the command line, for who may, and no more of the machine than is allowed."""

import hashlib
import io
import json
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from bridge_data import some_threats, some_tracks
from history_data import a_frame
from rosbags.rosbag2 import Reader

from aegis.bridge.incident import export
from aegis.ros.bag import serialize, typestore
from aegis.ros.messages.picture import tracks_to_msg
from aegis.ros.split_bag import SplitBag, Splitting

SECOND = 1_000_000_000
BEGIN_S = 1_700_000_000
SCOPES = ("radar:read", "threats:read", "metrics:read", "ew:acknowledge")
TRACKS = "aegis_msgs/msg/TrackArray"


def tracks_at(second: int):
    return some_tracks(second, (BEGIN_S + second) * SECOND)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Twenty seconds that are still being recorded: nobody has finished the bag."""
    bag = SplitBag(tmp_path / "watch", ["tracks"], Splitting(max_ns=5 * SECOND))
    store = typestore()
    for second in range(20):
        bag.write("tracks", (BEGIN_S + second) * SECOND, serialize(tracks_to_msg(tracks_at(second)), TRACKS, store))
    return tmp_path / "watch"


@pytest.fixture
def ask(open_app):
    """Return a function that opens the application with these parameters, and asks it."""

    def asked(begin: float, end: float, scopes=SCOPES, app=None, **parameters):
        app = app or open_app(**parameters)
        return app, app.client.get(
            "/api/incident", params={"from": BEGIN_S + begin, "to": BEGIN_S + end}, headers=app.headers(*scopes)
        )

    return asked


def kept(app, wait_for) -> None:
    history = app.bridge.history
    for second in range(20):
        history.put_tracks(a_frame(tracks_at(second)))
        history.put_threats(a_frame(some_threats(second, (BEGIN_S + second) * SECOND)))
    wait_for(lambda: history.counts()["journaled"] == 40, "twenty pictures and assessments are on record")


def contents(answer) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in found.items() if name != "incident.json"}
    assert json.loads(found["incident.json"])["sha256"] == digests
    return found


def folders() -> set[Path]:
    return set(Path(export.mkdtemp.__globals__["gettempdir"]()).glob("aegis_incident_*"))


def test_a_zip_of_the_recording_and_of_history(open_app, ask, recording, wait_for, tmp_path):
    before = folders()
    parameters = {"incident.recording": str(recording), "incident.timeout_s": 600.0}  # a machine may be busy
    app = open_app(**parameters, site=[60.0, 10.0, 100.0])
    kept(app, wait_for)
    _, answer = ask(5, 9, app=app)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="incident-20231114T221325Z.zip"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    found = contents(answer)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path / "zip")
    with Reader(tmp_path / "zip" / "bag") as reader:
        got = [(t // SECOND - BEGIN_S, bytes(data)) for _, t, data in reader.messages()]
    store = typestore()
    assert got == [(k, serialize(tracks_to_msg(tracks_at(k)), TRACKS, store)) for k in range(5, 10)]
    assert json.loads(found["report.json"])["tracks"]["scans"] == 5
    assert found["cot/all.xml"].count(b"<event ") == 10
    manifest = json.loads(found["incident.json"])
    assert (manifest["from_ns"], manifest["to_ns"]) == ((BEGIN_S + 5) * SECOND, (BEGIN_S + 9) * SECOND)
    entries = app.client.get("/api/audit?action=incident.export", headers=app.headers("admin")).json()["entries"]
    assert [(one["who"], one["outcome"], one["detail"]["from_s"]) for one in entries] == [
        ("somebody", "ok", BEGIN_S + 5), ("somebody", "asked", BEGIN_S + 5),
    ]  # fmt: skip
    assert folders() == before


@pytest.mark.parametrize("missing", SCOPES)
def test_each_scope_is_needed(app, ask, missing):
    _, answer = ask(0, 1, [one for one in SCOPES if one != missing], app=app)
    assert (answer.status_code, answer.json()["detail"]) == (403, f"scope {missing} is needed")


def test_a_time_that_is_none_or_too_long_is_refused(app, ask):
    for begin, end, says in ((5, 4, "from lies after to"), (0, 3601, "an incident has 3600 s at most")):
        _, answer = ask(begin, end, app=app)
        assert (answer.status_code, says in answer.json()["detail"]) == (400, True)


def test_what_the_command_refuses_is_refused_in_its_words(app, ask, monkeypatch):
    program = "import sys; print('aegis export: watch has nothing then', file=sys.stderr); sys.exit(2)"
    monkeypatch.setattr(export, "COMMAND", (sys.executable, "-c", program))
    _, answer = ask(0, 1, app=app)
    assert (answer.status_code, answer.json()["detail"]) == (422, "watch has nothing then")


@pytest.mark.parametrize(
    ("program", "parameters", "says"),
    [
        ("import time; time.sleep(60)", {"incident.timeout_s": 1.0}, "was not done within 1 s"),
        ("bytearray(10**9)", {"incident.memory_mb": 256.0}, "more memory than incident.memory_mb allows"),
    ],
)
def test_no_more_time_and_memory_than_allowed(ask, monkeypatch, program, parameters, says):
    before = folders()
    monkeypatch.setattr(export, "COMMAND", (sys.executable, "-c", program))
    began = time.monotonic()
    app, answer = ask(0, 1, **parameters)
    assert (answer.status_code, says in answer.json()["detail"]) == (503, True), answer.text
    assert time.monotonic() - began < 30
    assert folders() == before
    (failed, _) = app.client.get("/api/audit?action=incident.export", headers=app.headers("admin")).json()["entries"]
    assert (failed["outcome"], says in failed["detail"]["reason"]) == ("failed", True)


def test_one_at_a_time_and_meanwhile_all_else_is_answered(app, ask, monkeypatch, tmp_path, wait_for):
    begun, go_on = tmp_path / "begun", tmp_path / "go_on"
    program = f"import time; from pathlib import Path as P; P({str(begun)!r}).touch()\n"
    program += f"while not P({str(go_on)!r}).exists(): time.sleep(0.01)\nP('incident.zip').write_bytes(b'PK')"
    monkeypatch.setattr(export, "COMMAND", (sys.executable, "-c", program))
    first: list[int] = []
    waiting = threading.Thread(target=lambda: first.append(ask(0, 1, app=app)[1].status_code))
    waiting.start()
    try:
        wait_for(begun.exists, "the first export has begun")
        _, second = ask(0, 1, app=app)
        assert (second.status_code, second.headers["retry-after"]) == (503, "10")
        assert app.client.get("/health").status_code == 200
    finally:
        go_on.touch()
        waiting.join(30)
    assert first == [200]
