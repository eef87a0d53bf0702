# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Advice to a person, from proposal to decision. Nothing here acts: Aegis has no transmit path.

Advice lives as long as its cause: a critical threat of a class that it is for, or a signal. It is refreshed while the cause is
there, withdrawn when it is gone, and expires where nothing is heard of it any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aegis.core.ew.protection import Protection
from aegis.core.ew.settings import AdviceSettings
from aegis.core.ids import UniqueIds
from aegis.core.types import Advice, AdviceState, ClassId, ThreatLevel, Threats

# What is commonly proposed against each class, for a person to weigh; the benefit depends on equipment that Aegis does not
# know, so it is stated as unknown.
AGAINST_THREAT: dict[ClassId, str] = {
    ClassId.DRONE: "deny its command and navigation links",
    ClassId.MISSILE: "decoys, and break its seeker's lock",
    ClassId.AIRCRAFT: "self-protection jamming of its radar",
    ClassId.HELICOPTER: "self-protection jamming of its radar",
}
AGAINST_ANY_THREAT = "warn it off and prepare protective measures"
# A cause with advice in one of these states is not asked about again.
ANSWERED = (AdviceState.PROPOSED, AdviceState.ACKNOWLEDGED, AdviceState.REJECTED)


class AdviceBook:
    """All advice that is open or was until recently."""

    def __init__(self, settings: AdviceSettings, ids: UniqueIds | None = None) -> None:
        self.settings = settings
        # Unique across restarts: a late acknowledgement must not meet other advice under the same number.
        self._ids = ids or UniqueIds()
        self._book: dict[int, Advice] = {}
        self._changed_ns: dict[int, int] = {}
        self._other_since_ns: dict[int, int] = {}  # by track: since when it is of a class that other advice is for
        self.withdrawn: list[Advice] = []

    def reset(self) -> None:
        """Forget all advice; ids go on."""
        self._book.clear()
        self._changed_ns.clear()
        self._other_since_ns.clear()
        self.withdrawn.clear()

    @property
    def advice(self) -> list[Advice]:
        """All of it: open first, then by priority, then the newest first."""
        return sorted(self._book.values(), key=lambda a: (a.state is not AdviceState.PROPOSED, a.priority, -a.id))

    def on_threats(self, threats: Threats) -> list[Advice]:
        """Take an assessment: propose something for each critical threat that has no answer; return what is new.

        Open advice goes on while its threat is critical and of a class that it is for, and is withdrawn else; another class is
        taken seriously when it has lasted for `settle_s`. A decision, also a no, holds as long as the threat is critical, and
        then as long as it is remembered.
        """
        now_ns = threats.stamp_ns
        critical = {
            int(track_id): i
            for i, track_id in enumerate(threats.track_id.tolist())
            if int(threats.level[i]) == int(ThreatLevel.CRITICAL)
        }
        self._withdraw(now_ns, [a for a in self._open() if a.track_id and a.track_id not in critical])
        self._other_since_ns = {t: since for t, since in self._other_since_ns.items() if t in critical}
        new = []
        for track_id, i in critical.items():
            named = ClassId(int(threats.class_id[i]))
            technique = AGAINST_THREAT.get(named, AGAINST_ANY_THREAT)
            rationale = (
                f"track {track_id} is rated critical, its score is {threats.score[i]:.2f} now: {threats.reason[i]}"
            )
            answers = [a for a in self._book.values() if a.track_id == track_id and a.state in ANSWERED]
            answer = max(answers, key=lambda a: a.id, default=None)
            if answer is not None and not self._is_for_another_class(answer, technique, now_ns):
                self._go_on(answer, now_ns, rationale, answer.expected_benefit_db)
                continue
            self._other_since_ns.pop(track_id, None)
            if answer is not None and answer.state is AdviceState.PROPOSED:
                self._withdraw(now_ns, [answer])
            new.append(
                self._propose(
                    track_id=track_id, technique=technique, priority=1, rationale=rationale, now_ns=now_ns
                )
            )  # fmt: skip
        return new

    def on_signals(self, measures: Sequence[Protection], now_ns: int) -> list[Advice]:
        """Take what protects the radar against all signals that are active now: propose what has no answer; return what is new.

        Open advice goes on while its signal is active and asks for it, and is withdrawn else; a decision holds as long.
        """
        wanted = {(measure.signal_id, measure.technique) for measure in measures}
        self._withdraw(now_ns, [a for a in self._open() if a.signal_id and (a.signal_id, a.technique) not in wanted])
        new = []
        for measure in measures:
            answers = [
                a
                for a in self._book.values()
                if (a.signal_id, a.technique) == (measure.signal_id, measure.technique) and a.state in ANSWERED
            ]
            if answers:
                self._go_on(max(answers, key=lambda a: a.id), now_ns, measure.rationale, measure.benefit_db)
                continue
            new.append(
                self._propose(
                    signal_id=measure.signal_id,
                    technique=measure.technique,
                    priority=measure.priority,
                    rationale=measure.rationale,
                    now_ns=now_ns,
                    expected_benefit_db=measure.benefit_db,
                )
            )
        return new

    def _open(self) -> list[Advice]:
        return [a for a in self._book.values() if a.state is AdviceState.PROPOSED]

    def _is_for_another_class(self, answer: Advice, technique: str, now_ns: int) -> bool:
        """Tell whether a threat has for a while been of a class that other advice is for."""
        if technique == answer.technique:
            self._other_since_ns.pop(answer.track_id, None)
            return False
        since = self._other_since_ns.setdefault(answer.track_id, now_ns)
        return now_ns - since >= round(self.settings.settle_s * 1e9)

    def _go_on(self, advice: Advice, now_ns: int, rationale: str, benefit_db: float) -> None:
        """Note that the cause of advice is still there; what is said of open advice follows it."""
        if advice.state is AdviceState.PROPOSED:
            until_ns = self._valid_until_ns(now_ns)
            renewed = replace(advice, valid_until_ns=until_ns, rationale=rationale, expected_benefit_db=benefit_db)
            self._set(renewed, now_ns)
        else:
            self._changed_ns[advice.id] = now_ns

    def _withdraw(self, now_ns: int, advice: Sequence[Advice]) -> None:
        for one in advice:
            self._set(replace(one, state=AdviceState.WITHDRAWN), now_ns)
            self.withdrawn.append(self._book[one.id])

    def take_withdrawn(self) -> list[Advice]:
        """Return what was withdrawn since the last call."""
        taken, self.withdrawn = self.withdrawn, []
        return taken

    def expire(self, now_ns: int) -> bool:
        """Expire open advice whose time is over, forget what has been shown long enough; return whether anything changed."""
        changed = False
        kept_ns = int(self.settings.kept_s * 1e9)
        for advice in list(self._book.values()):
            if advice.state is AdviceState.PROPOSED and now_ns > advice.valid_until_ns:
                self._set(replace(advice, state=AdviceState.EXPIRED), now_ns)
                changed = True
            elif advice.state is not AdviceState.PROPOSED and now_ns - self._changed_ns[advice.id] > kept_ns:
                del self._book[advice.id], self._changed_ns[advice.id]
                changed = True
        return changed

    def begin_anew(self, by_ns: int) -> None:
        """Take over all advice into a time that has begun anew, by `by_ns` (negative where it went back) from what it was.

        Else in a loop that is shorter than advice is valid none would ever expire.
        """
        for advice in self._book.values():
            self._book[advice.id] = replace(advice, valid_until_ns=advice.valid_until_ns + by_ns)
            self._changed_ns[advice.id] += by_ns
        self._other_since_ns = {track_id: since + by_ns for track_id, since in self._other_since_ns.items()}

    def decide(self, advice_id: int, *, accept: bool, operator: str, now_ns: int) -> Advice:
        """Record a person's decision on open advice.

        Raises:
            ValueError: no such advice, it is not open any more, or nobody decided; the message says which.
        """
        if not operator.strip():
            raise ValueError("operator_name is empty: a decision needs a person's name")
        advice = self._book.get(advice_id)
        if advice is None:
            raise ValueError(f"no advice {advice_id}")
        if advice.state is not AdviceState.PROPOSED or now_ns > advice.valid_until_ns:
            state = AdviceState.EXPIRED if advice.state is AdviceState.PROPOSED else advice.state
            raise ValueError(f"advice {advice_id} is not open: {state.name}")
        state = AdviceState.ACKNOWLEDGED if accept else AdviceState.REJECTED
        decided = replace(advice, state=state, decided_by=operator.strip())
        self._set(decided, now_ns)
        return decided

    def _propose(
        self,
        *,
        technique: str,
        priority: int,
        rationale: str,
        now_ns: int,
        track_id: int = 0,
        signal_id: int = 0,
        expected_benefit_db: float = float("nan"),
    ) -> Advice:
        advice = Advice(
            id=int(self._ids.take(1)[0]),
            track_id=track_id,
            signal_id=signal_id,
            technique=technique,
            priority=priority,
            rationale=rationale,
            expected_benefit_db=expected_benefit_db,
            valid_until_ns=self._valid_until_ns(now_ns),
            state=AdviceState.PROPOSED,
        )
        self._set(advice, now_ns)
        while len(self._book) > self.settings.max_kept:
            closed = [a.id for a in self._book.values() if a.state is not AdviceState.PROPOSED]
            oldest = min(closed or self._book)
            del self._book[oldest], self._changed_ns[oldest]
        return advice

    def _valid_until_ns(self, now_ns: int) -> int:
        return now_ns + int(self.settings.valid_s * 1e9)

    def _set(self, advice: Advice, now_ns: int) -> None:
        self._book[advice.id] = advice
        self._changed_ns[advice.id] = now_ns
