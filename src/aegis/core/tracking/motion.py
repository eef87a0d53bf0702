"""Motion model: nearly constant velocity in three dimensions, batched. State: x y z vx vy vz."""

from __future__ import annotations

import numpy as np

from aegis.core.types import Floats


def transition(dt: float) -> Floats:
    """Return the (6, 6) transition over dt [s]."""
    out = np.eye(6)
    out[[0, 1, 2], [3, 4, 5]] = dt
    return out


def process_noise(dt: float, sigma: Floats) -> Floats:
    """Return (N, 6, 6) process noise of white acceleration of spectral density sigma^2 [m^2/s^3].

    Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation (2001), eq. 6.2.2-12.

    Args:
        dt: time step [s].
        sigma: (N, 3) per axis; a white acceleration of standard deviation sigma [m/s^2] over a step of one second.
    """
    q = sigma**2
    out = np.zeros((len(q), 6, 6))
    axis = np.arange(3)
    out[:, axis, axis] = q * (dt**3 / 3.0)
    out[:, axis, axis + 3] = out[:, axis + 3, axis] = q * (dt**2 / 2.0)
    out[:, axis + 3, axis + 3] = q * dt
    return out


def predict(state: Floats, covariance: Floats, dt: float, noise: Floats) -> tuple[Floats, Floats]:
    """Return state (N, 6) and covariance (N, 6, 6) after dt [s]; `noise` is (N, 6, 6)."""
    f = transition(dt)
    return state @ f.T, f @ covariance @ f.T + noise
