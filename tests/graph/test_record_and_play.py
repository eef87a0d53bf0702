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

from aegis.graph import play as player
from aegis.graph.offline import simulate_bag
from aegis.graph.play import play, playable
from aegis.graph.record import chosen_topics, record
from aegis.ros.bag import BagError, BagReader
from aegis.ros.topics import TOPICS

CLOUD = "sensor_msgs/msg/PointCloud2"


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """Six seconds of a simulated radar: twelve scans, and the receiver's noise."""
    path = tmp_path_factory.mktemp("bag") / "in"
    simulate_bag("crossing", path, duration_s=6.0)
    return path


def messages(path, topic):
    reader = BagReader(path, topic, TOPICS[topic].type)
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
    played = play(bag, topics, rate=4.0)
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


def test_an_interrupted_recording_is_whole(ros_domain, bag, tmp_path, wait_for):
    command = [sys.executable, "-m", "aegis", "record", "-o", str(tmp_path / "out"), "--topic", "radar/*"]
    process = subprocess.Popen(command, env=ros_domain, stdout=subprocess.PIPE, text=True)
    try:
        with Listener() as listener:
            wait_for(lambda: listener.node.count_subscribers("radar/points") > 0, "it listens")
        player = InThread(lambda: play(bag, {"radar/points": "/radar/points"}, rate=20.0))
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
        play(bag, playable(bag, ["radar/points"]), rate=10.0, clock=True)
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
        played = play(bag, playable(bag, ()), rate=100.0, beside_live=True)
    assert played.sent["radar/points"] == 12
    assert set(played.unheard) == {"radar/points", "radar/noise"}


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
