# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pictures with a place on Earth, and PROJ's opinion on places; for the tests of the outputs."""

import time

from pyproj import Transformer
from settings_of import settings_of

from aegis.bridge.live import columns
from aegis.bridge.live.frames import Frame
from aegis.bridge.outputs.feed import Feed
from aegis.bridge.outputs.settings import OutputSettings

SITE = (52.52, 13.405, 34.0)


def tracks_frame(tracks, age_s=0.5):
    return Frame(tracks, age_s, time.monotonic(), columns.track_rows)


def threats_frame(threats, age_s=0.5):
    return Frame(threats, age_s, time.monotonic(), columns.threat_rows)


def make_feed(tracks=None, threats=None, *, site=SITE, **settings):
    """Return a feed that has heard tracks, and what is assessed of them."""
    feed = Feed(settings_of(OutputSettings, site=site, **settings))
    if tracks is not None:
        feed.take_tracks(tracks_frame(tracks))
    if threats is not None:
        feed.take_threats(threats_frame(threats))
    return feed


def _to_earth_fixed(site):
    latitude, longitude, altitude = site
    return (
        "+proj=pipeline +step +inv +proj=topocentric +ellps=WGS84"
        f" +lat_0={latitude!r} +lon_0={longitude!r} +h_0={altitude!r}"
    )


def proj_earth_fixed(site, position):
    """Return x, y, z in axes of the Earth (ECEF) of (N, 3) points east, north, up of a site, by PROJ."""
    return Transformer.from_pipeline(_to_earth_fixed(site)).transform(*position.T)


def proj_places(site, position):
    """Return latitude, longitude, altitude of (N, 3) points east, north, up of a site, by PROJ."""
    to_degrees = " +step +inv +proj=cart +ellps=WGS84 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    lon, lat, alt = Transformer.from_pipeline(_to_earth_fixed(site) + to_degrees).transform(*position.T)
    return lat, lon, alt
