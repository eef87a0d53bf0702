# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the radar front end: from a raw cube to points."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from aegis.core.params import Settings, group, param

WindowName = Literal["none", "hann", "hamming", "blackman", "chebyshev"]


class WindowSettings(Settings):
    """Windows over the three axes of a cube."""

    range: WindowName = param(
        "hann", "Window over fast time (over the replica of a modulated pulse).", was="range_window"
    )
    doppler: WindowName = param("hann", "Window over slow time.", was="doppler_window")
    angle: WindowName = param(
        "none", "Taper over the array; none has the narrowest beam and the smallest error, the others lower sidelobes.",
        was="angle_window",
    )  # fmt: skip
    chebyshev_sidelobe_db: float = param(
        60.0, "Sidelobes of the window chebyshev, below its main lobe.", unit="dB", ge=45.0, le=120.0
    )


class CfarSettings(Settings):
    """What is detected in the range-Doppler map."""

    method: Literal["ca", "go", "so", "os"] = param(
        "ca", "Noise from the cells around: their mean (ca), the greater (go) or the smaller half's (so), or an ordered one (os).",
        was="cfar",
    )  # fmt: skip
    pfa: float = param(1e-6, "Probability of false alarm of a cell.", ge=1e-12, le=1e-1)
    guard_range: int = param(
        2, "Resolution cells to either side in range that are no reference: an echo's own main lobe.", ge=0, le=64
    )
    guard_doppler: int = param(
        2, "Resolution cells to either side in range rate that are no reference: an echo's own main lobe.", ge=0, le=64
    )
    train_range: int = param(
        4, "Resolution cells of reference to either side in range, beyond the guard cells.", ge=1, le=64
    )
    train_doppler: int = param(
        8, "Resolution cells of reference to either side in range rate, beyond the guard cells; fewer where there are few "
        "chirps.", ge=1, le=64,
    )  # fmt: skip
    os_rank: float = param(
        0.75, "The ordered cell that is the reference (os), as a share of all of them.", ge=0.1, le=1.0
    )


class CoverageSettings(Settings):
    """Where the front end looks."""

    min_range_m: float = param(0.0, "Nearest range that is looked at.", unit="m", ge=0.0)
    max_range_m: float = param(
        0.0, "Farthest range that is looked at; 0: as far as the waveform reaches.", unit="m", ge=0.0
    )
    azimuth_fov_deg: float = param(
        180.0, "Points outside this width in azimuth, about the x axis, are dropped.", unit="deg", gt=0.0, le=360.0
    )

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        if 0.0 < self.max_range_m <= self.min_range_m:
            raise ValueError("min_range_m < max_range_m is needed, or max_range_m 0")
        return self


class DopplerSettings(Settings):
    """What is made of range rates."""

    remove_static: bool = param(
        False, "Subtract the mean over the chirps: echoes without range rate vanish, and what crosses or hovers with them. "
        "Only for a radar at rest.",
    )  # fmt: skip
    ground_mps: float = param(
        0.0, "The ground's echoes have range rates up to this (within lambda / (2 T) about 0); there a point has to stand out of "
        "its neighbours in range too. 0: nothing is taken for ground. Only for a radar at rest.", unit="m/s", ge=0.0, le=50.0,
    )  # fmt: skip
    ground_margin_db: float = param(6.0, "How far a point has to stand out of the ground.", unit="dB", ge=0.0, le=40.0)
    ground_train: int = param(
        16,
        "Resolution cells of reference for the ground to either side in range, beyond cfar.guard_range.",
        ge=1,
        le=256,
    )
    ambiguity: Literal["principal", "tdm"] = param(
        "tdm", "Where range rates are taken to lie: within lambda / (2 T) about 0 (principal), or within as many times that as "
        "transmitters take turns, by the phases between them, where these are clear (tdm).", was="doppler_ambiguity",
    )  # fmt: skip
    tdm_margin_db: float = param(
        0.3,
        "How much stronger the beam must be than with any other of the possible range rates (tdm). Short subarrays make "
        "them alike: the second of three transmitters' is 0.9 dB below with four receivers each.",
        unit="dB",
        ge=0.0,
        le=20.0,
    )


class BeamSettings(Settings):
    """Objects in one cell of range and range rate, told apart by their direction."""

    per_cell: int = param(
        1, "Most objects told apart by direction within one cell of range and range rate.", ge=1, le=4,
        was="beams_per_cell",
    )  # fmt: skip
    margin_db: float = param(
        15.0, "How much weaker than a cell's strongest object another one may be: an array that is not calibrated well shows "
        "false ones below.", unit="dB", gt=0.0, le=60.0, was="beam_margin_db",
    )  # fmt: skip


class PointSettings(Settings):
    """Which points come out, and how exact they say they are."""

    group_peaks: bool = param(
        True, "A point is a local maximum that no stronger point's sidelobes explain; otherwise every cell detected."
    )
    error_floor: float = param(
        0.01, "Least standard deviation that a point states, as a share of the resolution cell (beam).", ge=0.0, le=1.0
    )
    max_points: int = param(1000, "Most points of a cube; beyond, the weakest are dropped and counted.", ge=1)


class FrontEndSettings(Settings):
    """Parameters of the front end. What the radar is (waveform, channels) comes with every cube."""

    windows: WindowSettings = group(WindowSettings())
    cfar: CfarSettings = group(CfarSettings())
    coverage: CoverageSettings = group(CoverageSettings())
    doppler: DopplerSettings = group(DopplerSettings())
    beams: BeamSettings = group(BeamSettings())
    points: PointSettings = group(PointSettings())
    classify_points: bool = param(
        True,
        "Points state what their dwell's micro-Doppler says of their class, where it is long enough (docs/classification.md).",
    )
    adc_full_scale: int = param(
        32767, "An int16 sample of this magnitude or more is counted as saturated.", ge=1, le=32767
    )
    map_rate_hz: float = param(
        2.0, "The range-Doppler map is published at most this often, while somebody listens. 0: never.",
        unit="Hz", ge=0.0, le=50.0,
    )  # fmt: skip
