# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis bench signal`: both chains do the same work, and the rows say what was measured."""

import numpy as np
import pytest

from aegis.bench.signal import TARGETS, Case, front_end, numpy_chain, run, scene


@pytest.mark.parametrize("cfar", ["ca", "os"])
@pytest.mark.parametrize("channels", [8, 12])
def test_both_chains_find_the_same_points(cfar, channels):
    cube, truth = scene(channels, 5)
    ours, theirs = front_end(cfar)(cube), numpy_chain(cfar, cube)(cube)
    assert len(ours["range"]) == len(theirs["range"])
    for found in (ours, theirs):
        nearest = np.argmin(
            np.abs(found["range"][:, None] - truth["range"])
            + np.abs(found["range_rate"][:, None] - truth["range_rate"]),
            axis=1,
        )
        assert len(set(nearest)) == len(found["range"]) >= TARGETS - 2
        assert np.abs(found["range"] - truth["range"][nearest]).max() < 0.1  # half a cell
        assert np.abs(found["azimuth"] - truth["azimuth"][nearest]).max() < 0.15
    # A third of a cell: the baseline's offsets, from powers summed over channels, are noisier than ours.
    for name, tolerance in (("range", 0.065), ("range_rate", 0.17), ("azimuth", 0.06), ("snr_db", 1.5)):
        assert np.abs(ours[name] - theirs[name]).max() < tolerance, name


def test_a_row_says_what_was_measured():
    (row,) = run(1, [Case("ca", 4, frames=4, numpy_frames=2)])
    assert row["bench"] == "signal"
    assert row["rx"] == 4
    assert row["points"] == row["numpy_points"]
    assert row["ratio"] == pytest.approx(row["frames_per_s"] / row["numpy_frames_per_s"], rel=0.05)
