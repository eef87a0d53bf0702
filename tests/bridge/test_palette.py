"""One palette: the page, RViz and Foxglove show a threat level in the same colour."""

import re
from pathlib import Path

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
        for ground in ("scope", "panel", "sunken"):
            (dark,) = re.findall(rf"--{ground}:\s*(#\w+)", block.group(1))
            for colour in re.findall(r"#\w{6}", levels):
                assert contrast(colour, dark) >= 4.5, (theme, ground, colour)


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_no_other_file_of_the_page_says_these_colours(app):
    colours = set(re.findall(r"#\w{6}", app.client.get("/palette.css").text))
    assert len(colours) == 2 * (len(ThreatLevel) + 1)  # the second ones are for a light ground
    for path in [*STATIC.glob("*.css"), *STATIC.glob("*.js")]:
        assert not colours & set(re.findall(r"#\w{6}", path.read_text(encoding="utf-8"))), path.name
    style = (STATIC / "app.css").read_text(encoding="utf-8")
    assert {f"--{level.name.lower()}" for level in ThreatLevel} <= set(re.findall(r"var\((--\w+)\)", style))
