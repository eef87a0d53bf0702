# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the conformance suite and the fuzzing need of each driver; the cases are in tests/drivers/cases_*.py, each with CASES."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np

from aegis.core.signal.cube import Cube
from aegis.core.video.spokes import Spokes
from aegis.drivers.frames import Frame, PointFrame, VideoFrame
from aegis.drivers.registry import driver_class

VIDEO = {f.name for f in fields(VideoFrame)}
DRIVERS = Path(__file__).parent / "drivers"


@dataclass(frozen=True)
class DriverCase:
    """One driver with packets that it must take."""

    driver: str  # its name in the registry
    packets: Callable[[], list[bytes]]  # valid, constructed in code (no recorded data), as a radar would send them
    frames: int  # that these packets give
    line: Literal["udp", "can", "serial", "file"]  # how they reach the driver in the conformance suite
    settings: dict[str, Any] = field(
        default_factory=dict
    )  # beside the line's own (port; can_adapter, can_interface; device; path)
    files: Callable[[Path], dict[str, Any]] | None = None  # writes files that settings name; returns those settings
    fuzz_packets: int = 100_000

    def __str__(self) -> str:
        return f"{self.driver}-{self.line}"

    def make(self, tmp_path: Path, **line: Any) -> Any:
        """Return the driver, made with the case's settings and those of its line."""
        kind = driver_class(self.driver)
        files = self.files(tmp_path) if self.files else {}
        values = {"driver": self.driver, **self.settings, **files, **line}
        return kind(kind.settings_type.load(values))


def all_cases() -> list[DriverCase]:
    """Return the cases of all tests/drivers/cases_*.py."""
    sys.path.insert(0, str(DRIVERS))
    try:
        modules = [import_module(path.stem) for path in sorted(DRIVERS.glob("cases_*.py"))]
    finally:
        sys.path.remove(str(DRIVERS))
    return [case for module in modules for case in module.CASES]


def check_content(frame: Frame, *, plausible: bool = True) -> None:
    """Check that a cube is one, and that columns are arrays of one length; and that their values are such as a radar measures."""
    if isinstance(frame, VideoFrame):
        Spokes(1, "radar", 1, "radar", **{f.name: getattr(frame, f.name) for f in fields(Spokes) if f.name in VIDEO})
        assert frame.azimuth.dtype == frame.heading.dtype == frame.time_offset.dtype == np.float64
        assert (np.abs(frame.azimuth) <= np.pi + 1e-9).all()
        assert frame.codes.max() <= max(frame.full_scale, frame.approaching, frame.receding)
        assert (frame.time_offset <= 0.0).all()
        return
    if not isinstance(frame, PointFrame):
        Cube(1, "radar", 1, "radar", frame.waveform, frame.data)  # which checks
        return
    assert frame.columns, "columns are there also where there are no points"
    for name, values in frame.columns.items():
        assert isinstance(values, np.ndarray), name
        assert values.dtype == np.float64, name
        assert values.shape == (len(frame),), name
        assert not np.isinf(values).any(), name
        if not plausible:
            continue
        known = values[~np.isnan(values)]
        if name in ("azimuth", "elevation"):
            limit = np.pi if name == "azimuth" else np.pi / 2
            assert (np.abs(known) <= limit + 1e-9).all(), name
        if name.endswith("_sigma") or name == "range":
            assert (known >= 0.0).all(), name
    assert {"range", "azimuth"} <= set(frame.columns) or {"x", "y"} <= set(frame.columns)


def install_example(folder: Path) -> None:
    """Write to `folder` what pip would leave there of a vendor's package with the driver of tests/drivers/example_driver.py."""
    (folder / "example_driver.py").write_text((DRIVERS / "example_driver.py").read_text())
    info = folder / "example_radar-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: example-radar\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[aegis.drivers]\nexample = example_driver:ExampleRadar\n")
