# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Places on Earth against PROJ, and directions against differences of places."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from placed_data import proj_earth_fixed, proj_places
from pyproj import Geod, Transformer
from settings_of import settings_of

from aegis.bridge.outputs.settings import OutputSettings
from aegis.core.params import ConfigError
from aegis.core.site import Site

EARTH_RADIUS_M = 6_371_000.0
GEOD = Geod(ellps="WGS84")
EARTH_FIXED = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)  # from degrees and metres
sites = st.builds(
    Site,
    st.one_of(st.sampled_from([-90.0, 0.0, 90.0]), st.floats(-90, 90)),
    st.one_of(st.sampled_from([-180.0, 0.0, 180.0]), st.floats(-180, 180)),
    st.floats(-500, 9000),
)
positions = arrays(float, (5, 3), elements=st.floats(-300_000, 300_000))


def placed(site, position, velocity=(0.0, 0.0, 0.0), covariance=None):
    n = len(position)
    state = np.concatenate([position, np.broadcast_to(velocity, (n, 3))], axis=1)
    return site.place(state, np.zeros((n, 6, 6)) if covariance is None else covariance)


def proj(site, position):
    return proj_places((site.latitude_deg, site.longitude_deg, site.altitude_m), position)


@settings(max_examples=150)
@given(sites, positions)
def test_places_are_those_of_proj_to_a_millimetre(site, position):
    """Both in axes of the Earth: PROJ's way back from those to degrees is itself a millimetre off, 300 km below the ground."""
    ours = placed(site, position)
    found = np.stack(EARTH_FIXED.transform(ours.longitude_deg, ours.latitude_deg, ours.altitude_m))
    expected = np.stack(proj_earth_fixed((site.latitude_deg, site.longitude_deg, site.altitude_m), position))
    assert np.linalg.norm(found - expected, axis=0).max() < 1e-3
    assert np.abs(ours.longitude_deg).max() <= 180.0
    assert np.abs(ours.latitude_deg).max() <= 90.0


@settings(max_examples=100)
@given(sites, positions, arrays(float, 3, elements=st.floats(-300, 300)))
def test_velocities_are_the_differences_of_places(site, position, velocity):
    """Where a track is half a second before and after, by PROJ: the geodesic between tells course and speed over ground."""
    before, after = (proj(site, position + half * velocity) for half in (-0.5, 0.5))
    ours = placed(site, position, velocity)
    there, _, distance = GEOD.inv(before[1], before[0], after[1], after[0])
    # The geodesic is on the ellipsoid, the track above it.
    scale = 1.0 + ours.altitude_m / EARTH_RADIUS_M
    assert np.abs(after[2] - before[2] - ours.velocity[:, 2]).max() < 0.05
    assert np.abs(distance * scale - ours.ground_speed).max() < 0.01 * np.abs(ours.ground_speed).max() + 0.01
    away_from_poles = np.abs(ours.latitude_deg) < 89.0
    compared = away_from_poles & (ours.ground_speed > 1.0)
    turn = (ours.course_deg - np.array(there) + 180.0) % 360.0 - 180.0
    assert np.abs(turn[compared]).max(initial=0.0) < 0.2
    assert ((ours.course_deg >= 0.0) & (ours.course_deg < 360.0) | np.isnan(ours.course_deg)).all()


def test_east_at_the_site_is_not_east_100_km_away():
    """Seen from 60 degrees north, a track 100 km east that flies along the site's east has turned by the meridians' convergence."""
    ours = placed(Site(60.0, 10.0, 0.0), np.array([[100_000.0, 0.0, 0.0]]), (100.0, 0.0, 0.0))
    _, back, _ = GEOD.inv(10.0, 60.0, ours.longitude_deg[0], ours.latitude_deg[0])
    assert ours.course_deg[0] == pytest.approx(back - 180.0 + 360.0 * (back < 180.0), abs=0.01)
    assert ours.course_deg[0] > 91.5
    # It leaves the Earth's surface: level at the site is climbing there.
    assert ours.velocity[0, 2] == pytest.approx(100.0 * 100_000.0 / EARTH_RADIUS_M, rel=0.01)


@settings(max_examples=50)
@given(sites, positions, arrays(float, (6, 6), elements=st.floats(-10, 10)))
def test_covariances_keep_their_axes(site, position, root):
    """The error along a direction is the same whichever axes it is written in."""
    covariance = np.tile(root @ root.T, (len(position), 1, 1))
    rng = np.random.default_rng(0)
    direction = rng.normal(size=3)
    ours = placed(site, position, direction, covariance)
    for block, turned in ((slice(0, 3), ours.position_covariance), (slice(3, 6), ours.velocity_covariance)):
        expected = direction @ covariance[0, block, block] @ direction
        found = np.einsum("ni,nij,nj->n", ours.velocity, turned, ours.velocity)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_a_track_without_a_sensible_state_has_no_place_and_harms_no_other(bad):
    state = np.zeros((3, 6))
    state[1, 4] = bad
    ours = Site(52.0, 13.0, 40.0).place(state, np.full((3, 6, 6), np.inf))
    assert np.isnan(ours.latitude_deg).tolist() == [False, True, False]
    assert np.isnan(ours.course_deg).all()  # two are at rest
    assert not np.isfinite(ours.position_covariance).any()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"site": [52.0, 13.0]}, "altitude"),
        ({"site": [52.0, 13.0, 40.0, 1.0]}, "altitude"),
        ({"site": [90.5, 13.0, 40.0]}, "latitude is 90.5; -90 to 90"),
        ({"site": [52.0, -181.0, 40.0]}, "longitude is -181"),
        ({"site": [52.0, 13.0, 1e6]}, "altitude is 1e"),
        ({"site": [52.0, float("nan"), 0.0]}, "finite"),
        ({"cot_url": "udp://239.2.3.1:6969"}, "'site' does not say where map is"),
        ({"cat062_address": "127.0.0.1:8600"}, "'site' does not say where map is"),
        ({"cot_url": "http://host:1"}, "udp://host:port"),
        ({"cot_url": "tcp://host"}, "port"),
        ({"cot_url": "tcp://host:70000"}, "range"),
        ({"cot_url": "tcp://host:1/path"}, "nothing but a host"),
        ({"cat062_address": "239.0.0.1"}, "port"),
        ({"cot_tls_certificate": "a.pem"}, "belong together"),
    ],
)
def test_a_wrong_parameter_says_what_would_be_right(values, said):
    with pytest.raises(ConfigError, match=said):
        settings_of(OutputSettings, **values)


def test_a_site_may_be_left_open():
    assert Site.of(OutputSettings.load({}).site) is None
    assert Site.of(OutputSettings.load({"site": [-33, 151, 20]}).site) == Site(-33.0, 151.0, 20.0)
