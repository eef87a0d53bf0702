# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Worlds that are not what a tracker was told: the same radar and traffic, with one thing wrong in each.

A 2D radar looks 10 km around once a second; eight targets fly through, mostly straight, with a turn of half a g now and then. A
tracker is told of the nominal world.
What differs from it is what users have: fewer detections, more false alarms, larger errors than stated, objects that hide, turn
hard or come so close that they give one plot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.bench.multitarget import Meta, Scenario
from aegis.core.types import Floats

VIEW_M = 10_000.0
TARGETS = 8
DURATION_S = 120.0
PERIOD_S = 1.0
PD = 0.9
CLUTTER = 2.0  # false alarms in a scan
SIGMA_M = 30.0  # of a plot along each axis, as stated
ACCELERATION = 1.0  # spectral density of the targets' white acceleration [m^2/s^3]
SPEEDS_MPS = (30.0, 200.0)
MIDDLE_M = 5000.0  # half way, every target is within this distance of the radar
STEP_S = 0.1  # of the motion
GRAVITY_MPS2 = 9.81
TURN_S, TURNS, TURN_G = 12.0, 2, 0.5  # how long each target's turns last, how many it makes, how tight
PATCH_M = 1500.0  # half width of a place with more false alarms
CELL_M = 100.0  # targets closer than this give one plot
APART_M, TOGETHER_M, TOGETHER_S, CLOSING_S = 500.0, 20.0, 20.0, 20.0  # how pairs fly


@dataclass(frozen=True)
class World:
    """What differs from the nominal world."""

    name: str
    pd: float = PD
    period_s: float = PERIOD_S
    clutter: float = CLUTTER
    patch: float = 0.0  # more false alarms in a scan, all in one place
    noise: float = 1.0  # errors over those stated
    hidden_scans: int = 0  # each target, once, in a row
    turn_g: float = TURN_G
    pairs: bool = False  # two by two they share a cell for a while


WORLDS = (
    World("nominal"),
    World("Pd .7", pd=0.7),
    World("Pd .5", pd=0.5),
    World("10 Hz", period_s=0.1),
    World("10 Hz, Pd .5", period_s=0.1, pd=0.5),
    World("a scan in 4 s", period_s=4.0),
    World("5 scans hidden", hidden_scans=5),
    World("clutter x10", clutter=10.0 * CLUTTER),
    World("clutter x50", clutter=50.0 * CLUTTER),
    World("clutter in a place", patch=10.0 * CLUTTER),
    World("noise x2", noise=2.0),
    World("noise x3", noise=3.0),
    World("3 g turns", turn_g=3.0),
    World("two in a cell", pairs=True),
)


def simulate(world: World, seed: int) -> Scenario:
    """Return truth and plots of a run; truth is also what is out of view, and the plots state the nominal error."""
    rng = np.random.default_rng(seed)
    times = np.arange(0.0, DURATION_S, world.period_s)
    states = _paths(world, rng)[np.rint(times / STEP_S).astype(int)]  # (scans, targets, x vx y vy)
    scans = len(times)
    hidden = np.zeros((scans, TARGETS), bool)
    if world.hidden_scans:
        first = rng.integers(scans // 4, scans - world.hidden_scans, TARGETS)
        hidden = (np.arange(scans)[:, None] >= first) & (np.arange(scans)[:, None] < first + world.hidden_scans)
    patch = rng.uniform(-0.5 * VIEW_M, 0.5 * VIEW_M, 2)
    plots, origins = [], []
    for k in range(scans):
        state = states[k]
        there = np.flatnonzero(np.hypot(state[:, 0], state[:, 2]) <= VIEW_M)
        seen = there[(rng.random(len(there)) < world.pd) & ~hidden[k, there]]
        place = state[:, ::2] + rng.normal(0.0, world.noise * SIGMA_M, (TARGETS, 2))
        if world.pairs:
            seen, place = _merged(state[:, ::2], seen, place, rng)
        false = _anywhere(rng.poisson(world.clutter), rng)
        if world.patch:
            false = np.concatenate(
                [false, rng.uniform(patch - PATCH_M, patch + PATCH_M, (rng.poisson(world.patch), 2))]
            )
        plot = np.concatenate([place[seen], false])
        order = rng.permutation(len(plot))  # the order must not tell which plots are real
        plots.append(plot[order])
        origins.append(np.concatenate([seen, np.full(len(false), -1)])[order])
    z = np.concatenate(plots)
    return Scenario(
        meta=Meta(
            n=TARGETS, scans=scans, seed=seed, lam_fa=CLUTTER, lo=(-VIEW_M, -VIEW_M), hi=(VIEW_M, VIEW_M), dt=world.period_s,
            pd=PD, sigma=SIGMA_M, q=ACCELERATION, vmin=SPEEDS_MPS[0], vmax=SPEEDS_MPS[1],
        ),
        times=times,
        truth_scan=np.repeat(np.arange(scans), TARGETS),
        truth_id=np.tile(np.arange(TARGETS), scans),
        truth_x=states.reshape(-1, 4),
        det_off=np.concatenate([[0], np.cumsum([len(plot) for plot in plots])]),
        det_z=z,
        det_R=np.broadcast_to(SIGMA_M**2 * np.eye(2), (len(z), 2, 2)).copy(),
        det_truth=np.concatenate(origins),
    )  # fmt: skip


def _paths(world: World, rng: np.random.Generator) -> Floats:
    """Return states x vx y vy, (steps, targets, 4), a step apart."""
    steps = round(DURATION_S / STEP_S)
    speed = rng.uniform(*SPEEDS_MPS, TARGETS)
    if world.turn_g > TURN_G:
        speed = rng.uniform(100.0, SPEEDS_MPS[1], TARGETS)
    begin = rng.uniform(0.15, 0.85, (TURNS, TARGETS)) * DURATION_S
    hand = rng.choice([-1.0, 1.0], (TURNS, TARGETS))
    t = np.arange(steps)[:, None] * STEP_S
    rate = np.zeros((steps, TARGETS))
    for i in range(TURNS):
        turning = (t >= begin[i]) & (t < begin[i] + TURN_S)
        rate = np.where(turning, hand[i] * world.turn_g * GRAVITY_MPS2 / speed, rate)
    course = rng.uniform(0.0, 2.0 * np.pi, TARGETS) + np.cumsum(rate, axis=0) * STEP_S
    velocity = speed[:, None] * np.stack([np.cos(course), np.sin(course)], axis=2)
    velocity += np.cumsum(rng.normal(0.0, np.sqrt(ACCELERATION * STEP_S), velocity.shape), axis=0)
    place = np.cumsum(velocity, axis=0) * STEP_S
    middle = _anywhere(TARGETS, rng) * (MIDDLE_M / VIEW_M)
    place += middle - place[steps // 2]
    if world.pairs:
        lead = np.arange(0, TARGETS, 2)
        side = velocity[steps // 2, lead][:, ::-1] * [-1.0, 1.0]
        side /= np.linalg.norm(side, axis=1, keepdims=True)
        away = np.maximum(np.abs(np.arange(steps) * STEP_S - DURATION_S / 2.0) - TOGETHER_S / 2.0, 0.0) / CLOSING_S
        distance = TOGETHER_M + (APART_M - TOGETHER_M) * np.minimum(away, 1.0)
        place[:, lead + 1] = place[:, lead] + distance[:, None, None] * side
        velocity[:, lead + 1] = np.gradient(place[:, lead + 1], STEP_S, axis=0)
    return np.stack([place[..., 0], velocity[..., 0], place[..., 1], velocity[..., 1]], axis=2)


def _merged(position: Floats, seen: np.ndarray, place: Floats, rng: np.random.Generator) -> tuple[np.ndarray, Floats]:
    """Return the targets (K,) that give plots, and where (targets, 2): of two in one cell the first, in the middle of both."""
    keep = np.isin(np.arange(TARGETS), seen)
    place = place.copy()
    for a in range(0, TARGETS, 2):
        if np.linalg.norm(position[a] - position[a + 1]) < CELL_M and (keep[a] or keep[a + 1]):
            place[a] = position[a : a + 2].mean(axis=0) + rng.normal(0.0, SIGMA_M, 2)
            keep[a], keep[a + 1] = True, False
    return np.flatnonzero(keep), place


def _anywhere(n: int, rng: np.random.Generator) -> Floats:
    """Return (n, 2) places, evenly over the view."""
    r, angle = VIEW_M * np.sqrt(rng.random(n)), rng.uniform(0.0, 2.0 * np.pi, n)
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
