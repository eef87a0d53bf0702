"""Advice to a person, from proposal to decision. Nothing here acts: Aegis has no transmit path."""

from __future__ import annotations

from dataclasses import replace

from aegis.core.ew.settings import AdviceSettings
from aegis.core.ids import UniqueIds
from aegis.core.types import Advice, AdviceState, ClassId, Signal, SignalKind, ThreatLevel, Threats

# What is commonly proposed against each class, for a person to weigh; the benefit depends on equipment that Aegis does not
# know, so it is stated as unknown.
AGAINST_THREAT: dict[ClassId, str] = {
    ClassId.DRONE: "deny its command and navigation links",
    ClassId.MISSILE: "decoys, and break its seeker's lock",
    ClassId.AIRCRAFT: "self-protection jamming of its radar",
    ClassId.HELICOPTER: "self-protection jamming of its radar",
}
AGAINST_ANY_THREAT = "warn it off and prepare protective measures"


class AdviceBook:
    """All advice that is open or was until recently."""

    def __init__(self, settings: AdviceSettings, ids: UniqueIds | None = None) -> None:
        self.settings = settings
        # Unique across restarts: a late acknowledgement must not meet other advice under the same number.
        self._ids = ids or UniqueIds()
        self._book: dict[int, Advice] = {}
        self._changed_ns: dict[int, int] = {}

    def reset(self) -> None:
        """Forget all advice; ids go on."""
        self._book.clear()
        self._changed_ns.clear()

    @property
    def advice(self) -> list[Advice]:
        """All of it: open first, then by priority, then the newest first."""
        return sorted(self._book.values(), key=lambda a: (a.state is not AdviceState.PROPOSED, a.priority, -a.id))

    def on_threats(self, threats: Threats) -> list[Advice]:
        """Propose something for each critical threat that has not been answered; return what is new.

        A decision, also a no, holds for as long as it is remembered; what expired undecided is proposed again.
        """
        answered = {a.track_id for a in self._book.values() if a.state is not AdviceState.EXPIRED}
        new = []
        for i, track_id in enumerate(threats.track_id.tolist()):
            if int(threats.level[i]) == int(ThreatLevel.CRITICAL) and track_id not in answered:
                named = ClassId(int(threats.class_id[i]))
                new.append(
                    self._propose(
                        track_id=track_id,
                        technique=AGAINST_THREAT.get(named, AGAINST_ANY_THREAT),
                        priority=1,
                        rationale=f"track {track_id} is critical (score {threats.score[i]:.2f}): {threats.reason[i]}",
                        now_ns=threats.stamp_ns,
                    )
                )
        return new

    def on_signal(self, signal: Signal, now_ns: int) -> Advice:
        """Propose how to protect the radar against a new signal."""
        technique = (
            "frequency agility: move the carrier out of the jammed band through set_mode"
            if signal.kind is SignalKind.NOISE_JAMMING
            else "change the waveform through set_mode"
        )
        return self._propose(
            signal_id=signal.id,
            technique=technique,
            priority=2,
            rationale=signal.evidence,
            now_ns=now_ns,
            # Outside the jammed band the noise falls back to the quiet floor.
            benefit_db=signal.power_db,
        )

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
        benefit_db: float = float("nan"),
    ) -> Advice:
        advice = Advice(
            id=int(self._ids.take(1)[0]),
            track_id=track_id,
            signal_id=signal_id,
            technique=technique,
            priority=priority,
            rationale=rationale,
            expected_benefit_db=benefit_db,
            valid_until_ns=now_ns + int(self.settings.valid_s * 1e9),
            state=AdviceState.PROPOSED,
        )
        self._set(advice, now_ns)
        while len(self._book) > self.settings.max_kept:
            closed = [a.id for a in self._book.values() if a.state is not AdviceState.PROPOSED]
            oldest = min(closed or self._book)
            del self._book[oldest], self._changed_ns[oldest]
        return advice

    def _set(self, advice: Advice, now_ns: int) -> None:
        self._book[advice.id] = advice
        self._changed_ns[advice.id] = now_ns
