"""What the picture shows of the tracks, and the class that it gives them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aegis.core.classification.physical import PhysicalModel, decide
from aegis.core.kernels import rows as kernels
from aegis.core.tracking.rows import Rows
from aegis.core.types import Detections, Floats, Ints, Tracks


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

    def __init__(self, frame_id: str, model: PhysicalModel, confidence_threshold: float, ground: float) -> None:
        """Make it.

        Args:
            frame_id: of the picture.
            model: that classes come from; below the threshold of confidence it is UNKNOWN.
            confidence_threshold: see there.
            ground: what heights are above [m].
        """
        self.model = model
        self._frame_id, self._threshold, self._ground = frame_id, confidence_threshold, ground

    def picture(self, rows: Rows, detections: Detections, stamp: int) -> tuple[Tracks, Ints]:
        """Return the picture of the tracks that have a name, ordered by it, after these detections; and their rows (S,).

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
            index = index[np.argsort(rows["id"][index])]
        mean, covariance = rows.mean(index)
        shown = shown_as(rows, index, mean, covariance, stamp, self._ground)
        probability = self.model.posterior(
            len(index),
            rcs_dbsm=shown.rcs,
            looks=shown.looks,
            speed=shown.speed,
            speed_sigma=shown.speed_sigma,
            height=shown.height,
            height_sigma=shown.height_sigma,
        )
        class_id, _ = decide(probability, self._threshold)
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
        return tracks, index
