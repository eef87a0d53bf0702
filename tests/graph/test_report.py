# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis report` on bags made by hand: what it says of them is known, and what they do not have is said in words."""

import html
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from evaluation_data import SECOND, picture

from aegis.cli.main import cli
from aegis.core.events import AlarmRaised
from aegis.core.types import Alarm, AlarmState, ThreatLevel, Threats, TrackStatus
from aegis.ros.bag import write_bag
from aegis.ros.messages.alarms import alarms_to_msg
from aegis.ros.messages.picture import threats_to_msg, tracks_to_msg
from aegis.ros.messages.reports import StageStatus, event_to_msg, status_to_msg

BEGIN_S = 1_700_000_000


def aegis(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)


class Page(HTMLParser):
    """Collects the links, what would be fetched, the drawings, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.drawings = 0
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        if tag == "a":
            self.links.append(said["href"])
        self.fetched += [tag] if tag in ("script", "link", "iframe", "object", "img") else []
        self.fetched += [said[name] for name in ("src", "xlink:href") if name in said]
        self.drawings += tag == "svg"

    def handle_data(self, data):
        self.words += data


def threats(at_s: float, rows) -> Threats:
    """Return an assessment of rows (track, level, score)."""
    n = len(rows)
    track, level = (np.array([int(row[k]) for row in rows], dtype=np.int64) for k in (0, 1))
    return Threats(
        stamp_ns=round(at_s * SECOND), frame_id="map", sequence=1, sensor_id="radar", track_id=track, level=level,
        class_id=np.zeros(n, np.int64), score=np.array([row[2] for row in rows]), time_to_cpa=np.zeros(n),
        cpa_distance=np.zeros(n), cpa_distance_sigma=np.zeros(n), time_to_impact=np.full(n, np.nan),
        reason=[f"reason <{row[2]}>" for row in rows], entry_probability=np.zeros(n), asset=["base"] * n, behaviour=[""] * n,
    )  # fmt: skip


def status(at_s: float, *, latency_s: float, received: int, reasons: dict[str, int], run: str = "run"):
    row = StageStatus(
        stage="tracking", rate_hz=1.0, step_p50=0.001, step_p99=0.002, latency_p50=latency_s / 2, latency_p99=latency_s,
        received=received, published=received, dropped=sum(reasons.values()), objects_dropped=0, sequence_gaps=0, errors=0,
        detail=json.dumps({"dropped_by_reason": reasons}),
    )  # fmt: skip
    return status_to_msg([row], run_id=run, stamp_ns=round(at_s * SECOND))


@pytest.fixture(scope="module")
def live(tmp_path_factory) -> Path:
    """Twenty seconds of a live graph: track 1 goes on, track 2 is without detections from 10 to 16 s, 3 for one scan."""
    path = tmp_path_factory.mktemp("report") / "live"
    alarm = Alarm(
        id=7, rule="near", zone="harbour", track_id=2, state=AlarmState.ACTIVE, priority=1,
        raised_ns=(BEGIN_S + 8) * SECOND, text="track 2 has entered 'harbour'",
    )  # fmt: skip
    ended = Alarm(
        **{**alarm.__dict__, "state": AlarmState.ENDED, "ended_ns": (BEGIN_S + 12) * SECOND, "note": "a yacht"}
    )
    with write_bag(path, ["tracks", "threats", "alarms", "events", "status"]) as bag:
        for k in range(20):
            at_s = BEGIN_S + k
            now = picture(at_s, [(1, 10 * k, 0, 10, 0), (2, 1000, 10 * k, 0, 10), (3, -500, 0, 0, 0)])
            held = 10 <= k < 16
            now.status[1] = int(TrackStatus.COASTING if held else TrackStatus.CONFIRMED)
            now.time_since_update[1] = k - 9.0 if held else 0.0
            now.status[2] = int(TrackStatus.COASTING if k == 5 else TrackStatus.CONFIRMED)
            now.time_since_update[2] = float(k == 5)
            bag.write("tracks", at_s * SECOND, tracks_to_msg(now))
            level = ThreatLevel.CRITICAL if k == 9 else ThreatLevel.HIGH
            bag.write("threats", at_s * SECOND, threats_to_msg(threats(at_s, [(2, level, 0.5 + k / 100)])))
            bag.write(
                "status",
                at_s * SECOND,
                # The stage begins anew after 12 s. It had received 100, and refused 3, before the recording.
                status(at_s, latency_s=0.02, received=100 + k, reasons={"late": 3 + k // 10})
                if k < 12
                else status(
                    at_s, latency_s=0.08, received=k - 11, reasons={"late": 0, "sensor unknown": 2}, run="second"
                ),
            )
        bag.write("alarms", (BEGIN_S + 8) * SECOND, alarms_to_msg([alarm], stamp_ns=alarm.raised_ns))
        bag.write("alarms", (BEGIN_S + 12) * SECOND, alarms_to_msg([ended], stamp_ns=ended.ended_ns))
        told = {"stage": "threat", "run_id": "run", "epoch": 0, "sequence": 1, "stamp_ns": alarm.raised_ns}
        bag.write("events", alarm.raised_ns, event_to_msg(AlarmRaised(**vars(alarm)), **told))
    return path


def test_what_a_live_bag_shows(live, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = aegis("report", live, "--json", "r.json", "--bridge", "https://radar.example:8443/")
    assert done.exit_code == 0, done.output
    found = json.loads(Path("r.json").read_text())
    # 1 + 19 received beside the 100 of before would be wrong: only what came within the recording counts.
    stage = found["stages"]["tracking"]
    assert (stage["received"], stage["restarts"]) == (11 + 8, 1)
    assert stage["dropped_by_reason"] == {"late": 1, "sensor unknown": 2}
    assert (stage["latency_p99_s"], stage["latency_p50_s"]) == (0.08, 0.01)
    assert found["tracks"] | {"classes": 0} == {"scans": 20, "ids": 3, "most_at_once": 3, "classes": 0}
    (threat,) = found["threats"]
    assert (threat["track_id"], threat["level"], threat["at_ns"]) == (2, "CRITICAL", (BEGIN_S + 9) * SECOND)
    assert (threat["score"], threat["scans_high_or_above"]) == (pytest.approx(0.69), 20)
    assert threat["score_at_ns"] == (BEGIN_S + 19) * SECOND  # the score grows to the end; its words are of then
    (alarm,) = found["alarms"]
    assert (alarm["raised_ns"], alarm["ended_ns"], alarm["note"]) == (
        (BEGIN_S + 8) * SECOND, (BEGIN_S + 12) * SECOND, "a yacht",
    )  # fmt: skip
    # Without truth the worst is what was held longest without a detection: track 2 at 15 s, then track 3 at 5 s.
    assert [(one["track_id"], one["at_ns"]) for one in found["worst_tracks"]] == [
        (2, (BEGIN_S + 15) * SECOND), (3, (BEGIN_S + 5) * SECOND),
    ]  # fmt: skip
    assert found["worst_tracks"][0]["link"] == f"https://radar.example:8443/#t={BEGIN_S + 15}.0&track=2"
    assert (found["evaluation"], "no truth" in found["not_evaluated"]) == (None, True)

    text = Path("live.html").read_text()
    page = Page(text)
    assert page.fetched == []
    assert len(text.encode()) <= 500_000
    assert page.drawings == 4  # map, threats, alarms, latencies
    assert f"https://radar.example:8443/#t={BEGIN_S + 15}.0&track=2" in page.links
    assert "reason <0.69>" in page.words
    assert "CRITICAL22:13:29.00.69 at 22:13:39.020" in page.words  # the cells of the row, one after another
    assert "6 of the 20 scans" in page.words
    assert f"{live}: 19.0 s from 2023-11-14 22:13:20 UTC" in page.words
    # The command on the page makes the same page again.
    (command,) = re.findall("<code>(aegis report .*)</code>", text)
    Path("live.html").unlink()
    assert aegis(*shlex.split(html.unescape(command))[1:]).exit_code == 0
    assert Path("live.html").read_text() == text


@pytest.mark.parametrize("played_s", [0, 1000], ids=["live", "of a recording that was played"])
def test_what_had_ended_before_the_bag_is_none_of_it(tmp_path, played_s):
    """Ten seconds. What was told last is told again at the begin, by the live clock also where stamps are of a recording."""

    def alarm(number: int, raised_s: float, ended_s: float | None = None, since_s: float = 0) -> Alarm:
        first, last = (BEGIN_S - since_s + s if s is not None else 0 for s in (raised_s, ended_s))
        return Alarm(
            id=number, rule="near", zone="harbour", track_id=number, priority=1, raised_ns=round(first * SECOND), text="",
            state=AlarmState.ACTIVE if ended_s is None else AlarmState.ENDED, ended_ns=round(last * SECOND),
        )  # fmt: skip

    old = [alarm(1, -300, -200), alarm(2, -100)]
    ended, new = alarm(2, -100, 4), alarm(3, 4, since_s=played_s)
    told = [
        event_to_msg(
            AlarmRaised(**vars(one)), stage="threat", run_id="run", epoch=0, sequence=one.id, stamp_ns=one.raised_ns
        )
        for one in (*old, new)
    ]
    with write_bag(tmp_path / "bag", ["tracks", "alarms", "events"]) as bag:
        bag.write("alarms", BEGIN_S * SECOND, alarms_to_msg(old, stamp_ns=(BEGIN_S - 100) * SECOND))
        for message in told[:2]:
            bag.write("events", BEGIN_S * SECOND, message)
        for k in range(10):
            bag.write(
                "tracks",
                round((BEGIN_S + k + 0.1) * SECOND),
                tracks_to_msg(picture(BEGIN_S + k - played_s, [(1, 0, 0, 0, 0)])),
            )
        stamp_ns = (BEGIN_S + 4 - played_s) * SECOND
        bag.write("alarms", round((BEGIN_S + 4.2) * SECOND), alarms_to_msg([old[0], ended, new], stamp_ns=stamp_ns))
        bag.write("events", round((BEGIN_S + 4.2) * SECOND), told[2])
    done = aegis("report", tmp_path / "bag", "-o", tmp_path / "r.html", "--json", tmp_path / "r.json")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "r.json").read_text())
    assert {one["id"]: one["on_at_begin"] for one in found["alarms"]} == {2: True, 3: False}
    assert (found["alarms_ended_before"], found["events"], found["events_before"]) == (1, {"ALARM_RAISED": 1}, 2)
    words = Page((tmp_path / "r.html").read_text()).words
    assert "1 that had ended before the bag began is left out" in words
    assert words.count("was on at the begin") == 1


def test_what_a_bag_does_not_have_is_said_in_words(tmp_path):
    with write_bag(tmp_path / "bag", ["tracks", "threats", "alarms", "events", "status"]) as bag:
        bag.write("tracks", BEGIN_S * SECOND, tracks_to_msg(picture(BEGIN_S, [])))
    done = aegis("report", tmp_path / "bag", "-o", tmp_path / "r.html", "--json", tmp_path / "r.json")
    assert done.exit_code == 0, done.output
    page = Page((tmp_path / "r.html").read_text())
    assert page.drawings == 0
    for topic in ("threats", "alarms", "status", "events"):
        assert f"the bag has no topic {topic}" in page.words
    assert "No track was confirmed in 1 scans" in page.words
    assert "no truth" in page.words
    found = json.loads((tmp_path / "r.json").read_text())
    assert [found[name] for name in ("threats", "alarms", "events", "stages", "evaluation")] == [None] * 5


def test_requirements_that_cannot_be_checked_are_not_passed(live, tmp_path):
    done = aegis("report", live, "-o", tmp_path / "r.html", "--requirements", "ed142_terminal")
    assert (done.exit_code, "not checked, so not passed" in done.stderr) == (1, True)
    assert "Not checked, so not passed" in Page((tmp_path / "r.html").read_text()).words


def test_a_damaged_bag_is_shown_up_to_the_damage(live, tmp_path):
    (file,) = live.glob("*.mcap")
    (tmp_path / "cut.mcap").write_bytes(file.read_bytes()[:-100])
    done = aegis("report", tmp_path / "cut.mcap", "-o", tmp_path / "r.html", "--json", tmp_path / "r.json")
    assert (done.exit_code, "it was cut off" in done.stderr) == (1, True)
    assert "up to the damage" in Page((tmp_path / "r.html").read_text()).words
    found = json.loads((tmp_path / "r.json").read_text())
    assert (found["passed"], found["tracks"]["scans"]) == (False, 20)


def test_messages_of_another_version_are_left_out_and_said(live, tmp_path):
    with write_bag(tmp_path / "bag", ["tracks", "alarms"]) as bag:
        for k in range(3):
            bag.write("alarms", (BEGIN_S + k) * SECOND, b"\0\1\0\0" + b"\xff" * 24)
            bag.write("tracks", (BEGIN_S + k) * SECOND, tracks_to_msg(picture(BEGIN_S + k, [(1, 0, 0, 1, 0)])))
    done = aegis("report", tmp_path / "bag", "-o", tmp_path / "r.html", "--json", tmp_path / "r.json")
    assert (done.exit_code, "not read: 3 messages on alarms" in done.stderr) == (1, True)
    assert "Not read" in Page((tmp_path / "r.html").read_text()).words
    found = json.loads((tmp_path / "r.json").read_text())
    assert (found["passed"], found["tracks"]["scans"], len(found["refused"])) == (False, 3, 1)


def test_what_is_no_bag_of_a_graph_is_refused(tmp_path):
    done = aegis("report", tmp_path / "none", "-o", tmp_path / "r.html")
    assert (done.exit_code, "does not exist" in done.stderr, (tmp_path / "r.html").exists()) == (2, True, False)
    with write_bag(tmp_path / "bag", ["odometry"]) as bag:
        from nav_msgs.msg import Odometry

        bag.write("odometry", 1, Odometry())
    done = aegis("report", tmp_path / "bag", "-o", tmp_path / "r.html")
    assert (done.exit_code, "nothing" not in done.stderr, "/odometry" in done.stderr) == (2, True, True)
