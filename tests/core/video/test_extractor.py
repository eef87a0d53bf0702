# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Video to plots, on scenes whose echoes are known: where and when they are, what is joined, cut and left out."""

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aegis.core.video.extractor import Picture, PlotExtractor
from aegis.core.video.settings import VideoSettings
from aegis.core.video.spokes import Spokes, VideoError

SPOKES, CELLS, CELL_M, TURN_S = 1024, 256, 4.0, 2.5
BEGIN_NS = 1_700_000_000_000_000_000
BEAM = math.radians(4.0)


def picture_of(echoes, *, noise=0.0, rng=None) -> np.ndarray:
    """Return (SPOKES, CELLS) levels up to 15 of echoes (bearing clockwise [rad], cell, length in cells), beam BEAM wide."""
    levels = np.zeros((SPOKES, CELLS))
    if noise:
        levels += (rng or np.random.default_rng(1)).exponential(noise, levels.shape)
    bearing = np.arange(SPOKES) * 2 * math.pi / SPOKES
    for at, cell, length in echoes:
        off = (bearing - at + math.pi) % (2 * math.pi) - math.pi
        inside = np.abs(off) <= BEAM / 2
        first = round(cell - length / 2)
        levels[np.ix_(inside, np.arange(first, first + length))] = 14
    return np.minimum(levels, 15).astype(np.uint8)


def video(levels, *, turns=2, batch=32, heading=math.nan, turning=0.0, sense=1.0, **more) -> Iterator[Spokes]:
    """Yield the spokes of some turns; `levels` is as the antenna sees it; the heading turns with `turning` [rad/s]."""
    for k in range(turns * SPOKES // batch):
        n = k * batch + np.arange(batch)
        times = n * TURN_S / SPOKES
        yield Spokes(
            stamp_ns=BEGIN_NS + round(times[batch // 2] * 1e9),
            frame_id="radar",
            sequence=k,
            sensor_id="radar",
            azimuth=-sense * (n % SPOKES) * 2 * math.pi / SPOKES,
            heading=np.full(batch, heading) + turning * times,
            time_offset=times - times[batch // 2],
            first_range_m=0.0,
            cell_m=CELL_M,
            full_scale=15,
            codes=np.ascontiguousarray(levels[n % SPOKES]),
            **more,
        )


def pictures(spokes, **values) -> list[Picture]:
    extractor = PlotExtractor(VideoSettings.load(values))
    out = [picture for some in spokes for picture in extractor.step(some)]
    return out + extractor.finish()


def near(columns, bearing, range_m) -> np.ndarray:
    """Return which plots are at a bearing (clockwise from x) and range."""
    off = (columns["azimuth"] + bearing + math.pi) % (2 * math.pi) - math.pi
    return (np.abs(columns["range"] - range_m) < 1.5 * CELL_M) & (np.abs(off) < math.radians(0.5))


@hypothesis_settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.3, 5.9), st.integers(40, 200), st.integers(3, 9)),
        min_size=1,
        max_size=5,
        unique_by=lambda e: round(e[0]),
    )
)
def test_an_echo_is_where_and_when_it_was_seen(echoes):
    first, second = pictures(video(picture_of(echoes)))[:2]
    assert first.spokes == SPOKES
    for picture, turn in ((first, 0), (second, 1)):
        c = picture.columns
        assert len(c["x"]) == len(echoes)
        for bearing, cell, length in echoes:
            # Cells from first to first + length - 1; the middle of a cell is half a cell on.
            at_m = (round(cell - length / 2) + length / 2) * CELL_M
            (i,) = np.flatnonzero(near(c, bearing, at_m))
            assert abs(c["range"][i] - at_m) < 0.01
            assert c["length"][i] == length * CELL_M
            assert abs(c["width"][i] - BEAM) < math.radians(0.8)
            seen_s = (turn + bearing / (2 * math.pi)) * TURN_S
            assert abs((picture.stamp_ns - BEGIN_NS) * 1e-9 + c["time_offset"][i] - seen_s) < 0.005
            np.testing.assert_allclose(np.hypot(c["x"][i], c["y"][i]), c["range"][i])
            assert c["range_sigma"][i] > 0 < c["azimuth_sigma"][i]
            assert math.isnan(c["moving"][i])


def test_sectors_hold_the_plots_of_the_turn_sooner():
    levels = picture_of([(0.5 + k, 100, 6) for k in range(6)])
    turns = pictures(video(levels))
    sectors = pictures(video(levels), picture={"of": "sector", "sector_deg": 30.0})
    assert len(sectors) == 24
    assert sum(len(p.columns["x"]) for p in sectors) == sum(len(p.columns["x"]) for p in turns) == 12
    times = [p.stamp_ns for p in sectors]
    assert times == sorted(times)
    np.testing.assert_allclose(np.diff(times), TURN_S / 12 * 1e9, rtol=0.01)

    def seen(found: list[Picture]) -> np.ndarray:
        return np.sort(np.concatenate([p.stamp_ns - BEGIN_NS + p.columns["time_offset"] * 1e9 for p in found]))

    np.testing.assert_allclose(seen(sectors), seen(turns), atol=1e3)


@pytest.mark.parametrize("of", ["turn", "sector"])
def test_pictures_say_where_the_antenna_looked_without_a_gap_and_no_plot_comes_late(of):
    rng = np.random.default_rng(5)
    echoes = [(float(b), int(c), 6) for b, c in zip(np.arange(0.0, 6.2, 0.1), rng.integers(40, 200, 62), strict=True)]
    found = pictures(video(picture_of(echoes), turns=3), picture={"of": of, "sector_deg": 30.0})
    begun_s = []
    for picture in found:
        since_s = (picture.stamp_ns - BEGIN_NS) * 1e-9
        azimuth, time = picture.looked[:, 0], picture.looked[:, 1] + since_s
        # It looked to where the antenna was then: a turn in TURN_S, clockwise from x.
        off = (azimuth + 2 * math.pi * time / TURN_S + math.pi) % (2 * math.pi) - math.pi
        np.testing.assert_allclose(off, 0.0, atol=0.02)
        assert (np.diff(time) > 0.0).all() or len(time) == 1
        begun_s.append((time[0], time[-1]))
        seen_s = picture.columns["time_offset"] + since_s
        assert (seen_s <= time[-1] + 1e-6).all(), "what comes after it is of the next picture"
        assert (seen_s >= time[0] - 1e-6).all(), "and what comes before it was in the last one"
    for (_, end), (begin, _) in pairwise(begun_s):
        assert begin == pytest.approx(end, abs=1e-6)


def test_the_picture_is_north_up_where_there_are_headings_also_in_a_turn():
    """A ship that turns by 12 degrees a second sees a fixed mark at another angle each turn; its azimuth stays."""
    heading, rate, north = 1.0, math.radians(12.0), 2.0
    angles = np.arange(SPOKES) * 2 * math.pi / SPOKES
    levels = np.zeros((2 * SPOKES, CELLS), np.uint8)
    for n in range(2 * SPOKES):
        bearing = angles[n % SPOKES] + heading + rate * n * TURN_S / SPOKES
        if abs((bearing - north + math.pi) % (2 * math.pi) - math.pi) < BEAM / 2:
            levels[n, 100:106] = 14
    spokes = list(video(np.zeros((SPOKES, CELLS), np.uint8), heading=heading, turning=rate))
    for k, some in enumerate(spokes):
        some.codes = levels[k * 32 : (k + 1) * 32]
    found = np.concatenate([p.columns["azimuth"] for p in pictures(spokes)])
    np.testing.assert_allclose(found, math.pi / 2 - north, atol=math.radians(0.3))
    assert len(found) == 3  # the turns are shorter against north: the third begins


def test_spokes_without_heading_are_left_out_of_a_picture_that_is_north_up():
    extractor = PlotExtractor(VideoSettings(up="north"))
    for some in video(picture_of([(1.0, 100, 6)])):
        extractor.step(some)
    assert extractor.notes["spoke without heading"] == 2 * SPOKES


def test_an_antenna_that_turns_the_other_way():
    (first, *_) = pictures(video(picture_of([(1.0, 100, 6)]), sense=-1.0))
    np.testing.assert_allclose(first.columns["azimuth"], 1.0, atol=math.radians(0.2))


def test_the_threshold_follows_clutter():
    """In clutter of a mean level of 5, few plots are false, and an echo above it is found; without it all would be one."""
    rng = np.random.default_rng(7)
    levels = picture_of([], noise=1.0, rng=rng)
    levels[200:500, 20:120] = np.clip(rng.normal(5.5, 1.5, (300, 100)), 0, 15).astype(
        np.uint8
    )  # rain, above the least level
    echo = picture_of([(350 / SPOKES * 2 * math.pi, 70, 6)])
    levels = np.maximum(levels, echo)
    (first, *_) = pictures(video(levels), threshold={"factor": 3.5})
    c = first.columns
    assert near(c, 350 / SPOKES * 2 * math.pi, 70 * CELL_M).sum() == 1
    assert len(c["x"]) <= 6  # of 30,000 cells of rain
    (loose, *_) = pictures(video(levels), threshold={"factor": 0.0})
    assert len(loose.columns["x"]) > 10


def test_an_echo_that_is_larger_than_an_object_is_cut_alike_in_every_turn():
    levels = picture_of([])
    levels[300:700, 100:106] = 14  # a quay on 140 degrees
    levels[380:420, 106:220] = 14  # and a pier from it
    levels[50, 30:36] = 14  # on one spoke: another radar
    extractor = PlotExtractor(
        VideoSettings.load({"blob.max_extent_m": 250.0, "blob.piece_m": 150.0, "blob.beam_deg": 4.0})
    )
    first, second, third = [p for some in video(levels, turns=4) for p in extractor.step(some)][:3]
    widths = first.columns["width"] * first.columns["range"]
    assert 6 <= len(widths) <= 16
    assert widths.max() <= 150.0 + 220 * CELL_M * BEAM + 1.0
    assert first.columns["length"].max() <= 152.0
    assert extractor.notes["echo too small"] >= 1
    total = 400 * 6 + 40 * 114
    assert 0.5 * total < first.columns["cells"].sum() <= total, "no cell twice; amid land some do not stand out"
    for name in ("range", "azimuth", "cells", "length", "width"):
        np.testing.assert_allclose(np.sort(third.columns[name]), np.sort(second.columns[name]), atol=1e-6)


def test_an_object_over_the_pieces_bounds_is_one_plot():
    """An echo of 60 cells, 240 m, lies over the bounds of pieces of 20 m in range and bearing."""
    (first, *_) = pictures(video(picture_of([(1.0, 100, 60)])), blob={"piece_m": 20.0})
    assert len(first.columns["x"]) == 1
    np.testing.assert_allclose(first.columns["range"], 100 * CELL_M)
    np.testing.assert_allclose(first.columns["azimuth"], -1.0, atol=math.radians(0.2))
    np.testing.assert_allclose(first.columns["time_offset"], (1.0 / (2 * math.pi) - 0.5) * TURN_S, atol=5e-3)
    assert first.columns["cells"][0] == pytest.approx(60 * BEAM / (2 * math.pi) * SPOKES, rel=0.1)


def test_marked_echoes_are_moving():
    levels = picture_of([(1.0, 100, 6), (2.0, 100, 6), (3.0, 100, 6)])
    levels[levels == 14] = 13
    angle = (np.arange(SPOKES) * 2 * math.pi / SPOKES)[:, None] * np.ones(CELLS)
    cells = np.arange(CELLS) >= 100
    levels[(levels == 13) & (np.abs(angle - 1.0) < 0.2) & cells] = 15
    levels[(levels == 13) & (np.abs(angle - 2.0) < 0.2) & cells] = 14
    marked = [Spokes(**{**vars(s), "full_scale": 13, "approaching": 15, "receding": 14}) for s in video(levels)]
    (first, *_) = pictures(marked)
    order = np.argsort(-first.columns["azimuth"] % (2 * math.pi))
    assert first.columns["moving"][order].tolist() == [-1.0, 1.0, 0.0]
    assert (first.columns["intensity"] == 1.0).all()


def test_a_change_of_range_begins_anew_without_losing_plots():
    levels = picture_of([(1.0, 100, 6), (4.0, 100, 6)])
    spokes = list(video(levels))
    changed = [Spokes(**{**vars(s), "cell_m": 8.0}) if k >= len(spokes) // 2 else s for k, s in enumerate(spokes)]
    found = np.sort(np.concatenate([p.columns["range"] for p in pictures(changed)]))
    np.testing.assert_allclose(found, [400.0, 400.0, 800.0, 800.0])


def test_lost_spokes_and_repeated_ones_are_counted():
    levels = picture_of([(1.0, 100, 6), (4.0, 100, 6)])
    spokes = list(video(levels))
    extractor = PlotExtractor(VideoSettings())
    kept = [*spokes[:10], *spokes[14:20], spokes[19], *spokes[20:]]
    out = [p for s in kept for p in extractor.step(s)] + extractor.finish()
    assert sum(len(p.columns["x"]) for p in out) == 4
    assert extractor.notes["gap between spokes"] == 1
    assert extractor.notes["spoke out of order"] == 32


def test_more_echoes_than_rows_are_dropped_and_the_rest_goes_on():
    rng = np.random.default_rng(3)
    levels = (rng.random((SPOKES, CELLS)) < 0.2).astype(np.uint8) * 14
    out = pictures(video(levels), max_blobs=100)
    assert len(out) == 2
    clean = pictures(video(picture_of([(1.0, 100, 6)])), max_blobs=100)
    assert len(clean[0].columns["x"]) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"codes": np.zeros((0, 5), np.uint8)}, "video shape"),
        ({"codes": np.zeros((2, 5), np.float32)}, "video shape"),
        ({"heading": np.zeros(3)}, "video shape"),
        ({"azimuth": np.array([0.0, math.nan])}, "video not finite"),
        ({"cell_m": 0.0}, "video range"),
        ({"full_scale": 0}, "video scale"),
    ],
)
def test_what_is_no_video_is_refused(change, reason):
    good = {
        "stamp_ns": 1, "frame_id": "radar", "sequence": 1, "sensor_id": "radar", "azimuth": np.zeros(2), "heading": np.zeros(2),
        "time_offset": np.zeros(2), "first_range_m": 0.0, "cell_m": 1.0, "full_scale": 15, "codes": np.zeros((2, 5), np.uint8),
    }  # fmt: skip
    Spokes(**good)
    with pytest.raises(VideoError) as error:
        Spokes(**{**good, **change})
    assert error.value.reason == reason
