# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The page on how to write a driver: its example is the file that the conformance suite runs, and its table is whole."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from driver_case import DRIVERS, all_cases

from aegis.core.params import ConfigError
from aegis.drivers.frames import PointFrame
from aegis.drivers.registry import BUILT_IN, driver_class, settings_for

PAGE = Path(__file__).parents[2] / "src" / "aegis" / "drivers" / "README.md"


def test_the_page_shows_the_example_as_it_is():
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    assert code == (DRIVERS / "example_driver.py").read_text(encoding="utf-8")


def test_the_page_names_every_driver():
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([\w, ]+) \| (\w+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name, _, _ in rows] == sorted(BUILT_IN)
    for name, line, gives in rows:
        assert gives == {"points": "points", "cube": "cubes", "video": "video"}[driver_class(name).output]
        assert {case.line for case in all_cases() if case.driver == name} <= set(line.lower().split(", ")), name


def test_the_example_reads_its_radar(tmp_path):
    case = next(case for case in all_cases() if case.driver == "example")
    parser = case.make(tmp_path).parser
    frames = [frame for n, packet in enumerate(case.packets()) for frame in parser.feed(packet, 1000 + n)]
    frame = frames[2]
    assert isinstance(frame, PointFrame)
    np.testing.assert_allclose(frame.columns["range"], [102.0] * 12 + [250.0] * 3)
    np.testing.assert_allclose(np.degrees(frame.columns["azimuth"]), [-30.0] * 12 + [43.0] * 3)
    assert frame.columns["range_rate"].tolist() == [-5.0] * 12 + [3.0] * 3
    assert (frame.sensor_time_ns, frame.received_ns) == (1_100_000_000, 1004)
    assert not parser.refused


def test_the_example_counts_what_it_cannot_take(tmp_path):
    case = next(case for case in all_cases() if case.driver == "example")
    parser = case.make(tmp_path, clockwise=False).parser
    first, last, other, *_ = case.packets()
    for packet in (b"", b"EXMP", first[:-1], first, other):
        assert parser.feed(packet, 1) == []
    assert parser.refused == {"no example packet": 2, "wrong length": 1, "scan not complete": 1}
    (frame,) = parser.feed(last, 2)
    assert math.degrees(frame.columns["azimuth"][0]) == pytest.approx(-45.0)


def test_a_driver_that_is_none_is_refused(tmp_path, monkeypatch):
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[aegis.drivers]\nabsent = no_such_module:Radar\nnone = math:pi\nasterix = math:pi\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match="no_such_module"):
        driver_class("absent")
    with pytest.raises(ConfigError, match="no subclass"):
        settings_for({"driver": "none"})
    with pytest.raises(ConfigError, match=r"known are: .*example"):
        driver_class("lidar")
    assert driver_class("asterix").name == "asterix", "a name of ours stays ours"
