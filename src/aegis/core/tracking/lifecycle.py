# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which tracks stay after a scan, which get a name, and which are believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.ids import UniqueIds
from aegis.core.kernels import rows as kernels
from aegis.core.tracking.rows import Rows, worth_keeping
from aegis.core.tracking.settings import ExistenceSettings


class InView(NamedTuple):
    """Which of N tracks and B new ones a sensor can see."""

    visible: NDArray[np.bool_]  # (N,)
    expected: NDArray[np.bool_]  # (N,) or which it could just now
    born: NDArray[np.bool_]  # (B,) the same of the new ones


def settled(
    tracks: Rows, born: Rows, in_view: InView, times: tuple[int, int], coast_s: float, known: Mapping[int, int],
    life: ExistenceSettings, ids: UniqueIds,
) -> Rows:  # fmt: skip
    """Return what stays, named and confirmed.

    What is outside the view is not confirmed: there hits count for a track, but no miss would ever count against it.

    Args:
        tracks, born: those before, and the new ones.
        in_view: which of them are.
        times: of the scan's first detection, and now.
        coast_s: how long a track stays without detections.
        known: names that tracks had, by their birth.
        life: from which existence probability a track is what; ids: new names.
    """
    begin, stamp = times
    index = worth_keeping(tracks, stamp, begin, life.delete_probability, round(coast_s * 1e9))
    visible, expected = (
        np.concatenate((which.take(index), in_view.born)).view(np.uint8)
        for which in (in_view.visible, in_view.expected)
    )
    tracks = tracks.keep_and_add(index, born)
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
