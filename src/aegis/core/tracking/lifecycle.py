"""Which tracks stay after a scan, which get a name, and which are believed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from aegis.core.ids import UniqueIds
from aegis.core.kernels import rows as kernels
from aegis.core.tracking.rows import Rows, worth_keeping
from aegis.core.tracking.settings import ExistenceSettings


def settled(
    tracks: Rows, born: Rows, in_view: NDArray[np.bool_], times: tuple[int, int], coast_s: float, known: Mapping[int, int],
    life: ExistenceSettings, ids: UniqueIds,
) -> Rows:  # fmt: skip
    """Return what stays, named and confirmed.

    What is outside the view is not confirmed: there hits count for a track, but no miss would ever count against it.

    Args:
        tracks, born: those before, and the new ones.
        in_view: (2, N) which of them are in view, and which are or were just now; `born` after `tracks`.
        times: of the scan's first detection, and now.
        coast_s: how long a track stays without detections.
        known: names that tracks had, by their birth.
        life: from which existence probability a track is what; ids: new names.
    """
    begin, stamp = times
    index = worth_keeping(tracks, stamp, begin, life.delete_probability, round(coast_s * 1e9))
    if len(index) < len(tracks):
        in_view = in_view.take(np.concatenate((index, np.arange(len(tracks), in_view.shape[1]))), axis=1)
    tracks = tracks.keep_and_add(index, born)
    visible, expected = in_view.view(np.uint8)
    reals, wholes, flags = tracks.tables
    room = np.empty(len(tracks), np.int64)
    nameless = room[: kernels.nameless(reals, wholes, visible, life.confirm_probability, room)]
    if len(nameless):
        name = tracks["id"]
        if known:
            name[nameless] = [known.get(number, 0) for number in tracks["birth"][nameless].tolist()]
            nameless = nameless[name[nameless] == 0]
        name[nameless] = ids.take(len(nameless))
    kernels.confirm(
        reals, wholes, flags.view(np.uint8), visible, expected, life.confirm_probability, life.demote_probability
    )
    return tracks
