# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a bag tells of the time before it: latched topics begin with what was told last, the alarms with all of ten minutes."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.core.types import Alarm, AlarmState


class Before:
    """Tells of which messages what they say had been before the bag began: before its first picture.

    Times of recording and stamps are of two clocks where the bag is of a recording that was played.
    """

    def __init__(self, *, has_pictures: bool) -> None:
        """Begin.

        Args:
            has_pictures: there is a topic of tracks or threats. Without one nobody knows, and nothing is told to be of before.
        """
        self._has_pictures = has_pictures
        self._begin_ns: int | None = None
        self.first_ns: int | None = None  # stamp of the first picture

    def message(self, time_ns: int) -> None:
        """Take the time of recording of each message."""
        if self._begin_ns is None:
            self._begin_ns = time_ns

    def picture(self, stamp_ns: int) -> None:
        """Take a picture's stamp."""
        if self.first_ns is None:
            self.first_ns = stamp_ns

    def was(self, stamp_ns: int) -> bool:
        """Tell whether the message that was read now was sent before the bag began."""
        if not self._has_pictures or self._begin_ns is None or stamp_ns >= self._begin_ns:
            return False
        return self.first_ns is None or stamp_ns < self.first_ns


class Alarms:
    """The alarms of a bag, as they are told."""

    def __init__(self, before: Before) -> None:
        self._before = before
        self._last: dict[int, Alarm] = {}
        self._at_begin: dict[int, Alarm] = {}

    def take(self, stamp_ns: int, alarms: Sequence[Alarm]) -> None:
        """Take the whole list."""
        told = {alarm.id: alarm for alarm in alarms}
        self._last |= told
        if self._before.was(stamp_ns):
            self._at_begin |= told

    @property
    def of_bag(self) -> list[Alarm]:
        """Those that were on within the bag, as told last, in the order in which they were raised."""
        chosen = (alarm for alarm in self._last.values() if not self._had_ended(alarm))
        return sorted(chosen, key=lambda alarm: (alarm.raised_ns, alarm.id))

    @property
    def ended_before(self) -> int:
        """How many had ended before it."""
        return sum(map(self._had_ended, self._last.values()))

    def at_begin(self, alarm: Alarm) -> Alarm | None:
        """Return how an alarm was told when the bag began; None where it was raised later, or that is not known."""
        return self._at_begin.get(alarm.id)

    def was_on(self, alarm: Alarm) -> bool:
        """Tell whether it was on when the bag began."""
        return alarm.id in self._at_begin or self._is_earlier(alarm.raised_ns)

    def _had_ended(self, alarm: Alarm) -> bool:
        told = self._at_begin.get(alarm.id)
        return alarm.state is AlarmState.ENDED and (
            (told is not None and told.state is AlarmState.ENDED) or self._is_earlier(alarm.ended_ns)
        )

    def _is_earlier(self, stamp_ns: int) -> bool:
        return self._before.first_ns is not None and stamp_ns < self._before.first_ns
