# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The alarms of zone rules: raised, ended, acknowledged, shelved, noted. As in ISA-18.2, what is shelved is silent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from aegis.core.angles import compass_text
from aegis.core.classification.naming import class_in_words
from aegis.core.ids import UniqueIds
from aegis.core.threat.zone_settings import AlarmSettings, Rule
from aegis.core.threat.zone_watch import Redrawn, RuleChange
from aegis.core.types import Alarm, AlarmState, Tracks

_WORDS = {
    "anywhere": "",
    "inside": "inside '{zone}'",
    "outside": "outside '{zone}'",
    "enter": "has entered '{zone}'",
    "leave": "has left '{zone}'",
    "stay": "inside '{zone}' for {rule.stay_s:.0f} s",
    "cpa": "comes within {value:.0f} m of '{zone}' in {rule.within_s:.0f} s",
    "entry": "enters '{zone}' within {rule.within_s:.0f} s with probability {value:.2f}",
}
_WAS_INSIDE = "was inside '{zone}' for {change.inside_s:.1f} s"  # and is out again
DOUBTED_M = 10.0  # a height that is known no better than this is told with its error, where that is the larger
LONGEST_TEXT = 500  # of what a person writes
# So long an alarm that was kept over a restart may wait for a rule that is not there (yet), such as that of a drawn zone.
WAIT_FOR_RULE_S = 10.0


class AlarmChanges(NamedTuple):
    """What is to be told."""

    raised: list[Alarm]  # not those that are shelved
    ended: list[Alarm]


class _Shelf(NamedTuple):
    until_ns: int
    who: str
    reason: str


class AlarmBook:
    """All alarms that are on, and those that ended lately."""

    def __init__(self, settings: AlarmSettings, rules: Mapping[str, Rule], ids: UniqueIds | None = None) -> None:
        """Begin without alarms.

        Args:
            settings: what is kept.
            rules: by name.
            ids: gives the numbers of alarms; None: from 1 on.
        """
        self._settings, self._rules, self._ids = settings, dict(rules), ids or UniqueIds()
        self._alarms: dict[int, Alarm] = {}
        self._open: dict[tuple[str, int], int] = {}
        self._shelves: dict[tuple[str, int], _Shelf] = {}
        self._doubtful: set[tuple[str, int]] = set()  # on before a restart, and the rules have not said so since
        self._doubted_ns: int | None = None  # stamp of the first picture since the restart
        self.refused = 0  # alarms for which there was no room

    def reset(self) -> None:
        """Forget all alarms and shelves; numbers go on."""
        self._alarms.clear()
        self._open.clear()
        self._shelves.clear()
        self._doubtful.clear()

    def kept(self) -> dict[str, list[dict[str, object]]]:
        """Return what a book that takes this one's place goes on with, in what JSON has."""
        shelves = [
            {"rule": rule, "track_id": track_id, **shelf._asdict()} for (rule, track_id), shelf in self._shelves.items()
        ]
        return {"alarms": [asdict(alarm) for alarm in self.alarms], "shelves": shelves}

    def take_kept(self, kept: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Go on with what another book kept. What was on goes on under its number if the rules say so again, and ends else.

        Raises:
            ValueError, KeyError, TypeError: it is not what a book keeps.
        """
        alarms = [Alarm(**{**one, "state": AlarmState(one["state"])}) for one in kept["alarms"]]
        shelves = {(str(one["rule"]), int(one["track_id"])): one for one in kept["shelves"]}
        self._alarms = {alarm.id: alarm for alarm in alarms}
        self._open = {(a.rule, a.track_id): a.id for a in alarms if a.state is AlarmState.ACTIVE}
        self._shelves = {k: _Shelf(int(v["until_ns"]), str(v["who"]), str(v["reason"])) for k, v in shelves.items()}
        self._doubtful, self._doubted_ns = set(self._open), None

    @property
    def alarms(self) -> list[Alarm]:
        """Those that are on, most urgent first, then those that have ended, the latest first."""
        return sorted(
            self._alarms.values(),
            key=lambda a: (
                a.state is not AlarmState.ACTIVE,
                a.priority if a.state is AlarmState.ACTIVE else 0,
                -max(a.raised_ns, a.ended_ns),
                a.id,
            ),
        )

    def take(self, changes: list[RuleChange], tracks: Tracks) -> AlarmChanges:
        """Take what has changed with a picture; return what is to be told."""
        stamp_ns = tracks.stamp_ns
        raised, ended = self._unshelve_late(stamp_ns), []
        for change in changes:
            key = (change.rule, change.track_id)
            if change.raised and key in self._doubtful:
                self._doubtful.discard(key)  # it goes on, and was told
            elif change.raised:
                alarm = self._raise(change, tracks)
                if alarm is not None and not alarm.shelved_until_ns:
                    raised.append(alarm)
            elif key in self._open:
                ended.append(self._end(key, stamp_ns))
        ended += self._end_doubtful(stamp_ns)
        self._forget(stamp_ns)
        return AlarmChanges(raised, ended)

    def take_rules(self, rules: Mapping[str, Rule], over: Redrawn, stamp_ns: int) -> list[Alarm]:
        """Go on with other rules; return the alarms that end. What was shelved of a rule that is over is not shelved any more.

        Args:
            rules: by name, from now on.
            over: what is over.
            stamp_ns: of the last picture.
        """
        self._rules = dict(rules)
        self._shelves = {key: shelf for key, shelf in self._shelves.items() if key[0] not in over.rules}
        keys = [(one.rule, one.track_id) for one in over.changes]
        keys += [key for key in self._doubtful if key[0] in over.rules]
        return [self._end(key, stamp_ns) for key in keys if key in self._open]

    def acknowledge(self, alarm_id: int, who: str) -> Alarm:
        """Note that a person has seen an alarm.

        Raises:
            ValueError: there is no such alarm, nobody is named, or it is acknowledged already.
        """
        alarm = self._known(alarm_id, who)
        if alarm.acknowledged_by:
            raise ValueError(f"alarm {alarm_id} is acknowledged already, by {alarm.acknowledged_by}")
        return self._put(replace(alarm, acknowledged_by=who))

    def shelve(self, alarm_id: int, who: str, reason: str, duration_s: float, now_ns: int) -> Alarm:
        """Make an alarm, and what the same rule says of the same track, silent for a while.

        Raises:
            ValueError: there is no such alarm, nobody is named, no reason is given, or the time is none or too long.
        """
        alarm = self._known(alarm_id, who)
        longest_s = self._settings.longest_shelf_s
        if not reason.strip() or len(reason) > LONGEST_TEXT:
            raise ValueError(f"a reason of 1 to {LONGEST_TEXT} characters is needed to shelve an alarm")
        if not 0.0 < duration_s <= longest_s:  # NaN is none of these
            raise ValueError(f"shelved for {duration_s:g} s; above 0 and up to {longest_s:g} is allowed")
        until_ns = now_ns + round(duration_s * 1e9)
        self._shelves[alarm.rule, alarm.track_id] = _Shelf(until_ns, who, reason)
        return self._put(replace(alarm, shelved_until_ns=until_ns, shelved_by=who, shelf_reason=reason))

    def unshelve(self, alarm_id: int, who: str) -> Alarm:
        """Let an alarm be heard again.

        Raises:
            ValueError: there is no such alarm, nobody is named, or it is not shelved.
        """
        alarm = self._known(alarm_id, who)
        if not alarm.shelved_until_ns:
            raise ValueError(f"alarm {alarm_id} is not shelved")
        self._shelves.pop((alarm.rule, alarm.track_id), None)
        return self._put(replace(alarm, shelved_until_ns=0, shelved_by="", shelf_reason=""))

    def note(self, alarm_id: int, who: str, text: str) -> Alarm:
        """Write a note to an alarm, in the place of the one before.

        Raises:
            ValueError: there is no such alarm, nobody is named, or it is too long.
        """
        alarm = self._known(alarm_id, who)
        if len(text) > LONGEST_TEXT:
            raise ValueError(f"a note of up to {LONGEST_TEXT} characters is allowed; it has {len(text)}")
        return self._put(replace(alarm, note=f"{text} ({who})" if text.strip() else ""))

    def _known(self, alarm_id: int, who: str) -> Alarm:
        if not who.strip():
            raise ValueError("operator_name is empty: somebody has to be named")
        if alarm_id not in self._alarms:
            raise ValueError(f"there is no alarm {alarm_id} (any more)")
        return self._alarms[alarm_id]

    def _put(self, alarm: Alarm) -> Alarm:
        self._alarms[alarm.id] = alarm
        return alarm

    def _end(self, key: tuple[str, int], stamp_ns: int) -> Alarm:
        one = self._open.pop(key)
        self._doubtful.discard(key)
        return self._put(replace(self._alarms[one], state=AlarmState.ENDED, ended_ns=stamp_ns))

    def _end_doubtful(self, stamp_ns: int) -> list[Alarm]:
        """End what was on before a restart, and does not hold any more when its rule has had the time to say so."""
        if not self._doubtful:
            return []
        if self._doubted_ns is None or stamp_ns < self._doubted_ns:
            self._doubted_ns = stamp_ns
        passed_s = (stamp_ns - self._doubted_ns) / 1e9

        def wait_s(rule: Rule | None) -> float:
            return WAIT_FOR_RULE_S if rule is None else rule.raise_s + rule.end_s

        over = [key for key in self._doubtful if passed_s > wait_s(self._rules.get(key[0]))]
        return [self._end(key, stamp_ns) for key in sorted(over)]

    def _raise(self, change: RuleChange, tracks: Tracks) -> Alarm | None:
        if len(self._open) >= self._settings.max_alarms:
            self.refused += 1
            return None
        rule = self._rules[change.rule]
        shelf = self._shelves.get((change.rule, change.track_id))
        alarm = Alarm(
            id=int(self._ids.take(1)[0]),
            rule=change.rule,
            zone=rule.zone,
            track_id=change.track_id,
            state=AlarmState.ACTIVE,
            priority=rule.priority,
            raised_ns=tracks.stamp_ns,
            text=text_of(rule, change, tracks),
        )
        if shelf is not None:
            alarm = replace(alarm, shelved_until_ns=shelf.until_ns, shelved_by=shelf.who, shelf_reason=shelf.reason)
        self._open[change.rule, change.track_id] = alarm.id
        return self._put(alarm)

    def _unshelve_late(self, stamp_ns: int) -> list[Alarm]:
        """End the shelves whose time is over; return the alarms that are on and were on them."""
        over = [key for key, shelf in self._shelves.items() if shelf.until_ns <= stamp_ns]
        heard = []
        for key in over:
            del self._shelves[key]
        for alarm in list(self._alarms.values()):
            if alarm.shelved_until_ns and (alarm.rule, alarm.track_id) in over:
                now = self._put(replace(alarm, shelved_until_ns=0, shelved_by="", shelf_reason=""))
                if now.state is AlarmState.ACTIVE:
                    heard.append(now)
        return heard

    def _forget(self, stamp_ns: int) -> None:
        """Forget what ended long ago, and, of too many, what ended first."""
        kept_ns = round(self._settings.keep_s * 1e9)
        done = sorted((a.ended_ns, a.id) for a in self._alarms.values() if a.state is AlarmState.ENDED)
        too_many = len(self._alarms) - self._settings.max_alarms
        for k, (ended_ns, one) in enumerate(done):
            if k < too_many or abs(stamp_ns - ended_ns) > kept_ns:
                del self._alarms[one]


def text_of(rule: Rule, change: RuleChange, tracks: Tracks) -> str:
    """Return what an alarm says, with the numbers of now."""
    words = _WORDS[rule.when] if math.isnan(change.inside_s) else _WAS_INSIDE
    parts = [words.format(zone=rule.zone, rule=rule, value=change.value, change=change)]
    k = change.row
    east, north = float(tracks.state[k, 3]), float(tracks.state[k, 4])
    speed = math.hypot(east, north)
    motion = f"{speed:.1f} m/s"
    if speed > math.sqrt(max(float(tracks.covariance[k, 3, 3] + tracks.covariance[k, 4, 4]), 0.0)):  # else it has none
        motion += f" on course {compass_text(math.degrees(math.atan2(east, north)))} deg"
    parts += [class_in_words(int(tracks.class_id[k]), tracks.class_probability[k]), motion]
    height, sigma = float(tracks.state[k, 2]), math.sqrt(max(float(tracks.covariance[k, 2, 2]), 0.0))
    doubt = f" (+- {sigma:.0f} m)" if sigma > max(abs(height), DOUBTED_M) else ""
    parts.append(f"at a height of {round(height, 0) + 0.0:.0f} m{doubt}")  # + 0.0: no -0
    return "; ".join(part for part in parts if part)
