# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recording and playing without a ROS installation: bytes, order and pace; refusals; damage. Real nodes on DDS."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from graph_process import Listener
from rclpy.serialization import deserialize_message
from rosbags.rosbag2 import StoragePlugin, Writer

from aegis.core.decisions import ProofChecker
from aegis.decision_key import decision_key
from aegis.graph import play as player
from aegis.graph.incident.cut import cut_bag
from aegis.graph.offline import process_bag, simulate_bag
from aegis.graph.play import Pace, play, playable
from aegis.graph.play_keys import Keys
from aegis.graph.record import Recorded, _Recorder, chosen_topics, of_rig, record
from aegis.ros.bag import BagError, BagReader, serialize, typestore, write_bag
from aegis.ros.proofs import Regular
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.split_bag import SplitBag, Splitting
from aegis.ros.topics import TOPICS, topic_called

CLOUD = "sensor_msgs/msg/PointCloud2"
EVERY_SECOND = Splitting(max_ns=10**9)


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """Six seconds of a simulated radar: twelve scans, and the receiver's noise."""
    path = tmp_path_factory.mktemp("bag") / "in"
    simulate_bag("crossing", path, duration_s=6.0)
    return path


def messages(path, topic):
    reader = BagReader(path, topic, topic_called(topic).type)
    try:
        return list(reader.messages())
    finally:
        reader.close()


class InThread(threading.Thread):
    """Plays or records meanwhile."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self._work = work
        self.result = None
        self.start()

    def run(self):
        self.result = self._work()

    def done(self):
        self.join(60)
        assert not self.is_alive()
        return self.result


def test_what_is_played_is_recorded_to_the_last_byte(ros_domain, bag, tmp_path):
    topics = playable(bag, ())
    assert set(topics) == {"radar/points", "radar/noise"}
    sent = {name: messages(bag, name) for name in topics}
    total = sum(map(len, sent.values()))
    recorder = InThread(
        lambda: record(tmp_path / "out", list(topics), until=lambda done: done.written.total() == total)
    )
    played = play(bag, topics, pace=Pace(4.0))
    done = recorder.done()
    assert played.sent == done.written == Counter({name: len(sent[name]) for name in topics})
    assert (played.damage, done.lost.total()) == ("", 0)
    for name in topics:
        received = messages(tmp_path / "out", name)
        assert [data for _, data in received] == [data for _, data in sent[name]]
        stamps = [time_ns for time_ns, _ in received]
        assert stamps == sorted(stamps)
    took_s = (
        messages(tmp_path / "out", "radar/points")[-1][0] - messages(tmp_path / "out", "radar/points")[0][0]
    ) / 1e9
    recorded_s = (sent["radar/points"][-1][0] - sent["radar/points"][0][0]) / 1e9
    assert took_s > 0.9 * recorded_s / 4.0  # never faster than was asked for; how much slower is the machine's


def test_a_recording_ends_where_the_graph_never_pauses(ros_domain, bag, tmp_path, wait_for):
    """And has all that was received until then: a message follows the one before within less than it drains for."""
    (_, data), *_ = messages(bag, "radar/points")
    over, sent_at_end = threading.Event(), []
    with Listener() as sender:
        topic = topic_called("radar/points")
        publisher = sender.node.create_publisher(message_class(topic.type), topic.name, qos_profile(topic))
        sent = 0

        def publish():
            nonlocal sent
            while not over.wait(0.004):
                publisher.publish(data)
                sent += 1

        def until(done):
            if done.written.total() > 200:
                sent_at_end.append(sent)
            return bool(sent_at_end)

        recorder = InThread(lambda: record(tmp_path / "out", ["radar/points", "radar/noise"], until=until))
        wait_for(lambda: publisher.get_subscription_count() > 0, "it listens")
        feeder = threading.Thread(target=publish)
        feeder.start()
        try:
            done = recorder.done()
            assert sent > sent_at_end[0]  # it ended while they went on coming
        finally:
            over.set()
            feeder.join()
    assert not done.cut
    assert 200 < done.written["radar/points"] <= sent
    assert len(messages(tmp_path / "out", "radar/points")) == done.written["radar/points"]


def test_an_interrupted_recording_is_whole(ros_domain, bag, tmp_path, wait_for):
    command = [sys.executable, "-m", "aegis", "record", "-o", str(tmp_path / "out"), "--topic", "radar/*"]
    process = subprocess.Popen(command, env=ros_domain, stdout=subprocess.PIPE, text=True)
    try:
        with Listener() as listener:
            wait_for(lambda: listener.node.count_subscribers("radar/points") > 0, "it listens")
        player = InThread(lambda: play(bag, playable(bag, ["radar/points"]), pace=Pace(20.0)))
        assert player.done().sent["radar/points"] == 12
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out.strip()) == (0, "radar/points: 12")
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith((".", "out"))] == ["out"]
    for (_, got), (_, sent) in zip(
        messages(tmp_path / "out", "radar/points"), messages(bag, "radar/points"), strict=True
    ):
        assert got.rstrip(b"\0") == sent.rstrip(b"\0")
        assert len(got) == -(-len(sent) // 4) * 4  # on the wire RTPS pads to four bytes


def test_the_clock_is_that_of_the_recording(ros_domain, bag, wait_for, monkeypatch):
    from rosgraph_msgs.msg import Clock

    monkeypatch.setattr(player, "NOBODY_S", 2.0)
    heard: list[int] = []
    with Listener() as listener:
        listener.node.create_subscription(
            Clock, "/clock", lambda m: heard.append(m.clock.sec * 10**9 + m.clock.nanosec), 100
        )
        play(bag, playable(bag, ["radar/points"]), pace=Pace(10.0), clock=True)
        times = [time_ns for time_ns, _ in messages(bag, "radar/points")]
        wait_for(lambda: heard and heard[-1] == times[-1], "the time of the last message")
    assert heard == sorted(heard)
    assert len(heard) > len(times)  # it goes on between the messages too


def test_nothing_is_played_beside_a_live_radar_unless_told(ros_domain, bag, monkeypatch):
    monkeypatch.setattr(player, "NOBODY_S", 2.0)
    with Listener() as other:
        from sensor_msgs.msg import PointCloud2

        other.node.create_publisher(PointCloud2, "radar/points", 5)
        with pytest.raises(BagError, match=r"publishes radar/points already.*--external-radar.*--beside-live"):
            play(bag, playable(bag, ()))
        played = play(bag, playable(bag, ()), pace=Pace(100.0), beside_live=True)
    assert played.sent["radar/points"] == 12
    assert set(played.unheard) == {"radar/points", "radar/noise"}


def test_who_is_found_to_publish_the_same_a_little_later_ends_the_playing(ros_domain, bag, wait_for):
    with Listener("radar/points") as other:
        errors = []

        def work():
            with pytest.raises(
                BagError, match=r"publishes radar/points already \(\d+ messages were played before"
            ) as found:
                play(bag, playable(bag, ["radar/points"]), pace=Pace(loop=True))
            errors.append(found.value)

        player = InThread(work)
        wait_for(lambda: other.messages["radar/points"], "it plays")
        topic = topic_called("radar/points")
        other.node.create_publisher(message_class(topic.type), topic.name, 5)
        player.done()
    assert errors


def test_tracks_are_played_as_those_of_this_graph_of_now_and_nothing_else_is(ros_domain, bag, tmp_path, monkeypatch):
    """With a proof each, so that a graph with a tracker of its own takes them, too; events keep what they had: none."""
    monkeypatch.setattr(player, "FOUND_S", 0.5)
    process_bag(bag, tmp_path / "out")
    recorded = {name: messages(tmp_path / "out", name) for name in ("tracks", "events")}
    with Listener("tracks", "events") as listener:
        play(tmp_path / "out", playable(tmp_path / "out", ["tracks", "events"]), pace=Pace(20.0), listeners=1)
        tracks, events = listener.messages["tracks"], listener.messages["events"]
    assert (len(tracks), len(events)) == tuple(map(len, recorded.values()))
    regular = Regular(ProofChecker(decision_key()), "tracks")
    for message, (_, data) in zip(tracks, recorded["tracks"], strict=True):
        regular.is_first(message, "tracks", "/tracks", [""])
        message.proof = ""
        assert message == deserialize_message(data, message_class(TOPICS["tracks"].type))
    assert {message.proof for message in events} == {""}


def test_tracks_of_another_definition_are_refused_with_what_can_be_played(ros_domain, bag, tmp_path, monkeypatch):
    monkeypatch.setattr(player, "NOBODY_S", 0.5)
    with write_bag(tmp_path / "old", ["tracks"]) as writer:  # as before there was a field more at the end
        writer.write(
            "tracks", 1, serialize(message_class(TOPICS["tracks"].type)(), TOPICS["tracks"].type, typestore())[:-8]
        )
    with pytest.raises(
        BagError, match=r"tracks was recorded with another version of aegis_msgs .* play what sensors send"
    ):
        play(tmp_path / "old", playable(tmp_path / "old", ["tracks"]))


@pytest.fixture
def typed():
    """Return the keys that a program reads, and a function that types some."""
    read, write = os.pipe()
    yield Keys(read), lambda text: os.write(write, text.encode())
    os.close(read)
    os.close(write)


def test_a_person_holds_steps_goes_on_and_ends_and_another_name_is_heard(ros_domain, bag, typed, wait_for):
    from sensor_msgs.msg import PointCloud2

    keys, types = typed
    topics = playable(bag, (), {"radar/points": "other/points"})
    assert list(topics) == ["other/points"]
    heard: list[int] = []
    with Listener() as listener:
        listener.node.create_subscription(
            PointCloud2,
            "other/points",
            lambda m: heard.append(m.header.stamp.sec * 10**9 + m.header.stamp.nanosec),
            100,
        )
        playing = InThread(lambda: play(bag, topics, pace=Pace(10.0, start_s=3.0, loop=True, paused=True), keys=keys))
        times = [time_ns for time_ns, _ in messages(bag, "radar/points")]
        for k in (1, 2):
            types("x.")  # what is no key is left alone
            wait_for(lambda k=k: len(heard) == k, f"{k} of the messages")
        types(" ")
        wait_for(lambda: len(heard) >= 8, "the rest, and from 3 s on again")
        types("q")
        done = playing.done()
    assert heard[:8] == [*times[6:], *times[6:8]]
    assert done.sent["other/points"] == len(heard)


def test_fewer_listeners_than_are_asked_for_are_said(ros_domain, bag, monkeypatch):
    monkeypatch.setattr(player, "NOBODY_S", 2.0)
    with (
        Listener("radar/points") as listener,
        pytest.raises(BagError, match=r"2 listeners are asked for; radar/points has 1, radar/noise has 0$"),
    ):
        play(bag, playable(bag, ()), listeners=2)
    assert not listener.messages["radar/points"]


def test_a_start_behind_the_end_and_a_remap_of_nothing_are_refused(ros_domain, bag, monkeypatch):
    monkeypatch.setattr(player, "NOBODY_S", 0.1)
    with pytest.raises(BagError, match="ends before 60 s"):
        play(bag, playable(bag, ()), pace=Pace(start_s=60.0))
    with pytest.raises(BagError, match=r"no topic 'radar/pints' to be played as x; it holds .*radar/points"):
        playable(bag, (), {"radar/pints": "x"})
    with pytest.raises(BagError, match=r"/truth is aegis_msgs/msg/TruthArray; radar/points is sensor_msgs/msg/Poi"):
        playable(bag, (), {"truth": "radar/points"})


SHOWN = ("tracks", "threats", "alarms")
RULE = ("threat.rules.any.when=anywhere", "threat.rules.any.raise_s=0.0")


def run_graph(environ, state, source, out, typed, wait_for) -> dict[str, list[bytes]]:
    """Play a bag scan by scan into a new graph, and record; return what the graph showed, by its values to the last bit."""
    keys, types = typed
    sets = [word for rule in RULE for word in ("--set", rule)]
    command = [sys.executable, "-m", "aegis.graph.node", "detection", "tracking", "threat", *sets]
    scans = len(messages(source, "radar/points"))
    process = subprocess.Popen(command, env={**environ, "AEGIS_STATE_DIR": str(state)})
    try:
        with Listener("threats") as listener:
            came: list[Recorded] = []

            def is_all(done: Recorded) -> bool:
                came[:] = [done]
                return done.written["threats"] == scans

            topics = ["radar/points", "status", *SHOWN]
            recorder = InThread(lambda: record(out, topics, until=is_all, splitting=EVERY_SECOND))
            # What they tell of themselves comes once a second, and nothing else before the first scan.
            wait_for(lambda: bool(came) and came[0].written["status"] >= 6, "the recorder hears the three stages")
            wait_for(lambda: listener.publishers("threats") == 1, "so does this test")
            playing = InThread(
                lambda: play(
                    source, playable(source, ["radar/points"]), pace=Pace(paused=True), listeners=2, keys=keys
                )  # the graph and the recorder
            )
            for k in range(scans):
                types(".")
                wait_for(lambda k=k: len(listener.messages["threats"]) > k, f"the threats of scan {k}")
            assert playing.done().sent["radar/points"] == scans
            assert recorder.done().lost.total() == 0
    finally:
        process.terminate()
        process.wait(15)
    store, shown = typestore(), {}
    for name in SHOWN:
        found = [deserialize_message(data, message_class(TOPICS[name].type)) for _, data in messages(out, name)]
        for m in found:
            if hasattr(m, "proof"):
                m.proof = ""  # has the wall clock and each graph's own key in it
        # At the start the threat stage says, at the time of the clock, that there is no alarm.
        shown[name] = [serialize(m, TOPICS[name].type, store) for m in found if name != "alarms" or m.id]
    return shown


def test_what_is_recorded_and_played_again_gives_the_same_to_the_last_bit(ros_domain, tmp_path, typed, wait_for):
    simulate_bag("crossing", tmp_path / "in", duration_s=12.0)
    first = run_graph(ros_domain, tmp_path / "one", tmp_path / "in", tmp_path / "first", typed, wait_for)
    again = run_graph(ros_domain, tmp_path / "two", tmp_path / "first", tmp_path / "again", typed, wait_for)
    assert len(list((tmp_path / "first").glob("*.mcap"))) > 1
    assert [len(first[name]) for name in ("tracks", "threats")] == [24, 24]
    assert first["alarms"]
    for name in SHOWN:
        assert first[name] == again[name], name


def test_a_damaged_bag_is_played_up_to_the_damage(ros_domain, tmp_path):
    """As a recorder leaves it whose machine lost its power: without its end, and the last chunk of about 1 MB in pieces."""
    simulate_bag("crossing", tmp_path / "in", duration_s=15.0, sets=("simulator.points.false_alarms_per_scan=3000",))
    (source,) = (tmp_path / "in").glob("*.mcap")
    whole = source.read_bytes()
    scans = [data for _, data in messages(tmp_path / "in", "radar/points")]
    broken = tmp_path / "broken.mcap"
    broken.write_bytes(whole[: whole.index(scans[-1]) + 20])
    command = [sys.executable, "-m", "aegis", "play", str(broken), "--rate", "100", "--topic", "radar/points"]
    with Listener("radar/points"):
        done = subprocess.run(command, env=ros_domain, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "it was cut off" in done.stderr) == (1, True)
    kept = int(done.stdout.removeprefix("radar/points: "))
    # No more than what lies before the cut, and all but the last chunk of it.
    assert sum(map(len, scans[kept:])) < 1.5e6
    assert 0 < kept < len(scans)
    with pytest.raises(BagError, match="it was cut off"):  # nothing else takes half a recording for a whole one
        BagReader(broken, "radar/points", CLOUD)


def test_topics_are_chosen_by_pattern():
    assert {"radar/points", "radar/cube"} <= set(chosen_topics(["radar/*"]))
    assert chosen_topics(["/tracks"]) == ["tracks"]
    with pytest.raises(BagError, match=r"no topic matches 'trakcs'; there are .*tracks"):
        chosen_topics(["trakcs"])


def test_a_bag_without_anything_to_play_says_what_it_has(bag, tmp_path):
    with pytest.raises(BagError, match=r"no topic to be played; it holds .*radar/points"):
        playable(bag, ["tracks"])


def test_a_bag_of_another_drivers_topic_says_how_it_is_played(tmp_path):
    with Writer(tmp_path / "theirs", version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        theirs = writer.add_connection("/sensing/front/points", CLOUD, typestore=typestore())
        writer.write(theirs, 1, bytes(8))
    with pytest.raises(BagError, match="--remap /sensing/front/points:=radar/points plays it"):
        playable(tmp_path / "theirs", [])
    assert list(playable(tmp_path / "theirs", [], {"/sensing/front/points": "radar/points"})) == ["radar/points"]


def test_latched_topics_of_before_are_recorded(ros_domain, tmp_path):
    """Whoever begins to record late still has the alarms, the classes' basis, and the last events."""
    from aegis.ros.messages.alarms import alarms_to_msg
    from aegis.ros.qos import message_class, qos_profile

    topic = TOPICS["alarms"]
    sent = alarms_to_msg([], stamp_ns=time.time_ns())
    with Listener() as other:
        other.node.create_publisher(message_class(topic.type), topic.name, qos_profile(topic)).publish(sent)
        done = record(tmp_path / "out", ["alarms"], until=lambda done: done.written.total() == 1)
    assert done.lines() == ["alarms: 1"]
    ((_, data),) = messages(tmp_path / "out", "alarms")
    assert deserialize_message(data, type(sent)) == sent


def test_an_existing_bag_is_not_written_over(tmp_path):
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-m", "aegis", "record", "-o", str(tmp_path / "out"), "--seconds", "1"]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "exists already" in done.stderr) == (2, True)


def test_a_rig_is_recorded_played_and_cut_with_all_its_radars(ros_domain, bag, tmp_path):
    both = ["front/radar/points", "left/radar/points"]
    assert of_rig(["radar/points", "radar/noise", "tracks"], ["front", "left"]) == [*both, "radar/noise", "tracks"]
    sent = messages(bag, "radar/points")
    rig = SplitBag(tmp_path / "rig", both, Splitting())
    for k, (time_ns, data) in enumerate(sent):
        rig.write(both[k % 2], time_ns, data)
    rig.close()
    topics = playable(tmp_path / "rig", ())
    assert list(topics) == both
    recorder = InThread(lambda: record(tmp_path / "out", both, until=lambda done: done.written.total() == len(sent)))
    play(tmp_path / "rig", topics, pace=Pace(20.0))
    recorder.done()
    cut_bag(tmp_path / "out", tmp_path / "cut", 0, time.time_ns())
    for path in (tmp_path / "out", tmp_path / "cut"):
        for k, name in enumerate(both):
            got = [data.rstrip(b"\0") for _, data in messages(path, name)]
            assert got == [data.rstrip(b"\0") for _, data in sent[k::2]]


def test_a_message_has_the_time_at_which_it_came_however_long_it_waited_here():
    class Bag:
        def write(self, *given: object) -> None:
            self.given = given

    bag = Bag()
    done = Recorded()
    _Recorder(bag, done).write("tracks", b"it", {"received_timestamp": 1_700_000_000_000_000_000})
    assert bag.given == ("tracks", 1_700_000_000_000_000_000, b"it")
    begin_ns = time.time_ns()  # of an rmw that does not tell
    _Recorder(bag, done).write("tracks", b"it", {"received_timestamp": 0})
    assert begin_ns <= bag.given[1] <= time.time_ns()
    assert done.written["tracks"] == 2
