"""Noise-floor rise: an F-test of a scan's noise levels against a baseline of quiet scans."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc, fdtri

from aegis.core.ew.settings import NoiseSettings
from aegis.core.types import Detections, Signal, SignalKind

# From this mean resultant length of the directions, 0 (all around) to 1 (all the same), a rise has a bearing.
BEARING_CONCENTRATION = 0.5
_LEAST_RATIO = 1e-12  # of powers: the F distribution is asked about no less


def rise_threshold(samples: int, reference: int, false_alarm_probability: float) -> float:
    """Return the ratio of mean powers of `samples` to `reference` exponential noise cells that quiet noise exceeds so rarely.

    The mean power of M cells is chi-square with 2M degrees of freedom, so that the ratio has an F distribution.
    """
    return float(fdtri(2 * samples, 2 * reference, 1.0 - false_alarm_probability))


@dataclass
class NoiseChange:
    """What a scan changed: a signal that began, and one that ended."""

    raised: Signal | None = None
    ended: Signal | None = None


class NoiseMonitor:
    """Watches the noise levels beside the detections. A sensor that reports none gives no judgement, never an all-clear."""

    def __init__(self, settings: NoiseSettings) -> None:
        self.settings = settings
        self._next_id = 1
        self.reset()

    def reset(self) -> None:
        """Forget the baseline and the signal; ids go on."""
        self._baseline: deque[tuple[float, int]] = deque(maxlen=self.settings.baseline_scans)  # (sum of power, cells)
        self.signal: Signal | None = None
        self._quiet_scans = 0
        self.judged = False

    def step(self, detections: Detections) -> NoiseChange:
        """Judge a scan; `self.signal` is what is active afterwards."""
        s = self.settings
        change = NoiseChange()
        known = np.isfinite(detections.noise_db)
        level = 10.0 ** (detections.noise_db[known] / 10.0)
        cells = detections.points[known] * s.cells
        samples = int(cells.sum())
        self.judged = len(self._baseline) >= s.warmup_scans and samples > 0
        if samples == 0:
            return self._no_evidence(change) if self.signal is not None else change
        power = float((level * cells).sum())
        if not self.judged:
            self._baseline.append((power, samples))
            return change
        reference = sum(n for _, n in self._baseline)
        floor = sum(p for p, _ in self._baseline) / reference
        ratio = power / samples / floor
        threshold = max(
            rise_threshold(samples, reference, s.false_alarm_probability), 10.0 ** (s.min_rise_db / 10.0)
        )  # fmt: skip
        # One jammed direction among many quiet ones hardly moves the mean: the loudest cell is tested too, at a false alarm
        # probability shared among all of them.
        loudest = float(level.max()) / floor
        single = rise_threshold(int(cells.min()), reference, s.false_alarm_probability / len(level))
        if ratio <= threshold and loudest <= max(single, 10.0 ** (s.min_rise_db / 10.0)):
            if self.signal is None:
                self._baseline.append((power, samples))
                return change
            return self._no_evidence(change)
        self._quiet_scans = 0
        excess = np.maximum(level / floor - 1.0, 0.0)
        vector = complex((excess * np.exp(1j * detections.azimuth[known])).sum() / excess.sum())
        # Circular statistics: directions that cancel mean a rise everywhere, which has no bearing.
        concentration = abs(vector)
        has_bearing = concentration > BEARING_CONCENTRATION
        spread = float(np.sqrt(-2.0 * np.log(min(concentration, 1.0)))) if has_bearing else float("nan")
        probability = float(fdtrc(2 * samples, 2 * reference, max(ratio, _LEAST_RATIO)))
        probability = min(
            probability, len(level) * float(fdtrc(2 * int(cells.min()), 2 * reference, loudest))
        )  # fmt: skip
        power_db = 10.0 * float(np.log10(loudest if loudest > ratio else ratio))
        signal = Signal(
            id=self.signal.id if self.signal else self._next_id,
            kind=SignalKind.NOISE_JAMMING,
            bearing=float(np.angle(vector)) if has_bearing else float("nan"),
            bearing_sigma=spread,
            power_db=power_db,
            frequency=float("nan"),
            confidence=1.0 - min(1.0, probability),
            evidence=(
                f"noise floor {10.0 * np.log10(ratio):+.1f} dB over {samples} cells, loudest {10.0 * np.log10(loudest):+.1f} dB,"
                f" against {reference} quiet cells (F-test, probability {probability:.1e} in quiet noise)"
            ),
        )
        if self.signal is None:
            self._next_id += 1
            change.raised = signal
        self.signal = signal
        return change

    def _no_evidence(self, change: NoiseChange) -> NoiseChange:
        self._quiet_scans += 1
        if self._quiet_scans >= self.settings.clear_after_scans:
            change.ended = self.signal
            self.signal = None
            self._quiet_scans = 0
        return change
