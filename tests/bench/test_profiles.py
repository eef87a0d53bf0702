# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The profiles of config/: each loads whole, says what it was chosen and shown on, and tracks a small scene that fits it."""

from dataclasses import replace

import numpy as np
import pytest
import yaml
from asterix_bytes import datablock, north_marker, plot
from turning import START_S, Antenna, Judge

from aegis.bench import profile_scenes, profiles
from aegis.bench.profile_scenes import CHOSEN, SHOWN, Scene
from aegis.bench.profiles import Profile
from aegis.bench.turning_radar import in_view, plots, sectors
from aegis.core.detection.detector import Detector
from aegis.core.detection.points import read_points
from aegis.core.evaluation.scene import TrueObject
from aegis.core.types import ClassId
from aegis.drivers.asterix import AsterixParser, AsterixSettings
from aegis.drivers.frames import with_beams
from aegis.graph.config import Parameters
from aegis.resources import config_file

NM = 1852.0
NAMES = ["atc_en_route", "atc_terminal", "drone_site", "automotive"]


def flying(number, start, speed, course_deg, seconds, *, turn_degps=0.0, turn_at=(0.0, 0.0), class_id=ClassId.AIRCRAFT):
    """Return an object that flies on, and turns from one time to another, by small steps."""
    time = np.arange(0.0, seconds, 0.1)
    rate = np.where((time >= turn_at[0]) & (time < turn_at[1]), np.radians(turn_degps), 0.0)
    course = np.radians(course_deg) + np.cumsum(rate) * 0.1
    velocity = speed * np.column_stack([np.sin(course), np.cos(course), np.zeros(len(time))])
    state = np.column_stack([start + np.cumsum(velocity, axis=0) * 0.1, velocity])[::10]
    stamps = np.rint(time[::10] * 1e9).astype(np.int64)
    return TrueObject(number, str(number), int(class_id), stamps, state, np.ones(len(stamps), bool))


def turned(radar, objects, seconds, seed=5, gate_m=1000.0) -> Scene:
    span = (0.0, seconds - 1.0)
    plotted = plots(objects, radar, span, np.random.default_rng(seed))
    return Scene(list(sectors(plotted, radar, span)), in_view(objects, radar), gate_m)


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_loads_and_every_parameter_of_it_is_there(name):
    path = config_file(f"{name}.yaml")
    parameters = Parameters.read(path, [])
    nodes = list(yaml.safe_load(path.read_text()))
    parameters.check(nodes)
    for node in nodes:
        settings = parameters.settings(node)  # raises where a parameter is unknown or out of its bounds
        assert settings != type(settings)() or node == "driver"


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_says_what_it_was_chosen_on_and_shown_on(name):
    head = " ".join(line for line in config_file(f"{name}.yaml").read_text().splitlines() if line.startswith("#"))
    assert "Chosen on" in head
    assert "shown on" in head
    assert "defaults that know the same" in head
    assert "aegis bench profiles" in head


@pytest.mark.parametrize(("name", "radar"), [("atc_en_route", "EN_ROUTE"), ("atc_terminal", "TERMINAL")])
def test_aircraft_that_turn_keep_their_ids(name, radar):
    """A standard turn by 90 degrees, and two that fly on; a look in ten is missed. The bounds are ED-142's, and no id changes."""
    radar = getattr(profile_scenes, radar)
    seconds = 60.0 * radar.period_s
    far = 0.3 * radar.max_range_m
    objects = [
        flying(1, (far, 0.0, 9000.0), 220.0, 300.0, seconds, turn_degps=3.0, turn_at=(seconds / 2, seconds / 2 + 30.0)),
        flying(2, (-far, far, 11000.0), 240.0, 90.0, seconds),
        flying(3, (0.0, -far, 3000.0), 130.0, 10.0, seconds),
    ]
    scene = turned(radar, objects, seconds)
    found = profiles.score(scene, profiles.follow(Profile.read(name), scene.detections))
    assert found.id_changes == found.false_tracks == found.duplicates == 0
    assert found.coverage > 0.9
    assert found.rms_m < {"atc_en_route": 350.0, "atc_terminal": 150.0}[name]
    assert found.within_95 > 0.85


@pytest.mark.parametrize(("name", "period_s"), [("atc_en_route", 10.0), ("atc_terminal", 4.5)])
def test_an_asterix_radar_is_tracked_from_its_bytes(name, period_s):
    """Two aircraft with flight levels, at slant ranges, and one of which only the primary radar knows: one id each."""
    antenna, rng = Antenna(period_s), np.random.default_rng(4)
    courses = {
        "A": ((-60e3, 40e3), (220.0, 0.0)),
        "B": ((50e3, 60e3), (-150.0, -150.0)),
        "C": ((20e3, -80e3), (30.0, 200.0)),
    }
    height_m = 350 * 30.48
    grams = []
    for who, course in courses.items():
        for met in antenna.plots({who: course}, 250.0, rng, pd=0.9):
            level = {} if who == "C" else {"i090": (350 * 4).to_bytes(2, "big")}
            reach = met.range if who == "C" else np.hypot(met.range, height_m)
            theta = round(np.degrees(np.pi / 2 - met.azimuth) % 360.0 / 360.0 * 65536) % 65536 / 65536 * 360.0
            grams.append((met.time, datablock(48, plot(reach / NM, theta, (START_S + met.time) % 86_400, **level))))
    grams += [(t, datablock(34, north_marker((START_S + t) % 86_400))) for t in np.arange(0.0, 250.0, period_s)]
    parameters, profile = Parameters.read(config_file(f"{name}.yaml"), []), Profile.read(name)
    parser, detector = AsterixParser(parameters.settings_as(AsterixSettings, "driver")), Detector(profile.detection)
    frames = [f for t, data in sorted(grams) for f in parser.feed(data, round((START_S + t) * 1e9))] + list(
        parser.finish()
    )
    judge, detections = Judge(courses), []
    for k, frame in enumerate(frames):
        columns = frame.columns if frame.sector is None else with_beams(frame.columns, frame.sector)
        scan, _ = read_points(
            columns, profile.detection, stamp_ns=frame.sensor_time_ns, frame_id="radar", sequence=k + 1
        )
        detections.append(detector.step(scan)[0])
    pictures = profiles.follow(profile, detections)
    for picture in pictures:
        judge.take(picture)
    judge.approve(nees=1.5)
    assert np.sqrt(np.mean(np.square(judge.errors))) < 350.0
    last = pictures[-1]
    heights = np.sort(last.state[last.status != 1, 2])
    np.testing.assert_allclose(heights[1:], height_m, atol=300.0)


def test_a_drone_that_circles_among_birds_is_one_track():
    drone = flying(
        1, (800.0, 900.0, 120.0), 12.0, 45.0, 120.0, turn_degps=8.0, turn_at=(20.0, 100.0), class_id=ClassId.DRONE
    )
    birds = [
        flying(
            k, (300.0 * k, -500.0, 60.0), 11.0, 40.0 * k, 120.0, turn_degps=(-1) ** k * 5.0, turn_at=(10.0 * k, 110.0)
        )
        for k in range(2, 6)
    ]
    scene = turned(profile_scenes.SITE, [drone, *birds], 120.0, gate_m=50.0)
    found = profiles.score(scene, profiles.follow(Profile.read("drone_site"), scene.detections))
    assert found.id_changes == found.false_tracks == found.duplicates == 0
    assert found.coverage > 0.9
    assert found.rms_m < 25.0


def test_a_street_is_shown_object_by_object():
    """The seed is none of those that the profile was chosen on, nor of those that the figures are of."""
    profile = Profile.read("automotive")
    scene = profile_scenes.street(CHOSEN, 77, profile.detection)
    found = profiles.score(scene, profiles.follow(profile, scene.detections))
    assert found.id_changes + found.duplicates + found.false_tracks <= 1
    assert found.coverage > 0.95
    assert found.rms_m < 0.8


def test_the_parts_share_nothing(shared_data):
    profile = Profile.read("automotive")
    one, other = (profile_scenes.street(part, 1, profile.detection).objects for part in (CHOSEN, SHOWN))
    assert not {tuple(o.state[0]) for o in one} & {tuple(o.state[0]) for o in other}
    first, second = (profile_scenes.drone_site(shared_data, part, 1).objects[:2] for part in (CHOSEN, SHOWN))
    ways = [{tuple(np.round(o.state[:, 3:], 6).ravel()) for o in objects} for objects in (first, second)]
    assert not ways[0] & ways[1]


def test_one_person_is_one_track(shared_data):
    """A recorded 77 GHz radar (RadHAR) before which somebody jumps; the profile was not chosen on it."""
    profile = Profile.read("automotive")
    detections = profile_scenes.person(shared_data, profiles.PERSONS[1], profile.detection)
    pictures = profiles.follow(profile, detections[:300])
    counts = np.array([(one.status != 1).sum() for one in pictures])
    assert (counts == 1).mean() > 0.95


class TestTheTurningRadar:
    radar = profile_scenes.TERMINAL

    def test_it_meets_what_is_where_it_looks(self):
        objects = [flying(1, (30e3, 40e3, 5000.0), 200.0, 200.0, 300.0)]
        quiet = replace(self.radar, false_per_turn=1e-9, visible_s=1e9, pd=1.0)
        found = plots(objects, quiet, (0.0, 299.0), np.random.default_rng(1))
        assert len(found) in (66, 67)  # turns of 4.5 s; the object moves on by little
        looked = (quiet.rate * found[:, 0] - found[:, 2] + np.pi) % (2 * np.pi) - np.pi
        sigma = np.radians(quiet.azimuth_sigma_deg)
        assert np.abs(looked).max() < 4.5 * sigma
        assert np.sqrt((looked**2).mean()) == pytest.approx(sigma, rel=0.3)
        at = np.array([30e3, 40e3, 5000.0]) + found[:, :1] * 200.0 * np.array(
            [np.sin(np.radians(200.0)), np.cos(np.radians(200.0)), 0.0]
        )
        off = found[:, 1] - np.linalg.norm(at, axis=1)
        assert np.sqrt((off**2).mean()) == pytest.approx(quiet.range_sigma_m, rel=0.3)

    def test_misses_and_false_plots_are_as_many_as_stated(self):
        objects = [flying(k, (10e3 * k, 10e3, 5000.0), 100.0, 0.0, 900.0) for k in range(1, 5)]
        clear = replace(self.radar, visible_s=1e9, highest_m=100.0)
        found = plots(objects, clear, (0.0, 899.0), np.random.default_rng(2))
        real = found[:, 3] > 2000.0
        looks = 4 * 899.0 / clear.period_s
        assert real.sum() == pytest.approx(clear.pd * looks, abs=4 * np.sqrt(looks * clear.pd * (1 - clear.pd)) + 4)
        false = clear.false_per_turn * 899.0 / clear.period_s
        assert (~real).sum() == pytest.approx(false, abs=4 * np.sqrt(false))

    def test_each_sector_has_what_was_met_in_it(self):
        objects = [flying(1, (30e3, 40e3, 5000.0), 200.0, 200.0, 60.0)]
        found = plots(objects, self.radar, (0.0, 59.0), np.random.default_rng(3))
        sent = list(sectors(found, self.radar, (0.0, 59.0)))
        assert len(sent) == 59
        assert sum(map(len, sent)) == len(found)
        for k, one in enumerate(sent):
            assert one.stamp_ns == (k + 1) * 10**9
            assert ((one.time_offset >= -1.0) & (one.time_offset <= 0.0)).all()
            # The antenna was there at that time: counted anticlockwise from east, it turns clockwise.
            looked = one.sector.azimuth + one.sector.rate * one.time_offset
            assert np.abs((one.azimuth - looked + np.pi) % (2 * np.pi) - np.pi).max(initial=0.0) < 0.01
