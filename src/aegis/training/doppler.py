# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The micro-Doppler model: learned from slow-time signals of all classes before sensors of all bands."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from aegis.core.classification.network import Network
from aegis.core.classification.settings import ClassificationSettings
from aegis.core.classification.signature import SIGNATURE, signature, stands_out
from aegis.core.types import N_CLASSES, ClassId, Ints
from aegis.simulation.slow_time import MAKERS, drawn_sensor, drawn_signal
from aegis.training.fitted import Recipe, Table
from aegis.training.scored import KNOWN, confusion, score, told

LINE_SNR = SIGNATURE.index("line_snr")
REAL_SHARE = 0.4  # sensors with one channel
SIGNALS_A_FILE = 500
DAY_SEED = 7_000
JITTER = 0.03


class Signatures(NamedTuple):
    """N examples."""

    features: NDArray[np.float32]
    class_id: Ints
    band: Ints  # of the carrier: 0 to 3, L/S, C/X, Ku/K, above
    day: Ints

    def __len__(self) -> int:
        return len(self.features)

    def take(self, chosen: NDArray[np.bool_]) -> Signatures:
        """Return the chosen ones."""
        return Signatures(self.features[chosen], self.class_id[chosen], self.band[chosen], self.day[chosen])


BANDS_HZ = (4e9, 12e9, 30e9)


def simulated(day: int, part: int) -> Signatures:
    """Return signatures of random signals in which a line stands out of the noise."""
    rng = np.random.default_rng([DAY_SEED + day, part])
    rows, classes, bands = [], [], []
    known = list(MAKERS)
    for _ in range(SIGNALS_A_FILE):
        class_id = known[int(rng.integers(len(known)))]
        sent = drawn_sensor(rng, cw=True)
        real = bool(rng.random() < REAL_SHARE)
        found = signature(drawn_signal(class_id, sent, rng, real=real)[None], sent.prf_hz, sent.wavelength_m)
        if stands_out(found[:, LINE_SNR], sent.samples)[0]:
            rows.append(found[0])
            classes.append(int(class_id))
            bands.append(int(np.searchsorted(BANDS_HZ, 299_792_458.0 / sent.wavelength_m)))
    return Signatures(np.array(rows, np.float32), np.array(classes), np.array(bands), np.full(len(rows), day))


def gathered_signatures(days: range, parts: int, folder: Path) -> Signatures:
    """Return the examples of days, `parts` files each, made where the folder has them not yet."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for day, part in tqdm([(d, p) for d in days for p in range(parts)], unit="file", desc="signatures", disable=None):
        path = folder / f"signatures_{day:03d}_{part:03d}.npz"
        if not path.exists():
            unfinished = path.with_suffix(".part")
            with unfinished.open("wb") as file:
                np.savez_compressed(file, **simulated(day, part)._asdict())
            unfinished.replace(path)
        with np.load(path, allow_pickle=False) as file:
            found.append(Signatures(*(file[name] for name in Signatures._fields)))
    return Signatures(*(np.concatenate(column) for column in zip(*found, strict=True)))


def recipe() -> Recipe:
    """Return how it is learned."""
    return Recipe(hidden=(80, 40), epochs=60, batch=256, decay=1e-2, jitter=(JITTER,) * len(SIGNATURE), dropout=0.25)


def table(examples: Signatures) -> Table:
    """Return examples as a network learns from them: bands of one class weigh alike."""
    return Table(examples.features, examples.class_id, examples.band)


def figures(network: Network, examples: Signatures) -> dict[str, object]:
    """Return what a card says of single looks that the network was not shown."""
    judged = examples.take(np.isin(examples.class_id, [int(c) for c in KNOWN]))
    probability = network.posterior(judged.features.astype(np.float64), np.ones(N_CLASSES))
    threshold = ClassificationSettings().confidence_threshold
    return {
        "one_look": {
            name: round(float(v), 4) for name, v in score(probability, judged.class_id, threshold)._asdict().items()
        },
        "confusion": confusion(told(probability, threshold), judged.class_id),
        "classes": [c.name for c in ClassId if (examples.class_id == c).any()],
    }
