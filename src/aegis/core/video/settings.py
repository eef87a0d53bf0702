# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node `video`."""

from __future__ import annotations

from typing import Literal

from aegis.core.params import Settings, group, param


class ThresholdSettings(Settings):
    """Which cells stand out of their surroundings."""

    level: float = param(
        0.2, "Least level of an echo, of full scale.", gt=0.0, le=1.0,
    )  # fmt: skip
    factor: float = param(
        1.0, "By how many standard deviations of its surroundings a cell must be above their mean. The surroundings are the second "
        "lowest of four: nearer, farther, and on both sides.", ge=0.0, le=20.0,
    )  # fmt: skip
    guard_cells: int = param(12, "Cells left out nearer and farther.", ge=0, le=1000)
    reference_cells: int = param(32, "Cells taken beyond these.", ge=2, le=1000)
    guard_deg: float = param(5.0, "Angle left out on both sides: a beam's width.", unit="deg", ge=0.0, le=90.0)
    reference_deg: float = param(5.0, "Angle taken beyond it.", unit="deg", gt=0.0, le=90.0)


class BlobSettings(Settings):
    """Which cells are of one echo."""

    gap_cells: int = param(1, "Cells that may be missing in a spoke within an echo.", ge=0, le=100)
    gap_spokes: int = param(2, "Spokes that may be missing within an echo.", ge=0, le=20)
    min_cells: int = param(6, "An echo of fewer cells is noise, dropped and counted.", ge=1)
    min_spokes: int = param(
        3, "An echo on fewer spokes is noise or another radar, dropped and counted; at most what half a beam has.", ge=1
    )
    max_extent_m: float = param(
        250.0, "An echo that is longer, or beside the beam's width wider, is no object but land: it gives a plot for each piece.",
        unit="m", gt=0.0,
    )  # fmt: skip
    piece_m: float = param(
        100.0, "Length of the pieces, and beside the beam's width their width; their bounds are the same in every turn.",
        unit="m", gt=0.0,
    )  # fmt: skip
    beam_deg: float = param(
        5.2, "Width of the beam: by it, every echo is wider than its object.", unit="deg", gt=0.0, le=90.0
    )
    mark_share: float = param(
        0.1, "Share of an echo's cells that must be marked as moving for its plot to be.", gt=0.0, le=1.0
    )


class ErrorSettings(Settings):
    """Errors (one sigma) that plots state: the root of the sum of squares of two parts."""

    range_cells: float = param(0.5, "Part of the error of range that every echo has, in cells.", ge=0.0)
    range_share: float = param(
        0.1, "Part of the error of range that goes with the echo: a share of its length.", ge=0.0
    )
    azimuth_deg: float = param(0.4, "Part of the error of azimuth that every echo has.", unit="deg", ge=0.0)
    azimuth_share: float = param(
        0.04, "Part of the error of azimuth that goes with the echo: a share of its width.", ge=0.0
    )


class PictureSettings(Settings):
    """What is published together."""

    of: Literal["turn", "sector"] = param(
        "turn",
        "What one cloud is. turn: the tracker's scan, which sees all. sector: sooner, for who reads the points itself.",
    )
    sector_deg: float = param(22.5, "Width of a sector.", unit="deg", ge=1.0, le=180.0)


class VideoSettings(Settings):
    """Parameters of the node `video`."""

    source: Literal["video", "sector"] = param(
        "video",
        "Which topic is read: radar/video of our drivers, or radar/sector (marine_sensor_msgs/RadarSector) of another's.",
    )
    sector_full_scale: float = param(1.0, "Largest intensity in radar/sector; what is above counts as it.", gt=0.0)
    frame_id: str = param("", "Frame of the clouds; empty: that of the video.")
    up: Literal["auto", "north", "bow"] = param(
        "auto", "Where the clouds' x points. north: to the east, y to true north, by the heading at each spoke; spokes without are "
        "dropped. bow: forward. auto: north where the video has headings, else bow.",
    )  # fmt: skip
    heading_hold_s: float = param(2.0, "How long a heading holds where spokes come without.", unit="s", ge=0.0)
    azimuth_offset_deg: float = param(
        0.0,
        "Added to every bearing, clockwise: where the antenna's zero is not forward.",
        unit="deg",
        ge=-360.0,
        le=360.0,
    )
    range_offset_m: float = param(0.0, "Added to every range.", unit="m", ge=-1000.0, le=1000.0)
    min_range_m: float = param(0.0, "Nearer cells are left out: the pulse itself, the own ship.", unit="m", ge=0.0)
    max_blobs: int = param(
        20_000, "Most echoes that may be open at a time; beyond, cells are dropped and counted.", ge=100, le=10**6
    )
    threshold: ThresholdSettings = group(ThresholdSettings())
    blob: BlobSettings = group(BlobSettings())
    error: ErrorSettings = group(ErrorSettings())
    picture: PictureSettings = group(PictureSettings())
