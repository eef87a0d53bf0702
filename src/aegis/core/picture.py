# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a picture of the tracks shows: geometry, colours, labels, and when to show it. Shared by RViz and Foxglove."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from aegis.core.palette import LEVEL_COLOURS, UNASSESSED, Colour
from aegis.core.params import Settings, param
from aegis.core.types import ClassId, Floats, ThreatLevel, Threats, Tracks, TrackStatus

ELLIPSE_SIGMA = 2.0  # the ellipse holds 86 % of a 2D Gaussian
ELLIPSE_ALPHA = 0.25  # of the track's own opacity
DISC_HEIGHT_M = 0.1  # of an ellipse: viewers refuse a scale of 0
MIN_ARROW_SPEED_MPS = 0.1  # below, viewers would warn about an arrow of no length
COASTING_ALPHA = 0.4  # how visible a track is that was not seen when it was last to be


class PictureSettings(Settings):
    """How the tracks are drawn."""

    max_rate_hz: float = param(5.0, "Most pictures a second, by the stamps of the tracks.", unit="Hz", gt=0, le=100)
    show_tentative: bool = param(False, "Draw tracks that are not confirmed yet, too.")
    track_size: float = param(15.0, "Diameter of a track's sphere.", unit="m", gt=0, le=1e4)
    velocity_time: float = param(
        5.0, "The arrow of a velocity ends where the track is after this time.", unit="s", gt=0, le=600
    )
    threat_max_lag: int = param(
        3, "A threat level older than this many scans is not shown any more.", unit="scans", ge=0, le=1000
    )
    lifetime: float = param(
        10.0, "A viewer removes what was not drawn again for this time; 0 keeps it for ever.", unit="s", ge=0, le=3600
    )


@dataclass(frozen=True)
class Ellipse:
    """A horizontal ellipse: half axes [m], and the direction of the major one from x towards y [rad]."""

    semi_major: float
    semi_minor: float
    yaw: float


@dataclass(frozen=True)
class Glyph:
    """One track as drawn, in the frame of the picture [m, m/s]."""

    track_id: int
    position: tuple[float, float, float]
    velocity: tuple[float, float, float]
    ellipse: Ellipse | None
    colour: Colour
    label: str

    @property
    def speed(self) -> float:
        """Return the speed [m/s]."""
        return math.hypot(*self.velocity)


@dataclass(frozen=True)
class Picture:
    """What to draw now: `glyphs` anew, `gone` no longer; `clear` first removes all that was ever drawn."""

    stamp_ns: int
    frame_id: str
    clear: bool
    glyphs: list[Glyph]
    gone: list[int]


def ellipse(covariance: Floats, sigma: float = ELLIPSE_SIGMA) -> Ellipse | None:
    """Return the `sigma` contour of a (2, 2) position covariance [m^2]; None for one that is none.

    The half axes are sigma times the square roots of the eigenvalues, along the eigenvectors; of a symmetric 2 x 2
    matrix both have a closed form, ten times faster than a call of LAPACK.
    """
    (a, b), (_, c) = covariance.tolist()
    if not (math.isfinite(a) and math.isfinite(b) and math.isfinite(c)):
        return None
    mean, spread = (a + c) / 2, math.hypot((a - c) / 2, b)
    largest, smallest = mean + spread, mean - spread
    if largest <= 0 or smallest < -1e-9 * largest:
        return None
    return Ellipse(sigma * math.sqrt(largest), sigma * math.sqrt(max(smallest, 0.0)), math.atan2(2 * b, a - c) / 2)


def pointing(vector: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """Return the quaternion (x, y, z, w) that turns the x axis into the vector's direction, without roll.

    It is the product of a turn about z (yaw) and one about the turned y (pitch); the zero vector gives no rotation.
    """
    yaw = math.atan2(vector[1], vector[0])
    pitch = -math.atan2(vector[2], math.hypot(vector[0], vector[1]))
    cy, sy, cp, sp = math.cos(yaw / 2), math.sin(yaw / 2), math.cos(pitch / 2), math.sin(pitch / 2)
    return (-sy * sp, cy * sp, sy * cp, cy * cp)


class PictureFeed:
    """Turns tracks and threats, as they come, into pictures: at most at the given rate, and with what vanished."""

    def __init__(self, settings: PictureSettings) -> None:
        self.settings = settings
        self.skipped = 0  # pictures left out to keep the rate
        self.undrawable = 0  # tracks without a finite position, so far
        self._threats: Threats | None = None
        self._sequence: dict[str, int] = {}  # of each sensor's last scan
        self._shown: set[int] = set()
        self._last_ns: int | None = None
        self._due_ns = 0
        self._clear = True

    @property
    def shown(self) -> int:
        """Return how many tracks the last picture shows."""
        return len(self._shown)

    def clear(self) -> None:
        """Forget everything; the next picture comes at once and begins with an empty scene."""
        self._threats = None
        self._shown = set()
        self._last_ns = None
        self._clear = True

    def take_threats(self, threats: Threats) -> None:
        """Remember the latest assessment."""
        self._threats = threats

    def take_tracks(self, tracks: Tracks) -> Picture | None:
        """Return the picture of the tracks, or None where the last one is too recent.

        A stamp that goes back (a bag from its start again) begins anew with an empty scene.
        """
        if self._last_ns is not None and tracks.stamp_ns < self._last_ns:
            self.clear()
        self._sequence[tracks.sensor_id] = tracks.sequence
        period_ns = round(1e9 / self.settings.max_rate_hz)
        if self._last_ns is not None and tracks.stamp_ns < self._due_ns:
            self.skipped += 1
            return None
        # Due times on a grid, so that jitter of the scans does not cost every second picture.
        on_grid = self._last_ns is not None and tracks.stamp_ns < self._due_ns + period_ns
        self._due_ns = (self._due_ns if on_grid else tracks.stamp_ns) + period_ns
        self._last_ns = tracks.stamp_ns

        glyphs = self._glyphs(tracks)
        ids = {glyph.track_id for glyph in glyphs}
        picture = Picture(tracks.stamp_ns, tracks.frame_id, self._clear, glyphs, sorted(self._shown - ids))
        self._shown = ids
        self._clear = False
        return picture

    def _levels(self) -> dict[int, ThreatLevel]:
        """Return the threat level by track id, nothing of an assessment that is not of the last scans of its sensor."""
        threats = self._threats
        if threats is None:
            return {}
        last = self._sequence.get(threats.sensor_id)
        if last is None or abs(last - threats.sequence) > self.settings.threat_max_lag:
            return {}
        return threats.levels()

    def _glyphs(self, tracks: Tracks) -> list[Glyph]:
        levels = self._levels()
        finite: list[bool] = np.asarray(np.isfinite(tracks.state).all(axis=1)).tolist()
        glyphs = []
        for i, track_id in enumerate(tracks.track_id.tolist()):
            status = int(tracks.status[i])
            if status == TrackStatus.TENTATIVE and not self.settings.show_tentative:
                continue
            if not finite[i]:
                self.undrawable += 1
                continue
            x, y, z, vx, vy, vz = tracks.state[i].tolist()
            level = levels.get(track_id)
            colour = UNASSESSED if level is None else LEVEL_COLOURS[level]
            if status != TrackStatus.CONFIRMED:
                colour = colour._replace(a=COASTING_ALPHA)
            class_id = int(tracks.class_id[i])
            kind = ClassId(class_id).name if class_id < len(ClassId) else f"class {class_id}"
            label = f"{track_id} {kind} {math.hypot(vx, vy, vz):.0f} m/s"
            if level is not None:
                label += f" {level.name}"
            glyphs.append(
                Glyph(track_id, (x, y, z), (vx, vy, vz), ellipse(tracks.covariance[i, :2, :2]), colour, label)
            )
        return glyphs
