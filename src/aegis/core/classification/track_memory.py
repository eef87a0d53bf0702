# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What classification remembers of a track, look by look, and the features that a model sees of it.

A look is a scan in which the track was detected. Sums over looks fade, so that a look counts 1/e after `WINDOW_LOOKS` more, and
extremes give way to what is measured now as slowly: the features are of a window of the track, those of an hour like those of a
minute. Without a look nothing changes: a coasting track keeps its class.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aegis.core.types import Floats

WINDOW_LOOKS = 32.0
FADE = float(np.exp(-1.0 / WINDOW_LOOKS))
MOST_LOOKS = 40.0  # that a model is told of: then the window is full
LEAST_DT_S = 1e-3
SHARPEST_SPEED_MPS = 0.1  # no speed is known better, for its weight beside others
FARTHEST_RATE = 1e3  # [m/s^2] accelerations beyond are noise
LARGEST_RCS_DBSM = 90.0

# The rows of a table with a column a track. Sums are weighted; `w_` are the weights.
MEMORY = (
    "class_looks",  # that counted
    "class_seconds",  # from the first to the last
    "class_x", "class_y", "class_vx", "class_vy", "class_vz",  # the last
    "class_speed_sigma", "class_height", "class_height_sigma", "class_place_sigma", "class_climb_sigma",
    "class_w_speed", "class_speed_1", "class_speed_2", "class_vz_1", "class_vz_2", "class_speed_noise",
    "class_w_rate", "class_along_2", "class_across_1", "class_across_2",
    "class_w_height", "class_height_1", "class_height_2",
    # Places and times from the last ones on, for a line through them.
    "class_w_line", "class_t_1", "class_t_2", "class_x_1", "class_y_1", "class_z_1", "class_tx", "class_ty", "class_tz",
    "class_xx", "class_xy", "class_yy", "class_zz", "class_place_2",
    # Surely as slow, fast, low, high as that, by a standard deviation.
    "class_slowest", "class_fastest", "class_lowest", "class_highest",
    "class_w_rcs", "class_rcs_1", "class_rcs_2", "class_rcs_power", "class_rcs_last", "class_w_rcs_step", "class_rcs_step_2",
    "class_w_snr", "class_snr_1", "class_snr_last",
    "class_met", "class_met_looks",  # the class that a look had last, and how many had it since one had another
)  # fmt: skip
_AT = {name.removeprefix("class_"): i for i, name in enumerate(MEMORY)}

FEATURES = (
    "log_looks", "log_interval", "log_window", "speed", "log_speed_sigma", "mean_speed", "speed_spread", "log_speed_noise",
    "slowest", "fastest", "way", "straightness", "off_along", "off_across", "log_place_sigma", "along", "across", "across_mean",
    "turn_rate", "climb", "log_climb_sigma", "mean_climb", "climb_spread", "way_up", "off_up", "height", "log_height_sigma",
    "height_spread", "lowest", "highest", "rcs", "rcs_power", "rcs_spread", "rcs_step", "snr",
)  # fmt: skip


class Looks(NamedTuple):
    """New looks at F tracks; arrays (F,) but where said."""

    dt_s: Floats  # since the look before; NaN for a first one
    state: Floats  # (F, 6) x y z [m] vx vy vz [m/s]
    speed_sigma: Floats  # [m/s]
    height: (
        Floats  # above the plane z = 0 of the map, where the ground is taken to be [m]; NaN where it is not observed
    )
    height_sigma: Floats  # [m]
    place_sigma: Floats  # of x and y, their root mean square [m]
    climb_sigma: Floats  # of vz [m/s]
    rcs_dbsm: Floats  # of the detection; NaN where it is not stated
    snr_db: Floats


def blank(n: int) -> Floats:
    """Return the memory (M, n) of tracks without a look."""
    return np.zeros((len(MEMORY), n))


def last_look(memory: Floats, seconds_before: Floats) -> Looks:
    """Return the last look at each of n tracks (M, n) as it was; it was the first where `seconds_before` (n,) is NaN, else the
    seconds of the memory before it. Its z is its height.
    """
    m = dict(zip(_AT, memory, strict=True))
    z = np.nan_to_num(m["height"])
    return Looks(
        m["seconds"] - seconds_before, np.array([m["x"], m["y"], z, m["vx"], m["vy"], m["vz"]]).T, m["speed_sigma"], m["height"],
        m["height_sigma"], m["place_sigma"], m["climb_sigma"], np.where(m["w_rcs"] > 0.0, m["rcs_last"], np.nan),
        np.where(m["w_snr"] > 0.0, m["snr_last"], np.nan),
    )  # fmt: skip


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
    rcs = np.where(w_rcs > 0.0, np.clip(looks.rcs_dbsm, -LARGEST_RCS_DBSM, LARGEST_RCS_DBSM), 0.0)
    stepped = w_rcs * (m["w_rcs"] > 0.0)
    w_snr = np.isfinite(looks.snr_db).astype(np.float64)
    snr = np.nan_to_num(looks.snr_db)

    def summed(name: str, weight: Floats, value: Floats | float = 1.0) -> Floats:
        out: Floats = FADE * m[name] + weight * value
        return out

    def least(name: str, value: Floats) -> Floats:
        out: Floats = np.where(first, value, np.minimum(value, FADE * m[name] + (1.0 - FADE) * value))
        return out

    def most(name: str, value: Floats) -> Floats:
        out: Floats = np.where(first, value, np.maximum(value, FADE * m[name] + (1.0 - FADE) * value))
        return out

    after = {
        "looks": m["looks"] + 1.0,
        "seconds": m["seconds"] + np.nan_to_num(dt),
        "x": x, "y": y, "vx": vx, "vy": vy, "vz": vz,
        "speed_sigma": looks.speed_sigma, "height": looks.height, "height_sigma": looks.height_sigma,
        "place_sigma": looks.place_sigma, "climb_sigma": looks.climb_sigma,
        "w_speed": summed("w_speed", weight), "speed_1": summed("speed_1", weight, speed),
        "speed_2": summed("speed_2", weight, speed**2),
        "vz_1": summed("vz_1", weight, vz), "vz_2": summed("vz_2", weight, vz**2),
        "speed_noise": summed("speed_noise", weight, looks.speed_sigma**2),
        "w_rate": summed("w_rate", w_rate), "along_2": summed("along_2", w_rate, along**2),
        "across_1": summed("across_1", w_rate, across), "across_2": summed("across_2", w_rate, across**2),
        "w_height": summed("w_height", w_height), "height_1": summed("height_1", w_height, height),
        "height_2": summed("height_2", w_height, height**2),
        **_line(m, first, np.nan_to_num(dt), x, y, height),
        "place_2": summed("place_2", np.ones_like(x), looks.place_sigma**2),
        "slowest": least("slowest", speed + looks.speed_sigma),
        "fastest": most("fastest", speed - looks.speed_sigma),
        "lowest": least("lowest", height + looks.height_sigma),
        "highest": most("highest", height - looks.height_sigma),
        "w_rcs": summed("w_rcs", w_rcs), "rcs_1": summed("rcs_1", w_rcs, rcs), "rcs_2": summed("rcs_2", w_rcs, rcs**2),
        "rcs_power": summed("rcs_power", w_rcs, 10.0 ** (rcs / 10.0)),
        "rcs_last": np.where(w_rcs > 0.0, rcs, m["rcs_last"]),
        "w_rcs_step": summed("w_rcs_step", stepped), "rcs_step_2": summed("rcs_step_2", stepped, (rcs - m["rcs_last"]) ** 2),
        "w_snr": summed("w_snr", w_snr), "snr_1": summed("snr_1", w_snr, snr),
        "snr_last": np.where(w_snr > 0.0, snr, m["snr_last"]),
        "met": m["met"], "met_looks": m["met_looks"],
    }  # fmt: skip
    return np.array([after[name] for name in _AT])


def _line(m: dict[str, Floats], first: Floats, dt: Floats, x: Floats, y: Floats, z: Floats) -> dict[str, Floats]:
    """Return the sums over times and places, counted from the new ones, after a look `dt` (F,) later at x, y, z (F,)."""
    dx, dy = np.where(first, 0.0, x - m["x"]), np.where(first, 0.0, y - m["y"])
    dz = np.where(first | ~np.isfinite(m["height"]), 0.0, z - np.nan_to_num(m["height"]))
    w, t = m["w_line"], m["t_1"]
    out = {"w_line": FADE * w + 1.0, "t_1": FADE * (t - dt * w), "t_2": FADE * (m["t_2"] - 2.0 * dt * t + dt**2 * w)}
    for name, d in (("x", dx), ("y", dy), ("z", dz)):
        one = m[f"{name}_1"]
        out[f"{name}_1"] = FADE * (one - d * w)
        out[f"t{name}"] = FADE * (m[f"t{name}"] - dt * one - d * t + d * dt * w)
        out[2 * name] = FADE * (m[2 * name] - 2.0 * d * one + d**2 * w)
    out["xy"] = FADE * (m["xy"] - dx * m["y_1"] - dy * m["x_1"] + dx * dy * w)
    return out


class Line(NamedTuple):
    """The straight line at one speed that fits n tracks' places best, and how far they are off it; NaN of a single look."""

    way: Floats  # (n, 3) its velocity [m/s]
    off_along: Floats  # (n,) root mean squares [m]
    off_across: Floats
    off_up: Floats


def line_of(memory: Floats) -> Line:
    """Return the line of n tracks (M, n): least squares, weights that fade."""
    m = dict(zip(_AT, memory, strict=True))
    w = np.maximum(m["w_line"], 1e-9)
    mean_t = m["t_1"] / w
    times = m["t_2"] / w - mean_t**2
    has = (m["looks"] > 1.0) & (times > LEAST_DT_S**2)
    safe = np.where(has, times, 1.0)
    mean = {name: m[f"{name}_1"] / w for name in "xyz"}
    way = np.array([np.where(has, (m[f"t{name}"] / w - mean_t * mean[name]) / safe, np.nan) for name in "xyz"])
    vx, vy, vz = np.nan_to_num(way)
    xx = m["xx"] / w - mean["x"] ** 2 - vx**2 * times
    yy = m["yy"] / w - mean["y"] ** 2 - vy**2 * times
    xy = m["xy"] / w - mean["x"] * mean["y"] - vx * vy * times
    zz = m["zz"] / w - mean["z"] ** 2 - vz**2 * times
    length = np.maximum(np.hypot(vx, vy), 1e-9)
    cx, cy = vx / length, vy / length
    along = cx**2 * xx + 2.0 * cx * cy * xy + cy**2 * yy
    across = cy**2 * xx - 2.0 * cx * cy * xy + cx**2 * yy
    off = (np.where(has, np.sqrt(np.maximum(one, 0.0)), np.nan) for one in (along, across, zz))
    return Line(way.T, *off)


def features(memory: Floats) -> Floats:
    """Return (n, len(FEATURES)) of tracks with a look each at least; NaN where something was not measured."""
    m = dict(zip(_AT, memory, strict=True))

    def mean(total: str, weight: str) -> Floats:
        w = m[weight]
        out: Floats = np.where(w > 0.0, m[total] / np.where(w > 0.0, w, 1.0), np.nan)
        return out

    def spread(first: Floats, second: Floats) -> Floats:
        return np.sqrt(np.maximum(second - first**2, 0.0))

    def log(values: Floats) -> Floats:
        return np.log(np.maximum(values, 1e-2))

    looks, seconds = m["looks"], np.maximum(m["seconds"], LEAST_DT_S)
    shown = np.clip(looks, 1.0, MOST_LOOKS)
    interval = np.where(looks > 1.0, seconds / np.maximum(looks - 1.0, 1.0), np.nan)
    has_height = np.isfinite(m["height"])

    def high(values: Floats) -> Floats:
        return np.where(has_height, values, np.nan)

    speed = np.sqrt(m["vx"] ** 2 + m["vy"] ** 2 + m["vz"] ** 2)
    mean_speed, mean_climb = mean("speed_1", "w_speed"), mean("vz_1", "w_speed")
    line = line_of(memory)
    way = np.hypot(line.way[:, 0], line.way[:, 1])
    across_mean = mean("across_1", "w_rate")
    height_mean, rcs_mean = mean("height_1", "w_height"), mean("rcs_1", "w_rcs")
    out = [
        np.log(shown),
        np.log(interval),
        np.log(1.0 + np.nan_to_num(interval) * (shown - 1.0)),
        np.arcsinh(speed),
        log(m["speed_sigma"]),
        np.arcsinh(mean_speed),
        np.arcsinh(spread(mean_speed, mean("speed_2", "w_speed"))),
        log(np.sqrt(mean("speed_noise", "w_speed"))),
        np.arcsinh(m["slowest"]),
        np.arcsinh(m["fastest"]),
        np.arcsinh(way),
        way / (mean_speed + 1.0),
        log(line.off_along),
        log(line.off_across),
        log(np.sqrt(mean("place_2", "w_line"))),
        np.arcsinh(np.sqrt(mean("along_2", "w_rate"))),
        np.arcsinh(np.sqrt(mean("across_2", "w_rate"))),
        np.arcsinh(np.abs(across_mean)),
        np.arcsinh(10.0 * np.abs(across_mean) / (mean_speed + 1.0)),
        high(np.arcsinh(m["vz"])),
        high(log(m["climb_sigma"])),
        high(np.arcsinh(mean_climb)),
        high(np.arcsinh(spread(mean_climb, mean("vz_2", "w_speed")))),
        high(np.arcsinh(line.way[:, 2])),
        high(log(line.off_up)),
        np.arcsinh(m["height"] / 3.0),
        high(log(m["height_sigma"])),
        high(np.arcsinh(spread(height_mean, mean("height_2", "w_height")))),
        high(np.arcsinh(m["lowest"] / 3.0)),
        high(np.arcsinh(m["highest"] / 3.0)),
        rcs_mean / 10.0,
        np.log10(mean("rcs_power", "w_rcs")),
        np.where(m["w_rcs"] > 1.5, spread(rcs_mean, mean("rcs_2", "w_rcs")) / 5.0, np.nan),
        np.sqrt(mean("rcs_step_2", "w_rcs_step")) / 5.0,
        mean("snr_1", "w_snr") / 10.0,
    ]
    return np.array(out).T
