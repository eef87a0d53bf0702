# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A site's file says what would be on the command line: radars, fusion, profiles, and the uplink."""

from pathlib import Path

import pytest

from aegis.core.detection.settings import DetectionSettings
from aegis.core.fusion.settings import FusionSettings
from aegis.core.params import ConfigError
from aegis.graph.plan import Options, Plan
from aegis.resources import config_file


def plan(path: Path, text: str, **options) -> Plan:
    path.write_text(text)
    return Plan.of(Options(site=path, **options), {})


def site(said: str, more: str = "") -> str:
    return f"site: {{ros__parameters: {{{said}}}}}\n{more}"


def test_the_file_says_what_the_command_line_would(tmp_path):
    ours = Plan.of(Options(site=config_file("site.yaml")), {"AEGIS_RUN_ID": "a"})
    said = Plan.of(
        Options(config=config_file("site.yaml"), radars=("front", "left"), fusion=True), {"AEGIS_RUN_ID": "a"}
    )
    assert list(ours.processes) == list(said.processes)
    assert {"front/tracking", "left/tracking", "fusion"} <= set(ours.processes)
    assert "uplink" not in ours.processes
    uplink = "uplink: {ros__parameters: {site: north, connect: [tcp/127.0.0.1:1]}}"
    assert "uplink" in plan(tmp_path / "site.yaml", site("radars: [front]", uplink)).processes


def test_a_profile_is_for_its_radars_nodes_and_below_the_file(tmp_path):
    (tmp_path / "profile.yaml").write_text(
        "detection: {ros__parameters: {has_doppler: false, sensor_z: 4.0}}\ntracking: {ros__parameters: {max_tracks: 50}}"
    )
    text = site(
        "radars: [front, left], fusion: true, profiles: {front: profile.yaml}",
        "/front/detection: {ros__parameters: {sensor_z: 9.0}}",
    )
    found = plan(tmp_path / "site.yaml", text).radars
    front, left = (found[name].settings_as(DetectionSettings, "detection") for name in ("front", "left"))
    assert (front.has_doppler, front.sensor_z) == (False, 9.0)
    assert left.has_doppler
    assert found["front"].settings("tracking").max_tracks == 50
    with pytest.raises(ConfigError, match="'tracking', which is not one radar's"):
        plan(tmp_path / "site.yaml", text.replace("fusion: true", "fusion: false"))


def test_a_headquarters_has_no_radar_and_fuses_the_sites_that_it_names(tmp_path):
    uplink = "uplink: {ros__parameters: {receive: [north, south], mode: router, listen: [tcp/127.0.0.1:1]}}"
    found = plan(tmp_path / "hq.yaml", site("fusion: true", uplink))
    assert list(found.processes) == ["fusion", "uplink", "threat", "ew", "markers", "foxglove", "bridge"]
    fusion = found.settings["fusion"]["fusion"]
    assert isinstance(fusion, FusionSettings)
    assert fusion.heard_at("source_tracks") == ("source_tracks", "north/tracks", "south/tracks")
    bridge = found.settings["bridge"]["bridge"]
    assert bridge.ready.stages == ("fusion", "threat", "ew")


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (site("radar: [front]"), {}, "radars"),
        (site("fusion: false"), {}, "names no radars"),
        (site("radars: [a, b]"), {"radars": ("a",)}, "no --config, --radar"),
        (site("radars: [a, b], profiles: {c: x.yaml}"), {}, "profile of 'c'"),
        (site("radars: [a, b], profiles: {a: none.yaml}"), {}, "none.yaml"),
        (site("radars: [a, a]"), {}, "there once"),
        ("site: {radars: [a]}", {}, "ros__parameters"),
    ],
)
def test_what_is_wrong_in_it_is_said(tmp_path, text, options, said):
    with pytest.raises(ConfigError, match=said):
        plan(tmp_path / "site.yaml", text, **options)
