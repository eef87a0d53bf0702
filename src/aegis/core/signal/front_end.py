# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The front end: `step` takes a cube and returns its points.

What a point states (M channels, S samples, C chirps; a target of amplitude a in a sample, noise of power n in a sample):

- `snr_db`: of the beam in the point's direction, at the peak between the cells, after all coherent integration:
  |a|^2 / n, times S C M, less what the windows cost (1.8 dB each for Hann). Of real samples, |a|^2 is twice the mean square, and
  the SNR half as much. n is what the CFAR's reference cells hold: neighbours and clutter disturb as noise does.
- `noise_db`: n where the reference cells hold noise alone, else that of the receiver about that range (noise_floor.py), which no
  echo raises: power of one sample at the ADC, in its units.
- `rcs_dbsm`: from |a|^2, by the waveform's rcs_offset_db.
- `variance`: what n makes of the maximum-likelihood estimates used (response.py, beamforming.py), and a floor.

Range is that in the middle of the frame: the coupling of range and Doppler within a chirp, f_c v / slope, is taken out.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aegis.core.angles import wrapped
from aegis.core.classification.track_model import Posterior
from aegis.core.rows import take_rows
from aegis.core.signal.beamforming import unit_vectors
from aegis.core.signal.cfar import Cfar, CfarWindow
from aegis.core.signal.cfar_correlation import independent_share, pfa_if_independent
from aegis.core.signal.cube import Cube, CubeError, RangeDopplerMap, Waveform
from aegis.core.signal.detection_probability import threshold
from aegis.core.signal.directions import Directions
from aegis.core.signal.dwell_classes import stated_classes
from aegis.core.signal.equation import decibels
from aegis.core.signal.ground import Ground
from aegis.core.signal.noise_floor import NoiseFloor
from aegis.core.signal.peaks import above_sidelobes, local_maxima
from aegis.core.signal.range_doppler import RangeDoppler
from aegis.core.signal.receive_only import ReceiveOnly
from aegis.core.signal.response import measure
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.types import Floats, Ints, ReceiverNoise, Scan, unknown

MAX_PLANS = 8  # kept: a radar that changes between waveforms, or hops between carriers, goes back to them
HIGHEST_SNR = 1e12
NOISE_ALONE = 1.12  # reference cells that hold no more than this beside the floor (half a decibel) hold noise alone
LEAST_EXCESS = 0.01  # of the noise: sidelobes below it are of no account


class Plan:
    """All that one waveform and shape of cube need."""

    def __init__(self, waveform: Waveform, shape: tuple[int, ...], settings: FrontEndSettings) -> None:
        """Plan.

        Raises:
            CubeError: the cube cannot be processed.
        """
        self.waveform = waveform
        samples = shape[0]
        self.cells = RangeDoppler(waveform, shape, settings)
        self.directions = Directions(waveform, settings)
        cell = self.cells.range_response.spacing  # of a pulse that is sampled more often than it resolves
        channels, shape = self.cells.channels, self.cells.shape
        widest = (shape[1] - 1) // 2
        cfar = settings.cfar
        guard = min(cfar.guard_doppler, widest)
        window = CfarWindow(
            cfar.guard_range * cell, guard, cfar.train_range * cell, min(cfar.train_doppler, widest - guard)
        )
        share = independent_share(window, self.cells.range_response.alike, self.cells.doppler_response.alike)
        pfa = pfa_if_independent(cfar.method, cfar.pfa, channels, len(window.offsets()), share)
        try:
            self.cfar = Cfar(cfar.method, window, pfa, channels, shape, cfar.os_rank)
        except ValueError as error:
            raise CubeError(
                "cfar window", f"{error}; the cube gives {shape[0]} ranges and {shape[1]} Dopplers"
            ) from None

        self.noise_floor = NoiseFloor(shape, channels)
        self.receive_only = ReceiveOnly(
            waveform, samples, shape, self.cells.conjugated, self.cells.noise_gain, real=self.cells.real
        )
        doppler = settings.doppler
        range_m: Floats = self.cells.first_range_m + np.arange(float(shape[0])) * self.cells.range_step_m
        self.ground = Ground(
            shape, range_m, self.cells.range_rate_step_mps, doppler.ground_mps, doppler.ground_margin_db,
            (cfar.guard_range * cell, doppler.ground_train * cell),
        )  # fmt: skip
        self._threshold = float(threshold(cfar.pfa, channels)) / channels

    def excess(self, power: NDArray[np.float32], noise: Floats) -> Floats:
        """Return, as power, how far the amplitude of detections is above that of the threshold for their noise."""
        over = np.sqrt(power) - np.sqrt(self._threshold * noise)
        out: Floats = np.maximum(over**2 * (over > 0.0), LEAST_EXCESS * noise)
        return out


class FrontEnd:
    """The front end stage."""

    def __init__(self, settings: FrontEndSettings, classifier: Posterior | None = None) -> None:
        """Make a front end; `classifier`: of dwells' signatures, None: points state no classes."""
        self.settings, self._classifier = settings, classifier
        self.notes: Counter[str] = Counter()  # of the last cube: what is worth knowing, but dropped nothing
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._plan: Plan | None = None
        self._power: NDArray[np.float32] | None = None
        self._z: NDArray[np.complex64] | None = None
        self._floor: Floats = np.empty(0)  # (ranges,) the receiver's noise in the last cube's map

    @property
    def range_rate_span_mps(self) -> float:
        """Return the width of the interval of range rates, about 0, that the last cube's points lie in; NaN before any."""
        if self._plan is None:
            return float("nan")
        return self._plan.waveform.range_rate_span_mps * self._plan.directions.hypotheses

    def step(self, cube: Cube) -> tuple[Scan, Counter[str]]:
        """Return the points of a cube, and how many were dropped, by reason.

        Raises:
            CubeError: it cannot be processed.
        """
        self.notes = Counter()
        plan = self._planned(cube)
        cells = plan.cells.step(cube)
        self._power, self._z = cells.power, cells.z
        self._floor = plan.noise_floor.of(cells.power)
        self.notes["saturated samples"] += cells.saturated
        rows, cols, noise = plan.cfar.detect(cells.power)
        dropped: Counter[str] = Counter()
        rows, cols, noise = self._peaks(plan, cells.power, rows, cols, noise, dropped)
        scan = self._points(plan, cube, cells.z, rows, cols, noise)
        scan = self._in_view(scan, dropped)
        self.notes = +self.notes
        return scan, +dropped

    def _planned(self, cube: Cube) -> Plan:
        """Return the plan for a cube, made anew for a new waveform or shape."""
        w = cube.waveform
        shape = (*cube.data.shape, 2) if cube.data.dtype == np.complex64 else cube.data.shape
        key = (
            shape, w.kind, w.carrier_frequency_hz, w.sample_rate_hz, w.chirp_slope_hz_s, w.chirp_period_s, w.pulse_width_s,
            w.first_sample_s, w.channel_position.tobytes(), w.channel_delay_s.tobytes(),
        )  # fmt: skip
        plan = self._plans.pop(key, None)
        if plan is None:
            plan = Plan(w, shape, self.settings)
            self.notes["new waveforms planned for"] += 1
        self._plans[key] = plan  # the last one used is last
        while len(self._plans) > MAX_PLANS:
            del self._plans[next(iter(self._plans))]
        self._plan = plan
        return plan

    def _peaks(
        self, plan: Plan, power: NDArray[np.float32], rows: Ints, cols: Ints, noise: Floats, dropped: Counter[str]
    ) -> tuple[Ints, Ints, Floats]:
        """Return the cells that become points, in the order of rows and columns."""
        s = self.settings
        if plan.ground.is_looked_for:
            here = plan.ground.stands_out(power, self._floor, rows, cols)
            dropped["ground"] += len(here) - int(here.sum())
            rows, cols, noise = rows[here], cols[here], noise[here]
        if s.points.group_peaks:
            peak = local_maxima(power, rows, cols)
            rows, cols, noise = rows[peak], cols[peak], noise[peak]
        reach = plan.cells.range_response.spacing
        inside = (rows >= reach) & (rows < len(power) - reach)
        dropped["at the first or last range"] += int((~inside).sum())
        rows, cols, noise = rows[inside], cols[inside], noise[inside]
        strength = power[rows, cols] - noise
        order = np.argsort(-strength, kind="stable")
        if s.points.group_peaks:
            kept, explained = above_sidelobes(
                rows[order], cols[order], strength[order], plan.excess(power[rows, cols], noise)[order], power.shape[1],
                plan.cells.range_response.envelope, plan.cells.doppler_response.envelope, s.points.max_points,
            )  # fmt: skip
            dropped["sidelobe of a stronger point"] += explained
            order = order[kept]
            dropped["over max_points"] += len(strength) - explained - len(order)
        else:
            dropped["over max_points"] += max(0, len(order) - s.points.max_points)
            order = order[: s.points.max_points]
        order = np.sort(order)
        return rows[order], cols[order], noise[order]

    def _points(self, plan: Plan, cube: Cube, z: NDArray[np.complex64], rows: Ints, cols: Ints, noise: Floats) -> Scan:
        """Return the points in some cells."""
        w, cells, directions = plan.waveform, plan.cells, plan.directions
        array, chirps = directions.array, cells.shape[1]
        channel_noise = noise / cells.channels
        snapshot = z[rows, cols].astype(np.complex128)
        if cells.conjugated:
            snapshot = snapshot.conj()
        bins = np.where(cols < (chirps + 1) // 2, cols, cols - chirps).astype(np.float64)
        start = bins.copy()
        if directions.delayed:
            # Before the direction is known: the cell's own channels are the weights.
            at = measure(z, rows, cols, snapshot.conj(), cells.conjugated, cells.range_response, cells.doppler_response)
            start = _wrap(bins + at[:, 1], chirps)
        power = (np.abs(snapshot) ** 2).sum(axis=1)
        channel_noise = np.maximum(channel_noise, power / HIGHEST_SNR)  # no noise at all: made, not measured
        floor_power = self._floor[rows] / cells.channels
        receiver_noise = np.where(channel_noise < NOISE_ALONE * floor_power, channel_noise, floor_power)
        frame_s = chirps * w.chirp_period_s
        echoes = directions.find(snapshot, start / frame_s, channel_noise)
        self.notes["Doppler ambiguity unresolved"] += echoes.unresolved
        cell = echoes.cell
        rows, cols, channel_noise = rows[cell], cols[cell], channel_noise[cell]
        at = measure(z, rows, cols, echoes.weights, cells.conjugated, cells.range_response, cells.doppler_response)

        beam_noise = channel_noise * (np.abs(echoes.weights) ** 2).sum(axis=1)
        snr = at[:, 2] / beam_noise
        variance = np.empty((len(cell), 4))
        s = self.settings
        floor = s.points.error_floor**2
        cell_variance = 0.5 / (snr[:, None] * at[:, 3:5]) + floor
        range_step, rate_step = cells.range_step_m, cells.range_rate_step_mps
        fine = _wrap(bins[cell] + at[:, 1] - start[cell], chirps)
        range_rate = _wrap(echoes.frequency * frame_s + fine, chirps * directions.hypotheses) * rate_step
        variance[:, 3] = cell_variance[:, 1] * rate_step**2 + echoes.doubt[:, 0] * (0.5 * w.wavelength_m) ** 2
        direction = unit_vectors(echoes.azimuth, echoes.elevation)
        coupling = w.carrier_frequency_hz / w.chirp_slope_hz_s if w.chirp_slope_hz_s != 0.0 else 0.0  # [s]
        reach = cells.first_range_m + (rows + at[:, 0]) * range_step - coupling * range_rate
        reach += direction @ w.channel_position.mean(axis=0)
        variance[:, 0] = cell_variance[:, 0] * range_step**2 + coupling**2 * variance[:, 3]
        if cells.pulse and w.chirp_slope_hz_s == 0.0:
            variance[:, 0] += range_step**2 / 12.0  # the samples do not tell where between them the pulse began
        azimuth, elevation = echoes.azimuth, echoes.elevation
        across, up = array.resolution(azimuth, elevation)
        cell_snr = snr * at[:, 5]
        variance[:, 1] = echoes.error[:, 0, 0] / cell_snr + floor * across**2 + echoes.doubt[:, 1]
        variance[:, 2] = echoes.error[:, 1, 1] / cell_snr + floor * up**2 + echoes.doubt[:, 2]
        if not array.finds_azimuth:
            variance[:, 1] = np.deg2rad(s.coverage.azimuth_fov_deg) ** 2 / 12.0  # anywhere in view
        if not array.finds_elevation:
            elevation = unknown(len(cell))
        if array.flat:
            azimuth = np.where(np.abs(azimuth) > np.pi / 2, np.copysign(np.pi, azimuth) - azimuth, azimuth)
        azimuth = wrapped(azimuth)
        classes = None
        if self._classifier is not None:
            beam_floor = floor_power[cell] * (np.abs(echoes.weights) ** 2).sum(axis=1)
            classes = stated_classes(
                z,
                rows,
                cols,
                echoes.weights,
                beam_floor,
                decibels(snr),
                w,
                self._classifier,
                conjugated=cells.conjugated,
            )
        echo_db = 10.0 * np.log10(np.maximum(at[:, 2], 1e-300)) - 20.0 * np.log10(cells.signal_gain)
        return Scan(
            cube.stamp_ns,
            cube.frame_id,
            cube.sequence,
            reach,
            azimuth,
            elevation,
            range_rate,
            10.0 * np.log10(np.maximum(snr, 1e-300)),
            echo_db + 40.0 * np.log10(np.maximum(reach, range_step)) + cube.waveform.rcs_offset_db,
            10.0 * np.log10(np.maximum(receiver_noise[cell], 1e-300) / cells.noise_gain),
            variance,
            class_probability=classes,
        )

    def _in_view(self, scan: Scan, dropped: Counter[str]) -> Scan:
        """Return the points within the limits of range and azimuth."""
        s = self.settings
        near = scan.range < s.coverage.min_range_m
        near |= scan.range <= 0.0
        far = (scan.range > s.coverage.max_range_m) if s.coverage.max_range_m > 0.0 else np.zeros(len(scan), dtype=bool)
        aside = np.abs(scan.azimuth) > 0.5 * np.deg2rad(s.coverage.azimuth_fov_deg)
        dropped["out of range"] += int((near | far).sum())
        dropped["outside the field of view"] += int((aside & ~(near | far)).sum())
        keep = ~(near | far | aside)
        return scan if keep.all() else take_rows(scan, keep)

    def receiver_noise(self, cube: Cube) -> ReceiverNoise | None:
        """Return what the last cube, which `step` took, holds in cells without echoes; None before any."""
        if self._plan is None or self._power is None or self._z is None:
            return None
        return self._plan.receive_only.measure(cube, self._z, self._power)

    def range_doppler_map(self) -> RangeDopplerMap | None:
        """Return the last cube's map; None before any."""
        if self._plan is None or self._power is None:
            return None
        cells = self._plan.cells
        chirps = cells.shape[1]
        power = np.fft.fftshift(self._power, axes=1) / np.float32(cells.channels * cells.noise_gain)
        power_db = (10.0 * np.log10(np.maximum(power, np.float32(1e-30)))).astype(np.float32)
        return RangeDopplerMap(
            cells.first_range_m,
            cells.range_step_m,
            -(chirps // 2) * cells.range_rate_step_mps,
            cells.range_rate_step_mps,
            power_db,
            np.median(power_db, axis=1),
        )


def _wrap(value: Floats, span: float) -> Floats:
    """Return the values within half a span about 0."""
    out: Floats = (value + 0.5 * span) % span - 0.5 * span
    return out
