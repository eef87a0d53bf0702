# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What both levels of the simulator are: a radar in its place, with a mode and a carrier, before a scenario."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from aegis.core.signal import equation
from aegis.core.types import Floats, Truth, unknown
from aegis.simulation.scenario import Scenario, load_scenario
from aegis.simulation.scenario_base import Emitter
from aegis.simulation.scenario_effects import PullOff
from aegis.simulation.settings import SimulatorSettings

HOP_CHANNELS = 8  # carriers of an agile radar, side by side over its band: a front end plans for each of them
FULL_TURN = 2.0 * math.pi
LEAST_GAP = 1e-9  # [rad] edges of a sector that are nearer to a turn apart are a turn apart
LOOKS = 240  # over a scenario, to tell whether anything of it is ever in view
_HOPS, _JITTER = (
    1,
    2,
)  # streams of random numbers of their own: protection leaves the rest of a scenario's draws as they are


class Mode(IntEnum):
    """As in aegis_msgs/SetMode."""

    STANDBY = 1
    SEARCH = 2
    ON_DEMAND = 3


class SimulatedRadar:
    """Base of the simulators. A subclass draws what else it needs when it is made, and calls `_begin` then.

    Args:
        settings: of the radar.
        scenario: what it looks at; None loads the one that the settings name.
        rng: random generator; None makes one from the settings' seed.

    Raises:
        ConfigError: the scenario cannot be loaded.
    """

    def __init__(
        self, settings: SimulatorSettings, scenario: Scenario | None = None, rng: np.random.Generator | None = None
    ) -> None:
        self.settings = settings
        self.scenario = load_scenario(settings.scenario) if scenario is None else scenario
        self.sequence = 0  # of the last scan; the first is 1
        self._rng = np.random.default_rng(settings.seed) if rng is None else rng
        self._position = settings.position()
        self._rotation = settings.rotation()
        self._beamwidths = np.radians(
            [settings.antenna.azimuth_beamwidth_deg, settings.antenna.elevation_beamwidth_deg]
        )
        self._sidelobe = float(equation.from_db(settings.antenna.sidelobe_db))

        targets = self.scenario.targets
        self._owner = np.repeat(np.arange(len(targets)), [target.scatterers for target in targets])
        self._share_m2 = np.array([equation.from_db(t.rcs_dbsm) / t.scatterers for t in targets])[self._owner]
        self._swerling = np.array([t.swerling for t in targets], dtype=np.int64)[self._owner]
        extent = np.array([t.extent_m if t.scatterers > 1 else (0, 0, 0) for t in targets], dtype=np.float64)
        extent = extent.reshape(-1, 3)[self._owner]
        # In the target's own axes: forward, left, up. Drawn once, as an object is rigid.
        self._offset = self._rng.uniform(-0.5, 0.5, extent.shape) * extent

    def _begin(self) -> None:
        """Take this as the state that `reset` goes back to."""
        self._rng_at_start = copy.deepcopy(self._rng.bit_generator.state)
        self.reset()

    def reset(self) -> None:
        """Go back to the state at start: mode, frequency, blanking, random numbers. Scans are counted on."""
        self._rng.bit_generator.state = copy.deepcopy(self._rng_at_start)
        self.mode = Mode.SEARCH
        self.blanking: tuple[tuple[float, float], ...] = ()
        self.agility_hz = 0.0  # width of the band that it hops in from scan to scan; 0: it stays
        self.chirp_jitter_s = 0.0  # by which each chirp comes earlier or later
        self._hop_rng = np.random.default_rng([self.settings.seed, _HOPS])
        self._jitter_rng = np.random.default_rng([self.settings.seed, _JITTER])
        self._tune(self.settings.waveform.frequency_hz)
        self._prepare()

    def _prepare(self) -> None:
        """Work out what depends on frequency and blanking; called whenever they may have changed."""

    def _tune(self, frequency_hz: float) -> None:
        self.frequency_hz = frequency_hz
        self._radar = self.settings.radar(frequency_hz)

    def _hop(self) -> None:
        """Take the carrier of the next scan, where the radar is agile."""
        if self.agility_hz > 0.0:
            channel = int(self._hop_rng.integers(HOP_CHANNELS))
            offset = ((channel + 0.5) / HOP_CHANNELS - 0.5) * self.agility_hz
            self._tune(self.settings.waveform.frequency_hz + offset)
            self._prepare()

    def set_mode(
        self,
        mode: Mode | None = None,
        frequency_hz: float | None = None,
        blanking: Iterable[tuple[float, float]] | None = None,
        agility_hz: float | None = None,
        chirp_jitter_s: float | None = None,
    ) -> None:
        """Change how the radar works: all that is asked for, or nothing.

        Args:
            mode: None leaves it.
            frequency_hz: carrier; None leaves it.
            blanking: azimuth sectors without transmission, each from, to [rad], anticlockwise, a full turn being all around; None
                leaves them.
            agility_hz: width of the band about the nominal carrier that it hops in from scan to scan; 0: it stays; None leaves it.
            chirp_jitter_s: by which each chirp of a raw FMCW radar comes at random earlier or later; 0: none; None leaves it.

        Raises:
            ValueError: a carrier or a band that cannot be tuned, a sector that is none, or chirps that would run into each
            other; the
                message says what is allowed.
        """
        if agility_hz is not None and not 0.0 <= agility_hz <= self.settings.waveform.tuning_range_hz:
            raise ValueError(
                f"agility {agility_hz:g} Hz cannot be tuned; 0 to {self.settings.waveform.tuning_range_hz:g} Hz can"
            )
        most_s = self.settings.most_chirp_jitter_s
        if chirp_jitter_s is not None and not 0.0 <= chirp_jitter_s <= most_s:
            raise ValueError(
                f"chirp_jitter {chirp_jitter_s:g} s; 0 to {most_s:g} s are between the chirps of this radar"
            )
        if frequency_hz is not None:
            middle, half = self.settings.waveform.frequency_hz, self.settings.waveform.tuning_range_hz / 2
            if not abs(frequency_hz - middle) <= half:
                raise ValueError(
                    f"frequency {frequency_hz:g} Hz cannot be tuned; {middle - half:g} to {middle + half:g} Hz can"
                )
        sectors = None if blanking is None else tuple((float(a), float(b)) for a, b in blanking)
        for begin, end in sectors or ():
            if not (abs(begin) <= 2 * math.pi and abs(end) <= 2 * math.pi):
                raise ValueError(f"blanking from {begin:g} to {end:g}: radians from -2 pi to 2 pi are expected")
            if begin == end:
                raise ValueError(f"blanking from {begin:g} to {end:g} is an empty sector; its edges must differ")
        if mode is not None:
            self.mode = mode
        if frequency_hz is not None:
            self._tune(frequency_hz)
        if sectors is not None:
            self.blanking = sectors
        if agility_hz is not None:
            self.agility_hz = agility_hz
        if chirp_jitter_s is not None:
            self.chirp_jitter_s = chirp_jitter_s
        self._prepare()

    def truth(self, t_s: float, stamp_ns: int) -> Truth:
        """Return what is there in the last scan: each target's middle, and whether it is in view.

        Args:
            t_s: time since the scenario's start [s]; when the scenario begins again, its targets get other ids.
            stamp_ns: stamp of the scan.
        """
        scenario = self.scenario
        again, t_s = divmod(t_s, scenario.duration_s)
        there = np.flatnonzero(scenario.present(t_s))
        position, velocity = (values[there] for values in scenario.position_velocity(t_s))
        relative, moving = (position - self._position) @ self._rotation, velocity @ self._rotation
        distance, azimuth, elevation = polar(relative)
        range_rate = (relative * moving).sum(axis=1) / np.maximum(distance, 1e-9)
        place = np.stack([distance, azimuth, elevation, range_rate])
        emitters: list[Sequence[Emitter | PullOff]] = [scenario.jammers]
        if self.settings.gives_cubes:
            emitters += [scenario.interferers, scenario.pull_offs]
        return Truth(
            stamp_ns=stamp_ns,
            frame_id="map",
            sequence=self.sequence,
            sensor_id=self.settings.sensor_id,
            emitters=sum(int(scenario.active(items, t_s).sum()) for items in emitters),
            truth_id=1 + there + int(again) * len(scenario.targets),
            class_id=np.array([int(scenario.targets[i].class_id) for i in there], dtype=np.int64),
            state=np.concatenate([position, velocity], axis=1),
            in_view=self._in_view(place).astype(np.int64),
            snr_db=self._mean_snr_db(t_s, there, place),
            name=[scenario.targets[i].name for i in there],
        )

    def sees_any(self) -> bool:
        """Tell whether a target of the scenario, where it has some, is in view at one of many times."""
        times = np.linspace(0.0, self.scenario.duration_s, LOOKS, endpoint=False)
        return not self.scenario.targets or any(self.truth(t_s, 0).in_view.any() for t_s in times.tolist())

    def _in_view(self, place: Floats) -> NDArray[np.bool_]:
        """Tell which places, range, azimuth, elevation and range rate (4, n), are in the field of view, (n,)."""
        distance, azimuth, _, _ = place
        near, far = self.settings.blind_range_m, self.settings.farthest_m
        return np.asarray((distance >= near) & (distance <= far) & ~self._blanked(azimuth))

    def _mean_snr_db(self, t_s: float, there: NDArray[np.int64], place: Floats) -> Floats:
        """Return the mean signal to noise [dB] of the whole targets `there` (n,), at their places (4, n); NaN: unknown."""
        return unknown(len(there))

    def _scatterers(self, t_s: float) -> tuple[Floats, Floats]:
        """Return the scatterers' positions (n, 3) [m] and velocities (n, 3) [m/s] in the sensor's frame."""
        position, velocity = self.scenario.position_velocity(t_s)
        course, turn_rate = (values[self._owner] for values in self.scenario.course_and_turn_rate(t_s))
        east, north = np.sin(course), np.cos(course)
        forward, left, up = self._offset.T
        offset = np.stack([forward * east - left * north, forward * north + left * east, up], axis=1)
        turning = turn_rate[:, None] * np.stack([offset[:, 1], -offset[:, 0], np.zeros_like(up)], axis=1)
        relative = (position[self._owner] + offset - self._position) @ self._rotation
        return relative, (velocity[self._owner] + turning) @ self._rotation

    def _emitters(self, items: Sequence[Emitter], t_s: float) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
        """Return which emitters are on (n,), and their range, at least 1 m, azimuth and elevation, each (n,)."""
        on = np.flatnonzero(self.scenario.active(items, t_s))
        relative = (self.scenario.positions(items, t_s)[on] - self._position) @ self._rotation
        distance, azimuth, elevation = polar(relative)
        return on, np.maximum(distance, 1.0), azimuth, elevation

    def _blanked(self, azimuth: Floats) -> NDArray[np.bool_]:
        """Tell which azimuths are in a sector without transmission."""
        out = np.zeros(len(azimuth), dtype=bool)
        for begin, end in self.blanking:
            if abs(end - begin) >= FULL_TURN - LEAST_GAP:
                return np.ones(len(azimuth), dtype=bool)
            out |= (azimuth - begin) % FULL_TURN <= (end - begin) % FULL_TURN
        return out


def polar(relative: Floats) -> tuple[Floats, Floats, Floats]:
    """Return range [m], azimuth and elevation [rad], each (n,), of points (n, 3) in the sensor's frame."""
    x, y, z = relative.T
    ground = np.hypot(x, y)
    return np.hypot(ground, z), np.arctan2(y, x), np.arctan2(z, ground)
