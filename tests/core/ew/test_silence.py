# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is no longer heard ends: by the clocks of those that are, whatever these say."""

import numpy as np
import pytest
from receiver_reports import gaussian_beam, report
from scenes import detections_of

from aegis.core.ew.advice import AdviceBook
from aegis.core.ew.descriptors import Pulses
from aegis.core.ew.settings import AdviceSettings, EwSettings
from aegis.core.ew.silence import Silence
from aegis.core.ew.watch import Watch

HOUR_S = 3600.0


@pytest.mark.parametrize("ahead_s", [0.0, HOUR_S, -HOUR_S])
def test_silence_is_the_time_that_passes_for_others_whatever_their_clocks_say(ahead_s):
    silence, passed = Silence(), 0.0
    silence.hear("a", 10**18)
    rng = np.random.default_rng(1)
    silence.hear("b", 10**18 + round(ahead_s * 1e9))
    for _ in range(100):
        passed += float(rng.uniform(0.1, 4.0))
        silence.hear("b", 10**18 + round((ahead_s + passed) * 1e9))
        assert silence.silent_s("a") == pytest.approx(passed, abs=1e-6)
        assert silence.silent_s("b") == 0.0
    silence.hear("a", 10**18)
    assert silence.silent_s("a") == 0.0
    assert silence.silent_s("nobody") == 0.0


def test_a_clock_that_leaps_or_begins_anew_makes_nobody_silent():
    silence = Silence()
    silence.hear("a", 0)
    for stamp_s in (0.0, 1.0, 86_400.0, 0.0, 1.0):
        silence.hear("b", round(stamp_s * 1e9))
    assert silence.silent_s("a") <= 1.0 + 15.0 + 1.0


def heard_by_all() -> Watch:
    """Return a watch over a radar that hears a jammer, and a warning receiver that hears an emitter, both at 24 s."""
    watch, rng = Watch(EwSettings()), np.random.default_rng(1)
    for k in range(24):
        up = gaussian_beam(0.5, 30.0, report().azimuth) if k >= 20 else np.ones(36)
        watch.take_noise(report(rng=rng, up=up, sensor_id="a", stamp_ns=k * 10**9))
    toa, one = 1e-3 * np.arange(50.0), np.ones(50)
    watch.take_pulses(Pulses(24 * 10**9, "esm", 1, "esm", toa, 9e9 * one, 1e-6 * one, one, 0.3 * one, 0.02 * one))
    assert sorted(signal.kind.name for signal in watch.signals) == ["EMITTER", "NOISE_JAMMING"]
    return watch


def test_a_jammer_and_an_emitter_that_are_heard_no_more_end_and_so_does_what_is_advised():
    """The receivers fall silent: the radar, as it broke; the other, as it says nothing where nothing is to be heard."""
    watch, book, last = heard_by_all(), AdviceBook(AdviceSettings()), {}
    for t in np.arange(24.5, 70.0, 0.5):
        watch.take_detections(detections_of([], t, sensor="b"))
        book.on_signals(watch.protections(), round(t * 1e9))
        last |= {signal.kind.name: t for signal in watch.signals}
    assert last["EMITTER"] == pytest.approx(24.5 + 10.0, abs=1.0)  # pulses.hold_s
    assert last["NOISE_JAMMING"] == pytest.approx(24.5 + 30.0, abs=1.0)  # noise.hold_s
    assert [one.state.name for one in book.advice] == ["WITHDRAWN"]
    assert not watch.judged  # nothing tells of a noise floor any more


def test_what_goes_on_being_heard_goes_on():
    watch, rng = heard_by_all(), np.random.default_rng(2)
    ids = {signal.id for signal in watch.signals if signal.kind.name == "NOISE_JAMMING"}
    for t in range(25, 200):
        watch.take_noise(
            report(rng=rng, up=gaussian_beam(0.5, 30.0, report().azimuth), sensor_id="a", stamp_ns=t * 10**9)
        )
        watch.take_detections(detections_of([], 1000.0 + t, sensor="b"))  # a clock that is ahead
    assert {signal.id for signal in watch.signals} == ids
