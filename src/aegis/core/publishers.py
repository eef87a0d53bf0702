# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tells the messages of several publishers of one topic apart, by the numbers that DDS gives them, and takes those of one."""

from __future__ import annotations

from dataclasses import dataclass

MOST_LOST = 10_000  # a number that is farther from the last is of another publisher, or of one that began anew
# A publisher that has ended, as a process that was killed has, may be followed by another. So long nothing came from it:
ENDED_S = 1.0
ENDED_PERIODS = 1.5
LONGEST_PERIOD_S = 10.0
MOST_STREAMS, MOST_SOURCES = 4, 256
TOLD_AGAIN_S = 60.0


@dataclass
class _Stream:
    number: int
    at_s: float
    first_s: float
    period_s: float = 0.0

    def has_ended(self, now_s: float) -> bool:
        return now_s - self.at_s > max(ENDED_S, ENDED_PERIODS * min(self.period_s, LONGEST_PERIOD_S))


class OnePublisher:
    """Of each source, a topic with whose data it is, one stream of numbers is taken, and another only when that has ended.

    Two streams whose numbers are close when they are first heard may be taken for each other; they are not mixed for longer than
    one message.
    """

    def __init__(self) -> None:
        self._streams: dict[tuple[str, str], list[_Stream]] = {}  # that which is taken first
        self._told_s: dict[tuple[str, str], float] = {}
        self.lost = 0  # messages that were published, and did not come, before one that did

    def takes(self, topic: str, owner: str, number: int | None, now_s: float) -> bool:
        """Return whether a message is to be taken; `number` is its publisher's, None or 0 where the middleware tells none."""
        source = (topic, owner)
        if not number or (source not in self._streams and len(self._streams) >= MOST_SOURCES):
            return True
        streams = self._streams.setdefault(source, [])
        stream, lost = _stream_of(streams, number), 0
        if stream is None:
            stream = _Stream(number, now_s, now_s)
            del streams[MOST_STREAMS - 1 :]
            streams.append(stream)
        else:
            lost = number - stream.number - 1
            stream.period_s = now_s - stream.at_s
            stream.number, stream.at_s = number, now_s
        if stream is streams[0]:
            self.lost += lost
            return True
        if streams[0].has_ended(now_s):
            self._streams[source] = [stream]
            return True
        return False

    def forget(self, topic: str, owner: str) -> None:
        """Forget who was taken so far: whoever comes next is."""
        self._streams.pop((topic, owner), None)

    def are_several(self, topic: str, owner: str) -> bool:
        """Return whether the one that is taken has gone on since another was first heard: else it may have ended just before."""
        streams = self._streams.get((topic, owner), [])
        return any(streams[0].at_s > other.first_s for other in streams[1:])

    def is_news(self, topic: str, owner: str, now_s: float) -> bool:
        """Return whether it is to be told that a message was not taken: at first, and after a minute without one."""
        last_s = self._told_s.get((topic, owner), -TOLD_AGAIN_S)
        self._told_s[topic, owner] = now_s
        return now_s - last_s >= TOLD_AGAIN_S


def _stream_of(streams: list[_Stream], number: int) -> _Stream | None:
    """Return the stream that a number continues: exactly, or else with the fewest lost between."""
    before = [stream for stream in streams if 0 < number - stream.number <= MOST_LOST]
    return max(before, key=lambda stream: stream.number, default=None)
