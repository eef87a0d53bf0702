# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""One object before a radar, and a model of classes that says what a list says."""

import numpy as np

from aegis.core.classification.track_memory import MEMORY
from aegis.core.types import N_CLASSES, Scan

LOOKS = MEMORY.index("class_looks")


class ByLooks:
    """Says what a list says at each number of looks, as surely as another list says."""

    name, basis, remembers, prior = "by looks", "a test", True, np.ones(N_CLASSES)

    def __init__(self, said, sure=(0.9,)):
        self.said, self.sure, self.memory = said, sure, None

    def probability(self, tracks, memory):
        self.memory = memory.copy()
        out = np.zeros((memory.shape[1], N_CLASSES))
        for i, looks in enumerate(memory[LOOKS].astype(int)):
            class_id = self.said[min(looks, len(self.said) - 1)]
            sure = self.sure[min(looks, len(self.sure) - 1)]
            out[i] = (1.0 - sure) / (N_CLASSES - 1)
            out[i, class_id] = sure
        return out


def scan(k: int, *, there=True, snr=20.0, noise=-100.0) -> Scan:
    n = int(there)
    full = np.full(n, 1.0)
    return Scan(
        stamp_ns=1_000_000_000 * (1 + k), frame_id="radar", sequence=k + 1, range=full * (1000.0 + 10.0 * k), azimuth=full * 0.1,
        elevation=full * 0.05, range_rate=full * 10.0, snr_db=full * snr, rcs_dbsm=full * -5.0, noise_db=full * noise,
    )  # fmt: skip
