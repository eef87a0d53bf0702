# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether signals and advice of EW come where somebody radiates, and only there; and how often an operator is alarmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aegis.core.types import Advice, AdviceState, Signal


@dataclass(frozen=True)
class Told:
    """An event at WARNING or above, or any other."""

    stamp_ns: int
    name: str
    severity: int


@dataclass(frozen=True)
class Warfare:
    """EW against the emitters that are on; where truth does not say which are, none are."""

    signals: int  # different ones
    false_signals: int  # of these, raised while nobody radiated
    advice: int  # different pieces
    false_advice: int  # of these, to an EW signal while nobody radiated
    scans_on: int  # in which an emitter was on
    scans_signalled: int  # of these, with a signal
    scans_advised: int  # of these, with a piece of advice that is proposed or acknowledged, to a signal


def warfare(
    signals: Sequence[tuple[int, Sequence[Signal]]],
    advice: Sequence[tuple[int, Sequence[Advice]]],
    emitters: Mapping[int, int],
) -> Warfare:
    """Return how right EW is.

    Args:
        signals: by stamp [ns], all that are active.
        advice: the same; what is said holds until more is said.
        emitters: by stamp of a scan, how many are on.
    """
    raised: dict[int, int] = {}
    for stamp, active in signals:
        for signal in active:
            raised.setdefault(signal.id, stamp)
    made: dict[int, tuple[int, bool]] = {}
    for stamp, items in advice:
        for item in items:
            made.setdefault(item.id, (stamp, item.signal_id != 0))
    by_stamp = dict(signals)
    on = [stamp for stamp, count in sorted(emitters.items()) if count]
    live = (AdviceState.PROPOSED, AdviceState.ACKNOWLEDGED)
    advised, at, now = 0, 0, ()  # type: int, int, Sequence[Advice]
    ordered = sorted(advice, key=lambda item: item[0])
    for stamp in on:
        while at < len(ordered) and ordered[at][0] <= stamp:
            now = ordered[at][1]
            at += 1
        advised += any(a.signal_id and a.state in live and a.valid_until_ns >= stamp for a in now)
    return Warfare(
        signals=len(raised),
        false_signals=sum(not emitters.get(stamp, 0) for stamp in raised.values()),
        advice=len(made),
        false_advice=sum(to_signal and not emitters.get(stamp, 0) for stamp, to_signal in made.values()),
        scans_on=len(on),
        scans_signalled=sum(bool(by_stamp.get(stamp)) for stamp in on),
        scans_advised=advised,
    )


def alarms(events: Sequence[Told], least_severity: int) -> Counter[str]:
    """Return how often each event of a severity or above was told, by name."""
    return Counter(event.name for event in events if event.severity >= least_severity)
