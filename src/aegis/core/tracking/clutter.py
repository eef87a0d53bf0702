"""Where a sensor gives more false alarms than elsewhere: those of the last while, counted around each detection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.core.types import Floats, Ints

HOLE = 0.2  # share of the radius within which earlier detections do not count: they are the object's own


@dataclass(frozen=True)
class ClutterMap:
    """Detections of one sensor that no confirmed track explained, over the last scans. Never changed, but replaced."""

    position: Floats  # (K, 2) in map
    stamp_ns: Ints  # (K,)
    scans_ns: Ints  # stamps of the scans remembered

    @classmethod
    def empty(cls) -> ClutterMap:
        """Return a map that knows nothing."""
        return cls(np.empty((0, 2)), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))

    def density(self, position: Floats, usual: Floats, radius: float) -> Floats:
        """Return the density of false alarms [1/m^2] at each position (D, 2).

        The posterior mean of a Poisson rate, with the usual density (D,) as a prior of the weight of one false alarm.
        """
        if not len(self.scans_ns) or not len(position):
            return usual
        count = np.zeros(len(position))
        if len(self.position):
            from scipy.spatial import cKDTree  # 15 MB, which only who asks for clutter maps or extended objects needs

            tree = cKDTree(self.position)
            around = tree.query_ball_point(position, radius, return_length=True)
            count += around - tree.query_ball_point(position, HOLE * radius, return_length=True)
        area = np.pi * radius**2 * (1.0 - HOLE**2)
        out: Floats = (1.0 + count) / (1.0 / usual + area * len(self.scans_ns))
        return out

    def after(self, position: Floats, stamp_ns: int, memory_ns: int) -> ClutterMap:
        """Return the map after a scan with these unexplained detections (K, 2)."""
        recent = self.stamp_ns > stamp_ns - memory_ns
        scans = self.scans_ns[self.scans_ns > stamp_ns - memory_ns]
        return ClutterMap(
            np.concatenate([self.position[recent], position]),
            np.concatenate([self.stamp_ns[recent], np.full(len(position), stamp_ns)]),
            np.append(scans, stamp_ns),
        )
