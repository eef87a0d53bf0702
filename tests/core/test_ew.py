# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The noise-floor test against its closed form and by Monte Carlo; advice from proposal to decision."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from aegis.core.ew.advice import AdviceBook
from aegis.core.ew.noise import NoiseMonitor
from aegis.core.ew.protection import against
from aegis.core.ew.settings import AdviceSettings, NoiseSettings, OwnRadarSettings
from aegis.core.ew.statistics import rise_threshold
from aegis.core.rows import take_rows
from aegis.core.types import (
    N_CLASSES,
    AdviceState,
    ClassId,
    Detections,
    Signal,
    SignalKind,
    ThreatLevel,
    Threats,
)
from aegis.state import kept_ids

SECOND = 1_000_000_000


def test_threshold_and_detection_probability_of_the_f_test():
    """M = 1024 cells against 4096, Pfa 1e-6: 0.71 dB; and Pd 0.958 at a jammer 6 dB under the noise."""
    threshold = rise_threshold(1024, 4096, 1e-6)
    assert 10 * np.log10(threshold) == pytest.approx(0.71, abs=0.005)
    rng = np.random.default_rng(1)
    trials = 4000
    jammed = rng.gamma(1024, 1 / 1024, trials) * (1 + 10**-0.6)
    quiet = rng.gamma(4096, 1 / 4096, trials)
    seen = int((jammed / quiet > threshold).sum())
    assert binom.ppf(0.005, trials, 0.958) <= seen <= binom.ppf(0.995, trials, 0.958)


def scan_of(noise_db, azimuth=None, k=0) -> Detections:
    noise_db = np.asarray(noise_db, dtype=float)
    n = len(noise_db)
    nan = np.full(n, np.nan)
    return Detections(
        stamp_ns=k * SECOND, frame_id="radar", sequence=k, sensor_id="r", cartesian_accuracy=False, id=np.arange(n), range=nan,
        azimuth=np.zeros(n) if azimuth is None else np.asarray(azimuth), elevation=nan, range_rate=nan, variance=np.ones((n, 4)),
        snr_db=nan, rcs_dbsm=nan, noise_db=noise_db, points=np.ones(n, dtype=int), class_id=np.zeros(n, dtype=int),
        confidence=np.zeros(n), class_probability=np.zeros((n, N_CLASSES)),
    )  # fmt: skip


def quiet(rng, n, cells=32) -> np.ndarray:
    return -100.0 + 10 * np.log10(rng.gamma(cells, 1 / cells, n))


def test_quiet_noise_raises_no_alarm():
    rng = np.random.default_rng(2)
    monitor = NoiseMonitor(NoiseSettings(false_alarm_probability=1e-4, min_rise_db=0.0))
    alarms = 0
    for k in range(3000):
        alarms += monitor.step(scan_of(quiet(rng, 20), k=k)).raised is not None
    # Two tests a scan at 1e-4 each: 0.6 expected; five or more would happen once in 2500 runs.
    assert alarms < 5


def test_a_jammer_raises_one_signal_with_bearing_and_power_and_ends():
    rng = np.random.default_rng(3)
    monitor = NoiseMonitor(NoiseSettings())
    azimuth = np.linspace(-np.pi, np.pi, 40, endpoint=False)
    for k in range(20):
        assert monitor.step(scan_of(quiet(rng, 40), azimuth, k)).raised is None
    bearing = 1.0
    beam = np.abs(np.angle(np.exp(1j * (azimuth - bearing)))) < 0.2
    raised = []
    for k in range(20, 30):
        noise = quiet(rng, 40) + np.where(beam, 15.0, 0.0)
        change = monitor.step(scan_of(noise, azimuth, k))
        raised += [change.raised] if change.raised else []
        assert monitor.signal.id == 1
    assert len(raised) == 1
    signal = monitor.signal
    assert signal.kind is SignalKind.NOISE_JAMMING
    assert abs(signal.bearing - bearing) < 0.1
    assert signal.power_db == pytest.approx(15.0, abs=2.0)
    assert signal.confidence > 0.999
    ended = [monitor.step(scan_of(quiet(rng, 40), azimuth, k)).ended for k in range(30, 40)]
    assert sum(e is not None for e in ended) == 1
    assert monitor.signal is None


def test_a_rise_everywhere_has_no_bearing():
    rng = np.random.default_rng(4)
    monitor = NoiseMonitor(NoiseSettings())
    azimuth = np.linspace(-np.pi, np.pi, 40, endpoint=False)
    for k in range(10):
        monitor.step(scan_of(quiet(rng, 40), azimuth, k))
    signal = monitor.step(scan_of(quiet(rng, 40) + 10.0, azimuth, 10)).raised
    assert np.isnan(signal.bearing)
    assert signal.power_db == pytest.approx(10.0, abs=3.0)


def settled(rng, settings=None, n=20) -> NoiseMonitor:
    """Return a monitor that has heard quiet scans, one a second."""
    monitor = NoiseMonitor(settings or NoiseSettings())
    for k in range(20):
        assert monitor.step(scan_of(quiet(rng, n), k=k)).raised is None
    return monitor


def test_a_jammer_that_leaves_nothing_to_be_detected_is_not_over():
    rng = np.random.default_rng(5)
    monitor = settled(rng, NoiseSettings(hold_s=30.0, clear_after_scans=5))
    assert monitor.step(scan_of(quiet(rng, 20) + 20.0, k=20)).raised is not None
    for k in range(21, 51):
        assert monitor.step(scan_of([], k=k)).ended is None
    assert monitor.step(scan_of([], k=51)).ended is not None  # too long to be sure of
    assert not monitor.judged


def test_one_loud_level_alone_is_no_jammer_until_it_comes_again():
    """A level that a strong neighbour raises once, 17 dB, while the mean of all stays as it was."""
    rng = np.random.default_rng(6)
    monitor = settled(rng, n=200)
    loud = quiet(rng, 200)
    loud[7] += 17.0
    assert monitor.step(scan_of(loud, k=20)).raised is None
    for k in range(21, 24):
        assert monitor.step(scan_of(quiet(rng, 200), k=k)).raised is None
    assert monitor.step(scan_of(loud, k=24)).raised is None
    assert monitor.step(scan_of(loud, k=25)).raised is not None


def test_a_sensor_whose_levels_differ_anyway_is_judged_by_how_they_differ():
    """Levels of so many cells as stated would differ by 0.8 dB; these do by 4, and all together by 1 from scan to scan."""
    rng = np.random.default_rng(7)
    monitor = NoiseMonitor(NoiseSettings())
    raised = 0
    for k in range(2000):
        noise = -100.0 + rng.normal(0.0, 4.0, 12) + rng.normal(0.0, 1.0)
        raised += monitor.step(scan_of(noise, k=k)).raised is not None
    assert raised == 0
    change = monitor.step(scan_of(-80.0 + rng.normal(0.0, 4.0, 12), k=2000))
    assert change.raised is not None  # 20 dB more are one all the same


def test_signals_of_several_sensors_have_numbers_of_their_own():
    rng = np.random.default_rng(8)
    ids = itertools.count(1)
    monitors = [NoiseMonitor(NoiseSettings(), ids) for _ in range(2)]
    for k in range(10):
        for monitor in monitors:
            monitor.step(scan_of(quiet(rng, 20), k=k))
    assert [m.step(scan_of(quiet(rng, 20) + 20.0, k=10)).raised.id for m in monitors] == [1, 2]


def test_a_sensor_without_noise_levels_is_not_judged():
    monitor = NoiseMonitor(NoiseSettings())
    for k in range(20):
        change = monitor.step(scan_of([np.nan] * 5, k=k))
        assert change.raised is None
    assert not monitor.judged


def critical(track_id=9, class_id=ClassId.MISSILE, level=ThreatLevel.CRITICAL, at_s=0) -> Threats:
    one = np.ones(1)
    return Threats(
        at_s * SECOND, "map", 1, "radar", np.array([track_id]), np.array([level]), np.array([class_id]), one * 0.9, one, one,
        one, one, ["impact in 20 s"],
    )  # fmt: skip


def several(*track_ids, class_id=ClassId.MISSILE, at_s=0) -> Threats:
    n = len(track_ids)
    one = np.ones(n)
    return Threats(
        at_s * SECOND, "map", 1, "radar", np.array(track_ids), np.full(n, int(ThreatLevel.CRITICAL)), np.full(n, int(class_id)),
        one * 0.9, one, one, one, one, [f"impact in 20 s, second {at_s}"] * n,
    )  # fmt: skip


def nobody(at_s) -> Threats:
    return take_rows(replace(critical(at_s=at_s), reason=[]), np.empty(0, dtype=int))


def signal(number=1, power_db=12.0) -> Signal:
    nan = float("nan")
    return Signal(number, SignalKind.NOISE_JAMMING, nan, nan, power_db, nan, 0.99, f"noise floor {power_db:+.1f} dB")


def measures(*signals) -> list:
    """Return what is advised against signals of which no more is known than their messages say."""
    return [measure for one in signals for measure in against(one, OwnRadarSettings())]


def states_of(book: AdviceBook) -> list[str]:
    return [a.state.name for a in sorted(book.advice, key=lambda a: a.id)]


def test_advice_lives_as_long_as_its_threat_is_critical_and_tells_of_it_as_it_is():
    book = AdviceBook(AdviceSettings(valid_s=10.0))
    (first,) = book.on_threats(several(9))
    for at_s in range(1, 100):
        assert book.on_threats(several(9, at_s=at_s)) == []
        book.expire(at_s * SECOND)
    (now,) = book.advice
    assert (now.id, now.state, now.valid_until_ns) == (first.id, AdviceState.PROPOSED, 109 * SECOND)
    assert now.rationale.endswith("impact in 20 s, second 99")
    assert book.take_withdrawn() == []


@pytest.mark.parametrize("after", [nobody(5), critical(level=ThreatLevel.HIGH, at_s=5)], ids=["gone", "less"])
def test_advice_is_withdrawn_when_its_threat_is_gone_or_less(after):
    book = AdviceBook(AdviceSettings())
    (first,) = book.on_threats(critical())
    assert book.on_threats(after) == []
    assert states_of(book) == ["WITHDRAWN"]
    assert [a.id for a in book.take_withdrawn()] == [first.id]
    with pytest.raises(ValueError, match="not open: WITHDRAWN"):
        book.decide(first.id, accept=True, operator="Kim", now_ns=6 * SECOND)
    (again,) = book.on_threats(critical(at_s=7))  # it is back: that is to be asked again
    assert again.id > first.id


def test_advice_follows_the_class_once_it_lasts():
    book = AdviceBook(AdviceSettings(settle_s=2.0))
    (first,) = book.on_threats(several(9, class_id=ClassId.DRONE))
    assert "links" in first.technique
    for at_s in (1, 2, 3, 4):  # flutters: every other second
        class_id = ClassId.DRONE if at_s % 2 else ClassId.MISSILE
        assert book.on_threats(several(9, class_id=class_id, at_s=at_s)) == []
    told = [book.on_threats(several(9, class_id=ClassId.MISSILE, at_s=at_s)) for at_s in (5, 6, 7)]
    ((other,),) = [new for new in told if new]
    assert "decoys" in other.technique
    assert states_of(book) == ["WITHDRAWN", "PROPOSED"]
    # Aircraft and helicopters get the same advice: nothing changes.
    book = AdviceBook(AdviceSettings(settle_s=0.0))
    book.on_threats(several(9, class_id=ClassId.AIRCRAFT))
    assert book.on_threats(several(9, class_id=ClassId.HELICOPTER, at_s=9)) == []


def test_a_decision_holds_while_its_cause_lasts_and_is_forgotten_after():
    book = AdviceBook(AdviceSettings(kept_s=20.0))
    (about_track,) = book.on_threats(several(9))
    (about_signal,) = book.on_signals(measures(signal()), 0)
    book.decide(about_track.id, accept=False, operator="Kim", now_ns=SECOND)
    book.decide(about_signal.id, accept=True, operator="Kim", now_ns=SECOND)
    for at_s in range(2, 100):
        assert book.on_threats(several(9, at_s=at_s)) == []
        assert book.on_signals(measures(signal()), at_s * SECOND) == []
        book.expire(at_s * SECOND)
    assert states_of(book) == ["REJECTED", "ACKNOWLEDGED"]
    book.expire(121 * SECOND)
    assert book.advice == []


def test_advice_against_a_signal_lives_as_long_as_the_signal():
    book = AdviceBook(AdviceSettings(valid_s=10.0))
    (first,) = book.on_signals(measures(signal(power_db=12.0)), 0)
    for at_s in range(1, 60):
        assert book.on_signals(measures(signal(power_db=12.0 + at_s)), at_s * SECOND) == []
        book.expire(at_s * SECOND)
    (now,) = book.advice
    assert (now.id, now.state, now.expected_benefit_db, now.rationale) == (
        first.id,
        AdviceState.PROPOSED,
        71.0,
        "noise floor +71.0 dB",
    )
    assert book.on_signals(measures(signal(2)), 60 * SECOND) != []
    assert states_of(book) == ["WITHDRAWN", "PROPOSED"]
    assert book.on_signals([], 61 * SECOND) == []
    assert states_of(book) == ["WITHDRAWN", "WITHDRAWN"]


def test_advice_expires_where_nothing_is_heard_of_its_cause():
    book = AdviceBook(AdviceSettings(valid_s=10.0))
    book.on_threats(critical())
    book.expire(11 * SECOND)
    assert states_of(book) == ["EXPIRED"]


def test_advice_waits_for_a_person():
    book = AdviceBook(AdviceSettings())
    (advice,) = book.on_threats(critical())
    assert advice.state is AdviceState.PROPOSED
    assert advice.track_id == 9
    assert "impact in 20 s" in advice.rationale
    assert "decoys" in advice.technique
    assert book.on_threats(critical(at_s=1)) == []  # once, not every scan
    decided = book.decide(advice.id, accept=True, operator="Kim", now_ns=2 * SECOND)
    assert (decided.state, decided.decided_by) == (AdviceState.ACKNOWLEDGED, "Kim")
    with pytest.raises(ValueError, match="not open: ACKNOWLEDGED"):
        book.decide(advice.id, accept=False, operator="Kim", now_ns=2 * SECOND)


@pytest.mark.parametrize("level", [ThreatLevel.LOW, ThreatLevel.MEDIUM, ThreatLevel.HIGH])
def test_no_advice_below_critical(level):
    assert AdviceBook(AdviceSettings()).on_threats(critical(level=level)) == []


def test_a_rejection_is_not_asked_again_but_an_expiry_is():
    book = AdviceBook(AdviceSettings(valid_s=10.0))
    (first,) = book.on_threats(critical())
    book.decide(first.id, accept=False, operator="Kim", now_ns=SECOND)
    assert book.on_threats(critical(at_s=2)) == []
    (other,) = book.on_threats(critical(track_id=10, at_s=2))
    assert book.expire(13 * SECOND)
    assert {a.id: a.state for a in book.advice} == {first.id: AdviceState.REJECTED, other.id: AdviceState.EXPIRED}
    assert len(book.on_threats(critical(track_id=10, at_s=14))) == 1


def test_in_a_loop_that_is_shorter_than_its_validity_advice_expires_and_is_forgotten_all_the_same():
    book = AdviceBook(AdviceSettings(valid_s=10.0, kept_s=20.0))
    book.on_threats(critical())
    states = []
    for now_s in range(40):  # loops of 4 s, from second 0
        if now_s and now_s % 4 == 0:
            book.begin_anew(-4 * SECOND)
        book.expire(now_s % 4 * SECOND)
        states.append([a.state for a in book.advice])
    assert states[10] == [AdviceState.PROPOSED]
    assert states[11] == states[31] == [AdviceState.EXPIRED]
    assert states[32] == []


@pytest.mark.parametrize(("advice_id", "operator", "now_s", "match"), [
    (99, "Kim", 1, "no advice 99"), (1, "  ", 1, "operator_name is empty"), (1, "Kim", 31, "not open: EXPIRED"),
])  # fmt: skip
def test_a_decision_that_cannot_be_is_refused(advice_id, operator, now_s, match):
    book = AdviceBook(AdviceSettings(valid_s=30.0))
    book.on_threats(critical())
    with pytest.raises(ValueError, match=match):
        book.decide(advice_id, accept=True, operator=operator, now_ns=now_s * SECOND)


def test_numbers_are_not_used_again_after_a_restart(tmp_path):
    """A late acknowledgement must not meet other advice under the same number."""
    before = AdviceBook(AdviceSettings(), kept_ids(tmp_path / "ids")).on_threats(critical())[0].id
    after = AdviceBook(AdviceSettings(), kept_ids(tmp_path / "ids")).on_threats(critical())[0].id
    assert after > before


def test_the_book_is_bounded_and_open_advice_is_kept_longest():
    book = AdviceBook(AdviceSettings(max_kept=3))
    ids = [a.id for a in book.on_threats(several(1, 2, 3))]  # one by one, each would take the place of the one before
    book.decide(ids[1], accept=True, operator="Kim", now_ns=1)
    book.on_threats(several(1, 2, 3, 4))
    assert ids[1] not in {a.id for a in book.advice}
    assert len(book.advice) == 3
