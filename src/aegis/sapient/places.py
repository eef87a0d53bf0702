# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Places of SAPIENT (latitude and longitude, UTM, range and bearing) to `map`, and ours to latitude and longitude."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import utm
from sapient_msg.bsi_flex_335_v2_0.location_pb2 import Location, LocationCoordinateSystem, LocationDatum
from sapient_msg.bsi_flex_335_v2_0.range_bearing_pb2 import (
    RangeBearing,
    RangeBearingCoordinateSystem,
    RangeBearingDatum,
)

from aegis.core.site import Placed, Site
from aegis.core.types import Floats
from aegis.sapient.settings import FusionSideSettings

LARGEST_ERROR_DEG = 1.0  # of a place; an error beyond is no degrees
FARTHEST_M = 1e6  # from the site
DEGREE_M = 6_378_137.0 * math.pi / 180.0  # along the equator, for errors
LEAST_SIGMA_M = 1e-3


class PlaceError(ValueError):
    """A place cannot be used; `reason` is a short key for counting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Position(NamedTuple):
    """A place in `map` with its error."""

    x: Floats  # (3,) [m]
    P: Floats  # (3, 3) [m^2]
    turn: Floats  # (3, 3) from east, north, up of the place into `map`


def location_of(placed: Placed, i: int) -> Location:
    """Return one of our tracks' places, errors in the coordinates' unit."""
    sigma = placed.position_sigma[i]
    latitude = float(placed.latitude_deg[i])
    out = Location(
        x=round(float(placed.longitude_deg[i]), 8),
        y=round(latitude, 8),
        z=round(float(placed.altitude_m[i]), 2),
        coordinate_system=LocationCoordinateSystem.LOCATION_COORDINATE_SYSTEM_LAT_LNG_DEG_M,
        datum=LocationDatum.LOCATION_DATUM_WGS84_E,
    )
    if np.isfinite(sigma).all():
        out.x_error = float(sigma[0]) / (DEGREE_M * max(math.cos(math.radians(latitude)), 1e-6))
        out.y_error, out.z_error = float(sigma[1]) / DEGREE_M, float(sigma[2])
    return out


def place_of(site: Site, position: Floats) -> Location:
    """Return the place of a point of `map`, (3,) [m]."""
    state = np.concatenate([position, np.zeros(3)])[None]
    return location_of(site.place(state, np.full((1, 6, 6), np.nan)), 0)


def position_of(location: Location, site: Site, s: FusionSideSettings) -> Position:
    """Return where a place is.

    Raises:
        PlaceError: it cannot be told, or is no place near the site.
    """
    system, units = location.coordinate_system, LocationCoordinateSystem
    if not (location.HasField("x") and location.HasField("y")):
        raise PlaceError("place without x and y")
    x, y = location.x, location.y
    if not (math.isfinite(x) and math.isfinite(y)):
        raise PlaceError("place is not finite")
    if system == units.LOCATION_COORDINATE_SYSTEM_UTM_M:
        latitude, longitude = _from_utm(x, y, location.utm_zone, site)
        sigma = _sigma(location, 1.0, 1.0, s)
    elif system in (
        units.LOCATION_COORDINATE_SYSTEM_LAT_LNG_DEG_M,
        units.LOCATION_COORDINATE_SYSTEM_LAT_LNG_RAD_M,
    ):
        of_radians = system == units.LOCATION_COORDINATE_SYSTEM_LAT_LNG_RAD_M
        latitude, longitude = (math.degrees(y), math.degrees(x)) if of_radians else (y, x)
        unit_m = DEGREE_M * (180.0 / math.pi if of_radians else 1.0)
        if s.lat_lng_errors == "metres":
            sigma = _sigma(location, 1.0, 1.0, s)
        else:
            if max(location.x_error, location.y_error) * unit_m > LARGEST_ERROR_DEG * DEGREE_M:
                raise PlaceError("error of a place above 1 degree: is it metres? see fusion.lat_lng_errors")
            sigma = _sigma(location, unit_m * math.cos(math.radians(latitude)), unit_m, s)
    else:
        raise PlaceError("unknown coordinate system")
    if abs(latitude) > 90.0 or abs(longitude) > 360.0:
        raise PlaceError("no place on Earth")
    return _placed(latitude, longitude, location, sigma, site, s)


def polar_position_of(
    given: RangeBearing, node: Location | None, site: Site, s: FusionSideSettings
) -> Position:  # fmt: skip
    """Return where a range and bearing of a node is.

    Raises:
        PlaceError: it cannot be told.
    """
    if node is None:
        raise PlaceError("range and bearing of a node that has not said where it stands")
    if not (given.HasField("range") and given.HasField("azimuth")):
        raise PlaceError("bearing without range")  # one line of sight is no place
    if given.datum != RangeBearingDatum.RANGE_BEARING_DATUM_TRUE:
        raise PlaceError("bearing not from true north")
    units = RangeBearingCoordinateSystem
    system = given.coordinate_system
    if system == units.RANGE_BEARING_COORDINATE_SYSTEM_UNSPECIFIED:
        raise PlaceError("unknown coordinate system")
    km = (units.RANGE_BEARING_COORDINATE_SYSTEM_DEGREES_KM, units.RANGE_BEARING_COORDINATE_SYSTEM_RADIANS_KM)
    radians = (units.RANGE_BEARING_COORDINATE_SYSTEM_RADIANS_M, units.RANGE_BEARING_COORDINATE_SYSTEM_RADIANS_KM)
    metre, angle = (1000.0 if system in km else 1.0), (1.0 if system in radians else math.pi / 180.0)
    distance, azimuth = given.range * metre, given.azimuth * angle
    flat = not given.HasField("elevation")
    elevation = 0.0 if flat else given.elevation * angle
    if not all(map(math.isfinite, (distance, azimuth, elevation))) or not 0.0 < distance < FARTHEST_M:
        raise PlaceError("range and bearing that cannot be")
    bearing_sigma = math.radians(s.bearing_sigma_deg)
    sigma_r = given.range_error * metre or s.position_sigma_m
    sigma_az = given.azimuth_error * angle or bearing_sigma
    sigma_el = given.elevation_error * angle or bearing_sigma
    level = distance * math.cos(elevation)
    along = np.array(
        [math.sin(azimuth) * math.cos(elevation), math.cos(azimuth) * math.cos(elevation), math.sin(elevation)]
    )
    across = np.array([math.cos(azimuth), -math.sin(azimuth), 0.0])
    up = np.cross(across, along)
    sigma_up = s.height_sigma_m if flat else distance * sigma_el
    spread = [(along, sigma_r), (across, level * sigma_az), (up, sigma_up)]
    P = sum(np.outer(axis, axis) * max(sigma, LEAST_SIGMA_M) ** 2 for axis, sigma in spread)
    stands = position_of(node, site, s)
    x = stands.x + stands.turn @ (along * distance)
    return Position(x, stands.turn @ np.asarray(P) @ stands.turn.T, stands.turn)


def _placed(
    latitude: float, longitude: float, location: Location, sigma: Floats, site: Site, s: FusionSideSettings
) -> Position:  # fmt: skip
    """Return a place in `map`; without a height it is at that of the site."""
    height, high = site.altitude_m, location.HasField("z") and math.isfinite(location.z)
    if high:
        height = location.z + (s.geoid_m if location.datum == LocationDatum.LOCATION_DATUM_WGS84_G else 0.0)
    sigma[2] = (location.z_error or s.position_sigma_m) if high else s.height_sigma_m
    if not np.isfinite(sigma).all() or (sigma < 0.0).any():
        raise PlaceError("error of a place is none")
    lat, lon = np.array([latitude]), np.array([longitude])
    x, turn = site.positions(lat, lon, np.array([height]))[0], site.turns(lat, lon)[0]
    if not np.linalg.norm(x) < FARTHEST_M:
        raise PlaceError("place too far from the site")
    return Position(x, turn @ np.diag(np.maximum(sigma, LEAST_SIGMA_M) ** 2) @ turn.T, turn)


def _sigma(location: Location, x_m: float, y_m: float, s: FusionSideSettings) -> Floats:
    """Return (3,) errors east and north [m]; that of height follows. UTM's axes are taken for these: they are off by 3 degrees."""
    east = location.x_error * x_m if location.x_error else s.position_sigma_m
    north = location.y_error * y_m if location.y_error else s.position_sigma_m
    return np.array([east, north, 0.0])


def _from_utm(easting: float, northing: float, zone: str, site: Site) -> tuple[float, float]:
    """Return latitude and longitude [deg]. The zone is as 30N (or S, the hemisphere) or 30U (a band of latitude)."""
    digits = "".join(c for c in zone if c.isdigit())
    letter = zone[len(digits) :].strip().upper()
    if not digits or not 1 <= int(digits) <= 60 or len(letter) > 1 or letter in ("I", "O"):
        raise PlaceError("UTM zone unknown")
    # S is the southern hemisphere, and a band of the northern one: where the site is decides.
    northern = letter >= "N" if letter not in ("", "S") else site.latitude_deg >= 0.0
    try:
        latitude, longitude = utm.to_latlon(easting, northing, int(digits), northern=northern)
    except (utm.OutOfRangeError, ValueError):
        raise PlaceError("no place in UTM") from None
    return float(latitude), float(longitude)
