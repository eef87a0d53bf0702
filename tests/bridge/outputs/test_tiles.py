# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tiles of a map: which files are taken, and that the page gets the parts that it asks for."""

import pytest
from pmtiles_file import write_pmtiles

from aegis.bridge.outputs.settings import OutputSettings
from aegis.bridge.outputs.tiles import MapTiles
from aegis.core.params import ConfigError

SITE = [58.0, 10.0, 0.0]


def test_a_reader_gets_the_parts_that_it_asks_for(open_app, tmp_path):
    path = write_pmtiles(tmp_path / "map.pmtiles", 3, {(4, 2): bytes(range(256))})
    app = open_app(tiles=str(path), site=SITE)
    headers = app.headers("radar:read")
    part = app.client.get("/api/map/tiles", headers={**headers, "Range": "bytes=0-126"})
    assert (part.status_code, part.content) == (206, path.read_bytes()[:127])
    assert part.headers["content-range"] == f"bytes 0-126/{path.stat().st_size}"
    assert app.client.get("/api/map/tiles", headers={**headers, "Range": "bytes=99999-"}).status_code == 416
    assert app.client.get("/api/map/tiles", headers=app.headers("threats:read")).status_code == 403
    assert app.client.get("/api/map", headers=headers).json() == {
        "lines_m": [], "tiles_site": {"latitude": 58.0, "longitude": 10.0},
    }  # fmt: skip


def test_without_tiles_it_says_so(app):
    headers = app.headers("radar:read")
    assert app.client.get("/api/map/tiles", headers=headers).status_code == 409
    assert app.client.get("/api/map", headers=headers).json()["tiles_site"] is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PMTiles\x02" + bytes(200), "no PMTiles file of version 3"),
        (b"GIF", "no PMTiles file"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_file_of_tiles_is_refused(tmp_path, content, says):
    path = tmp_path / "map.pmtiles"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        MapTiles.load(str(path))


def test_what_the_page_cannot_draw_and_tiles_without_a_site_are_refused(tmp_path):
    path = tmp_path / "map.pmtiles"
    with pytest.raises(ConfigError, match=r"the unknown type 6; vector tiles \(MVT\), png, jpeg, webp, avif are drawn"):
        MapTiles.load(str(write_pmtiles(path, 0, {(0, 0): b"x"}, kind=6)))
    with pytest.raises(ConfigError, match="is compressed by zstd; gzip or none can be read"):
        MapTiles.load(str(write_pmtiles(path, 0, {(0, 0): b"x"}, kind=1, compression=4)))
    assert MapTiles.load(str(write_pmtiles(path, 0, {(0, 0): b"x"}, kind=1, compression=2))).path == path
    with pytest.raises(ValueError, match="'tiles' are on Earth"):
        OutputSettings(tiles="map.pmtiles")
