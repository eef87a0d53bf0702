# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A part of a bag, as a bag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from aegis.ros.bag import BagError, GraphBag
from aegis.ros.split_bag import DiskFullError, SplitBag, Splitting
from aegis.ros.topics import TOPICS, topic_called


class _TooLargeError(Exception):
    """There is more than may be."""


@dataclass
class Cut:
    """What is in it."""

    written: Counter[str] = field(default_factory=Counter)  # messages by topic
    left_out: Sequence[str] = ()  # topics that are none of the graph's table
    damage: str = ""  # where the bag ends before the end that was asked for


class NothingThenError(BagError):
    """The bag can be read, and has nothing of that time."""


def too_large(what: str, max_bytes: int) -> BagError:
    """Make the error: an incident has too much in it."""
    return BagError(f"{what} more than {max_bytes / 1e6:g} MB; take a shorter time, or allow more")


def cut_bag(bag_path: Path, out: Path, from_ns: int, to_ns: int, max_bytes: int | None = None) -> Cut:
    """Write the messages recorded from one time to another, bytes and times as they are.

    The part begins with what latched topics had told last before it, at its begin: what is protected, the classes, the alarms.

    Raises:
        NothingThenError: the bag has nothing of that time.
        BagError: it cannot be read, or has more than `max_bytes` of messages then.
    """
    with closing(GraphBag(bag_path, whole=False)) as bag:
        names = [
            each for name, topic in TOPICS.items() for each in bag.each(name)
            if not topic.optional or find_spec(topic.type.split("/")[0])
        ]  # fmt: skip
        taken = [bag.take(name) for name in names]
        cut = Cut(left_out=[f"{t.name} [{t.type}]" for t in bag.topics if t.name not in taken])
        first_ns = last_ns = 0
        before: dict[str, bytes] = {}
        writer: SplitBag | None = None
        size = 0
        try:
            for time_ns, name, data in bag.messages():
                first_ns, last_ns = first_ns or time_ns, time_ns
                if time_ns > to_ns:
                    break
                if time_ns < from_ns:
                    if topic_called(name).latched and name != "events":
                        before[name] = data
                    continue
                if writer is None:
                    writer = SplitBag(out, names, Splitting())
                    for latched, told in before.items():
                        writer.write(latched, from_ns, told)
                size += len(data)
                if max_bytes is not None and size > max_bytes:
                    raise _TooLargeError
                writer.write(name, time_ns, data)
            else:
                cut.damage = bag.damage
        except _TooLargeError:
            raise too_large("the recording's messages of that time are", max_bytes or 0) from None
        except BagError as error:
            cut.damage = str(error)
        except DiskFullError as error:
            raise BagError(f"{out} cannot be written: {error}") from error
        finally:
            if writer is not None:
                cut.written = writer.close()
    if writer is None:
        from aegis.graph.evaluation.drawing import utc

        span = f"it lasts from {utc(first_ns)} to {utc(last_ns)}" if first_ns else "it holds nothing of a graph"
        raise NothingThenError(
            f"{bag_path} has nothing from {utc(from_ns)} to {utc(to_ns)}; {span}"
            + (f"; {cut.damage}" * bool(cut.damage))
        )
    return cut
