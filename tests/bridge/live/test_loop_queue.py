# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From the ROS thread to the loop: order, bounds, counts; and scans put together again."""

import asyncio
import itertools
import threading

import pytest
from bridge_data import some_detections, some_tracks
from hypothesis import given
from hypothesis import strategies as st

from aegis.bridge.live.encoded import EncodedRows
from aegis.bridge.live.frames import Frame
from aegis.bridge.live.join import ScanJoin
from aegis.bridge.live.loop_queue import LoopQueue
from aegis.core.types import Detections, Tracks


class A(int):
    """One kind of items."""


class B(int):
    """Another one."""


def test_order_of_arrival_is_kept_and_the_oldest_of_a_kind_is_dropped():
    async def main():
        got, at_once = [], []
        queue = LoopQueue(asyncio.get_running_loop(), length=3)
        queue.on(A, lambda i: got.append(("a", i)), in_thread=[at_once.append])
        queue.on(B, lambda i: got.append(("b", i)))

        def other_thread():  # the loop is held up meanwhile: nothing is delivered
            for i in range(10):
                queue.put(A, A(i))
                if i % 4 == 0:
                    queue.put(B, B(i))

        thread = threading.Thread(target=other_thread)
        thread.start()
        thread.join()
        assert at_once == list(range(10))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return got, queue

    got, queue = asyncio.run(main())
    assert got == [("b", 0), ("b", 4), ("a", 7), ("a", 8), ("b", 8), ("a", 9)]
    assert dict(queue.dropped) == {A: 7}


def test_an_item_that_cannot_be_delivered_is_counted_and_the_rest_arrives(caplog):
    async def main():
        got = []

        def deliver(item):
            if item == 1:
                raise ValueError("bad item")
            got.append(item)

        queue = LoopQueue(asyncio.get_running_loop(), length=10)
        queue.on(A, deliver)
        for i in range(3):
            queue.put(A, A(i))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return got, queue.errors

    assert asyncio.run(main()) == ([0, 2], 1)
    assert "bad item" in caplog.text


def test_each_kind_goes_to_its_own_takers_in_their_order():
    async def main():
        got = []
        queue = LoopQueue(asyncio.get_running_loop(), length=10)
        queue.on(Frame[Tracks], lambda f: got.append((1, f)), lambda f: got.append((2, f)))
        queue.on(Frame[Detections], lambda f: got.append((3, f)))
        queue.put(Frame[Detections], "d")
        queue.put(Frame[Tracks], "t")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return got

    assert asyncio.run(main()) == [(3, "d"), (1, "t"), (2, "t")]


def frame(make, sequence):
    return Frame(make(sequence, 0), 0.0, 0.0, lambda _: EncodedRows(list))


def feed(join, arrivals):
    """Feed (kind, sequence) pairs; return the (detections, tracks) sequences of the frames that come out."""
    out = []
    for kind, sequence in arrivals:
        if kind == "d":
            frames = join.take_detections(frame(some_detections, sequence))
        else:
            frames = join.take_tracks(frame(some_tracks, sequence))
        out += [tuple(part and part.data.sequence for part in (f.detections, f.tracks)) for f in frames]
    return out


@pytest.mark.parametrize(
    ("arrivals", "frames"),
    [
        ("d1 t1 d2 t2", [(1, 1), (2, 2)]),
        ("d1 d2 d3", [(1, None), (2, None)]),  # tracking is dead: a scan later, the detections alone
        ("t1 t2", [(None, 1), (None, 2)]),  # detections are lost
        ("d1 d2 t2", [(1, None), (2, 2)]),
        ("d1 t2 d2 d3 t3", [(1, None), (None, 2), (2, None), (3, 3)]),  # out of order between topics
        ("d5 t5 d1 t1", [(5, 5), (1, 1)]),  # the radar began anew
    ],
)
def test_scans_are_paired(arrivals, frames):
    assert feed(ScanJoin(), [(word[0], int(word[1:])) for word in arrivals.split()]) == frames


@given(st.lists(st.sampled_from("dt"), max_size=30))
def test_nothing_is_shown_twice_and_no_tracks_are_lost(kinds):
    numbers = {"d": itertools.count(1), "t": itertools.count(1)}
    arrivals = [(kind, next(numbers[kind])) for kind in kinds]
    frames = feed(ScanJoin(), arrivals)
    assert [t for _, t in frames if t is not None] == [n for kind, n in arrivals if kind == "t"]
    detections = [d for d, _ in frames if d is not None]
    assert detections == [n for kind, n in arrivals if kind == "d"][: len(detections)]
    assert len(detections) >= kinds.count("d") - 1  # only the newest may still wait
