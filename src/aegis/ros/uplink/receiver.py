# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The other end: what sites send, each recorded message once and in its order; what is missing is asked for; silence is said."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aegis.core.uplink.order import InOrder
from aegis.core.uplink.settings import ALL_SITES, CARRIED, RECORDED, UplinkSettings, is_site
from aegis.ros.uplink.wire import ROOT, SiteState, WireError, live_key, messages_of, record_key, state_key, unpacked
from aegis.state import move_aside, try_to_keep

if TYPE_CHECKING:
    from aegis.ros.uplink.line import Line

_log = logging.getLogger(__name__)

MOST_WAITING = 20_000  # messages from the line that were not looked at yet
MOST_WAITING_BYTES = 64 * 2**20
ASK_AGAIN_S = 3.0  # without an answer
ASK_SOON_S = 0.2  # where nobody was there to answer
KEEP_PERIOD_S = 1.0
_ENDED = "ended"  # in the place of a key's second word: a question of ours is over, answered or not


class Arrived(NamedTuple):
    """A message of a site, to be published."""

    site: str
    topic: str
    data: bytes  # CDR


@dataclass(frozen=True)
class Heard:
    """A site that is silent, or heard again."""

    site: str
    silent: bool
    for_s: float
    ever_heard: bool = True


@dataclass(frozen=True)
class Lost:
    """Recorded messages that a site had dropped from its record before they could be asked for."""

    site: str
    topic: str
    count: int


@dataclass
class Asked:
    """A page that was asked for and has not come yet."""

    number: int  # of the question
    again_s: float  # when to ask again


@dataclass
class Site:
    """What is known of one site."""

    expected_s: float  # since when it is waited for
    heard_s: float | None = None
    silent: bool = False
    run: int = 0
    order: dict[str, InOrder] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)  # by topic
    pictures: dict[str, int] = field(default_factory=dict)  # number of the last
    pictures_missed: int = 0
    received: Counter[str] = field(default_factory=Counter)
    told_lost: Counter[str] = field(default_factory=Counter)


class Receiver:
    """Takes what comes over the line. All but what zenoh calls is used in one thread."""

    def __init__(self, settings: UplinkSettings, line: Line, positions: Path | None, wake: Callable[[], None]) -> None:
        """Prepare.

        Args:
            settings: of this end.
            line: to the sites; started after this.
            positions: file that keeps up to where each site was heard; None keeps nothing.
            wake: called, in any thread, when there is something for `take`.
        """
        self._settings, self._line, self._path, self._wake = settings, line, positions, wake
        self._waiting: deque[tuple[str, bytes, bytes | None]] = deque()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._kept_s = time.monotonic()
        self._kept = b""
        self._questions = 0
        self.refused: Counter[str] = Counter()  # by reason
        now_s = time.monotonic()
        self.sites = {name: Site(now_s) for name in settings.receive if name != ALL_SITES}
        self._restore(now_s)
        for key in [f"{ROOT}/*/live/*", f"{ROOT}/*/state"] if self._takes_all else self._keys():
            line.subscribe(key, self._came)

    def take(self) -> Iterator[Arrived | Heard | Lost]:
        """Take what has come since."""
        while True:
            with self._lock:
                if not self._waiting:
                    return
                key, payload, attachment = self._waiting.popleft()
                self._waiting_bytes -= len(payload)
            try:
                yield from self._one(key, payload, attachment)
            except WireError as error:
                self.refused[f"not of an uplink: {error}"] += 1

    def look(self) -> Iterator[Heard]:
        """Say which sites have fallen silent, ask again for what has not come, and keep the positions; now and then."""
        now_s = time.monotonic()
        for name, site in self.sites.items():
            since_s = site.expected_s if site.heard_s is None else site.heard_s
            limit_s = self._settings.first_heard_s if site.heard_s is None else self._settings.silent_after_s
            if not site.silent and now_s - since_s > limit_s:
                site.silent = True
                yield Heard(name, True, now_s - since_s, site.heard_s is not None)
            if not site.silent:
                self._ask(name, site, now_s)
        if now_s - self._kept_s >= KEEP_PERIOD_S:
            self._keep()

    def silent(self) -> list[str]:
        """Return the sites that are silent."""
        return sorted(name for name, site in self.sites.items() if site.silent)

    def close(self) -> None:
        """Keep the positions."""
        self._keep()

    @property
    def _takes_all(self) -> bool:
        return ALL_SITES in self._settings.receive

    def _keys(self) -> Iterable[str]:
        return [key(name) for name in self.sites for key in (state_key, lambda site: live_key(site, "*"))]

    def _came(self, key: str, payload: bytes, attachment: bytes | None) -> None:
        with self._lock:
            if len(self._waiting) >= MOST_WAITING or self._waiting_bytes + len(payload) > MOST_WAITING_BYTES:
                self.refused["too much at once"] += 1  # what is recorded is asked for
                return
            self._waiting.append((key, payload, attachment))
            self._waiting_bytes += len(payload)
        self._wake()

    def _one(self, key: str, payload: bytes, attachment: bytes | None) -> Iterator[Arrived | Heard | Lost]:
        _, name, *what = key.split("/")
        site = self._site(name)
        if site is None:
            return
        now_s = time.monotonic()
        if what[0] == _ENDED:  # of ours, not of the site
            asked = site.asked.get(what[1])
            if asked is not None and asked.number == int(payload):
                asked.again_s = now_s + ASK_SOON_S
            return
        if what[0] == "state":
            yield from self._on_state(name, site, SiteState.decoded(payload))
        elif what[1] not in (RECORDED if what[0] == "record" else CARRIED):
            raise WireError("a topic that is not carried")
        elif what[0] == "record":
            yield from self._on_page(name, site, what[1], payload, attachment)
        elif what[1] in RECORDED:
            message = unpacked(payload, attachment)
            order = self._order(site, what[1])
            yield from self._give(name, site, what[1], order.take(message.run, message.sequence, message.data))
        else:
            yield from self._on_picture(name, site, what[1], payload, attachment)
        if site.silent:
            since_s = site.expected_s if site.heard_s is None else site.heard_s
            yield Heard(name, False, now_s - since_s, site.heard_s is not None)
        site.heard_s, site.silent = now_s, False
        self._ask(name, site, now_s)

    def _site(self, name: str) -> Site | None:
        site = self.sites.get(name)
        if site is not None or not self._takes_all:
            return site
        if name == self._settings.site:
            return None
        if not is_site(name):
            raise WireError("a site whose name is none")
        if len(self.sites) >= self._settings.max_sites:
            self.refused["more than max_sites"] += 1
            return None
        self.sites[name] = site = Site(time.monotonic())
        return site

    def _on_state(self, name: str, site: Site, state: SiteState) -> Iterator[Arrived | Lost]:
        for topic, (first, last) in state.kept.items():
            if topic not in RECORDED or not 0 < first <= last + 1:
                raise WireError("a record that cannot be")
            order = self._order(site, topic)
            yield from self._give(name, site, topic, order.heard(state.record, first, last))

    def _on_picture(
        self, name: str, site: Site, topic: str, payload: bytes, attachment: bytes | None
    ) -> Iterator[Arrived | Lost]:
        message = unpacked(payload, attachment)
        if message.run != site.run:  # it was started anew
            site.run, site.pictures = message.run, {}
        last = site.pictures.get(topic, message.sequence - 1)
        if message.sequence <= last:
            self.refused["a picture older than the last"] += 1
            return
        site.pictures_missed += message.sequence - last - 1
        site.pictures[topic] = message.sequence
        yield from self._give(name, site, topic, [message.data])

    def _on_page(
        self, name: str, site: Site, topic: str, payload: bytes, attachment: bytes | None
    ) -> Iterator[Arrived | Lost]:
        site.asked.pop(topic, None)
        record, page = messages_of(payload, attachment)
        order = self._order(site, topic)
        data = order.take_page(record, page) if page else order.nothing_from(record, order.next)
        yield from self._give(name, site, topic, data)

    def _give(self, name: str, site: Site, topic: str, data: Iterable[bytes]) -> Iterator[Arrived | Lost]:
        order = site.order.get(topic)
        if order is not None and order.lost > site.told_lost[topic]:
            yield Lost(name, topic, order.lost - site.told_lost[topic])
            site.told_lost[topic] = order.lost
        for message in data:
            site.received[topic] += 1
            yield Arrived(name, topic, message)

    def _order(self, site: Site, topic: str) -> InOrder:
        return site.order.setdefault(topic, InOrder())

    def _ask(self, name: str, site: Site, now_s: float) -> None:
        for topic in RECORDED:  # the first is asked for first
            order = site.order.get(topic)
            asked = site.asked.get(topic)
            if order is None or not order.missing or (asked is not None and now_s < asked.again_s):
                continue
            self._questions += 1
            key = record_key(name, topic)
            ended = partial(self._came, f"{ROOT}/{name}/{_ENDED}/{topic}", str(self._questions).encode(), None)
            if self._line.ask(key, order.next, ASK_AGAIN_S, partial(self._came, key), ended):
                site.asked[topic] = Asked(self._questions, now_s + ASK_AGAIN_S)

    def _restore(self, now_s: float) -> None:
        """Go on where an earlier run has ended; the sites that it had are expected."""
        if self._path is None:
            return
        try:
            for name, topics in json.loads(self._path.read_bytes()).items():
                if not is_site(name) or not (self._takes_all or name in self.sites):
                    continue
                site = self.sites.setdefault(name, Site(now_s))
                for topic, (record, due) in topics.items():
                    site.order[str(topic)] = InOrder(int(record), int(due), int(due) - 1)
        except FileNotFoundError:
            pass
        except OSError as error:
            _log.warning(
                "%s cannot be read (%s): sites' records are taken from their beginning", self._path, error.strerror
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            move_aside(self._path, f"not a file of positions: {error}")

    def _keep(self) -> None:
        self._kept_s = time.monotonic()
        if self._path is None:
            return
        positions = {
            name: {topic: [order.record, order.next] for topic, order in site.order.items() if order.record}
            for name, site in self.sites.items()
            if site.heard_s is not None or site.order
        }
        content = json.dumps(positions).encode()
        if content != self._kept and try_to_keep(self._path, content, durable=False):
            self._kept = content
