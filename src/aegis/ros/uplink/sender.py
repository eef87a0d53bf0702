# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A site's end: recorded messages to the disk and out at once, pictures as the line allows, pages of the record between."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aegis.core.uplink.bucket import TokenBucket
from aegis.core.uplink.settings import RECORDED, UplinkSettings
from aegis.ros.uplink.record import Record
from aegis.ros.uplink.wire import PAGE_BYTES, Message, SiteState, live_key, packed, page_of, record_key, state_key

if TYPE_CHECKING:
    import zenoh

    from aegis.ros.uplink.line import Line

_log = logging.getLogger(__name__)

STATE_PERIOD_S = 1.0
MOST_WAITING = 10_000  # recorded messages that are not on the disk yet
MOST_QUESTIONS = 64
MOST_REMEMBERED = 4000  # more than what all nodes' latched events and alarms are
_JOIN_S = 10.0
_BITS_PER_KBIT, _BITS_PER_BYTE = 1000.0, 8.0
_MOST_DIGITS = 18  # of a number in a question: what SQLite's integers hold


@dataclass
class Sent:
    """What was done with what was offered, since the start."""

    messages: int = 0
    bytes: int = 0  # as packed
    pages: int = 0
    replaced: Counter[str] = field(default_factory=Counter)  # pictures that a newer one took the place of
    repeated: int = 0  # recorded already: what is latched comes again to an uplink that was started anew
    left_to_record: int = 0  # recorded messages over the bound, that are to be asked for
    not_recorded: int = 0  # dropped: the disk was too slow
    questions_refused: int = 0


class Sender:
    """Sends what it is offered. `offer` is safe to use from any thread; the rest is done in one of its own."""

    def __init__(self, settings: UplinkSettings, line: Line, record: Path | None) -> None:
        """Prepare.

        Args:
            settings: of the site; with a name.
            line: to the others; started after this.
            record: file of the record; None keeps it in memory.
        """
        self._settings, self._line, self._path = settings, line, record
        self._run = secrets.randbits(62) + 1
        self._pictures: dict[str, bytes] = {}  # in the order in which they wait
        self._sequence: Counter[str] = Counter()  # of pictures
        self._fresh: list[tuple[str, bytes]] = []
        self._questions: list[zenoh.Query] = []
        self._work = threading.Condition()
        self._stopped = False
        self._news = False
        self._page_next = False
        # Of all that goes over the line.
        self._bucket = TokenBucket(settings.bound_kbit_s * _BITS_PER_KBIT / _BITS_PER_BYTE, time.monotonic())
        self.sent = Sent()
        self._recorded: dict[bytes, None] = {}  # digests of the last messages
        self.record = Record(record, [t for t in RECORDED if t in settings.topics], settings.record)
        self._are_new([("", data) for data in self.record.newest(MOST_REMEMBERED)])
        line.serve(record_key(settings.site, "*"), self._asked)
        self._thread = threading.Thread(target=self._loop, name="uplink sender", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def offer(self, topic: str, data: bytes) -> None:
        """Take a message of one of the site's topics."""
        with self._work:
            if topic not in RECORDED:
                self.sent.replaced[topic] += topic in self._pictures
                self._pictures[topic] = data
            elif len(self._fresh) < MOST_WAITING:
                self._fresh.append((topic, data))
            else:
                self.sent.not_recorded += 1
            self._wake()

    @property
    def failed(self) -> bool:
        """Tell whether the thread has ended without having been stopped."""
        return not self._stopped and self._thread.ident is not None and not self._thread.is_alive()

    def close(self) -> None:
        """Record what waits, and stop."""
        with self._work:
            self._stopped = True
            self._wake()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)
        self.record.close()

    def _wake(self) -> None:
        self._news = True  # whether the thread waits already or is about to
        self._work.notify()

    def _asked(self, query: zenoh.Query) -> None:
        with self._work:
            if len(self._questions) < MOST_QUESTIONS:
                self._questions.append(query)
                self._wake()
                return
            self.sent.questions_refused += 1
        query.drop()  # type: ignore[no-untyped-call]

    def _loop(self) -> None:
        try:
            self._run_until_stopped()
        except Exception:  # noqa: BLE001 - whatever it was, the stage has to say that nothing is sent any more
            _log.exception("the uplink's sender has ended")

    def _run_until_stopped(self) -> None:
        state_at_s, wait_s = 0.0, 0.0
        while True:
            with self._work:
                if not self._news and wait_s > 0.0:
                    self._work.wait(wait_s)
                self._news = False
                fresh, self._fresh = self._fresh, []
                stopped = self._stopped
            if fresh:
                self._record_and_send(fresh)
            if stopped:
                return
            if time.monotonic() >= state_at_s + STATE_PERIOD_S:
                state_at_s = time.monotonic()
                self._send_state()
            wait_s = self._send_next() if self._line.session is not None else STATE_PERIOD_S
            wait_s = min(wait_s, max(0.0, state_at_s + STATE_PERIOD_S - time.monotonic()))

    def _record_and_send(self, fresh: Sequence[tuple[str, bytes]]) -> None:
        new = self._are_new(fresh)
        self.sent.repeated += len(fresh) - len(new)
        kept = self.record.append(new, time.time_ns())
        for topic, sequence, data in sorted(kept, key=lambda item: (RECORDED.index(item[0]), item[1])):
            if self._bucket.wait_s(time.monotonic(), urgent=True) > 0.0:
                self.sent.left_to_record += 1
            else:
                payload, header = packed(Message(self.record.id, sequence, data))
                self._put(live_key(self._settings.site, topic), payload, header, urgent=True)

    def _are_new(self, messages: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """Return the messages that are not among the last ones, and remember them."""
        out = []
        for topic, data in messages:
            digest = hashlib.blake2b(data, digest_size=16).digest()
            if digest not in self._recorded:
                self._recorded[digest] = None
                out.append((topic, data))
        while len(self._recorded) > MOST_REMEMBERED:
            del self._recorded[next(iter(self._recorded))]
        return out

    def _send_state(self) -> None:
        state = SiteState(self.record.id, self._run, self.record.kept())
        self._put(state_key(self._settings.site), state.encoded(), None, urgent=True)

    def _send_next(self) -> float:
        """Send a page or a picture if the bound allows; return after how long to look again.

        Where both wait they take turns, so that a picture is not held up by a long record, nor that by pictures.
        """
        with self._work:
            if not (self._questions or self._pictures):
                return STATE_PERIOD_S
            wait_s = self._bucket.wait_s(time.monotonic())
            if wait_s > 0.0:
                return wait_s
            self._page_next = bool(self._questions) and (self._page_next or not self._pictures)
            question = self._questions.pop(0) if self._page_next else None
            topic = "" if question is not None else next(iter(self._pictures))
            data = self._pictures.pop(topic, b"")
        self._page_next = question is None
        if question is not None:
            self._answer(question)
        else:
            self._sequence[topic] += 1
            payload, header = packed(Message(self._run, self._sequence[topic], data))
            self._put(live_key(self._settings.site, topic), payload, header, urgent=False)
        return 0.0

    def _answer(self, query: zenoh.Query) -> None:
        topic = str(query.key_expr).rpartition("/")[2]
        begin = query.parameters.get("from", "") or ""
        with query:  # what is not answered ends without an answer
            if topic not in self.record.last or not begin.isdecimal() or len(begin) > _MOST_DIGITS:
                self.sent.questions_refused += 1
                return
            payload, header = page_of(self.record.id, self.record.page(topic, int(begin), PAGE_BYTES))
            self._bucket.take(len(payload) + len(header), time.monotonic())
            self._line.reply(query, payload, header)
            self.sent.pages += 1
            self.sent.bytes += len(payload) + len(header)

    def _put(self, key: str, payload: bytes, header: bytes | None, *, urgent: bool) -> None:
        if self._line.put(key, payload, header, urgent=urgent):
            size = len(payload) + len(header or b"")
            self._bucket.take(size, time.monotonic())
            self.sent.messages += 1
            self.sent.bytes += size
