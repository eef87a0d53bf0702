# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Kinds of objects, of each class several, and how widely those of a kind differ: what classification is trained and judged on.

Each number is a range that objects are drawn from; they follow what is published of such objects (speeds and climbs of type
certificates and of bird radar studies; RCS by order of magnitude, Skolnik, Introduction to Radar Systems, table 2.1, and for drones
and birds in X band -30 to -5 and -40 to -15 dBsm). No class's ranges are taken from the table in `core.classification.physical`.
Speeds are triangular over their range, as few objects use its ends: means published lie near the middle (geese 16 to 20, gulls 11
to 14, songbirds 9 to 14, birds of prey 10 to 13 m/s: Alerstam et al., Flight speeds among bird species, 2007; people 1.4 m/s).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aegis.core.types import ClassId
from aegis.simulation.trajectories import Habits

Range = tuple[float, float]
# Objects that hold their speed, and their course or their turn: nothing says that no bird does, or that every drone does, so how
# smoothly something moves is little evidence. Clutter never is so.
STEADY_SHARE, STEADY_TURNS = 0.12, 0.4
FOREVER_S = 1e9


@dataclass(frozen=True)
class Kind:
    """Objects of one kind."""

    class_id: ClassId
    rcs_dbsm: Range  # mean and standard deviation from one to the next
    speed_mps: Range
    height_m: Range  # above ground
    climb_mps: float = 0.0
    climb_share: float = 0.0
    across_mps2: Range = (0.0, 0.0)
    turn_rate_deg_s: float = 20.0
    turn_share: Range = (0.0, 0.3)
    circles: float = 0.0  # share of those that circle
    acceleration_mps2: float = 1.0
    speed_spread: Range = (0.0, 0.1)
    still: float = 0.0  # share of objects that stand or hover all the time
    stop_share: Range = (0.0, 0.0)
    phase_s: Range = (4.0, 30.0)
    wobble_deg: Range = (0.0, 0.5)  # of the course, in a second
    swerling: tuple[int, ...] = (1,)
    log_speed: bool = False  # speeds of every order of magnitude are alike

    def habits(self, rng: np.random.Generator) -> Habits:
        """Draw how one object moves."""
        low, high = self.speed_mps
        speed = (
            np.exp(rng.uniform(np.log(low), np.log(high)))
            if self.log_speed
            else low + (high - low) * rng.random(2).mean()
        )
        still, circles = rng.random() < self.still, rng.random() < self.circles
        height = self.height_m
        habits = Habits(
            speed_mps=float(speed),
            speed_spread=rng.uniform(*self.speed_spread),
            speed_time_s=rng.uniform(3.0, 20.0),
            acceleration_mps2=self.acceleration_mps2 * rng.uniform(0.3, 1.0),
            stop_share=1.0 if still else rng.uniform(*self.stop_share),
            phase_s=rng.uniform(*self.phase_s),
            turn_share=0.9 if circles else rng.uniform(*self.turn_share),
            across_mps2=rng.uniform(*self.across_mps2),
            turn_rate=np.radians(self.turn_rate_deg_s),
            one_way=circles,
            wobble=np.radians(rng.uniform(*self.wobble_deg)),
            climb_share=self.climb_share * rng.uniform(0.0, 1.0),
            climb_mps=self.climb_mps * rng.uniform(0.2, 1.0),
            floor_m=height[0],
            ceiling_m=height[1],
        )
        if self.class_id == ClassId.CLUTTER or rng.random() >= STEADY_SHARE:
            return habits
        turns = self.across_mps2[1] > 0.0 and rng.random() < STEADY_TURNS
        return replace(
            habits,
            speed_spread=0.0,
            wobble=0.0,
            stop_share=1.0 if still else 0.0,
            phase_s=FOREVER_S,
            turn_share=1.0 if turns else 0.0,
        )


_D, _B, _A, _H = ClassId.DRONE, ClassId.BIRD, ClassId.AIRCRAFT, ClassId.HELICOPTER
_M, _V, _P, _S, _C, _U = (
    ClassId.MISSILE, ClassId.VEHICLE, ClassId.PERSON, ClassId.VESSEL, ClassId.CLUTTER, ClassId.UNKNOWN,
)  # fmt: skip

KINDS: dict[str, Kind] = {
    "small quadrotor": Kind(_D, (-19, 3.5), (2, 18), (4, 250), 5, 0.5, (0.5, 5), 60, (0, 0.5), 0, 4, (0, 0.3),
        wobble_deg=(0, 2), still=0.25, stop_share=(0, 0.4)),
    "large multicopter": Kind(_D, (-12, 3.5), (2, 16), (5, 300), 4, 0.5, (0.3, 3), 40, (0, 0.4), 0, 2.5, (0, 0.2),
        wobble_deg=(0, 1), still=0.25, stop_share=(0, 0.4)),
    "racing drone": Kind(_D, (-22, 3), (12, 42), (2, 120), 10, 0.6, (4, 20), 90, (0.2, 0.8), 0, 12, (0.1, 0.4), 0.02, (0, 0.1)),
    "fixed-wing drone": Kind(_D, (-13, 4), (13, 36), (40, 1500), 4, 0.4, (0.5, 5), 20, (0, 0.4), 0.4, 1.5, (0, 0.1)),
    "delta drone": Kind(_D, (-10, 3), (35, 60), (40, 3000), 5, 0.2, (0.5, 6), 10, (0, 0.2), 0.1, 1, (0, 0.05)),
    "small bird": Kind(_B, (-33, 3), (5, 14), (2, 200), 3, 0.7, (1, 8), 60, (0, 0.6), 0, 3, (0.02, 0.3),
        phase_s=(0.7, 5), wobble_deg=(0.5, 12)),
    "gull": Kind(_B, (-26, 3), (6, 16), (2, 300), 2, 0.6, (0.5, 5), 40, (0, 0.6), 0.2, 2, (0.02, 0.3),
        phase_s=(1, 10), wobble_deg=(0.2, 8)),
    "soaring raptor": Kind(_B, (-22, 3), (7, 15), (30, 1000), 2.5, 0.8, (2, 6), 35, (0.2, 0.7), 0.8, 1.5,
        (0.01, 0.15), wobble_deg=(0.2, 4)),
    "goose": Kind(_B, (-19, 3), (13, 25), (10, 1200), 1.5, 0.4, (0.2, 2), 10, (0, 0.2), 0, 1, (0.01, 0.1), wobble_deg=(0.3, 2)),
    "light aircraft": Kind(_A, (5, 3.5), (27, 90), (60, 3000), 6, 0.4, (0.5, 5), 10, (0, 0.4), 0.1, 1, (0, 0.1)),
    "airliner": Kind(_A, (20, 5), (65, 260), (150, 12000), 14, 0.4, (0.3, 4.5), 4, (0, 0.3), 0, 1.5, (0, 0.05)),
    "turboprop": Kind(_A, (12, 4), (50, 170), (100, 8000), 9, 0.4, (0.3, 4), 5, (0, 0.3), 0, 1, (0, 0.05)),
    "jet": Kind(_A, (4, 4), (80, 400), (60, 12000), 60, 0.5, (2, 50), 20, (0, 0.6), 0, 10, (0, 0.15)),
    "glider": Kind(_A, (-1, 3), (22, 50), (100, 2500), 3, 0.8, (2, 7), 20, (0.1, 0.6), 0.6, 1, (0, 0.15)),
    "light helicopter": Kind(_H, (3, 3), (8, 65), (10, 900), 6, 0.5, (0.5, 5), 25, (0, 0.4), 0, 2.5, (0, 0.25), 0.15,
        (0, 0.35), swerling=(0, 1, 1)),
    "medium helicopter": Kind(_H, (9, 3.5), (8, 80), (10, 1500), 8, 0.4, (0.5, 5), 20, (0, 0.4), 0, 2.5, (0, 0.2),
        0.12, (0, 0.3), swerling=(0, 1, 1)),
    "heavy helicopter": Kind(_H, (14, 3.5), (8, 85), (10, 2500), 8, 0.4, (0.3, 4), 15, (0, 0.3), 0, 2, (0, 0.2), 0.1,
        (0, 0.25), swerling=(0, 1, 1)),
    "sea skimmer": Kind(_M, (-10, 3), (220, 340), (3, 40), 3, 0.1, (1, 80), 20, (0, 0.5), 0, 10, (0, 0.03), swerling=(1, 3)),
    "cruise missile": Kind(_M, (-7, 4), (190, 290), (20, 400), 15, 0.3, (1, 30), 10, (0, 0.3), 0, 5, (0, 0.03), swerling=(1, 3)),
    "supersonic missile": Kind(_M, (-5, 4), (450, 1100), (30, 15000), 100, 0.5, (2, 120), 15, (0, 0.4), 0, 60,
        (0, 0.1), swerling=(1, 3)),
    "rocket": Kind(_M, (-11, 4), (280, 900), (50, 12000), 300, 1.0, (0, 5), 2, (0, 0.1), 0, 15, (0, 0.1), swerling=(1, 3)),
    "air-launched missile": Kind(_M, (-8, 3.5), (200, 600), (50, 8000), 60, 0.4, (1, 60), 15, (0, 0.3), 0, 20, (0, 0.05),
        swerling=(1, 3)),
    "car": Kind(_V, (10, 4.5), (2, 42), (0.3, 2), 0, 0, (0.3, 4), 25, (0, 0.4), 0, 3, (0, 0.3), 0.2, (0, 0.3)),
    "lorry": Kind(_V, (18, 5), (2, 27), (0.8, 3), 0, 0, (0.2, 2), 15, (0, 0.3), 0, 1.2, (0, 0.2), 0.2, (0, 0.3)),
    "motorcycle": Kind(_V, (3, 3.5), (4, 48), (0.3, 1.2), 0, 0, (0.3, 5), 30, (0, 0.5), 0, 4, (0, 0.3), 0.03, (0, 0.2)),
    "tracked vehicle": Kind(_V, (15, 4), (1, 18), (0.5, 2), 0, 0, (0.2, 2), 25, (0, 0.5), 0, 1.5, (0, 0.3), 0.2, (0, 0.3)),
    "walker": Kind(_P, (-3, 3), (0.6, 2.1), (0.6, 1.3), 0, 0, (0.1, 1), 60, (0, 0.5), 0, 1, (0.02, 0.2), 0.05,
        (0, 0.3), wobble_deg=(1, 10)),
    "runner": Kind(_P, (-3, 3), (1.8, 6), (0.6, 1.3), 0, 0, (0.2, 2), 60, (0, 0.5), 0, 1.5, (0.02, 0.2), 0, (0, 0.1),
        wobble_deg=(1, 8)),
    "group of people": Kind(_P, (2, 3), (0.4, 1.8), (0.6, 1.3), 0, 0, (0.05, 0.6), 40, (0, 0.4), 0, 0.6, (0.02, 0.2),
        0.08, (0, 0.3), wobble_deg=(1, 8)),
    "small boat": Kind(_S, (4, 4), (0.5, 9), (0, 2.5), 0, 0, (0.05, 1.5), 12, (0, 0.4), 0, 0.6, (0, 0.15), 0.05,
        (0, 0.1), wobble_deg=(0.2, 3)),
    "speedboat": Kind(_S, (7, 4), (6, 24), (0, 3), 0, 0, (0.5, 6), 25, (0, 0.6), 0.1, 2, (0, 0.25), wobble_deg=(0.2, 3)),
    "yacht": Kind(_S, (10, 4), (0.7, 5.5), (0.5, 8), 0, 0, (0.02, 0.5), 5, (0, 0.2), 0, 0.2, (0, 0.15), 0.03, wobble_deg=(0.2, 2)),
    "ship": Kind(_S, (32, 7), (1.5, 13), (3, 25), 0, 0, (0.01, 0.1), 1, (0, 0.2), 0, 0.05, (0, 0.03), 0.05),
    "mast": Kind(_C, (5, 9), (0, 0.01), (0, 40), still=1.0, swerling=(0, 1)),
    "tree": Kind(_C, (-2, 7), (0.05, 0.5), (0, 15), still=0.4, phase_s=(0.5, 3), turn_share=(0.5, 1),
        across_mps2=(0.1, 1), swerling=(1, 2)),
    "wave": Kind(_C, (-8, 7), (0.3, 3), (0, 2), phase_s=(0.5, 3), speed_spread=(0.3, 0.8), wobble_deg=(5, 30), swerling=(1, 2)),
    # On a mission: legs flown by an autopilot, straight, level and at one speed.
    "quadrotor on a mission": Kind(_D, (-18, 3.5), (4, 20), (20, 250), 3, 0.15, (0.5, 3), 40, (0, 0.15), 0, 2.5, (0, 0.03),
        wobble_deg=(0, 0.3)),
    "multicopter on a mission": Kind(_D, (-12, 3.5), (4, 18), (20, 300), 3, 0.15, (0.5, 3), 30, (0, 0.15), 0, 2, (0, 0.03),
        wobble_deg=(0, 0.3)),
    # Objects of no class: so that the network learns where none is. Of everything, alike in every order of magnitude.
    "anything": Kind(_U, (0, 22), (0.3, 3000), (0, 30000), 30, 1, (0, 60), 60, (0, 1), 0.2, 20, (0, 0.6), 0.1,
        (0, 0.3), wobble_deg=(0, 20), swerling=(0, 1, 2, 3), log_speed=True),
    # It moves as one kind, echoes as another and flies as high as a third (`mixed`).
    "mixed": Kind(_U, (0, 22), (0.3, 3000), (0, 30000)),
}  # fmt: skip

MIXED = "mixed"


def mixed(rng: np.random.Generator) -> Kind:
    """Return a kind of no class: its motion, RCS and heights are those of kinds of three classes."""
    own = [kind for kind in KINDS.values() if kind.class_id != _U]
    while True:
        moves, echoes, flies = (own[int(k)] for k in rng.integers(len(own), size=3))
        if len({moves.class_id, echoes.class_id, flies.class_id}) == 3:
            return replace(
                moves, class_id=_U, rcs_dbsm=echoes.rcs_dbsm, swerling=echoes.swerling, height_m=flies.height_m
            )


# Never trained on, of no class that there is: what is asked is whether the answer is UNKNOWN.
STRANGERS: dict[str, Kind] = {
    "train": Kind(_U, (33, 4), (12, 85), (0.5, 3), 0, 0, (0.05, 0.6), 2, (0, 0.2), 0, 0.4, (0, 0.05)),
    "balloon": Kind(_U, (-6, 5), (1, 15), (200, 9000), 5, 0.9, (0.01, 0.1), 1, (0, 0.1), 0, 0.1, (0, 0.1), wobble_deg=(0.2, 2)),
    "airship": Kind(_U, (22, 4), (2, 25), (100, 1500), 2, 0.3, (0.05, 0.3), 2, (0, 0.2), 0, 0.2, (0, 0.1)),
    "reentry": Kind(_U, (-2, 5), (1500, 3000), (15000, 40000), 800, 1, (0, 20), 1, (0, 0.1), 0, 40, (0, 0.05)),
    "insect swarm": Kind(_U, (-48, 4), (1, 6), (20, 600), 0.5, 0.5, (0.02, 0.3), 5, (0, 0.2), 0, 0.3, (0.05, 0.3),
        wobble_deg=(1, 8)),
    "parachute": Kind(_U, (-1, 3), (1, 12), (50, 4000), 7, 1.0, (0.1, 2), 20, (0, 0.5), 0.2, 0.5, (0, 0.2), wobble_deg=(0.5, 5)),
    "swimmer": Kind(_U, (-14, 3), (0.3, 1.5), (0, 0.2), 0, 0, (0.01, 0.2), 20, (0, 0.3), 0, 0.3, (0.05, 0.3), wobble_deg=(2, 12)),
}  # fmt: skip
