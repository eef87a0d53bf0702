# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two ends of an uplink over real sessions of zenoh on loopback, through a line that is cut, slow, or lies."""

import contextlib
import functools
import os
import sqlite3
import time
from collections import Counter

import numpy as np
import pytest

pytest.importorskip("zenoh", reason="the extra uplink is not installed")

from aegis_msgs.msg import AlarmArray, Event, TrackArray
from event_messages import event_message
from rclpy.serialization import deserialize_message, serialize_message

from aegis.bench import fusion, fusion_scene
from aegis.bench.faulty_line import FaultyLine, Quality
from aegis.bench.live import free_port
from aegis.bench.multitarget import gospa
from aegis.core.params import ConfigError
from aegis.core.rows import take_rows
from aegis.core.types import TrackStatus
from aegis.core.uplink.settings import RecordSettings, UplinkSettings
from aegis.ros.messages.fields import stamp_of, time_from_ns
from aegis.ros.messages.picture import tracks_from_msg, tracks_to_msg
from aegis.ros.uplink import wire
from aegis.ros.uplink.line import Line
from aegis.ros.uplink.receiver import Arrived, Heard, Lost, Receiver
from aegis.ros.uplink.record import Record
from aegis.ros.uplink.sender import Sender


@functools.cache  # the same bytes again: padding is what was there before
def event(n: int) -> bytes:
    return serialize_message(event_message("TRACKING_UPDATED", stage="tracking", sequence=n))


def number_of(data: bytes) -> int:
    return deserialize_message(data, Event).sequence


def picture(n: int, size: int = 0) -> bytes:
    return serialize_message(TrackArray(sequence=n, sources=[os.urandom(size // 2).hex()]))


class Headquarters:
    def __init__(self, port: int, positions=None, **more) -> None:
        settings = UplinkSettings.load(
            {"mode": "router", "listen": [f"tcp/127.0.0.1:{port}"], "receive": ["*"], **more}
        )
        self.line = Line(settings)
        self.receiver = Receiver(settings, self.line, positions, lambda: None)
        self.line.start()
        self.got: list = []

    def step(self) -> None:
        self.got += [*self.receiver.take(), *self.receiver.look()]

    def of(self, topic: str, site: str = "north") -> list[bytes]:
        self.step()
        return [one.data for one in self.got if isinstance(one, Arrived) and (one.site, one.topic) == (site, topic)]

    def events(self) -> list[int]:
        return [number_of(data) for data in self.of("events")]

    def said(self, kind: type) -> list:
        self.step()
        return [one for one in self.got if isinstance(one, kind)]

    def close(self) -> None:
        self.line.close()
        self.receiver.close()


class Site:
    def __init__(self, port: int, record=None, **more) -> None:
        settings = UplinkSettings.load(
            {"site": "north", "mode": "client", "connect": [f"tcp/127.0.0.1:{port}"], "bound_kbit_s": 0.0, **more}
        )
        self.line = Line(settings)
        self.sender = Sender(settings, self.line, record)
        self.line.start()
        self.sender.start()
        self.offer = self.sender.offer

    def close(self) -> None:
        self.sender.close()
        self.line.close()


@pytest.fixture
def ends():
    """Yield a function that has whatever it is given closed at the end, last first."""
    with contextlib.ExitStack() as stack:
        yield lambda one: stack.enter_context(contextlib.closing(one))


def test_a_site_joins_and_what_it_recorded_before_comes_first(ends, tmp_path, wait_for):
    port = free_port()
    site = ends(Site(port, tmp_path / "north.db"))
    for n in range(1, 301):
        site.offer("events", event(n))
    wait_for(lambda: site.sender.record.last["events"] == 300, "all on the disk")
    hq = ends(Headquarters(port))
    begin = time.monotonic()
    wait_for(lambda: len(hq.events()) == 300, "all events")
    assert time.monotonic() - begin < 5.0
    site.offer("tracks", picture(1, 10_000))
    site.offer("events", event(301))
    alarm = serialize_message(AlarmArray(id=[5]))
    site.offer("alarms", alarm)
    wait_for(lambda: hq.of("tracks") and hq.of("alarms"), "a picture and an alarm")
    assert deserialize_message(hq.of("tracks")[0], TrackArray).sequence == 1
    assert hq.of("alarms") == [alarm]  # bytes for bytes
    wait_for(lambda: hq.events() == list(range(1, 302)), "the event after the others")


def test_nothing_recorded_is_lost_while_the_line_is_cut_and_both_ends_are_restarted(ends, tmp_path, wait_for):
    port = free_port()
    line = ends(FaultyLine(port, Quality(delay_s=0.01)))
    hq = ends(Headquarters(port, tmp_path / "positions.json", silent_after_s=1.5))
    site = ends(Site(line.port, tmp_path / "north.db"))
    site.offer("events", event(1))
    wait_for(lambda: site.offer("tracks", picture(1)) or (hq.events() == [1] and hq.of("tracks")), "the first")
    line.cut()
    for n in range(2, 41):
        site.offer("events", event(n))
        site.offer("tracks", picture(n, 5000))
    wait_for(lambda: hq.said(Heard), "the silence said")
    assert [(one.site, one.silent) for one in hq.said(Heard)] == [("north", True)]
    assert hq.receiver.silent() == ["north"]
    site.close()
    site = ends(Site(line.port, tmp_path / "north.db"))
    site.offer("events", event(40))  # latched, so heard again by an uplink that was started anew
    site.offer("events", event(41))
    hq.close()
    hq, old = ends(Headquarters(port, tmp_path / "positions.json")), hq
    line.mend()
    line.drop_connections()
    wait_for(lambda: site.offer("tracks", picture(77)) or hq.of("tracks"), "a picture")
    wait_for(lambda: hq.events() and hq.events()[-1] == 41, "the last event")
    assert old.events() + hq.events() == list(range(1, 42))
    shown = {deserialize_message(data, TrackArray).sequence for data in old.of("tracks") + hq.of("tracks")}
    assert shown == {1, 77}  # none of the time of the cut
    assert site.sender.sent.repeated == 1
    assert not hq.said(Lost)


def test_a_bounded_line_carries_alarms_before_pictures_and_the_newest_picture(ends, tmp_path, wait_for):
    port = free_port()
    hq = ends(Headquarters(port))
    site = ends(Site(port, None, bound_kbit_s=800.0))
    site.offer("events", event(1))
    wait_for(lambda: hq.events() == [1], "the line")
    begin = time.monotonic()
    for n in range(1, 31):
        site.offer("tracks", picture(n, 60_000))
        site.offer("threats", picture(n, 20_000))
        time.sleep(0.02)
    alarm = serialize_message(AlarmArray(id=[5]))
    site.offer("alarms", alarm)
    at = time.monotonic()
    wait_for(lambda: hq.of("alarms"), "the alarm")
    assert time.monotonic() - at < 0.5  # a picture alone takes 0.3 s
    wait_for(
        lambda: any(deserialize_message(d, TrackArray).sequence == 30 for d in hq.of("tracks")), "the last picture"
    )
    took_s = time.monotonic() - begin
    assert site.sender.sent.bytes < 100_000 * (took_s + 1.25) + 30_000  # bytes/s, and what the bucket allows at once
    assert len(hq.of("tracks")) < 20
    assert site.sender.sent.replaced["tracks"] > 10


def test_a_record_that_was_too_small_says_what_it_dropped(ends, tmp_path, wait_for):
    port = free_port()
    site = ends(Site(port, tmp_path / "north.db", **{"record.max_mb": 0.01}))
    for n in range(1, 201):
        site.offer("events", event(n))
        wait_for(lambda n=n: site.sender.record.last["events"] == n, "it recorded")
    dropped = site.sender.record.dropped["events"]
    assert 0 < dropped < 200
    hq = ends(Headquarters(port))
    wait_for(lambda: hq.events() and hq.events()[-1] == 200, "the last event")
    assert hq.events() == list(range(dropped + 1, 201))
    (tmp_path / "positions.json").write_text("{")
    damaged = ends(Headquarters(free_port(), tmp_path / "positions.json"))
    assert not damaged.receiver.sites
    assert len(list(tmp_path.glob("positions.json.damaged*"))) == 1


def test_a_record_is_bounded_and_goes_on_in_memory_without_a_disk(tmp_path, small_disk, monkeypatch):
    monkeypatch.setattr("aegis.state._not_kept", {})  # else every stage of this process says so from now on
    record = Record(tmp_path / "a.db", ["events"], RecordSettings(max_mb=0.01, max_age_h=1.0))
    hour_ns = 3600 * 10**9
    for n in range(100):
        record.append([("events", bytes(500))], n)
    assert record.bytes <= 10_000
    assert record.dropped["events"] == record.first["events"] - 1 > 70
    record.append([("events", b"new")], hour_ns + 10**9)
    assert record.page("events", 1, 10**6) == [(101, b"new")]
    record.close()
    again = Record(tmp_path / "a.db", ["events"], RecordSettings())
    assert (again.id, again.kept(), again.dropped) == (record.id, {"events": [101, 101]}, {"events": 100})
    again.close()
    full = Record(small_disk / "b.db", ["events"], RecordSettings())
    identity = full.id
    for n in range(40):
        full.append([("events", os.urandom(50_000))], n)
    assert full.id != identity
    assert full.page("events", full.last["events"], 1)[0][0] == full.last["events"]
    full.close()
    (tmp_path / "c.db").write_bytes(b"no database" * 100)
    mended = Record(tmp_path / "c.db", ["events"], RecordSettings())
    assert mended.append([("events", b"x")], 1) == [("events", 1, b"x")]
    mended.close()
    assert sqlite3.connect(tmp_path / "c.db").execute("SELECT count(*) FROM message").fetchone() == (1,)


def test_what_is_not_of_an_uplink_is_refused_and_counted(ends, wait_for):
    import zenoh

    port = free_port()
    hq = ends(Headquarters(port, receive=["north"]))
    site = ends(Site(port))
    site.offer("events", event(1))
    wait_for(lambda: hq.events() == [1], "the site")
    config = zenoh.Config()
    config.insert_json5("mode", '"client"')
    config.insert_json5("connect/endpoints", f'["tcp/127.0.0.1:{port}"]')
    with zenoh.open(config) as stranger:
        header = wire.packed(wire.Message(1, 1, b""))[1]
        stranger.put("aegis/north/live/tracks", b"x")
        stranger.put("aegis/north/live/tracks", b"no zstd", attachment=header[:-1] + b"\1")
        stranger.put("aegis/north/live/detections", b"x", attachment=header)
        stranger.put("aegis/north/state", b"[1]")
        stranger.put("aegis/north/state", b'{"record": 1, "run": 1, "kept": {"events": [9, 2]}}')
        stranger.put("aegis/south/state", b"{}")

        def asked(begin: str) -> list:
            block = (
                zenoh.CongestionControl.BLOCK
            )  # else what a busy machine cannot send within a millisecond is dropped
            return list(stranger.get(f"aegis/north/record/events?from={begin}", timeout=2.0, congestion_control=block))

        wait_for(lambda: asked("1"), "an answer")
        refused = site.sender.sent.questions_refused
        for begin in ("x", "9" * 30, "-1"):
            assert not asked(begin)
        wait_for(lambda: site.sender.sent.questions_refused == refused + 3, "three refusals")
        (page,) = asked("1")
        assert wire.messages_of(page.ok.payload.to_bytes(), page.ok.attachment.to_bytes())[1] == [(1, event(1))]
        wait_for(lambda: hq.step() or sum(hq.receiver.refused.values()) == 5, "all refused")
    assert set(hq.receiver.sites) == {"north"}
    assert Counter(type(one) for one in hq.got) == {Arrived: 1}


def test_zenohs_own_configuration_decides_who_may_send(ends, tmp_path, wait_for):
    """Access control by the address here; by the names of certificates where there is TLS."""
    own = tmp_path / "zenoh.yaml"
    own.write_text("""
access_control:
  enabled: true
  default_permission: allow
  rules:
    - {id: south, permission: deny, flows: [ingress], messages: [put], key_exprs: ["aegis/south/**"]}
  subjects:
    - {id: loopback, interfaces: [lo]}
  policies:
    - {rules: [south], subjects: [loopback]}
""")
    port = free_port()
    hq = ends(Headquarters(port, zenoh=str(own)))
    south, north = ends(Site(port, site="south")), ends(Site(port))
    for site in (south, north):
        site.offer("events", event(1))

    def heard(count: int) -> bool:  # pictures are offered again and again: those of before the line are nobody's
        for site in (south, north):
            site.offer("tracks", picture(1))
        return bool(hq.events()) and len(hq.of("tracks")) >= count

    wait_for(lambda: heard(20), "the site that may, for a while")
    assert set(hq.receiver.sites) == {"north"}
    own.write_text("transport: {link: {tls: {root_certificate: x}}}")
    with pytest.raises(ConfigError, match=r"zenoh.yaml: zenoh refuses 'transport/link/tls/root_certificate'"):
        Line(UplinkSettings.load({"site": "n", "connect": ["tls/127.0.0.1:1"], "zenoh": str(own)}))


def test_a_message_says_when_it_was_measured():
    message = TrackArray()
    message.header.stamp = time_from_ns(1_700_000_000_123_456_789)
    assert wire.stamp_of_cdr(serialize_message(message)) == 1_700_000_000_123_456_789
    with pytest.raises(wire.WireError):
        wire.stamp_of_cdr(b"\0\1\0\0")


def test_the_headquarters_picture_is_as_near_the_truth_as_without_a_line(ends, wait_for):
    """Two sites' trackers on simulated objects, their tracks over lossy lines into the fusion: the same as fused on the spot.

    While the lines are cut the picture goes on by itself and gets worse; with the first tracks after that it is right again.
    """
    scene = fusion_scene.around(2, 10, 26.0, seed=3)
    at_once, far = fusion._Rig(scene), fusion._Rig(scene)
    port = free_port()
    hq = ends(Headquarters(port))
    lines = {name: ends(FaultyLine(port, Quality(delay_s=0.005, loss=0.02))) for name in at_once.trackers}
    sites = {name: ends(Site(line.port, site=name)) for name, line in lines.items()}
    wait_for(lambda: hq.step() or set(hq.receiver.sites) == set(sites), "both sites")
    apart: dict[str, list[tuple[float, float]]] = {"before": [], "cut": [], "after": []}

    def exchange(at_s: int) -> None:
        if at_s in (16, 20):
            for line in lines.values():
                (line.cut if at_s == 16 else line.mend)()
        latest = {}
        for name, tracks in at_once._last.items():
            told = take_rows(tracks, np.flatnonzero(tracks.status != int(TrackStatus.TENTATIVE)))
            at_once.picture = at_once.fuser.step(told).tracks or at_once.picture
            sites[name].offer("tracks", serialize_message(tracks_to_msg(told)))
            latest[name] = told.stamp_ns
        if 16 <= at_s < 20:
            return

        def come() -> dict[str, TrackArray]:
            return {n: deserialize_message(got[-1], TrackArray) for n in latest if (got := hq.of("tracks", n))}

        wait_for(lambda: {n: stamp_of(m) for n, m in come().items()} == latest, f"the tracks of {at_s} s", 20.0)
        for message in come().values():
            far.picture = far.fuser.step(tracks_from_msg(message)).tracks or far.picture

    due_s = 1
    for now_s, radar, detections in scene.scans(np.random.default_rng(4)):
        if now_s >= due_s:
            exchange(due_s)
            when = "before" if due_s < 16 else "cut" if due_s < 20 else "after"
            if due_s >= 12:
                truth = scene.at(due_s)[:, :2]
                apart[when].append(tuple(gospa(truth, rig.at(due_s).x[:, :2]) for rig in (far, at_once)))
            due_s += 1
        at_once.take(radar, at_once.trackers[radar.name].step(detections).tracks)
    rms = {when: np.sqrt(np.mean(np.square(found), axis=0)) for when, found in apart.items()}
    assert rms["before"][0] == pytest.approx(rms["before"][1])  # what comes over the line is what was sent
    assert rms["cut"][0] > 1.2 * rms["cut"][1]
    assert rms["after"][0] < 1.1 * rms["after"][1]
