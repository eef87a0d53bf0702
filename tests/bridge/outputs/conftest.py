"""A bridge whose map has a place on Earth."""

import time

import pytest
from bridge_data import some_threats, some_tracks

from aegis.bridge import encode
from aegis.bridge.latest import Frame
from aegis.bridge.outputs.feed import Feed
from aegis.bridge.outputs.settings import OutputSettings

SITE = (52.52, 13.405, 34.0)


def tracks_frame(tracks, age_s=0.5):
    return Frame(tracks, age_s, time.monotonic(), b"", encode.track_rows)


def threats_frame(threats, age_s=0.5):
    return Frame(threats, age_s, time.monotonic(), b"", encode.threat_rows)


@pytest.fixture
def site():
    return SITE


@pytest.fixture
def make_feed(site):
    """Return a function that makes a feed which has heard tracks, and perhaps threats."""

    def make(tracks=None, threats=None, age_s=0.5, **settings):
        feed = Feed(OutputSettings.load({"site": site, **settings}))
        if tracks is not None:
            feed.take("tracks", tracks_frame(tracks, age_s))
        if threats is not None:
            feed.take("threats", threats_frame(threats, age_s))
        return feed

    return make


@pytest.fixture
def placed_app(app, make_feed):
    """The application, its map placed; nothing heard yet."""
    app.bridge.feed = make_feed()
    return app


@pytest.fixture
def hear(placed_app):
    """Return a function that lets the application hear tracks and threats."""

    def heard(sequence=7, n=2, age_s=0.5, tracks=None, threats=None):
        stamp_ns = time.time_ns() - round(age_s * 1e9)
        placed_app.bridge.deliver("tracks", tracks_frame(tracks or some_tracks(sequence, stamp_ns, n), age_s))
        placed_app.bridge.deliver("threats", threats_frame(threats or some_threats(sequence, stamp_ns), age_s))

    return heard
