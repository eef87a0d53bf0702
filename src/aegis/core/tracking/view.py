# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the picture shows of the tracks, and the class that it gives them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.classification import stated
from aegis.core.classification.physical import decide
from aegis.core.classification.settings import TrackClassificationSettings
from aegis.core.classification.track_memory import MEMORY, Looks, remembered
from aegis.core.classification.track_model import Measured, TrackModel, named
from aegis.core.kernels import rows as kernels
from aegis.core.tracking.rows import Rows, by_id
from aegis.core.types import Detections, Floats, Ints, Tracks

LOOKS, MET, MET_LOOKS = (MEMORY.index(f"class_{name}") for name in ("looks", "met", "met_looks"))


class Shown(NamedTuple):
    """What the picture shows of S rows; arrays (S,)."""

    id: Ints
    hits: Ints
    status: Ints
    existence: Floats
    rcs: Floats  # mean [dBsm], NaN where none was stated
    looks: Floats
    speed: Floats  # [m/s]
    speed_sigma: Floats
    height: Floats  # above ground [m], NaN where it is not observed
    height_sigma: Floats
    age_s: Floats
    silent_s: Floats  # since the last detection


def shown_as(rows: Rows, index: Ints, mean: Floats, covariance: Floats, stamp_ns: int, ground: float) -> Shown:
    """Return what the picture shows.

    Args:
        rows: all tracks; index: (S,) those shown.
        mean, covariance: (S, 6) and (S, 6, 6) of these.
        stamp_ns: of the picture.
        ground: what heights are above [m].
    """
    whole, real = np.empty((3, len(index)), np.int64), np.empty((9, len(index)))
    reals, wholes, flags = rows.tables
    kernels.shown_as(index, mean, covariance, reals, wholes, flags.view(np.uint8), stamp_ns, ground, whole, real)
    return Shown(*whole, *real)


class Remembered(NamedTuple):
    """What classification remembers of S tracks."""

    memory: Floats  # (M, S) of their looks
    stated: Floats  # (len(STATED), S) of what these stated


class View:
    """Makes pictures."""

    def __init__(self, frame_id: str, model: TrackModel, settings: TrackClassificationSettings, ground: float) -> None:
        """Make it.

        Args:
            frame_id: of the picture.
            model: that classes come from.
            settings: how probable a class has to be, and how far what detections state counts.
            ground: what heights are above [m].
        """
        self.model = model
        self._frame_id, self._ground, self._settings = frame_id, ground, settings

    def picture(self, rows: Rows, detections: Detections, stamp: int) -> tuple[Tracks, Ints, Remembered | None]:
        """Return the picture of the tracks that have a name, ordered by it, after these detections; their rows (S,); and what
        classification remembers of them from now on, where its model needs that.

        A track that is not confirmed, was not seen when it was last to be, and is rather not there than there, is not shown, though
        it may be found again.

        Args:
            rows: all tracks; detections: what they follow; stamp: the time for which they hold [ns].
        """
        room = np.empty(len(rows), np.int64)
        reals, wholes, flags = rows.tables
        n, ascend = kernels.listed(reals, wholes, flags.view(np.uint8), room)
        index = room[:n]
        if not ascend:
            index = by_id(rows, index)
        mean, covariance = rows.mean(index)
        shown = shown_as(rows, index, mean, covariance, stamp, self._ground)
        known, looked = self._remembered(rows, index, mean, covariance, shown) if self.model.remembers else (None, None)
        measured = Measured(shown.rcs, shown.looks, shown.speed, shown.speed_sigma, shown.height, shown.height_sigma)
        probability = self.model.probability(measured, np.empty((0, len(index))) if known is None else known.memory)
        if known is not None:
            probability = stated.fused(probability, known.stated, self.model.prior, self._settings.stated)
        class_id, _ = decide(probability, self._settings.confidence_threshold)
        if known is not None and looked is not None:
            memory = known.memory
            class_id, memory[MET], memory[MET_LOOKS] = named(
                class_id, probability, rows["class_id"][index], memory[LOOKS], memory[MET], memory[MET_LOOKS], looked,
                self._settings.keep_threshold,
            )  # fmt: skip
        tracks = Tracks(
            stamp_ns=stamp,
            frame_id=self._frame_id,
            sequence=detections.sequence,
            sensor_id=detections.sensor_id,
            track_id=shown.id,
            status=shown.status,
            state=mean,
            covariance=covariance,
            class_id=class_id,
            class_probability=probability,
            existence_probability=shown.existence,
            rcs_dbsm=shown.rcs,
            age=shown.age_s,
            time_since_update=shown.silent_s,
            hits=shown.hits,
        )
        return tracks, index, known

    def _remembered(
        self, rows: Rows, index: Ints, mean: Floats, covariance: Floats, shown: Shown
    ) -> tuple[Remembered, NDArray[np.bool_]]:
        """Return what is remembered of S rows, their new looks included, and (S,) which have one that counts."""
        memory, said, noted = rows.memory.take(index, axis=1), rows.stated.take(index, axis=1), rows["noted_ns"][index]
        updated = rows["updated_ns"][index]
        looked = (updated > noted) & (rows["look_counts"][index] > 0.0)
        if looked.any():
            new = index[looked]
            dt = np.where(noted[looked] > 0, (updated - noted)[looked] * 1e-9, np.nan)
            height = np.where(
                np.isfinite(shown.height), mean[:, 2], np.nan
            )  # above the map's plane, which is to be the ground
            variance = covariance[looked][:, range(6), range(6)].T
            looks = Looks(
                dt, mean[looked], shown.speed_sigma[looked], height[looked], shown.height_sigma[looked],
                np.sqrt(0.5 * (variance[0] + variance[1])), np.sqrt(variance[5]), rows["look_rcs"][new], rows["look_snr"][new],
            )  # fmt: skip
            memory[:, looked] = remembered(memory[:, looked], looks)
            said[:, looked] = stated.remembered(said[:, looked], rows.look_stated[:, new])
        return Remembered(memory, said), looked
