# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every compiled kernel against its own source, run as the Python that it is, on what random scenes and cubes give it."""

import importlib
import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pytest
from fused_tracks import report, transition
from scenes import detections_of, plot_of
from settings_of import settings_of
from threat_tracks import tracks_of

from aegis.core import kernels
from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.fusion.fuser import Fuser
from aegis.core.fusion.settings import FusionSettings
from aegis.core.signal.cube import Cube, Waveform, WaveformKind
from aegis.core.signal.front_end import FrontEnd
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.signal.synthesis import (
    Echoes,
    Receiver,
    add_fmcw_echoes,
    add_interference,
    add_plane_noise,
    add_pulse_echoes,
)
from aegis.core.threat.settings import ThreatSettings
from aegis.core.threat.zone_watch import ZoneWatch
from aegis.core.tracking import clutter
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Scan
from aegis.core.video.extractor import PlotExtractor
from aegis.core.video.settings import VideoSettings
from aegis.core.video.spokes import Spokes

SOURCES = sorted(path for path in Path(kernels.__file__).parent.glob("*.py") if path.name != "__init__.py")
REPLAYED = 6  # calls of one kernel, at most
# What is called from inside other kernels only, and so is compared with them.
INNER = {
    "after_scan",
    "assign",
    "components",
    "correct",
    "expect",
    "expect_earlier",
    "fit",
    "locate",
    "mahalanobis",
    "marginals",
    "pair_log_odds",
    "sharpen",
    "spread_of",
    "wrapped",
}


def module_of(path: Path):
    return importlib.import_module(f"aegis.core.kernels.{path.stem}")


def uncompiled(path: Path):
    spec = importlib.util.spec_from_file_location(f"uncompiled_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def exported(module) -> set[str]:
    return {name for name, value in vars(module).items() if type(value).__name__ == "cython_function_or_method"}


def track(rng: np.random.Generator) -> None:
    """Objects and false alarms, seen in polar coordinates and in Cartesian ones, by every kind of tracker."""
    for changes in (
        {},
        {"model": "cv", "method": "gnn", "memory_s": 60.0, "mean_visible_s": 30.0},
        {"model": "ct", "birth.places.east": {"x": 1000.0, "sigma_m": 200.0, "objects_per_scan": 0.1}},
    ):
        tracker = Tracker(settings_of(TrackingSettings, max_range_m=5000.0, clutter_per_scan=5.0, **changes))
        polar = rng.uniform([500.0, -1.0, 0.0, -50.0], [2000.0, 1.0, 0.3, 50.0], (8, 4))
        for k in range(6):
            polar[:, 0] += polar[:, 3]
            false = rng.uniform([500.0, -3.0, 0.0, -200.0], [4000.0, 3.0, 0.3, 200.0], (5, 4))
            seen = np.concatenate([polar[rng.random(8) < 0.9] + rng.normal(0.0, [5.0, 0.01, 0.01, 0.5], 4), false])
            seen[rng.random(len(seen)) < 0.2, 2:] = np.nan
            scan = detections_of(seen, float(k), rcs=rng.normal(0.0, 5.0, len(seen)))
            scan.time_offset = rng.choice([0.0, -0.1, -0.4], len(seen))
            tracker.step(scan)
            xy = np.stack([seen[:, 0] * np.cos(seen[:, 1]), seen[:, 0] * np.sin(seen[:, 1])], axis=1)
            tracker.step(plot_of(xy, k + 0.5, 5.0))


def classify(rng: np.random.Generator) -> None:
    n = 6
    unknown = np.full(n, np.nan)
    for measured in (True, False):
        value = rng.uniform(-5.0, 30.0, n) if measured else unknown
        scan = Scan(
            0,
            "radar",
            1,
            np.linspace(500.0, 5e3, n),
            np.linspace(-1.0, 1.0, n),
            0.01 * value,
            value,
            value,
            value,
            value,
        )
        Detector(DetectionSettings()).step(scan)


def find_points(rng: np.random.Generator) -> None:
    """Tones in noise: real and complex samples, pulses, every CFAR."""
    samples, chirps, channels = 24, 10, 4
    position = np.zeros((channels, 3))
    position[:, 1] = 0.001 * np.arange(channels)
    tone = 500.0 * np.exp(2j * np.pi * (0.23 * np.arange(samples)[:, None] + 0.1 * np.arange(chirps)))[..., None]
    tone = tone * np.ones(channels) + rng.normal(size=(samples, chirps, channels))
    pairs = np.stack([tone.real, tone.imag], axis=-1).astype(np.int16)
    narrow = {"pfa": 1e-3, "train_range": 3, "train_doppler": 2, "guard_range": 1, "guard_doppler": 1}
    ends = [FrontEnd(settings_of(FrontEndSettings, method=kind, **narrow)) for kind in ("ca", "go", "so", "os")]
    ends.append(FrontEnd(settings_of(FrontEndSettings, remove_static=True, per_cell=2, **narrow)))
    for end, pulse in itertools.product(ends, (False, True)):
        kind = WaveformKind.PULSE if pulse else WaveformKind.FMCW
        delays = np.repeat([0.0, 2e-5], channels // 2)
        w = Waveform(kind, 77e9, 1e6, 3e12, 4e-5, position, delays, 5e-6 * pulse)
        for data in (pairs, *(() if pulse else (pairs[..., 0], tone.astype(np.complex64)))):
            end.step(Cube(1, "radar", 1, "radar", w, np.ascontiguousarray(data)))


def synthesise(rng: np.random.Generator) -> None:
    """Echoes of an FMCW and of a pulse radar, another radar's chirps and a jammer, with two transmitters in turn."""
    samples, chirps, channels, points = 9, 3, 4, 2
    frame = np.zeros((samples, chirps, channels, 2), np.float32)
    each, transmitter = (points, chirps, 2), np.array([0, 0, 1, 1])
    near = rng.uniform(30.0, 90.0, each)
    echoes = Echoes(
        rng.random(each),
        rng.random(points),
        near,
        near + 0.1,
        rng.normal(0.0, 5.0, each),
        rng.random((points, channels)),
    )
    fmcw, pulse = Receiver(transmitter, 77e9, 3e12, 5e6), Receiver(transmitter, 10e9, 1e12, 2e7)
    add_fmcw_echoes(frame, echoes, fmcw)
    add_pulse_echoes(frame, echoes, pulse, 2e-7, 1e-7)
    times = rng.random((chirps, 2)) * 1e-4
    add_interference(
        frame, 0.5, rng.random((chirps, 2)), rng.random(channels), times, fmcw, (77.001e9, 2.9e12, 5e-5, 6e-5)
    )
    add_plane_noise(
        frame, rng.normal(size=(samples, chirps, 2, 2)).astype(np.float32), rng.random(samples),
        rng.random((channels, 2)).astype(np.float32), transmitter,
    )  # fmt: skip
    assert frame.all()


def extract(rng: np.random.Generator) -> None:
    """A turn of video in noise, with marks, and a wide echo that is cut."""
    spokes, cells = 192, 48
    codes = rng.integers(0, 6, (spokes, cells)).astype(np.uint8)
    codes[10:80, 20:25] = 12
    codes[30:40, 21:24] = 15
    settings = settings_of(
        VideoSettings,
        guard_deg=8.0,
        reference_deg=8.0,
        guard_cells=2,
        reference_cells=6,
        max_extent_m=8.0,
        piece_m=4.0,
        level=0.2,
    )
    extractor = PlotExtractor(settings)
    azimuth, unknown = -np.linspace(0.0, 2.0 * np.pi, spokes, endpoint=False), np.full(spokes, np.nan)
    time = np.linspace(0.0, 1.0, spokes)
    extractor.step(Spokes(0, "radar", 1, "radar", azimuth, unknown, time, 0.0, 1.0, 13, codes, 15, 14))
    extractor.finish()


def watch_zones(rng: np.random.Generator) -> None:
    """Tracks about zones with rules of every kind."""
    given = {}
    for kind in ("inside", "outside", "enter", "leave", "stay", "cpa", "entry"):
        given[f"zones.{kind}.polygon"] = rng.uniform(-800.0, 800.0, 10).tolist()
        given[f"zones.{kind}.ceiling_m"] = 300.0
        given |= {
            f"rules.{kind}.{key}": value
            for key, value in {"zone": kind, "when": kind, "course_width_deg": 200.0}.items()
        }
    settings = ThreatSettings.load(given)
    watch = ZoneWatch(settings, settings.zones)
    rows = [(k, 1, rng.uniform(-900, 900, 3), rng.normal(0, 60, 3)) for k in range(1, 9)]
    tracks = tracks_of(*rows)
    for k in range(8):
        tracks.stamp_ns = (k + 1) * 2 * 10**9
        tracks.state[:, :3] += 2.0 * tracks.state[:, 3:]
        watch.step(tracks)


def fuse(rng: np.random.Generator) -> None:
    """Two sources of ours and a foreign one, with late reports."""
    one = Fuser(FusionSettings.load({"sources.c.foreign": True}))
    x, P = rng.uniform(-2000.0, 2000.0, (5, 6)), np.diag([400.0, 400.0, 400.0, 25.0, 25.0, 25.0])
    for k in range(4):
        for at, name in ((k + 0.3, "a"), (k + 0.2, "b"), (k + 0.4, "c")):
            said = x @ transition(at).T + rng.normal(0.0, 3.0, (5, 6))
            one.step(
                report(name, at, *((i, each, P * rng.uniform(0.5, 2.0)) for i, each in enumerate(said)), age=10.0 * k)
            )


@pytest.fixture(scope="module")
def calls():
    """Return the arguments, as they were before, of calls of every kernel."""
    found = {}

    def recorded(key, call):
        def record(*args):
            kept = found.setdefault(key, [])
            if len(kept) < 40:
                kept.append([np.copy(a) if isinstance(a, np.ndarray) else a for a in args])
            return call(*args)

        return record

    with pytest.MonkeyPatch.context() as patch:
        for path in SOURCES:
            module = module_of(path)
            for name in exported(module):
                patch.setattr(module, name, recorded((path.stem, name), getattr(module, name)))
        rng = np.random.default_rng(1)
        track(rng)
        with pytest.MonkeyPatch.context() as crowded:
            crowded.setattr(clutter, "MOST_PAIRS", 0)
            track(rng)
        classify(rng)
        find_points(rng)
        synthesise(rng)
        extract(rng)
        watch_zones(rng)
        fuse(rng)
    return found


def test_every_kernel_is_compiled():
    assert len(SOURCES) >= 5
    for path in SOURCES:
        assert not module_of(path).__file__.endswith(".py")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_compiled_is_as_written(path, calls):
    compiled, source = module_of(path), uncompiled(path)
    names = exported(compiled) - INNER
    assert names
    for name in sorted(names):
        every = calls.get((path.stem, name), [])
        assert every, f"{path.stem}.{name} was not called"
        for args in every[:: -(-len(every) // REPLAYED)]:
            here, there = ([np.copy(a) if isinstance(a, np.ndarray) else a for a in args] for _ in range(2))
            wanted, got = getattr(source, name)(*there), getattr(compiled, name)(*here)
            np.testing.assert_allclose(got or 0, wanted or 0, rtol=1e-9, err_msg=name)
            for i, (a, b) in enumerate(zip(here, there, strict=True)):
                if isinstance(a, np.ndarray):
                    single = a.dtype in (np.float32, np.complex64)
                    scale = float(np.abs(b[np.isfinite(b)]).max(initial=0.0)) if a.dtype.kind in "fc" else 0.0
                    np.testing.assert_allclose(
                        a,
                        b,
                        rtol=1e-4 if single else 1e-9,
                        atol=(1e-5 if single else 1e-12) * scale,
                        err_msg=f"{name}, {i}",
                    )
