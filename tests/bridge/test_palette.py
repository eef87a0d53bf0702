# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""One palette: the page, RViz and Foxglove show a threat level in the same colour."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from foxglove_schemas_protobuf.SceneUpdate_pb2 import SceneUpdate
from picture_data import make_threats, make_tracks
from visualization_msgs.msg import Marker

import aegis.bridge
from aegis.core.picture import PictureFeed, PictureSettings
from aegis.core.types import ThreatLevel
from aegis.foxglove import messages
from aegis.ros.messages.markers import picture_to_msg

STATIC = Path(aegis.bridge.__file__).parent / "static"


@pytest.fixture
def page_colours(app) -> dict[str, tuple[float, ...]]:
    """The colours that the page has for each level, and for none: red, green, blue from 0 to 1."""
    answer = app.client.get("/palette.css")
    assert answer.headers["content-type"].startswith("text/css")
    usual, _ = answer.text.split(':root[data-theme="day"]')
    found = re.findall(r"--(\w+): #(\w{2})(\w{2})(\w{2});", usual)
    return {name.upper(): tuple(int(part, 16) / 255 for part in rgb) for name, *rgb in found}


@pytest.mark.parametrize("level", [*ThreatLevel, None], ids=lambda level: level.name if level else "NONE")
def test_all_viewers_show_a_level_alike(page_colours, level):
    feed = PictureFeed(PictureSettings())
    if level is not None:
        feed.take_threats(make_threats([7], [level]))
    picture = feed.take_tracks(make_tracks([7]))
    expected = pytest.approx(page_colours[level.name if level else "NONE"])

    (body,) = (m for m in picture_to_msg(picture, PictureSettings()).markers if m.type == Marker.SPHERE)
    assert (body.color.r, body.color.g, body.color.b) == expected

    update = SceneUpdate()
    update.ParseFromString(messages.scene(picture, PictureSettings()))
    colour = update.entities[0].spheres[0].color
    assert (colour.r, colour.g, colour.b) == expected


def test_every_level_can_be_read_on_the_ground_of_each_theme(app):
    """At least 4.5:1, WCAG 2.2's contrast of text."""
    style = (STATIC / "app.css").read_text(encoding="utf-8")
    usual, light = app.client.get("/palette.css").text.split(':root[data-theme="day"]')
    for theme, levels in (("dusk", usual), ("day", light), ("night", usual)):
        block = re.search(
            rf':root\[data-theme="?{theme}"?\]\{{(.*?)\}}' if theme != "dusk" else r":root\{(.*?)\}", style
        )
        areas = ("map-land", "map-green", "map-water", "map-building")  # of vector tiles, under the tracks
        for ground in ("scope", "panel", "sunken", "ground", "chosen-row", *areas):
            (dark,) = re.findall(rf"--{ground}:\s*(#\w+)", block.group(1))
            for colour in re.findall(r"#\w{6}", levels):
                assert contrast(colour, dark) >= 4.5, (theme, ground, colour)


def linear(colour: str) -> np.ndarray:
    """Return red, green and blue of linear light (IEC 61966-2-1)."""
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((linear(colour) @ [0.2126, 0.7152, 0.0722] for colour in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


# What people see whose cones of one kind are missing: Machado, Oliveira, Fernandes (2009), severity 1.0, on linear light.
VISION = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
APART = 10.0  # CIE 1976 colour difference: some four times what is just noticed side by side


def lab(light: np.ndarray) -> np.ndarray:
    """Return CIE L*a*b* of linear sRGB (D65)."""
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    x, y, z = (to_xyz @ np.clip(light, 0, 1)) / [0.95047, 1.0, 1.08883]
    fx, fy, fz = (np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


@pytest.mark.parametrize("sight", VISION)
def test_no_two_levels_look_alike_to_anybody(app, sight):
    for ground, text in zip(
        ("dark", "light"), app.client.get("/palette.css").text.split(':root[data-theme="day"]'), strict=True
    ):
        colours = dict(re.findall(r"--(\w+): (#\w{6});", text))
        assert len(colours) == len(ThreatLevel) + 1
        for one, other in combinations(colours, 2):
            seen = [lab(VISION[sight] @ linear(colours[name])) for name in (one, other)]
            assert np.linalg.norm(seen[0] - seen[1]) >= APART, (ground, one, other)


def test_no_other_file_of_the_page_says_these_colours(app):
    colours = set(re.findall(r"#\w{6}", app.client.get("/palette.css").text))
    assert len(colours) == 2 * (len(ThreatLevel) + 1)  # the second ones are for a light ground
    for path in [*STATIC.glob("*.css"), *STATIC.glob("*.js")]:
        assert not colours & set(re.findall(r"#\w{6}", path.read_text(encoding="utf-8"))), path.name
    style = (STATIC / "app.css").read_text(encoding="utf-8")
    assert {f"--{level.name.lower()}" for level in ThreatLevel} <= set(re.findall(r"var\((--\w+)\)", style))
