# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis export`: what is in the zip is what was in the bag and in the history of that time; what is not is said."""

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from evaluation_data import SECOND, picture
from pyproj import Transformer
from rosbags.rosbag2 import Reader

from aegis.bridge.database import open_engine
from aegis.bridge.history.records import TABLES, Decision, Message
from aegis.bridge.history.store import Store
from aegis.cli.main import cli
from aegis.core.events import AlarmRaised, EwCountermeasure, TrackingUpdated
from aegis.core.types import AdviceState, Alarm, AlarmState
from aegis.ros.bag import serialize, typestore, write_bag
from aegis.ros.messages.alarms import alarms_to_msg
from aegis.ros.messages.picture import class_info_to_msg, tracks_to_msg
from aegis.ros.messages.reports import event_from_msg, event_to_msg

BEGIN_S = 1_700_000_000  # 2023-11-14 22:13:20 UTC
FROM, TO = "2023-11-14T22:13:25", "2023-11-14T22:13:35"  # 5 and 15 s after it
SITE = (60.0, 10.0, 100.0)
ALARM = Alarm(
    id=7, rule="near", zone="harbour", track_id=2, state=AlarmState.ACTIVE, priority=1, raised_ns=(BEGIN_S + 8) * SECOND,
    text="track 2 has entered 'harbour'", acknowledged_by="olga", note="a yacht",
)  # fmt: skip
TOLD = event_to_msg(
    AlarmRaised(**vars(ALARM)), stage="threat", run_id="run", epoch=0, sequence=1, stamp_ns=ALARM.raised_ns
)


def aegis(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)


def tracks_at(k: int):
    return picture(BEGIN_S + k, [(1, 10_000 + 10 * k, 0, 10, 0), (2, 3000, 20_000 + 10 * k, 0, 10)])


@pytest.fixture(scope="module")
def bag(tmp_path_factory) -> Path:
    """Twenty seconds, a picture a second; the classes are told once, at the begin."""
    path = tmp_path_factory.mktemp("incident") / "bag"
    with write_bag(path, ["tracks", "class_info", "alarms", "events"]) as bag:
        bag.write("class_info", BEGIN_S * SECOND, class_info_to_msg([0.1] * 10, model="m", basis="b", stamp_ns=0))
        for k in range(20):
            bag.write("tracks", (BEGIN_S + k) * SECOND, tracks_to_msg(tracks_at(k)))
        bag.write("alarms", (BEGIN_S + 8) * SECOND, alarms_to_msg([ALARM], stamp_ns=ALARM.raised_ns))
        bag.write("events", (BEGIN_S + 8) * SECOND, TOLD)
    return path


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> Path:
    """The same in a bridge's history, and decisions at 4, 9 and 16 s."""
    path = tmp_path_factory.mktemp("history") / "history.db"
    store = Store(open_engine(f"sqlite:///{path}"))
    store.prepare()
    decided = [
        Decision(
            f"id{k}", (BEGIN_S + k) * SECOND, kind, 7, "olga", True, json.dumps({"text": "a yacht"}), "10.0.0.9", "r"
        )
        for k, kind in ((4, "threat"), (9, "alarm"), (16, "ew_advice"))
    ]
    for content in [*decided, *map(tracks_at, range(20)), event_from_msg(TOLD)]:
        message = Message(content, 0)
        store.insert([(TABLES[message.kind], row) for row in message.rows()])
    store.engine.dispose()
    return path


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(found["incident.json"])
    assert manifest["sha256"] == {
        name: hashlib.sha256(data).hexdigest() for name, data in found.items() if name != "incident.json"
    }
    return found


def places(data: bytes) -> list[tuple[str, float, float, str]]:
    root = ElementTree.fromstring(data)
    return [
        (e.get("uid"), float(e.find("point").get("lat")), float(e.find("point").get("lon")), e.get("time"))
        for e in ([root] if root.tag == "event" else root)
    ]


def on_earth(x: float, y: float) -> tuple[float, float]:
    latitude, longitude, height = SITE
    back = Transformer.from_pipeline(
        "+proj=pipeline +step +proj=cart +ellps=WGS84 +step +proj=topocentric +ellps=WGS84"
        f" +lat_0={latitude} +lon_0={longitude} +h_0={height}"
    )
    lon, lat, _ = back.transform(x, y, 0.0, direction="INVERSE")
    return lat, lon


def test_bag_and_history_of_a_time_in_one_zip(bag, history, tmp_path):
    out = tmp_path / "incident.zip"
    options = ("--bag", bag, "--history", history, "--site", ",".join(map(str, SITE)))
    done = aegis("export", "--from", FROM, "--to", TO, "-o", out, *options)
    assert done.exit_code == 0, done.output
    found = contents(out)
    # The bag's part, by a library that is not ours: what lies within, and what was told once before.
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path / "zip")
    store = typestore()
    with Reader(tmp_path / "zip" / "bag") as reader:
        got = [((t - BEGIN_S * SECOND) / SECOND, c.topic, bytes(data)) for c, t, data in reader.messages()]
    assert [at for at, topic, _ in got if topic == "/tracks"] == list(range(5, 16))
    assert [data for _, topic, data in got if topic == "/tracks"] == [
        serialize(tracks_to_msg(tracks_at(k)), "aegis_msgs/msg/TrackArray", store) for k in range(5, 16)
    ]
    assert [(at, topic) for at, topic, _ in got if topic != "/tracks"] == [
        (5.0, "/class_info"),
        (8.0, "/alarms"),
        (8.0, "/events"),
    ]
    # Who decided what: of the history within the time, without addresses; of the bag what the alarms tell.
    decisions = json.loads(found["decisions.json"])
    assert decisions["by_history"] == [
        {
            "time_ns": (BEGIN_S + 9) * SECOND, "id": "id9", "kind": "alarm", "target_id": 7, "who": "olga", "accept": True,
            "detail": {"text": "a yacht"},
        }
    ]  # fmt: skip
    (alarm,) = decisions["by_bag"]["alarms"]
    assert (alarm["acknowledged_by"], alarm["note"]) == ("olga", "a yacht")
    (event,) = json.loads(found["events.json"])
    assert (event["name"], event["stamp_ns"]) == ("ALARM_RAISED", ALARM.raised_ns)
    # The report is of this part.
    assert b"10.0 s from 2023-11-14 22:13:25 UTC" in found["report.html"]
    assert json.loads(found["report.json"])["tracks"]["scans"] == 11
    # Tracks on Earth.
    last = places(found["cot/track-2.cot"])
    assert len(places(found["cot/all.xml"])) == 22
    ((uid, latitude, longitude, time),) = last
    assert (uid, time) == ("aegis.incident.2", "2023-11-14T22:13:35.000Z")
    assert (latitude, longitude) == pytest.approx(on_earth(3000.0, 20_150.0), abs=1e-6)
    assert json.loads(found["incident.json"])["absent"] == {}


def test_of_the_history_alone(history, tmp_path):
    out = tmp_path / "incident.zip"
    done = aegis("export", "--from", FROM, "--to", TO, "-o", out, "--history", history, "--site", "60,10,100")
    assert done.exit_code == 0, done.output
    assert "not in it: bag: no bag was named" in done.stdout
    found = contents(out)
    assert set(found) == {
        "incident.json", "decisions.json", "events.json", "cot/all.xml", "cot/track-1.cot", "cot/track-2.cot",
    }  # fmt: skip
    assert json.loads(found["decisions.json"])["by_bag"] is None
    ((_, latitude, longitude, _),) = places(found["cot/track-1.cot"])
    assert (latitude, longitude) == pytest.approx(on_earth(10_150.0, 0.0), abs=1e-6)


def test_what_was_decided_before_the_time_is_told_apart(tmp_path):
    ended = replace(ALARM, id=1, state=AlarmState.ENDED, raised_ns=BEGIN_S * SECOND, ended_ns=(BEGIN_S + 2) * SECOND)
    on = replace(ALARM, id=2, raised_ns=BEGIN_S * SECOND, note="")
    decided = EwCountermeasure(1, 2, 0, "jam", 1, "why", 3.0, (BEGIN_S + 30) * SECOND, AdviceState.ACKNOWLEDGED)
    advised = [
        event_to_msg(decided, stage="ew", run_id="run", epoch=0, sequence=k, stamp_ns=(BEGIN_S + k) * SECOND)
        for k in (3, 9)
    ]
    with write_bag(tmp_path / "bag", ["tracks", "alarms", "events"]) as bag:
        bag.write("alarms", (BEGIN_S + 3) * SECOND, alarms_to_msg([ended, on], stamp_ns=(BEGIN_S + 2) * SECOND))
        bag.write("events", (BEGIN_S + 5) * SECOND, advised[0])  # a recorder that joins is told it again
        for k in range(5, 15):
            bag.write("tracks", (BEGIN_S + k) * SECOND, tracks_to_msg(tracks_at(k)))
        noted = replace(on, note="a yacht")
        bag.write("alarms", (BEGIN_S + 8) * SECOND, alarms_to_msg([ended, noted], stamp_ns=(BEGIN_S + 8) * SECOND))
        bag.write("events", (BEGIN_S + 9) * SECOND, advised[1])
    done = aegis("export", "--from", FROM, "--to", TO, "-o", tmp_path / "i.zip", "--bag", tmp_path / "bag")
    assert done.exit_code == 0, done.output
    found = contents(tmp_path / "i.zip")
    by_bag = json.loads(found["decisions.json"])["by_bag"]
    (alarm,) = by_bag["alarms"]
    assert (alarm["id"], alarm["on_at_begin"], alarm["note"], alarm["acknowledged_by"]) == (2, True, "a yacht", "olga")
    assert (alarm["at_begin"]["note"], alarm["at_begin"]["acknowledged_by"]) == (None, "olga")
    assert [one["sequence"] for one in by_bag["ew"]] == [9]
    assert json.loads(found["incident.json"])["absent"]["alarms"] == "1 had ended before the bag's part began"


@pytest.mark.parametrize("first_s", [0, 600], ids=["live", "both played"])
def test_what_was_played_later_is_none_of_it(tmp_path, first_s):
    """Of what was played twice, where none lived, both say their events, and the tracks are of the last."""
    path = tmp_path / "history.db"
    store = Store(open_engine(f"sqlite:///{path}"))
    store.prepare()
    for run, delay_s in (("live", first_s), ("played", 900)):
        for k in range(20):
            tracks = tracks_at(k)
            tracks.track_id[:] += delay_s
            told = event_to_msg(
                TrackingUpdated(sequence=k, tracks=2, confirmed=[]),
                stage="tracking",
                run_id=run,
                epoch=0,
                sequence=k,
                stamp_ns=tracks.stamp_ns,
            )
            for content in (tracks, event_from_msg(told)):
                message = Message(content, tracks.stamp_ns + delay_s * SECOND)
                store.insert([(TABLES[message.kind], row) for row in message.rows()])
    store.engine.dispose()
    out = tmp_path / "incident.zip"
    done = aegis("export", "--from", FROM, "--to", TO, "-o", out, "--history", path, "--site", "60,10,100")
    assert done.exit_code == 0, done.output
    found = contents(out)
    shown = (1, 2) if first_s == 0 else (901, 902)
    assert {name for name in found if name.startswith("cot/track")} == {f"cot/track-{one}.cot" for one in shown}
    told = {(one["run_id"], one["sequence"]) for one in json.loads(found["events.json"])}
    assert told == {(run, k) for run in (("live",) if first_s == 0 else ("live", "played")) for k in range(5, 16)}
    absent = json.loads(found["incident.json"])["absent"].get("what was played", "")
    assert absent.startswith("11 events of the history" if first_s == 0 else "")
    assert bool(absent) == (first_s == 0)


def test_what_is_not_there_is_said(bag, tmp_path):
    (source,) = bag.glob("*.mcap")
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(source.read_bytes()[:-40])
    done = aegis("export", "--from", FROM, "--to", "2023-11-14T23:00:00", "-o", tmp_path / "i.zip", "--bag", cut)
    assert done.exit_code == 0, done.output
    absent = json.loads(contents(tmp_path / "i.zip")["incident.json"])["absent"]
    assert set(absent) == {"rest of the bag", "history", "cot"}
    assert "it was cut off" in absent["rest of the bag"]
    assert "--site" in absent["cot"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "neither --bag nor --history"),
        (("--history", "none.db"), "none.db does not exist"),
        (("--history", __file__), "cannot be read as a history"),
        (("--bag", "none"), "does not exist"),
        (("--from", "2030-01-01"), "--from lies after --to"),
    ],
)
def test_wrong_input_is_refused(bag, tmp_path, options, says):
    done = aegis("export", "--from", FROM, "--to", TO, "-o", tmp_path / "i.zip", *options)
    assert (done.exit_code, says in done.stderr) == (2, True), done.stderr
    assert not list(tmp_path.iterdir())


def test_a_time_that_the_bag_does_not_have_is_refused_with_the_time_that_it_has(bag, tmp_path):
    times = ("--from", "2024-01-01", "--to", "2024-01-02")
    done = aegis("export", *times, "-o", tmp_path / "i.zip", "--bag", bag)
    assert done.exit_code == 2
    assert "it lasts from 2023-11-14 22:13:20 UTC to 2023-11-14 22:13:39 UTC" in done.stderr


def test_of_history_alone_where_the_bag_has_nothing_of_that_time(bag, history, tmp_path):
    times = ("--from", "2023-11-14T22:13:10", "--to", "2023-11-14T22:13:19.5")
    done = aegis("export", *times, "-o", tmp_path / "i.zip", "--bag", bag, "--history", history)
    assert done.exit_code == 0, done.output
    absent = json.loads(contents(tmp_path / "i.zip")["incident.json"])["absent"]
    assert "has nothing from 2023-11-14 22:13:10 UTC" in absent["bag"]


@pytest.mark.parametrize(
    ("source", "says"), [("--bag", "the recording's messages of that time are more"), ("--history", "the zip is more")]
)
def test_more_than_may_be_is_refused(bag, history, tmp_path, source, says):
    path = bag if source == "--bag" else history
    done = aegis("export", "--from", FROM, "--to", TO, "-o", tmp_path / "i.zip", source, path, "--max-mb", "0.0005")
    assert (done.exit_code, says in done.stderr) == (2, True), done.stderr
    assert not list(tmp_path.iterdir())
