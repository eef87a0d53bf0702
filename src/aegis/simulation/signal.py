# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A raw radar looking at a scenario: frames of samples, for the front end.

It is a staring digital array: one cube is one scan of all directions. Each transmitter illuminates everything in its element's
pattern; several send in turn (TDM); every receiver has an ADC. So there is no scanning beam, and `azimuth_fov_deg` and the like
have no meaning here.

What it models, beside what the measurement level does: the phase of moving point scatterers over samples, chirps and channels
(range migration, ambiguous Doppler and angle, range-Doppler coupling, TDM), the elements' pattern, moving parts of targets,
ghosts in reflectors, surface clutter, noise jammers with a direction and a band, range-gate pull-off, other FMCW radars, the
ADC's steps and saturation.

What it leaves out: echoes from beyond the unambiguous range (second time around), what hides behind what, polarisation, coupling
of the elements, phase noise, losses of the filters at their edges. Motion is even within a frame, beside that of moving parts.
A jammer's noise is white with the power that falls in the receiver's band. A blanked sector is one that is not illuminated.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aegis.core.signal import equation, fluctuation, synthesis
from aegis.core.signal.cube import Cube, Waveform, WaveformKind
from aegis.core.types import Floats
from aegis.simulation.radar import SimulatedRadar, polar
from aegis.simulation.scenario import Scenario
from aegis.simulation.settings import SimulatorSettings
from aegis.simulation.signal_clutter import SurfaceClutter, add_cells, range_cells
from aegis.simulation.signal_paths import Paths, Points, Sight, micro_motion


class SignalSimulator(SimulatedRadar):
    """The radar. `step` makes a frame whatever the mode; who calls it obeys the mode.

    Args:
        settings: of the radar, level "signal".
        scenario: what it looks at; None loads the one that the settings name.
        rng: random generator; None makes one from the settings' seed.

    Raises:
        ConfigError: the scenario cannot be loaded.
        ValueError: the settings are of the measurement level.
    """

    def __init__(
        self, settings: SimulatorSettings, scenario: Scenario | None = None, rng: np.random.Generator | None = None
    ) -> None:
        if settings.level != "signal":
            raise ValueError(f"level is '{settings.level}'; the signal simulator needs settings with level 'signal'")
        super().__init__(settings, scenario, rng)
        self.saturated = 0  # samples (I or Q) of the last frame that were beyond the ADC's full scale
        self._place_elements()
        sent, antenna = settings.waveform, settings.antenna
        slots = np.arange(sent.chirps * antenna.transmitters, dtype=np.float64)
        self._even_slot_s: Floats = (slots - (len(slots) - 1) / 2) / (sent.prf_hz * antenna.transmitters)
        self._slot_s = self._even_slot_s
        self._sight = Sight(self.scenario.reflectors, self._position, self._rotation, self._beamwidths, self._sidelobe)
        targets = self.scenario.targets
        self._rotor_draws = [self._rng.uniform(size=(t.rotors.count if t.rotors else 0, 2)) for t in targets]
        self._walks = np.array([t.gait is not None for t in targets], dtype=bool)[self._owner]
        self._cells_m = range_cells(self._waveform_at(sent.frequency_hz), settings.receiver.samples)
        beams = antenna.transmitters_azimuth * antenna.receivers_azimuth
        height = max(settings.sensor_z, 0.0)
        turn = (
            self._rotation.T @ settings.model_copy(update={"sensor_pitch_deg": 0.0, "sensor_roll_deg": 0.0}).rotation()
        )
        self._clutter = [
            SurfaceClutter(item, height, self._cells_m, beams, sent.chirps, self._rng, turn)
            for item in self.scenario.clutter
        ]
        self._begin()

    def _place_elements(self) -> None:
        """Set the elements' positions: the receivers' grid, and transmitters a whole receiving array apart."""
        antenna = self.settings.antenna
        d = antenna.element_spacing * equation.SPEED_OF_LIGHT / self.settings.waveform.frequency_hz

        def grid(columns: int, rows: int, dy: float, dz: float) -> Floats:
            row, column = np.divmod(np.arange(rows * columns), columns)
            y, z = (column - (columns - 1) / 2) * dy, (row - (rows - 1) / 2) * dz
            return np.stack([np.zeros(rows * columns), y, z], axis=1)

        na, ne = antenna.receivers_azimuth, antenna.receivers_elevation
        receivers = grid(na, ne, d, d)
        transmitters = grid(antenna.transmitters_azimuth, antenna.transmitters_elevation, na * d, ne * d)
        # Channels: all receivers of the first transmitter, then of the second.
        self._transmitter = np.repeat(np.arange(antenna.transmitters), antenna.receivers)
        self._tx_position = transmitters[self._transmitter]
        self._rx_position = np.tile(receivers, (antenna.transmitters, 1))

    def _waveform_at(self, frequency_hz: float) -> Waveform:
        sent, receiver, fmcw = self.settings.waveform, self.settings.receiver, self.settings.is_fmcw
        if fmcw:
            slope = sent.bandwidth_hz * receiver.sample_rate_hz / receiver.samples
        else:
            modulated = sent.bandwidth_hz * sent.pulse_width_s > 1 + 1e-6
            slope = sent.bandwidth_hz / sent.pulse_width_s if modulated else 0.0
        return Waveform(
            kind=WaveformKind.FMCW if fmcw else WaveformKind.PULSE,
            carrier_frequency_hz=frequency_hz,
            sample_rate_hz=receiver.sample_rate_hz,
            chirp_slope_hz_s=slope,
            chirp_period_s=1.0 / sent.prf_hz,
            channel_position=(self._tx_position + self._rx_position) / 2,
            channel_delay_s=self._transmitter / (sent.prf_hz * self.settings.antenna.transmitters),
            pulse_width_s=0.0 if fmcw else sent.pulse_width_s,
            first_sample_s=0.0 if fmcw else sent.pulse_width_s,
            rcs_offset_db=-float(equation.to_db(self._echo_unit(frequency_hz) ** 2)),
        )

    @property
    def _watt(self) -> float:
        """Power of a sample [steps of the ADC squared] for one watt at the receiver, from its noise: k T f_s."""
        settings = self.settings
        noise_w = equation.BOLTZMANN * settings.receiver.system_temperature_k * settings.receiver.sample_rate_hz
        return 2 * settings.receiver.noise_lsb**2 / noise_w

    def _echo_unit(self, frequency_hz: float) -> float:
        """Return the amplitude of a sample for 1 m2 at 1 m."""
        return math.sqrt(float(self.settings.radar(frequency_hz).echo_power(1.0, 1.0)) * self._watt)

    def _prepare(self) -> None:
        self.waveform = self._waveform_at(self.frequency_hz)
        slope = self.waveform.chirp_slope_hz_s
        self._receiver = synthesis.Receiver(self._transmitter, self.frequency_hz, slope, self.waveform.sample_rate_hz)
        for item in self._clutter:
            azimuth = polar(item.direction.reshape(-1, 3))[1]
            seen = ~self._blanked(azimuth).reshape(item.direction.shape[:2])
            item.tune(self.waveform, self._sight, self._echo_unit(self.frequency_hz), seen)

    def _in_view(self, place: Floats) -> NDArray[np.bool_]:
        """Within half-power beamwidth of an element: beyond it the front end may find something, and need not."""
        azimuth, elevation = np.abs(place[1:3])
        half = self._beamwidths / 2
        return np.asarray(super()._in_view(place) & (azimuth <= half[0]) & (elevation <= half[1]))

    def step(self, t_s: float, stamp_ns: int) -> Cube:
        """Make one frame.

        Args:
            t_s: time of the middle of the frame since the scenario's start [s]; the scenario repeats after its duration.
            stamp_ns: stamp of the frame, of its middle.
        """
        settings = self.settings
        self.sequence += 1
        t_s = t_s % self.scenario.duration_s
        self._hop()
        late = self._jitter_rng.uniform(-1.0, 1.0, len(self._even_slot_s)) if self.chirp_jitter_s else 0.0
        self._slot_s = self._even_slot_s + self.chirp_jitter_s * late
        frame = synthesis.unit_noise(self._rng, (*self._shape, 2), settings.receiver.noise_lsb)
        self._add_echoes(frame, self._paths(t_s))
        self._add_clutter(frame)
        self._add_jamming(frame, t_s)
        self._add_interference(frame, t_s)
        data: NDArray[Any]
        if settings.receiver.data_type == "int16":
            data = np.empty(frame.shape, np.int16)
            self.saturated = synthesis.quantise(frame, data, 2 ** (settings.receiver.adc_bits - 1) - 1)
        else:
            data = frame.view(np.complex64)[..., 0]
        return Cube(stamp_ns, settings.frame_id, self.sequence, settings.sensor_id, self.waveform, data)

    @cached_property
    def _shape(self) -> tuple[int, int, int]:
        return self.settings.receiver.samples, self.settings.waveform.chirps, len(self._transmitter)

    def _paths(self, t_s: float) -> Paths:
        return self._sight.paths(Points.joined(list(self._points(t_s))))

    def _points(self, t_s: float) -> list[Points]:
        """Return what there is to see: bodies, moving parts, false echoes."""
        position, velocity = self._scatterers(t_s)
        seen = self.scenario.present(t_s)[self._owner] & ~self._blanked(polar(position)[1])
        factor = fluctuation.pulse_amplitudes(self._swerling, len(self._slot_s), self._rng)
        amplitude = np.sqrt(self._share_m2)[:, None] * factor
        bodies = Points.moving(position, velocity, amplitude, self._slot_s)
        bodies.phase = np.where(self._swerling > 0, self._rng.uniform(size=len(position)), 0.0)

        def rows(index: NDArray[np.int64]) -> Points:
            return Points(*(getattr(bodies, name)[index] for name in Points.__dataclass_fields__))

        out = [rows(np.flatnonzero(seen & ~self._walks))]
        course, _ = self.scenario.course_and_turn_rate(t_s)
        since = self.scenario.since_appearance(t_s)
        for i, target in enumerate(self.scenario.targets):
            if target.rotors is None and target.wings is None and target.gait is None:
                continue
            own = np.flatnonzero(self._owner == i)[:1]
            if not seen[own].all():
                continue
            s, c = math.sin(course[i]), math.cos(course[i])
            axes = np.array([[s, c, 0.0], [-c, s, 0.0], [0.0, 0.0, 1.0]]) @ self._rotation
            out += micro_motion(
                target, rows(own), since[i] + self._slot_s, axes, self._radar.wavelength_m, self._rotor_draws[i]
            )
        return out + self._pull_offs(t_s)

    def _pull_offs(self, t_s: float) -> list[Points]:
        """Return the false echoes: at the target with its Doppler, and their modulation later; or with their carrier moving away
        from there, and their modulation earlier by as much.
        """
        items = self.scenario.pull_offs
        on = np.flatnonzero(self.scenario.active(items, t_s))
        if not len(on):
            return []
        position, velocity = self.scenario.position_velocity(t_s)
        carrier = self.scenario.carriers(items)[on]
        position, velocity = (position[carrier] - self._position) @ self._rotation, velocity[carrier] @ self._rotation
        amplitude = np.sqrt(equation.from_db([items[i].rcs_dbsm for i in on]))
        amplitude = amplitude * ~self._blanked(polar(position)[1])
        offset = np.array([items[i].offset_m(t_s - items[i].appears_s) for i in on])
        rate = np.array([items[i].acceleration_mps2 * items[i].walked_s(t_s - items[i].appears_s) for i in on])
        velocities = np.array([items[i].gate == "velocity" for i in on])
        away = position / np.linalg.norm(position, axis=1)[:, None] * velocities[:, None]
        points = Points.moving(
            position + away * offset[:, None], velocity + away * rate[:, None], amplitude, self._slot_s
        )
        points.delay_m = np.where(velocities, -offset, offset)
        return [points]

    def _add_echoes(self, frame: NDArray[np.float32], paths: Paths) -> None:
        waveform = self.waveform
        if waveform.kind is WaveformKind.FMCW:
            beat = 2 / equation.SPEED_OF_LIGHT * waveform.chirp_slope_hz_s * paths.envelope_range
            paths.amplitude = paths.amplitude * (beat < waveform.sample_rate_hz)  # the ADC's filter
        if not paths.amplitude.any():
            return
        shape = (len(paths.phase), self.settings.waveform.chirps, self.settings.antenna.transmitters)
        echoes = synthesis.Echoes(
            amplitude=(paths.amplitude * self._echo_unit(self.frequency_hz)).reshape(shape),
            phase=paths.phase,
            carrier_range=paths.carrier_range.reshape(shape),
            envelope_range=paths.envelope_range.reshape(shape),
            range_rate=paths.range_rate.reshape(shape),
            channel_range=paths.out @ self._tx_position.T + paths.back @ self._rx_position.T,
        )
        if waveform.kind is WaveformKind.FMCW:
            synthesis.add_fmcw_echoes(frame, echoes, self._receiver)
        else:
            synthesis.add_pulse_echoes(frame, echoes, self._receiver, waveform.pulse_width_s, waveform.first_sample_s)

    def _add_clutter(self, frame: NDArray[np.float32]) -> None:
        if not self._clutter:
            return
        cells = np.zeros((len(self._cells_m), *self._shape[1:]), np.complex64)
        for item in self._clutter:
            cells[item.cells] += item.echoes(self._rng)
        add_cells(frame, cells, self.waveform)

    def _received(self, azimuth: float, elevation: float) -> tuple[float, Floats]:
        """Return an element's gain in a direction, and the receivers' phases for what comes from there, (channels,) [cycles]."""
        ground = math.cos(elevation)
        u = np.array([ground * math.cos(azimuth), ground * math.sin(azimuth), math.sin(elevation)])
        sign = -1.0 if self.waveform.kind is WaveformKind.FMCW else 1.0
        gain = self._radar.gain * float(self._sight.pattern(u[None])[0])
        return gain, sign * (self._rx_position @ u) / self.waveform.wavelength_m

    def _add_jamming(self, frame: NDArray[np.float32], t_s: float) -> None:
        """Add noise jammers, as far as their bands overlap what the receiver takes in at each sample."""
        waveform, settings = self.waveform, self.settings
        rate = waveform.sample_rate_hz
        fast = (np.arange(settings.receiver.samples) - (settings.receiver.samples - 1) / 2) / rate
        if waveform.kind is WaveformKind.FMCW:
            top = self.frequency_hz + waveform.chirp_slope_hz_s * fast  # beats from 0 to the sample rate
        else:
            top = np.full(settings.receiver.samples, self.frequency_hz + rate / 2)
        jammers = self.scenario.jammers
        for i, distance, azimuth, elevation in zip(*self._emitters(jammers, t_s), strict=True):
            jammer = jammers[i]
            low = np.maximum(top - rate, jammer.frequency_hz - jammer.bandwidth_hz / 2)
            high = np.minimum(top, jammer.frequency_hz + jammer.bandwidth_hz / 2)
            gain, cycles = self._received(azimuth, elevation)
            density = equation.link_power(
                jammer.eirp_w / jammer.bandwidth_hz, gain, waveform.wavelength_m, distance, math.sqrt(self._radar.loss)
            )
            level = np.sqrt(float(density) * np.maximum(high - low, 0.0) * self._watt / 2)
            if not level.any():
                continue
            noise = synthesis.unit_noise(self._rng, (*self._shape[:2], settings.antenna.transmitters, 2))
            steering = np.stack([np.cos(2 * np.pi * cycles), np.sin(2 * np.pi * cycles)], axis=1).astype(np.float32)
            synthesis.add_plane_noise(frame, noise, level, steering, self._transmitter)

    def _add_interference(self, frame: NDArray[np.float32], t_s: float) -> None:
        """Add other FMCW radars' chirps; our oscillators and theirs have no common phase."""
        waveform = self.waveform
        items = self.scenario.interferers
        slots = (self.settings.waveform.chirps, self.settings.antenna.transmitters)
        for i, distance, azimuth, elevation in zip(*self._emitters(items, t_s), strict=True):
            item = items[i]
            gain, cycles = self._received(azimuth, elevation)
            power = equation.link_power(item.eirp_w, gain, waveform.wavelength_m, distance, math.sqrt(self._radar.loss))
            synthesis.add_interference(
                frame,
                math.sqrt(float(power) * self._watt),
                self._rng.uniform(size=slots),
                cycles,
                (t_s + self._slot_s).reshape(slots),
                self._receiver if waveform.kind is WaveformKind.FMCW else self._receiver._replace(slope_hz_s=0.0),
                (item.frequency_hz, item.sweep_hz / item.chirp_s, item.chirp_s, item.period_s),
            )
