# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Places both ways, against PROJ."""

import math

import numpy as np
import pytest
from pyproj import Geod, Transformer
from sapient_msg.bsi_flex_335_v2_0.location_pb2 import Location
from sapient_msg.bsi_flex_335_v2_0.range_bearing_pb2 import RangeBearing

from aegis.core.site import Site
from aegis.sapient.places import PlaceError, location_of, polar_position_of, position_of
from aegis.sapient.settings import FusionSideSettings

SITE = Site(51.17, -1.82, 100.0)
S = FusionSideSettings()
GEOD = Geod(ellps="WGS84")
DEG, RAD, UTM = 1, 2, 5  # LocationCoordinateSystem
ELLIPSOID, GEOID = 1, 2


def placed(x: np.ndarray, sigma=(30.0, 20.0, 10.0)):
    P = np.diag([*np.square(sigma), 4.0, 4.0, 4.0])
    return SITE.place(np.array([[*x, 0.0, 0.0, 0.0]]), P[None])


def test_our_places_come_back_with_their_errors():
    x = np.array([4000.0, -9000.0, 700.0])
    back = position_of(location_of(placed(x), 0), SITE, S)
    np.testing.assert_allclose(back.x, x, atol=0.01)
    np.testing.assert_allclose(
        np.sqrt(np.diag(back.P)), (30.0, 20.0, 10.0), rtol=0.01
    )  # a degree is not everywhere the same


@pytest.mark.parametrize("zone", ["30U", "30N", "30"])
def test_utm_is_that_of_proj(zone):
    east, north = Transformer.from_crs("EPSG:4326", "EPSG:32630", always_xy=True).transform(-1.80, 51.19)
    given = Location(
        x=east, y=north, z=150.0, x_error=5.0, y_error=6.0, z_error=7.0, coordinate_system=UTM, datum=1, utm_zone=zone
    )
    found = position_of(given, SITE, S)
    azimuth, _, distance = GEOD.inv(-1.82, 51.17, -1.80, 51.19)
    expected = distance * np.array([math.sin(math.radians(azimuth)), math.cos(math.radians(azimuth))])
    np.testing.assert_allclose(found.x[:2], expected, atol=0.2)
    np.testing.assert_allclose(np.sqrt(np.diag(found.P)), (5.0, 6.0, 7.0), rtol=1e-3)


def test_the_southern_hemisphere_is_told_by_the_site():
    site = Site(-33.9, 18.4, 0.0)
    east, north = Transformer.from_crs("EPSG:4326", "EPSG:32734", always_xy=True).transform(18.41, -33.91)
    for zone in ("34S", "34H"):
        given = Location(x=east, y=north, coordinate_system=UTM, datum=1, utm_zone=zone)
        assert np.linalg.norm(position_of(given, site, S).x[:2]) == pytest.approx(
            GEOD.inv(18.4, -33.9, 18.41, -33.91)[2], abs=1
        )


def test_radians_heights_of_the_geoid_and_what_is_not_stated():
    given = Location(x=math.radians(-1.82), y=math.radians(51.17), coordinate_system=RAD, datum=GEOID, z=60.0)
    s = FusionSideSettings(geoid_m=47.0)
    found = position_of(given, SITE, s)
    np.testing.assert_allclose(found.x, [0.0, 0.0, 7.0], atol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(found.P)), 50.0)
    given.ClearField("z")
    found = position_of(given, SITE, s)
    assert found.x[2] == pytest.approx(0.0, abs=1e-6)
    assert math.sqrt(found.P[2, 2]) == pytest.approx(500.0)


def test_errors_in_metres_are_told_from_errors_in_degrees():
    given = Location(x=-1.82, y=51.17, x_error=5.0, y_error=5.0, coordinate_system=DEG, datum=ELLIPSOID)
    with pytest.raises(PlaceError, match="lat_lng_errors"):
        position_of(given, SITE, S)
    P = position_of(given, SITE, FusionSideSettings(lat_lng_errors="metres")).P
    assert math.sqrt(P[0, 0]) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "unit"), [(30.0, 5.0, 1), (math.radians(200.0), math.radians(-1.0), 4)]
)
def test_range_and_bearing_is_from_where_the_node_stands(azimuth, elevation, unit):
    node = Location(x=-1.80, y=51.19, z=120.0, coordinate_system=DEG, datum=ELLIPSOID)
    r = 2000.0 if unit == 1 else 2.0
    given = RangeBearing(
        range=r, azimuth=azimuth, elevation=elevation, range_error=r / 200, azimuth_error=azimuth / 100,
        elevation_error=abs(elevation) / 100, coordinate_system=unit, datum=1,
    )  # fmt: skip
    found = polar_position_of(given, node, SITE, S)
    stands = position_of(node, SITE, S).x
    scale = math.pi / 180.0 if unit == 1 else 1.0
    az, el = azimuth * scale, elevation * scale
    along = np.array([math.sin(az) * math.cos(el), math.cos(az) * math.cos(el), math.sin(el)])
    np.testing.assert_allclose(found.x - stands, 2000.0 * along, atol=2.0)  # east and north turn by 0.02 degrees
    sigma = np.sqrt(along @ found.P @ along)
    assert sigma == pytest.approx(10.0, rel=1e-3)
    across = np.array([math.cos(az), -math.sin(az), 0.0])
    assert np.sqrt(across @ found.P @ across) == pytest.approx(2000.0 * math.cos(el) * az / 100, rel=1e-2)


@pytest.mark.parametrize(("given", "reason"), [
    (Location(x=1.0, coordinate_system=DEG, datum=1), "without x and y"),
    (Location(x=1.0, y=math.nan, coordinate_system=DEG, datum=1), "not finite"),
    (Location(x=1.0, y=95.0, coordinate_system=DEG, datum=1), "no place on Earth"),
    (Location(x=100.0, y=-20.0, coordinate_system=DEG, datum=1), "too far"),
    (Location(x=1.0, y=1.0, datum=1), "unknown coordinate system"),
    (Location(x=51.17, y=-1.82, coordinate_system=UTM, datum=1, utm_zone="30U"), "no place in UTM"),  # the harness's sample
    (Location(x=5e5, y=5e6, coordinate_system=UTM, datum=1, utm_zone=""), "UTM zone unknown"),
    (Location(x=-1.82, y=51.17, x_error=-0.1, coordinate_system=DEG, datum=1), "error of a place is none"),
])  # fmt: skip
def test_what_is_no_place_is_refused(given, reason):
    with pytest.raises(PlaceError, match=reason):
        position_of(given, SITE, S)


@pytest.mark.parametrize(("given", "reason"), [
    (RangeBearing(azimuth=10.0, coordinate_system=1, datum=1), "without range"),
    (RangeBearing(range=10.0, azimuth=10.0, coordinate_system=1, datum=2), "true north"),
    (RangeBearing(range=-10.0, azimuth=10.0, coordinate_system=1, datum=1), "cannot be"),
    (RangeBearing(range=10.0, azimuth=10.0, datum=1), "unknown coordinate system"),
])  # fmt: skip
def test_what_is_no_range_and_bearing_is_refused(given, reason):
    node = Location(x=-1.80, y=51.19, coordinate_system=DEG, datum=1)
    with pytest.raises(PlaceError, match=reason):
        polar_position_of(given, node, SITE, S)
    with pytest.raises(PlaceError, match="where it stands"):
        polar_position_of(given, None, SITE, S)
