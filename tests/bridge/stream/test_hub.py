# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Who gets which message, how it is numbered, and what is dropped: with listeners that keep what they are given."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.stream import hub as hub_module
from aegis.bridge.stream.client import Client
from aegis.bridge.stream.hub import Hub, wire_bytes
from aegis.bridge.stream.settings import StreamSettings
from aegis.bridge.stream.subscription import ALL, Filter, Format, Subscription
from aegis.bridge.stream.ws_protocol import Opcode, data_frame

SCOPES = frozenset({"radar:read", "threats:read"})


def principal(name: str, session: str) -> Principal:
    return Principal(name, "viewer", SCOPES, 1e12, session)


class Listener(Client):
    """Takes every frame at once."""

    def __init__(self, queue_length: int = 4, **wanted: object) -> None:
        super().__init__(principal("somebody", "s0"), Subscription(format=Format.SSE, **wanted), queue_length)
        self.was_cut = False
        self.stalled = 0.0

    def messages(self) -> list[dict]:
        """Return and forget what has come."""
        frames = iter(self.next_frame, None)
        return [json.loads(frame.decode().partition("data: ")[2]) for frame in frames]

    def stalled_s(self, now: float) -> float:
        return self.stalled

    def cut(self) -> None:
        self.was_cut = True


@pytest.fixture
def hub() -> Hub:
    return Hub(StreamSettings.load({}))


def test_a_message_goes_to_those_who_subscribe_to_its_channel(hub):
    one, other = Listener(channels=frozenset({"threats"})), Listener(channels=frozenset({"heartbeat", "threats"}))
    for client in (one, other):
        hub.add(client)
    hub.publish("threats", lambda _: {"a": 1})
    hub.publish("heartbeat", lambda _: {"a": 2})
    assert one.messages() == [{"type": "threats", "frame": 1, "a": 1}]
    assert other.messages() == [{"type": "threats", "frame": 1, "a": 1}, {"type": "heartbeat", "frame": 1, "a": 2}]
    hub.remove(one)
    hub.publish("threats", lambda _: {"a": 3})
    assert one.messages() == []
    assert other.messages() == [{"type": "threats", "frame": 2, "a": 3}]
    assert len(hub) == 1


def test_a_body_is_made_once_for_each_filter_and_never_for_nobody(hub):
    made: list[Filter] = []

    def body(wanted: Filter) -> dict:
        made.append(wanted)
        return {}

    hub.publish("threats", body)
    assert made == []
    birds = Filter(classes=frozenset({2}))
    for wanted in (ALL, ALL, birds, birds):
        for rate_hz in (0.0, 50.0):
            hub.add(Listener(filter=wanted, rate_hz=rate_hz))
    hub.publish("threats", body)
    assert sorted(made, key=str) == sorted([ALL, birds], key=str)


def test_a_full_queue_drops_the_oldest_and_counts_it(hub):
    slow, quick = Listener(queue_length=2), Listener(queue_length=10)
    hub.add(slow)
    hub.add(quick)
    for i in range(5):
        hub.publish("threats", lambda _, i=i: {"i": i})
    assert [message["frame"] for message in slow.messages()] == [4, 5]
    assert [message["frame"] for message in quick.messages()] == [1, 2, 3, 4, 5]
    assert (slow.dropped, quick.dropped, hub.dropped) == (3, 0, 3)


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=60), st.sampled_from([1.0, 2.5, 7.0]))
def test_a_rate_is_kept_and_its_frames_are_numbered_without_gaps(pauses, rate_hz):
    clock = [100.0]
    hub = Hub(StreamSettings.load({}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub_module.time, "monotonic", lambda: clock[0])
        client = Listener(queue_length=100, rate_hz=rate_hz)
        hub.add(client)
        for pause in pauses:
            clock[0] += pause
            hub.publish("threats", lambda _: {"at": clock[0]})
    got = client.messages()
    assert [message["frame"] for message in got] == list(range(1, len(got) + 1))
    times = [message["at"] for message in got]
    assert (
        len(times) <= 1 + (times[-1] - times[0]) * rate_hz + 1e-6 + 1
    )  # one may come early, to make up for a late one
    # Nothing is left out that was due: between two messages, the last one skipped was too early for the grid.
    if all(pause >= 1 / rate_hz for pause in pauses):
        assert len(got) == len(pauses)


def test_messages_at_10_hz_give_4_a_second_where_4_are_asked_for(hub, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(hub_module.time, "monotonic", lambda: clock[0])
    client = Listener(queue_length=1000, rate_hz=4.0)
    hub.add(client)
    for k in range(100):
        clock[0] = k * 0.1
        hub.publish("threats", lambda _: {})
    assert len(client.messages()) == 40


def test_whoever_comes_later_gets_what_is_kept_under_its_present_number(hub):
    hub.publish("threats", lambda _: {"age": "old"}, keep=True)
    hub.publish("threats", lambda _: {"age": "new"}, keep=True)
    hub.publish("heartbeat", lambda _: {})
    late = Listener()
    hub.add(late)
    assert late.messages() == []
    hub.greet(late)
    assert late.messages() == [{"type": "threats", "frame": 2, "age": "new"}]


def test_another_subscription_takes_the_place_of_the_first(hub):
    client = Listener()
    hub.add(client)
    hub.publish("threats", lambda _: {})
    hub.change(client, Subscription(frozenset({"heartbeat"}), format=Format.SSE))
    hub.publish("threats", lambda _: {})
    hub.publish("heartbeat", lambda _: {})
    assert [message["type"] for message in client.messages()] == ["heartbeat"]
    assert client.dropped == 0  # what waited belonged to the old one


def test_who_stalls_or_is_revoked_is_cut(hub):
    good, stalled, revoked = Listener(), Listener(), Listener()
    revoked.principal = principal("eve", "s1")
    for client in (good, stalled, revoked):
        hub.add(client)
    stalled.stalled = 1e3
    hub.evict_stalled()
    hub.close_sessions({"s1", "s2"})
    assert (good.was_cut, stalled.was_cut, revoked.was_cut) == (False, True, True)
    assert (len(hub), hub.evicted) == (1, 1)


@given(st.binary(max_size=70000), st.sampled_from(Opcode))
def test_a_frame_is_what_the_reference_library_makes(payload, opcode):
    from websockets.frames import Frame
    from websockets.frames import Opcode as TheirOpcode

    assert data_frame(opcode, payload) == Frame(TheirOpcode(int(opcode)), payload).serialize(mask=False)


def test_a_server_sent_event_is_one_line_of_data():
    event = wire_bytes({"type": "threats", "frame": 7, "text": "a\nb\r\n\ndata: c"}, Format.SSE)
    lines = event.decode().split("\n")
    assert lines[:2] == ["event: threats", "id: 7"]
    assert lines[3:] == ["", ""]
    assert json.loads(lines[2].removeprefix("data: "))["text"] == "a\nb\r\n\ndata: c"
