# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Zone rules: who is inside against a winding number, approaches against a search, entries against flights; hysteresis, slots."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer
from scipy.optimize import minimize_scalar
from threat_tracks import tracks_of

from aegis.core.params import ConfigError
from aegis.core.threat.alarms import text_of
from aegis.core.threat.areas import areas_of
from aegis.core.threat.settings import ThreatSettings
from aegis.core.threat.zone_watch import ZoneWatch
from aegis.core.threat.zones import zones_of
from aegis.core.types import ClassId, TrackStatus
from aegis.ros.zone_files import all_zones

ELL = [0.0, 0.0, 400.0, 0.0, 400.0, 100.0, 100.0, 100.0, 100.0, 300.0, 0.0, 300.0]  # an L


def watch_of(**given) -> ZoneWatch:
    found = ThreatSettings.load({"zones.ell.polygon": ELL, "rules.r.zone": "ell", "rules.r.raise_s": 0.0, **given})
    return ZoneWatch(found, found.zones)


def at(second: float, *places, class_id=ClassId.DRONE, velocity=(0.0, 0.0, 0.0), **changes):
    """Return a picture of tracks 1, 2, ... at places x, y, z."""
    tracks = tracks_of(*((k + 1, class_id, place, velocity) for k, place in enumerate(places)), **changes)
    return replace(tracks, stamp_ns=round(second * 1e9))


def told(watch: ZoneWatch, tracks) -> list[tuple[int, bool]]:
    return [(change.track_id, change.raised) for change in watch.step(tracks)]


def winding(x: float, y: float, corners: np.ndarray) -> int:
    """How often a polygon goes around a point: the sum of the angles under which its edges are seen."""
    seen = np.arctan2(corners[:, 1] - y, corners[:, 0] - x)
    turns = np.diff(np.append(seen, seen[0]))
    return round(((turns + np.pi) % (2 * np.pi) - np.pi).sum() / (2 * np.pi))


@given(st.lists(st.floats(200.0, 900.0), min_size=3, max_size=9), st.integers(0, 10_000))
@settings(max_examples=30)
def test_who_is_inside_is_who_the_polygon_goes_around(radii, seed):
    angle = np.linspace(0.0, 2 * np.pi, len(radii), endpoint=False)
    corners = np.array(radii)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    places = np.random.default_rng(seed).uniform([-1000, -1000, -100], [1000, 1000, 600], (60, 3))
    limits = {"zones.ell.floor_m": 0.0, "zones.ell.ceiling_m": 500.0, "rules.r.margin_m": 0.0}
    watch = watch_of(**{"zones.ell.polygon": corners.ravel().tolist(), **limits})
    expected = [k + 1 for k, (x, y, z) in enumerate(places) if 0 <= z <= 500 and winding(x, y, corners)]
    assert sorted(one for one, _ in told(watch, at(0.0, *map(tuple, places)))) == expected


def test_inside_ends_only_beyond_the_margin_and_after_its_time():
    watch = watch_of(**{"rules.r.margin_m": 30.0, "rules.r.end_s": 2.0})
    assert told(watch, at(0, (50, 50, 10))) == [(1, True)]
    assert told(watch, at(1, (-20, 50, 10))) == []  # out, but not by more than the margin
    assert told(watch, at(9, (-20, 50, 10))) == []
    assert told(watch, at(10, (-40, 50, 10))) == []  # waits
    assert told(watch, at(11, (50, 50, 10))) == []  # in again
    assert told(watch, at(12, (-40, 50, 10))) == []
    assert told(watch, at(14, (-40, 50, 10))) == [(1, False)]
    assert told(watch, at(15, (-20, 50, 10))) == []  # the margin is of those inside only


def test_a_rule_has_to_hold_for_a_while_before_it_is_an_alarm():
    watch = watch_of(**{"rules.r.raise_s": 1.5})
    assert told(watch, at(0, (50, 50, 10))) == []
    assert told(watch, at(1, (-500, 50, 10))) == []
    assert told(watch, at(2, (50, 50, 10))) == []
    assert told(watch, at(3, (50, 50, 10))) == []
    assert told(watch, at(4, (50, 50, 10))) == [(1, True)]


def test_entering_and_leaving_are_of_those_who_were_elsewhere_before():
    """The first track is seen inside first, the second comes in; then both go out."""
    inside, outside = (50, 50, 10), (-500, 50, 10)
    enter = watch_of(**{"rules.r.when": "enter", "rules.r.hold_s": 4.0, "rules.r.end_s": 0.0})
    leave = watch_of(**{"rules.r.when": "leave", "rules.r.hold_s": 4.0, "rules.r.end_s": 0.0})
    both = (watch_of(**{"rules.r.when": "outside", "rules.r.end_s": 0.0}), enter, leave)
    steps = [(inside, outside), (inside, inside), (inside, inside), (outside, outside)]
    found = [[told(watch, at(3.0 * k, *places)) for watch in both] for k, places in enumerate(steps)]
    assert [each[0] for each in found] == [[(2, True)], [(2, False)], [], [(1, True), (2, True)]]
    assert [each[1] for each in found] == [[], [(2, True)], [], [(2, False)]]
    assert [each[2] for each in found] == [[], [], [], [(1, True), (2, True)]]


def spells(through: np.ndarray, velocity: np.ndarray, corners: np.ndarray, seconds: float) -> list[float]:
    """Return for how long a straight way is in a polygon below 500 m, spell by spell: by the angles around it, every 10 ms."""
    t = np.arange(-seconds, seconds, 0.01)
    x, y, z = through[:, None] + velocity[:, None] * t
    seen = np.arctan2(corners[:, 1, None] - y, corners[:, 0, None] - x)
    turns = np.diff(np.concatenate([seen, seen[:1]]), axis=0)
    around = np.round(((turns + np.pi) % (2 * np.pi) - np.pi).sum(axis=0) / (2 * np.pi)) != 0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], around & (z <= 500.0), [0]])))
    return (0.01 * np.diff(edges.reshape(-1, 2), axis=1)).ravel().tolist()


@pytest.mark.parametrize("when", ["inside", "enter"])
@pytest.mark.parametrize("raise_s", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("period_s", [0.5, 4.0, 10.0])
def test_who_flies_through_a_zone_is_an_alarm_if_it_is_in_it_for_so_long_however_seldom_the_radar_looks(
    when, raise_s, period_s
):
    rng, corners = np.random.default_rng(3), np.array(ELL).reshape(-1, 2) * 3.0
    zone = {"zones.ell.polygon": corners.ravel().tolist(), "zones.ell.ceiling_m": 500.0, "rules.r.margin_m": 0.0}
    asked = 0
    for _ in range(40):
        course, speed = rng.uniform(0.0, 2 * np.pi), rng.uniform(60.0, 400.0)
        velocity = np.array([speed * np.cos(course), speed * np.sin(course), rng.uniform(-20.0, 20.0)])
        through = np.append(rng.uniform([0.0, 0.0], [1200.0, 900.0]), rng.uniform(-100.0, 700.0))
        there = spells(through, velocity, corners, 2000.0 / speed)
        longest = max(there, default=0.0)
        if abs(longest - raise_s) < 0.05 or len(there) > 1:
            continue  # a matter of rounding; or of which of two spells
        asked += 1
        watch = watch_of(**zone, **{"rules.r.when": when, "rules.r.raise_s": raise_s})
        times = np.arange(-2000.0 / speed - 10.0, 2000.0 / speed + 50.0, period_s) + rng.uniform(0.0, period_s)
        ways = (at(1000.0 + t, tuple(through + velocity * t), velocity=tuple(velocity)) for t in times)
        changes = [change.raised for picture in ways for change in watch.step(picture)]
        assert changes == ([True, False] if longest > raise_s else []), (longest, speed)
    assert asked > 15


def test_who_was_inside_and_is_out_again_is_told_so():
    watch = watch_of(**{"rules.r.raise_s": 1.0})
    assert told(watch, at(0, (-600, 50, 10), velocity=(250, 0, 0))) == []
    (change,) = watch.step(at(4, (800, 50, 10), velocity=(250, 0, 0)))
    assert change.inside_s == pytest.approx(4 * 400 / 1400)
    words = text_of(watch.rules["r"], change, at(4, (800, 50, 10), velocity=(250, 0, 0)))
    assert words.startswith("was inside 'ell' for 1.1 s; ")


@pytest.mark.parametrize(
    "narrowed", [{"classes": ["VESSEL"]}, {"min_speed_mps": 300.0}, {"course_deg": 270.0, "course_width_deg": 60.0}]
)
def test_who_flies_through_is_no_alarm_of_a_rule_for_others(narrowed):
    watch = watch_of(**{f"rules.r.{key}": value for key, value in narrowed.items()})
    assert told(watch, at(0, (-600, 50, 10), velocity=(250, 0, 0))) == []
    assert told(watch, at(4, (800, 50, 10), velocity=(250, 0, 0))) == []


def test_who_broke_no_rule_inside_breaks_none_by_what_it_does_outside():
    """A vessel that is slow in the zone, and fast as soon as it is out."""
    watch = watch_of(**{"rules.r.raise_s": 1.0, "rules.r.min_speed_mps": 6.0})
    for k in range(5):
        assert told(watch, at(4 * k, (380, 50, 0), velocity=(2, 0, 0))) == []
    assert told(watch, at(20, (420, 50, 0), velocity=(8, 0, 0))) == []


def test_nobody_knows_the_way_over_a_long_pause_nor_of_who_was_not_there():
    watch = watch_of()
    assert told(watch, at(0, (-600, 50, 10))) == []
    assert told(watch, at(31, (800, 50, 10))) == []
    assert told(watch, at(32, (800, 50, 10), (-600, 50, 10))) == []


def test_staying_counts_from_when_it_came_in():
    watch = watch_of(**{"rules.r.when": "stay", "rules.r.stay_s": 20.0, "rules.r.end_s": 0.0})
    assert told(watch, at(0, (-500, 50, 10))) == []
    for t in (5, 15, 24):
        assert told(watch, at(t, (50, 50, 10))) == []
    assert told(watch, at(25, (50, 50, 10))) == [(1, True)]
    assert told(watch, at(26, (-500, 50, 10))) == [(1, False)]


@given(st.tuples(st.floats(-3000, 3000), st.floats(-3000, 3000)), st.tuples(st.floats(-80, 80), st.floats(-80, 80)))
@settings(max_examples=60)
def test_the_nearest_approach_is_that_of_a_search_along_the_way(place, velocity):
    watch = watch_of(**{"rules.r.when": "cpa", "rules.r.cpa_m": 700.0, "rules.r.margin_m": 0.0})
    corners = np.array(ELL).reshape(-1, 2)

    def distance(t: float) -> float:
        x, y = place[0] + t * velocity[0], place[1] + t * velocity[1]
        if winding(x, y, corners):
            return 0.0
        ends = np.roll(corners, -1, axis=0)
        edge = ends - corners
        share = np.clip(((np.array([x, y]) - corners) * edge).sum(axis=1) / (edge**2).sum(axis=1), 0, 1)
        return float(np.linalg.norm(corners + share[:, None] * edge - [x, y], axis=1).min())

    times = np.linspace(0.0, 60.0, 601)
    best = times[int(np.argmin([distance(t) for t in times]))]
    bounds = (max(best - 0.2, 0.0), min(best + 0.2, 60.0))
    nearest = min(distance(best), minimize_scalar(distance, bounds=bounds, method="bounded").fun)
    found = watch.step(at(0, (*place, 10.0), velocity=(*velocity, 0.0)))
    if nearest < 690.0:
        assert found[0].value == pytest.approx(nearest, abs=2.0)
    elif nearest > 710.0:
        assert not found


def test_the_probability_to_enter_is_that_of_flights():
    """Straight flights with the track's error, and white acceleration step by step, through a box with floor and ceiling."""
    rng, n, step_s = np.random.default_rng(3), 8000, 0.25
    box = {"zones.ell.polygon": [1000, -300, 1800, -300, 1800, 300, 1000, 300], "zones.ell.floor_m": 0.0}
    rule = {
        "rules.r.when": "entry",
        "rules.r.within_s": 40.0,
        "rules.r.probability": 1e-6,
        "zones.ell.ceiling_m": 400.0,
    }
    rule |= {"manoeuvre.acceleration_sigma_mps2": 2.0, "manoeuvre.vertical_acceleration_sigma_mps2": 1.0}
    for place, velocity in (
        ((-500.0, 100.0, 200.0), (60.0, 0.0, 0.0)),
        ((-500.0, 500.0, 200.0), (60.0, -5.0, 0.0)),
        ((-200.0, 0.0, 600.0), (60.0, 3.0, -8.0)),
        ((-2200.0, 0.0, 200.0), (80.0, 0.0, 0.0)),
    ):
        tracks = at(0, place, velocity=velocity, sigma=(25.0, 4.0))
        (change,) = watch_of(**box, **rule).step(tracks)
        state = rng.multivariate_normal(tracks.state[0], tracks.covariance[0], n)
        inside = np.zeros(n, bool)
        for _ in range(round(40.0 / step_s)):
            kick = rng.normal(size=(n, 3)) * np.sqrt(np.array([4.0, 4.0, 1.0]) * step_s)
            state[:, :3] += (state[:, 3:] + kick / 2.0) * step_s
            state[:, 3:] += kick
            x, y, z = state[:, :3].T
            inside |= (x >= 1000) & (x <= 1800) & (abs(y) <= 300) & (z >= 0) & (z <= 400)
        assert change.value == pytest.approx(inside.mean(), abs=0.08)


def test_speed_course_and_class_narrow_a_rule():
    anywhere = {"rules.r.zone": "", "rules.r.when": "anywhere", "rules.r.end_s": 0.0}
    fast = watch_of(**anywhere, **{"rules.r.min_speed_mps": 20.0, "rules.r.margin_mps": 2.0})
    speeds = [19.0, 20.5, 18.5, 17.5]
    assert [told(fast, at(k, (0, 0, 0), velocity=(v, 0, 0))) for k, v in enumerate(speeds)] == [
        [], [(1, True)], [], [(1, False)],
    ]  # fmt: skip
    north = watch_of(**anywhere, **{"rules.r.course_deg": 350.0, "rules.r.course_width_deg": 40.0})
    for heading, holds in ((5.0, True), (335.0, True), (15.0, False), (180.0, False)):
        east, ahead = np.sin(np.radians(heading)), np.cos(np.radians(heading))
        assert bool(told(north, at(0, (0, 0, 0), velocity=(9 * east, 9 * ahead, 0)))) is holds
        north.reset()
    assert told(north, at(0, (0, 0, 0))) == []  # what stands has no course
    drones = watch_of(**anywhere, **{"rules.r.classes": ["DRONE", "MISSILE"]})
    assert told(drones, at(0, (0, 0, 0), class_id=ClassId.BIRD)) == []
    assert told(drones, at(1, (0, 0, 0), class_id=ClassId.MISSILE)) == [(1, True)]


def test_a_track_that_is_gone_ends_its_alarm_and_its_place_is_free():
    """Hundreds of tracks come and go; each is told once and ended once, and nobody inherits what was of another."""
    watch, rng = watch_of(), np.random.default_rng(5)
    open_now: set[int] = set()
    for k in range(60):
        ids = np.sort(rng.choice(np.arange(1 + 5 * k, 900 + 5 * k), 400, replace=False))
        inside = ids % 3 == 0
        tracks = tracks_of(
            *((int(i), ClassId.DRONE, (50 if x else -900, 50, 0), (0, 0, 0)) for i, x in zip(ids, inside, strict=True))
        )
        for change in watch.step(replace(tracks, stamp_ns=k * 10**9)):
            assert change.raised != (change.track_id in open_now)
            open_now ^= {change.track_id}
        assert open_now == set(ids[inside].tolist())


def test_tentative_tracks_break_no_rule_and_time_that_goes_back_begins_anew():
    watch = watch_of()
    assert told(watch, at(5, (50, 50, 0), status=TrackStatus.TENTATIVE)) == []
    assert told(watch, at(6, (50, 50, 0))) == [(1, True)]
    assert told(watch, at(2, (50, 50, 0))) == [(1, False), (1, True)]
    assert [change.raised for change in watch.reset()] == [False]


@pytest.mark.parametrize("distance_m", [1e3, 150e3, 300e3, 400e3])
def test_a_zone_without_a_floor_holds_what_is_on_the_sea_however_far(distance_m):
    """A vessel's place by PROJ: 300 km from the origin of map, the sea is 7 km below its plane."""
    site, geod = (54.0, 10.0, 0.0), Geod(ellps="WGS84")
    longitude, latitude, _ = geod.fwd(site[1], site[0], 60.0, distance_m)
    to_map = Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=WGS84 "
        f"+step +proj=topocentric +ellps=WGS84 +lon_0={site[1]} +lat_0={site[0]} +h_0=0"
    )
    place = to_map.transform(longitude, latitude, 0.0)
    ring = [geod.fwd(longitude, latitude, angle, 5000.0)[:2] for angle in (0.0, 120.0, 240.0)]
    feature = {"type": "Feature", "properties": {"name": "ell"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    zones = zones_of(feature, site, "file").zones
    watch = ZoneWatch(
        ThreatSettings.load({"zones.ell.polygon": ELL, "rules.r.zone": "ell", "rules.r.raise_s": 0.0}), zones
    )
    assert told(watch, at(0.0, place, class_id=ClassId.VESSEL)) == [(1, True)]
    (area,) = areas_of({}, zones, {})
    assert np.isnan([area.floor_m, area.ceiling_m]).all()  # no bound is shown


def test_an_asset_is_a_zone_too():
    watch = watch_of(**{"assets.pier.x": 500.0, "assets.pier.radius_m": 200.0, "rules.r.zone": "pier"})
    assert told(watch, at(0, (690, 0, 0), (500, 150, 0), (710, 0, 0))) == [(1, True), (2, True)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rules.r.zone": "elsewhere"}, "no zone 'elsewhere'; known are: asset, ell"),
        ({"zones.ell.polygon": [0, 0, 1, 1]}, "polygon has 4 numbers; x and y of at least three corners"),
        ({"zones.ell.radius_m": 5.0}, "either polygon or radius_m"),
        ({"zones.ell.floor_m": 9e9}, "floor_m < ceiling_m"),
        ({"rules.r.zone": ""}, "zone is needed, but not with when: anywhere"),
        ({"rules.r.when": "enter", "rules.r.raise_s": 60.0}, "raise_s < hold_s"),
        ({"rules.r.when": "near"}, "'cpa' or 'entry'"),
    ],
)
def test_what_is_wrong_is_said(given, said):
    with pytest.raises(ConfigError, match=said):
        watch_of(**given)


# Files.

SITE = (60.0, 24.0, 10.0)
SQUARE = [[24.0, 60.0], [24.02, 60.0], [24.02, 60.01], [24.0, 60.01], [24.0, 60.0]]


def feature(**changes) -> dict:
    geometry = {"type": "Polygon", "coordinates": [SQUARE], **changes}
    return {"type": "Feature", "properties": {"name": "port", "ceiling_m": 300}, "geometry": geometry}


def test_geojson_and_yaml_give_the_same_zone():
    found, none = zones_of({"type": "FeatureCollection", "features": [feature()]}, SITE, "f.geojson")
    assert none == {}
    pairs = [point[::-1] for point in SQUARE[:-1]]
    same = zones_of({"zones": {"port": {"latitude_longitude": pairs, "ceiling_m": 300}}}, SITE, "f.yaml").zones
    assert found == same
    assert (list(found), found["port"].ceiling_m) == (["port"], 300.0)
    corners = np.array(found["port"].polygon).reshape(-1, 2)
    # A degree of latitude is 111,412 m at 60 degrees north, one of longitude 55,800 m (WGS 84).
    np.testing.assert_allclose(corners[2], [0.02 * 55_800, 0.01 * 111_412], rtol=2e-3)
    metres = zones_of({"zones": {"yard": {"polygon": [[0, 0], [10, 0], [10, 10]]}}}, (), "f.yaml").zones
    assert metres["yard"].polygon == (0.0, 0.0, 10.0, 0.0, 10.0, 10.0)
    assert zones_of({"zones": {"pad": {"x": 5, "radius_m": 30}}}, (), "f.yaml").zones["pad"].radius_m == 30.0
    two = zones_of(feature(type="MultiPolygon", coordinates=[[SQUARE], [SQUARE]]), SITE, "f.geojson").zones
    assert list(two) == ["port 1", "port 2"]


def test_a_zone_of_a_file_may_have_rules_of_its_own():
    rules = [{"when": "stay", "stay_s": 20}, {"when": "leave", "classes": ["DRONE"]}]
    port = feature() | {"properties": {"name": "port", "rules": rules}}
    yard = {"zones": {"port": {"radius_m": 9, "rules": rules}, "pad": {"radius_m": 9}}}
    for document in (port, yard):
        found = zones_of(document, SITE, "f").rules
        assert {name: (rule.zone, rule.when) for name, rule in found.items()} == {
            "port": ("port", "stay"),
            "port #2": ("port", "leave"),
        }
        assert (found["port"].stay_s, found["port #2"].classes) == (20.0, ("DRONE",))


def test_rules_of_a_file_are_watched_and_a_name_that_is_taken_is_refused(tmp_path):
    path = tmp_path / "zones.yaml"
    path.write_text("zones: {pad: {radius_m: 50, rules: [{raise_s: 0}, {when: outside, raise_s: 0}]}}")
    settings = ThreatSettings.load({"zone_file": str(path), "rules.lane.zone": "pad", "rules.lane.when": "outside"})
    zones, rules = all_zones(settings)
    assert list(ZoneWatch(settings, zones, rules).rules) == ["lane", "pad", "pad #2"]
    with pytest.raises(ConfigError, match="a rule 'pad #2' is in the parameters too"):
        all_zones(ThreatSettings.load({"zone_file": str(path), "rules": {"pad #2": {"zone": "pad"}}}))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "GeoJSON .* or a mapping 'zones' is expected"),
        (feature(type="Point"), "feature 'port' is no Polygon"),
        (feature(coordinates=[SQUARE, SQUARE]), "has holes"),
        (feature(coordinates=[[[24.0, "x"], [24.0, 60.0], [25.0, 60.0]]]), "zone 'port'"),
        ({"type": "FeatureCollection", "features": [feature(), feature()]}, "the same name"),
        ({"zones": {"a": 5}}, "zone 'a' is 5; a mapping is expected"),
        ({"zones": {"a": {"radius_m": 5, "rules": {"when": "stay"}}}}, "zone 'a': rules is .* a list of mappings"),
        ({"zones": {"a": {"radius_m": 5, "rules": [{}, {"when": "near"}]}}}, "zone 'a': rules.2.when is 'near'"),
        ({"zones": {"a": {"radius_m": 5, "colour": "red"}}}, "colour"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(document, said):
    with pytest.raises(ConfigError, match=f"^f: .*{said}|{said}"):
        zones_of(document, SITE, "f")
    with pytest.raises(ConfigError, match="f: zone 'port' is in degrees"):
        zones_of(feature(), (), "f")
