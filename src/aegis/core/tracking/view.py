"""What the picture shows of the tracks, and the class that it gives them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.classification.physical import decide
from aegis.core.classification.track_memory import MEMORY, Looks, remembered
from aegis.core.classification.track_model import Measured, TrackModel, named
from aegis.core.kernels import rows as kernels
from aegis.core.tracking.rows import Rows
from aegis.core.types import Detections, Floats, Ints, Tracks

PROBABLE = 0.5
NAMED, RIVAL = MEMORY.index("class_named"), MEMORY.index("class_rival")


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


class View:
    """Makes pictures."""

    def __init__(self, frame_id: str, model: TrackModel, confidence_threshold: float, ground: float) -> None:
        """Make it.

        Args:
            frame_id: of the picture.
            model: that classes come from; below the threshold of confidence it is UNKNOWN.
            confidence_threshold: see there.
            ground: what heights are above [m].
        """
        self.model = model
        self._frame_id, self._threshold, self._ground = frame_id, confidence_threshold, ground

    def picture(self, rows: Rows, detections: Detections, stamp: int) -> tuple[Tracks, Ints, Floats]:
        """Return the picture of the tracks that have a name, ordered by it, after these detections; their rows (S,); and what
        classification remembers of them from now on (M, S).

        A track that is not confirmed, was not seen when it was last to be, and is rather not there than there, is not shown, though
        it may be found again.

        Args:
            rows: all tracks; detections: what they follow; stamp: the time for which they hold [ns].
        """
        name = rows["id"]
        order = np.argsort(name, kind="stable")  # quick where it is nearly sorted, as names are
        index = order[np.searchsorted(name[order], 1) :]  # those without a name, 0, come first
        missed = (rows["looked_ns"] > rows["updated_ns"]) & (rows["existence"] < PROBABLE) & ~rows["confirmed"]
        index = index[~missed[index]]
        mean, covariance = rows.mean(index)
        shown = shown_as(rows, index, mean, covariance, stamp, self._ground)
        memory = rows.memory[:, index]
        looked = (rows["updated_ns"][index] > rows["noted_ns"][index]) & (rows["look_counts"][index] > 0.0)
        if self.model.remembers and looked.any():
            memory[:, looked] = self._remembered(rows, index[looked], memory[:, looked], mean[looked], shown, looked)
        measured = Measured(shown.rcs, shown.looks, shown.speed, shown.speed_sigma, shown.height, shown.height_sigma)
        probability = self.model.probability(measured, memory)
        class_id, _ = decide(probability, self._threshold)
        if self.model.remembers:
            class_id, memory[NAMED], memory[RIVAL] = named(class_id, memory[NAMED], memory[RIVAL], looked)
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
        return tracks, index, memory

    def _remembered(
        self, rows: Rows, index: Ints, memory: Floats, mean: Floats, shown: Shown, looked: NDArray[np.bool_]
    ) -> Floats:
        """Return the memory (M, F) of the rows `index` after their new looks; `looked` (S,) are these among those shown."""
        noted = rows["noted_ns"][index]
        dt = np.where(noted > 0, (rows["updated_ns"][index] - noted) * 1e-9, np.nan)
        looks = Looks(
            dt, mean, shown.speed_sigma[looked], shown.height[looked], shown.height_sigma[looked],
            rows["look_rcs"][index], rows["look_snr"][index],
        )  # fmt: skip
        return remembered(memory, looks)
