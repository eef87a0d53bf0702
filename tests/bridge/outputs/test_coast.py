# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The coast line: where its lines are in `map`, by PROJ, and which files are refused."""

import json
from pathlib import Path

import pytest
from pyproj import Transformer

from aegis.bridge.outputs.coast import CoastLine
from aegis.bridge.outputs.settings import OutputSettings
from aegis.core.params import ConfigError
from aegis.core.site import Site

SITE = Site(63.43, 10.39, 42.0)
LINE = [[10.0, 63.4], [10.4, 63.45], [10.9, 63.7]]
RING = [[10.3, 63.4], [10.5, 63.4], [10.5, 63.5], [10.3, 63.4]]
COLLECTION = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": LINE}},
        {"type": "Feature", "properties": None, "geometry": None},
        {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [[RING], [RING, RING]]}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [10.0, 63.0]}},
    ],
}


def in_map(place: list[float]) -> tuple[float, float]:
    to_map = Transformer.from_pipeline(
        "+proj=pipeline +step +proj=cart +ellps=WGS84 +step +proj=topocentric +ellps=WGS84 +lat_0=63.43 +lon_0=10.39 +h_0=42"
    )
    east, north, _ = to_map.transform(*place, 0.0)
    return east, north


def load(tmp_path: Path, content: object) -> list[list[list[float]]]:
    path = tmp_path / "coast.geojson"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return json.loads(CoastLine.load(str(path), SITE).body)["lines_m"]


def test_lines_and_rings_are_placed_in_map(tmp_path):
    lines = load(tmp_path, COLLECTION)
    assert len(lines) == 4
    for line, expected in zip(lines, [LINE, RING, RING, RING], strict=True):
        for place, at in zip(line, expected, strict=True):
            assert place == pytest.approx(in_map(at), abs=0.06)


def test_what_is_behind_the_horizon_is_left_out(tmp_path):
    far = [[10.0, 63.4], [10.4, 63.45], [-120.0, 10.0], [-119.0, 10.0], [10.3, 63.5], [10.9, 63.7]]
    assert [len(line) for line in load(tmp_path, {"type": "LineString", "coordinates": far})] == [2, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no GeoJSON of lines"),
        ([], "the file is no object with a type"),
        ({"type": "Topology"}, "the file is of the type 'Topology'"),
        ({"type": "FeatureCollection"}, "the file has no list 'features'"),
        ({"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[1]]}}]},
         r"features\[0\]\.geometry\.coordinates\[0\] is not a longitude and a latitude"),
        ({"type": "LineString", "coordinates": [[10.0, 63.4], [5e5, 7e6]]}, r"coordinates\[1\] is 500000, 7e\+06: longitude"),
        ({"type": "LineString", "coordinates": [[10.0, True], [1, 2]]}, "is not a longitude"),
        ({"type": "Polygon", "coordinates": {}}, "coordinates is no list"),
        ({"type": "LineString", "coordinates": [[100.0, 3.0], [101.0, 3.0]]}, "has no line within 1000 km of outputs.site"),
        ({"type": "Point", "coordinates": [10.0, 63.0]}, "has no line"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_what_is_wrong(tmp_path, content, message):
    with pytest.raises(ConfigError, match=message) as refused:
        load(tmp_path, content)
    assert "coast.geojson" in str(refused.value)


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"outputs\.coast '/nowhere' cannot be read: No such file"):
        CoastLine.load("/nowhere", SITE)


def test_it_needs_a_site():
    with pytest.raises(ConfigError, match="'coast' is on Earth"):
        OutputSettings.load({"coast": "coast.geojson"})


def test_the_page_gets_it_once(open_app, tmp_path):
    path = tmp_path / "coast.geojson"
    path.write_text(json.dumps(COLLECTION))
    app = open_app(outputs={"site": (63.43, 10.39, 42.0), "coast": str(path)})
    first = app.client.get("/api/map", headers=app.headers("radar:read"))
    assert (first.status_code, len(first.json()["lines_m"])) == (200, 4)
    again = app.client.get("/api/map", headers=app.headers("radar:read") | {"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert app.client.get("/api/map", headers=app.headers("threats:read")).status_code == 403


def test_without_one_there_are_no_lines(app):
    assert app.client.get("/api/map", headers=app.headers("radar:read")).json() == {"lines_m": [], "tiles_site": None}
