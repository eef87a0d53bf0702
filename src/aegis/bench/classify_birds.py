# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How often birds are called drones in hours of them before the default radar, and how many drones are found beside.

Birds and drones are of the kinds of `simulation.kinds` and fly for two minutes each, from seeds that nobody trains on. What is told
is what tracking tells, look by look: a class is told after some looks that have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from tqdm import trange

from aegis.bench import Row
from aegis.core.classification.network import Network
from aegis.core.classification.physical import decide
from aegis.core.classification.settings import TrackClassificationSettings
from aegis.core.classification.track_memory import blank, features, remembered
from aegis.core.classification.track_model import named
from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import N_CLASSES, ClassId, Floats, Ints
from aegis.simulation.kinds import KINDS
from aegis.simulation.points import Simulator
from aegis.simulation.settings import SimulatorSettings
from aegis.training.kinematic import THRESHOLD
from aegis.training.radars import DrawnRadar
from aegis.training.tracks import Watching, drawn_scene, looks_of, observed

SEED = 4_000
SPAN_S = 120.0
AN_HOUR = 100.0
KEEP_THRESHOLD = TrackClassificationSettings().keep_threshold
LOOKS = 10  # from then on a drone is to be found


def rows(network: Network, hours: float) -> Iterator[Row]:
    """Yield the row: of hours of birds, and of half as many drones.

    Args:
        network: the one that ships.
        hours: of birds.
    """
    birds = told(flights(ClassId.BIRD, hours), network)
    drones = [one for one in told(flights(ClassId.DRONE, hours / 2.0), network) if len(one) > LOOKS]
    looks = np.concatenate(birds)
    found = np.concatenate([one[LOOKS:] for one in drones])
    drone, bird = int(ClassId.DRONE), int(ClassId.BIRD)
    yield {
        "bench": "classify", "radar": "default", "bird_hours": hours, "birds": len(birds),
        "birds_called_drone_an_hour": round(float(sum((one == drone).any() for one in birds)) / hours, 2),
        "bird_looks_called_drone": round(float((looks == drone).mean()), 4),
        "bird_looks_right": round(float((looks == bird).mean()), 4), "drones": len(drones),
        "drones_found_after_10": round(float(np.mean([(one[LOOKS:] == drone).any() for one in drones])), 4),
        "drone_looks_right_after_10": round(float((found == drone).mean()), 4),
        "drone_looks_called_bird_after_10": round(float((found == bird).mean()), 4),
    }  # fmt: skip


def flights(class_id: ClassId, hours: float) -> list[Floats]:
    """Return the looks (K, LOOK) at each track of objects of a class, `AN_HOUR` of them."""
    radar = DrawnRadar("default", SimulatorSettings(), DetectionSettings(), TrackingSettings(), 0.0, True, True)
    kinds = {name: kind for name, kind in KINDS.items() if kind.class_id == class_id}
    scans = round(SPAN_S / radar.simulator.scan_interval_s)
    found: list[Floats] = []
    for span in trange(round(hours * 3600.0 / SPAN_S), unit="span", desc=class_id.name, disable=None):
        rng = np.random.default_rng([SEED, int(class_id), span])
        scene, names = drawn_scene(radar, kinds, rng, int(rng.poisson(AN_HOUR * SPAN_S / 3600.0)), scans)
        if names:
            simulator, tracker = Simulator(radar.simulator, scene, rng), Tracker(radar.tracking, model=Watching())
            found += [one.looks for one in observed(simulator, Detector(radar.detection), tracker, scans)]
    return found


def told(tracks: Sequence[Floats], network: Network) -> list[Ints]:
    """Return (K,) the class that is told after each of the K looks (K, LOOK) at each track."""
    lengths = np.array([len(looks) for looks in tracks])
    memory, met, met_looks = blank(len(tracks)), np.zeros(len(tracks)), np.zeros(len(tracks))
    last = np.zeros(len(tracks), np.int64)
    out = [np.zeros(n, np.int64) for n in lengths]
    for k in range(int(lengths.max(initial=0))):
        here = np.flatnonzero(lengths > k)
        memory[:, here] = remembered(memory[:, here], looks_of(np.array([tracks[i][k] for i in here.tolist()])))
        probability = network.posterior(features(memory[:, here]), np.ones(N_CLASSES))
        class_id, looked = decide(probability, THRESHOLD)[0], np.ones(len(here), np.bool_)
        said, met[here], met_looks[here] = named(
            class_id, probability, last[here], memory[0, here], met[here], met_looks[here], looked, KEEP_THRESHOLD
        )
        last[here] = said
        for i, one in zip(here.tolist(), said.tolist(), strict=True):
            out[i][k] = one
    return out
