# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""This site's topics to others, and theirs to here, under /SITE/TOPIC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rclpy.serialization import deserialize_message

from aegis.core.events import SourceBack, SourceSilent
from aegis.core.health import Health, Level
from aegis.core.params import ConfigError
from aegis.core.uplink.settings import UplinkSettings
from aegis.ros.messages.fields import StampedMessage
from aegis.ros.qos import message_class
from aegis.ros.stages.base import Carried, Output, Stage, StageContext
from aegis.ros.topics import SITE_EVENTS, TOPICS
from aegis.ros.uplink.receiver import Arrived, Heard, Lost, Receiver
from aegis.ros.uplink.sender import Sender

if TYPE_CHECKING:
    from aegis.ros.uplink.line import Line

PERIOD_S = 0.5
EVENTS = "events"
LOST = "lost: no more in the record of {}"


class UplinkStage(Stage[UplinkSettings]):
    """A sender where this is a site, a receiver where others are received, and the line of both."""

    name = "uplink"
    settings_type = UplinkSettings
    carries_bytes = True

    def __init__(self, settings: UplinkSettings, context: StageContext) -> None:
        """Prepare.

        Raises:
            ConfigError: zenoh is not installed, or its configuration is wrong.
        """
        super().__init__(settings, context)
        self._line = _line(settings)
        folder = context.state_dir
        self._sender: Sender | None = None
        self._receiver: Receiver | None = None
        if settings.site:
            self._sender = Sender(settings, self._line, folder and folder / "uplink.db")
        if settings.receive:
            self._receiver = Receiver(
                settings, self._line, folder and folder / "uplink_positions.json", lambda: self.wake()
            )
        self._running = False

    @property
    def period_s(self) -> float:
        """How often it is looked who is silent."""
        return PERIOD_S

    def reads(self, topic: str) -> bool:
        """Tell whether a topic is sent."""
        return bool(self.settings.site) and topic in self.settings.topics

    def start(self, now_ns: int) -> Iterable[Output]:
        """Open the line."""
        if not self._running:
            self._running = True
            self._line.start()
            if self._sender is not None:
                self._sender.start()
        return ()

    def on_message(self, topic: str, message: StampedMessage) -> Iterable[Output]:
        """Refuse: messages come as bytes."""
        raise TypeError(f"{topic}: an uplink carries messages as they are on the wire")

    def on_bytes(self, topic: str, data: bytes) -> Iterable[Output]:
        """Send a message of this site."""
        assert self._sender is not None
        self._sender.offer(topic, data)
        return ()

    def on_wake(self, now_ns: int) -> Iterator[Output | Carried]:
        """Publish what has come."""
        if self._receiver is not None:
            for item in self._receiver.take():
                yield from self._received(item, now_ns)

    def on_timer(self, now_ns: int) -> Iterator[Output | Carried]:
        """Say which sites are silent."""
        if self._receiver is not None:
            for item in self._receiver.look():
                yield from self._received(item, now_ns)

    def detail(self) -> dict[str, object]:
        """Add where it is connected, what was sent and is recorded, and how the sites are."""
        out: dict[str, object] = {"links": self._line.links(), "line_refused": self._line.refused}
        if self._sender is not None:
            record = self._sender.record
            out["sent"] = vars(self._sender.sent)
            out["record"] = {"kept": record.kept(), "bytes": record.bytes, "dropped": record.dropped}
        if self._receiver is not None:
            out["refused"] = self._receiver.refused
            out["sites"] = {
                name: {
                    "silent": site.silent,
                    "received": site.received,
                    "pictures_missed": site.pictures_missed,
                    "lost": site.told_lost,
                    "behind": {topic: order.head + 1 - order.next for topic, order in site.order.items()},
                }
                for name, site in self._receiver.sites.items()
            }
        return out

    def health(self) -> Health:
        """Tell also which sites are silent, and whether it is connected at all."""
        health = super().health()
        if health.level is Level.ERROR:
            return health
        if self._sender is not None and self._sender.failed:
            return Health(Level.ERROR, "nothing is sent any more: the sender has ended; see the log")
        silent = self._receiver.silent() if self._receiver is not None else []
        if silent:
            return Health(Level.STALE, f"no data of {', '.join(silent)}: what they see is not known here")
        if self.settings.connect and not self._line.links():
            return Health(Level.WARN, f"not connected to {', '.join(self.settings.connect)}; what is recorded waits")
        return health

    def close(self) -> None:
        """Close the line."""
        if self._sender is not None:
            self._sender.close()
        self._line.close()
        if self._receiver is not None:
            self._receiver.close()

    def _input_expected(self) -> bool:
        return self._sender is not None

    def _received(self, item: Arrived | Heard | Lost, now_ns: int) -> Iterator[Output | Carried]:
        if isinstance(item, Lost):
            self.counters.note(LOST.format(f"{item.site}: {item.topic}"), item.count)
            self.counters.sequence_gaps += item.count
        elif isinstance(item, Heard) and item.silent:
            yield self.event(SourceSilent(self.name, item.site, round(item.for_s, 1), item.ever_heard), now_ns)
        elif isinstance(item, Heard):
            yield self.event(SourceBack(self.name, item.site, "silent", round(item.for_s, 1)), now_ns)
        elif isinstance(item, Arrived):
            try:
                message = deserialize_message(item.data, message_class(TOPICS[item.topic].type))
            except RuntimeError:  # RMWError, which rclpy does not export
                self.counters.drop(f"not a message of {item.topic}")
                return
            yield Carried(f"{item.site}/{item.topic}", item.data)
            if item.topic == EVENTS:  # for the history here; not on `events`, which this site's own uplink sends
                message.stage = f"{item.site}/{message.stage}"
                yield Output(SITE_EVENTS, message)


def _line(settings: UplinkSettings) -> Line:
    try:
        from aegis.ros.uplink.line import Line
    except ImportError:
        raise ConfigError("the uplink needs zenoh: pip install 'aegis[uplink]'") from None
    return Line(settings)
