# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The model of a radar's dwells: learned from points of all classes, as the front end has them, before radars of all bands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from aegis.core.classification.dwell import DWELL, LEAST_S, LEAST_SNR_DB, dwell_signature
from aegis.core.classification.network import Network
from aegis.core.classification.settings import ClassificationSettings
from aegis.core.types import N_CLASSES, ClassId, Floats, Ints
from aegis.simulation.slow_time import MAKERS, Dwells, Sent, drawn_sensor
from aegis.training.fitted import Recipe, Table
from aegis.training.scored import KNOWN, confusion, score, told

LINE_SNR = DWELL.index("line_snr")
# Seeds, and objects of each. Bare ones show no moving part: without them, a car whose wheels are hidden would surely be none.
SHOWN, SHOWN_BARE = {101: 40_000, 511: 45_000}, {701: 60_000}
HELD_OUT, HELD_OUT_BARE = {201: 6_000}, {702: 4_000}
JUDGED = {601: 6_000}
STREET_SHARE = 0.3  # radars of 76 to 80 GHz, of which most of those are that give raw samples
MOST_CHIRPS = 2048
NOISE_SIGMA_DB = 0.7  # of what the front end takes the receiver's noise to be
BANDS_HZ = (4e9, 12e9, 30e9)
JITTER = 0.03


class Points(NamedTuple):
    """N objects, K dwells each, `interval_s` apart."""

    features: NDArray[np.float32]  # (N, K, len(DWELL)); NaN: too weak
    class_id: Ints
    band: Ints  # of the carrier: 0 to 3, L/S, C/X, Ku/K, above

    def of_strong(self) -> Table:
        """Return the first dwells of those that are strong enough, as a network learns from them: bands of a class weigh alike."""
        strong = np.isfinite(self.features[:, 0]).any(axis=1)
        return Table(self.features[strong, 0], self.class_id[strong], self.band[strong])


def drawn_dwell(rng: np.random.Generator) -> Sent:
    """Draw what a radar sends in one dwell."""
    if rng.random() < STREET_SHARE:
        prf, chirps = rng.uniform(8e3, 25e3), int(rng.choice((64, 128, 128, 256)))
        while chirps / prf < LEAST_S:
            chirps *= 2
        return Sent(float(299_792_458.0 / rng.uniform(76e9, 80e9)), float(prf), chirps)
    sent = drawn_sensor(rng, cw=False)
    return sent._replace(samples=min(sent.samples, MOST_CHIRPS))


def simulated(seed: int, objects: int, dwells: int = 1, interval_s: float = 0.1, *, bare: bool = False) -> Points:
    """Return points of random objects before random radars; `bare`: without moving parts."""
    rng = np.random.default_rng(seed)
    rows, classes, bands = [], [], []
    known = list(MAKERS)
    for _ in range(objects):
        class_id = known[int(rng.integers(len(known)))]
        sent = drawn_dwell(rng)
        window = np.hanning(sent.samples + 2)[1:-1]
        looked = Dwells(class_id, sent, rng, bare=bare)
        spectrum = np.array([np.fft.fft(looked.signal(k * interval_s) * window) for k in range(dwells)])
        noise: Floats = (window**2).sum() * 10.0 ** (rng.normal(0.0, NOISE_SIGMA_DB, dwells) / 10.0)
        found = dwell_signature(spectrum, noise, sent.prf_hz, sent.wavelength_m)
        found[10.0 * found[:, LINE_SNR] < LEAST_SNR_DB] = np.nan
        rows.append(found)
        classes.append(int(class_id))
        bands.append(int(np.searchsorted(BANDS_HZ, 299_792_458.0 / sent.wavelength_m)))
    return Points(np.array(rows, np.float32), np.array(classes), np.array(bands))


def gathered_points(seeds: Mapping[int, int], bare: Mapping[int, int], folder: Path) -> Points:
    """Return the points of seeds, so many objects of each, made where the folder has them not yet."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    wanted = [(*one, False) for one in seeds.items()] + [(*one, True) for one in bare.items()]
    for seed, objects, without in tqdm(wanted, unit="file", desc="dwells", disable=None):
        path = folder / f"dwells_{seed:03d}_{objects}.npz"
        if not path.exists():
            unfinished = path.with_suffix(".part")
            with unfinished.open("wb") as file:
                np.savez_compressed(file, **simulated(seed, objects, bare=without)._asdict())
            unfinished.replace(path)
        with np.load(path, allow_pickle=False) as file:
            found.append(Points(*(file[name] for name in Points._fields)))
    return Points(*(np.concatenate(column) for column in zip(*found, strict=True)))


def recipe() -> Recipe:
    """Return how it is learned."""
    return Recipe(
        hidden=(96, 48), bins=8, epochs=30, batch=1024, decay=1e-2, jitter=(JITTER,) * len(DWELL), dropout=0.1
    )


def figures(network: Network, table: Table) -> dict[str, object]:
    """Return what a card says of single dwells that the network was not shown."""
    judged = np.isin(table.class_id, [int(c) for c in KNOWN])
    probability = network.posterior(table.features[judged].astype(np.float64), np.ones(N_CLASSES))
    truth, threshold = table.class_id[judged], ClassificationSettings().confidence_threshold
    own = np.maximum(probability[np.arange(len(truth)), truth], 1e-6)
    return {
        "one_dwell": {name: round(float(v), 4) for name, v in score(probability, truth, threshold)._asdict().items()},
        "nats_beyond_guessing": round(float(np.log(own).mean() + np.log(len(KNOWN) + 1)), 3),
        "confusion": confusion(told(probability, threshold), truth),
        "classes": [c.name for c in ClassId if (table.class_id == c).any()],
    }
