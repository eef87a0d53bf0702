# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is advised against what is heard, and strobes of several sites that cross."""

import numpy as np
import pytest
from receiver_reports import gaussian_beam, report

from aegis.core.ew import protection
from aegis.core.ew.protection import against, protections
from aegis.core.ew.receiver import Heard
from aegis.core.ew.settings import EwSettings, OwnRadarSettings
from aegis.core.ew.watch import Watch
from aegis.core.types import Signal, SignalKind

NAN = float("nan")
RADAR = OwnRadarSettings(pulse_compression=50.0, chirps=128)


def signal(kind=SignalKind.NOISE_JAMMING, track_id=0, bearing=NAN) -> Signal:
    return Signal(3, kind, bearing, NAN, 12.0, NAN, 0.99, "evidence", track_id)


def advised(heard: Heard) -> dict[str, float]:
    return {one.technique: round(one.benefit_db, 2) for one in protections(heard, RADAR, heard.signal.bearing)}


def test_each_kind_of_jamming_gets_what_helps_against_it_with_its_worth():
    assert advised(Heard(signal(), rise_db=12.0)) == {protection.AGILITY: 12.0}
    barrage = Heard(signal(bearing=0.5), barrage=True, rise_db=10 * np.log10(16.0))
    assert advised(barrage) == {protection.BURN_THROUGH: 6.02}
    (one,) = protections(barrage, RADAR, 0.5)
    assert "burn through at 50 % of the quiet range" in one.rationale
    assert "strobe on bearing 61.4 deg" in one.rationale  # clockwise from north, as all that a person reads
    sidelobes = Heard(signal(bearing=0.5), through_sidelobes=True, strobe_excess_db=22.0, rise_db=9.0)
    assert advised(sidelobes) == {protection.AGILITY: 12.0, protection.BLANKING: 22.0}
    assert advised(Heard(signal(SignalKind.INTERFERENCE), bursts=True)) == {protection.CHIRP_JITTER: 21.07}
    for deceived in (signal(SignalKind.DECEPTION, track_id=7), signal(SignalKind.DECEPTION)):
        (one,) = against(deceived, RADAR)
        assert one.benefit_db == pytest.approx(16.99, abs=0.01)
    assert against(signal(SignalKind.EMITTER), RADAR) == []


def test_burn_through_is_told_beside_the_strobe_and_towards_it():
    """A turning radar of 36 beams hears a jammer of JNR 10^4 in its main lobe, 10 in its sidelobes: (1 + JNR)^(-1/4) is left."""
    watch, rng = Watch(EwSettings()), np.random.default_rng(1)
    beams = gaussian_beam(report().azimuth[7], 1e4, report().azimuth)
    for k in range(24):
        up = beams if k >= 20 else np.ones(36)
        watch.take_noise(report(rng=rng, up=up, sensor_id="a", carrier_frequency=9.4e9 + 20e6 * (k % 2)))
    (text,) = [one.rationale for one in watch.protections() if one.technique == protection.BURN_THROUGH]
    beside, towards = (float(part.split(" %")[0]) for part in text.split(" at ")[1:3])
    assert beside == pytest.approx(100 * 11.0**-0.25, abs=1.0)
    assert towards == pytest.approx(100 * (1 + 1e4) ** -0.25, abs=1.0)


def watched(sites, jammer, reports=24) -> Watch:
    """Return a watch over radars that hear a jammer from the 21st report on."""
    settings = EwSettings.model_validate(
        {"sensors": {n: {"sensor_x": x, "sensor_y": y} for n, (x, y) in sites.items()}}
    )
    watch, rng = Watch(settings), np.random.default_rng(1)
    for k in range(reports):
        for name, (x, y) in sites.items():
            bearing = np.arctan2(jammer[1] - y, jammer[0] - x)
            up = gaussian_beam(bearing, 30.0, report().azimuth) if k >= 20 else np.ones(36)
            watch.take_noise(report(rng=rng, up=up, sensor_id=name))
    return watch


@pytest.mark.parametrize("yaw_deg", [0.0, 120.0, 300.0])
def test_advice_tells_the_strobe_as_a_person_reads_it(yaw_deg):
    """A radar that looks elsewhere than east hears a jammer of a wide band on 30 degrees of its own."""
    settings = EwSettings.model_validate({"sensors": {"a": {"sensor_yaw_deg": yaw_deg}}})
    watch, rng = Watch(settings), np.random.default_rng(1)
    bearing = np.radians(30.0)
    for k in range(24):
        up = gaussian_beam(bearing, 30.0, report().azimuth) if k >= 20 else np.ones(36)
        watch.take_noise(report(rng=rng, up=up, sensor_id="a", carrier_frequency=9.4e9 + 20e6 * (k % 2)))
    (heard,) = watch.signals
    words = [one.rationale for one in watch.protections() if "strobe on bearing" in one.rationale]
    for text in words:
        told = float(text.split("strobe on bearing ")[1].split(" deg")[0])
        wanted = 90.0 - yaw_deg - np.degrees(heard.bearing)
        assert abs((told - wanted + 180.0) % 360.0 - 180.0) < 0.06
    assert words


def test_strobes_of_two_sites_cross_where_the_jammer_is():
    jammer = np.array([5000.0, 8000.0])
    signals = watched({"a": (0.0, 0.0), "b": (9000.0, 0.0)}, jammer).signals
    assert [one.sensor for one in signals] == ["a", "b"]
    for one in signals:
        off = np.array([one.x, one.y]) - jammer
        covariance = np.array([[one.xx, one.xy], [one.xy, one.yy]])
        assert off @ np.linalg.solve(covariance, off) < 14.0  # chi-square of 2, .999
        assert np.sqrt(covariance[0, 0]) < 200.0


def test_one_site_or_two_in_one_place_give_no_place():
    for sites in ({"a": (0.0, 0.0)}, {"a": (0.0, 0.0), "b": (0.0, 0.0)}):
        assert all(np.isnan(one.x) for one in watched(sites, (5000.0, 8000.0)).signals)


def test_advice_against_a_barrage_takes_the_place_of_agility_once_it_is_known():
    watch, rng = Watch(EwSettings()), np.random.default_rng(2)
    for _ in range(20):
        watch.take_noise(report(rng=rng))
    techniques = []
    for k in range(8):
        watch.take_noise(report(rng=rng, up=np.full(36, 6.0), carrier_frequency=9.4e9 + 60e6 * (k if k > 3 else 0)))
        techniques.append({one.technique for one in watch.protections()})
    assert techniques[0] == set()
    assert techniques[2] == {protection.AGILITY}
    assert techniques[-1] == {protection.BURN_THROUGH}
