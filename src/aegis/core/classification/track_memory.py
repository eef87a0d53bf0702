"""What classification remembers of a track, look by look, and the features that a model sees of it.

A look is a scan in which the track was detected. Sums over looks fade, so that a look counts 1/e after `WINDOW_LOOKS` more: the
features are of a window of the track. Without a look nothing changes: a coasting track keeps its class.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aegis.core.types import Floats

WINDOW_LOOKS = 32.0
FADE = float(np.exp(-1.0 / WINDOW_LOOKS))
LEAST_DT_S = 1e-3
SHARPEST_SPEED_MPS = 0.1  # no speed is known better, for its weight beside others
FARTHEST_RATE = 1e3  # [m/s^2] accelerations beyond are noise

# The rows of a table with a column a track. Sums are weighted; `w_` are the weights.
MEMORY = (
    "class_looks",  # that counted
    "class_seconds",  # from the first to the last
    "class_x0", "class_y0",  # where it was first [m]
    "class_x", "class_y", "class_vx", "class_vy", "class_vz",  # the last
    "class_speed_sigma", "class_height", "class_height_sigma",
    "class_w_speed", "class_speed_1", "class_speed_2", "class_vz_1", "class_vz_2",
    "class_w_rate", "class_along_2", "class_across_1", "class_across_2",
    "class_w_height", "class_height_1", "class_height_2",
    "class_w_rcs", "class_rcs_1", "class_rcs_2", "class_rcs_last", "class_w_rcs_step", "class_rcs_step_2",
    "class_w_snr", "class_snr_1",
    "class_named", "class_rival",  # the last class that was named, and in how many looks since another one would have been
)  # fmt: skip
_AT = {name.removeprefix("class_"): i for i, name in enumerate(MEMORY)}

FEATURES = (
    "log_looks", "log_interval", "log_seconds", "speed", "log_speed_sigma", "mean_speed", "speed_spread", "net_speed",
    "straightness", "climb", "mean_climb", "climb_spread", "along", "across", "across_mean", "turn_rate",
    "height", "log_height_sigma", "height_spread", "rcs", "rcs_spread", "rcs_step", "snr",
)  # fmt: skip


class Looks(NamedTuple):
    """New looks at F tracks; arrays (F,) but where said."""

    dt_s: Floats  # since the look before; NaN for a first one
    state: Floats  # (F, 6) x y z [m] vx vy vz [m/s]
    speed_sigma: Floats  # [m/s]
    height: Floats  # above ground [m]; NaN where it is not observed
    height_sigma: Floats  # [m]
    rcs_dbsm: Floats  # of the detection; NaN where it is not stated
    snr_db: Floats


def blank(n: int) -> Floats:
    """Return the memory (M, n) of tracks without a look."""
    return np.zeros((len(MEMORY), n))


def remembered(memory: Floats, looks: Looks) -> Floats:
    """Return the memory (M, F) after new looks; the one before stays as it is."""
    m = dict(zip(_AT, memory, strict=True))
    x, y, _, vx, vy, vz = looks.state.T
    first = m["looks"] == 0.0
    dt = np.where(first | ~(looks.dt_s > LEAST_DT_S), np.nan, looks.dt_s)
    has_height = np.isfinite(looks.height)
    vz = np.where(has_height, vz, 0.0)
    speed = np.sqrt(vx * vx + vy * vy + vz * vz)
    # A speed counts by its accuracy, beside how much speeds of one object differ anyway.
    spread = SHARPEST_SPEED_MPS + 0.05 * speed
    weight = spread**2 / (spread**2 + looks.speed_sigma**2)
    old = np.hypot(m["vx"], m["vy"])
    rated = np.isfinite(dt) & (old > 0.0)
    safe_dt, safe_old = np.where(rated, dt, 1.0), np.where(rated, old, 1.0)
    ax, ay = (vx - m["vx"]) / safe_dt, (vy - m["vy"]) / safe_dt
    along = np.clip((ax * m["vx"] + ay * m["vy"]) / safe_old, -FARTHEST_RATE, FARTHEST_RATE)
    across = np.clip((ay * m["vx"] - ax * m["vy"]) / safe_old, -FARTHEST_RATE, FARTHEST_RATE)
    w_rate = np.where(rated, weight, 0.0)
    w_height = np.where(has_height, 1.0 / (1.0 + (looks.height_sigma / (5.0 + 0.1 * np.abs(looks.height))) ** 2), 0.0)
    height = np.where(has_height, looks.height, 0.0)
    w_rcs = np.isfinite(looks.rcs_dbsm).astype(np.float64)
    rcs = np.where(w_rcs > 0.0, looks.rcs_dbsm, 0.0)
    stepped = w_rcs * (m["w_rcs"] > 0.0)
    w_snr = np.isfinite(looks.snr_db).astype(np.float64)

    def summed(name: str, weight: Floats, value: Floats | float = 1.0) -> Floats:
        out: Floats = FADE * m[name] + weight * value
        return out

    after = {
        "looks": m["looks"] + 1.0,
        "seconds": m["seconds"] + np.nan_to_num(dt),
        "x0": np.where(first, x, m["x0"]), "y0": np.where(first, y, m["y0"]),
        "x": x, "y": y, "vx": vx, "vy": vy, "vz": vz,
        "speed_sigma": looks.speed_sigma, "height": looks.height, "height_sigma": looks.height_sigma,
        "w_speed": summed("w_speed", weight), "speed_1": summed("speed_1", weight, speed),
        "speed_2": summed("speed_2", weight, speed**2),
        "vz_1": summed("vz_1", weight, vz), "vz_2": summed("vz_2", weight, vz**2),
        "w_rate": summed("w_rate", w_rate), "along_2": summed("along_2", w_rate, along**2),
        "across_1": summed("across_1", w_rate, across), "across_2": summed("across_2", w_rate, across**2),
        "w_height": summed("w_height", w_height), "height_1": summed("height_1", w_height, height),
        "height_2": summed("height_2", w_height, height**2),
        "w_rcs": summed("w_rcs", w_rcs), "rcs_1": summed("rcs_1", w_rcs, rcs), "rcs_2": summed("rcs_2", w_rcs, rcs**2),
        "rcs_last": np.where(w_rcs > 0.0, rcs, m["rcs_last"]),
        "w_rcs_step": summed("w_rcs_step", stepped), "rcs_step_2": summed("rcs_step_2", stepped, (rcs - m["rcs_last"]) ** 2),
        "w_snr": summed("w_snr", w_snr), "snr_1": summed("snr_1", w_snr, np.nan_to_num(looks.snr_db)),
        "named": m["named"], "rival": m["rival"],
    }  # fmt: skip
    return np.array([after[name] for name in _AT])


def features(memory: Floats) -> Floats:
    """Return (n, len(FEATURES)) of tracks with a look each at least; NaN where something was not measured."""
    m = dict(zip(_AT, memory, strict=True))

    def mean(total: str, weight: str) -> Floats:
        w = m[weight]
        out: Floats = np.where(w > 0.0, m[total] / np.where(w > 0.0, w, 1.0), np.nan)
        return out

    def spread(first: Floats, second: Floats) -> Floats:
        return np.sqrt(np.maximum(second - first**2, 0.0))

    looks, seconds = m["looks"], np.maximum(m["seconds"], LEAST_DT_S)
    many = looks > 1.0
    interval = np.where(many, seconds / np.maximum(looks - 1.0, 1.0), np.nan)
    has_height = np.isfinite(m["height"])
    speed = np.sqrt(m["vx"] ** 2 + m["vy"] ** 2 + m["vz"] ** 2)
    mean_speed, mean_climb = mean("speed_1", "w_speed"), mean("vz_1", "w_speed")
    net = np.where(many, np.hypot(m["x"] - m["x0"], m["y"] - m["y0"]) / seconds, np.nan)
    across_mean = mean("across_1", "w_rate")
    height_mean, rcs_mean = mean("height_1", "w_height"), mean("rcs_1", "w_rcs")
    out = [
        np.log(np.maximum(looks, 1.0)),
        np.log(interval),
        np.log(1.0 + seconds),
        np.arcsinh(speed),
        np.log(np.maximum(m["speed_sigma"], 1e-2)),
        np.arcsinh(mean_speed),
        np.arcsinh(spread(mean_speed, mean("speed_2", "w_speed"))),
        np.arcsinh(net),
        net / (mean_speed + 1.0),
        np.where(has_height, np.arcsinh(m["vz"]), np.nan),
        np.where(has_height, np.arcsinh(mean_climb), np.nan),
        np.where(has_height, np.arcsinh(spread(mean_climb, mean("vz_2", "w_speed"))), np.nan),
        np.arcsinh(np.sqrt(mean("along_2", "w_rate"))),
        np.arcsinh(np.sqrt(mean("across_2", "w_rate"))),
        np.arcsinh(np.abs(across_mean)),
        np.arcsinh(10.0 * np.abs(across_mean) / (mean_speed + 1.0)),
        np.arcsinh(m["height"] / 3.0),
        np.where(has_height, np.log(np.maximum(m["height_sigma"], 1e-2)), np.nan),
        np.where(has_height, np.arcsinh(spread(height_mean, mean("height_2", "w_height"))), np.nan),
        rcs_mean / 10.0,
        np.where(m["w_rcs"] > 1.5, spread(rcs_mean, mean("rcs_2", "w_rcs")) / 5.0, np.nan),
        np.sqrt(mean("rcs_step_2", "w_rcs_step")) / 5.0,
        mean("snr_1", "w_snr") / 10.0,
    ]
    return np.array(out).T
