# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The rows of `aegis bench ew`, small: no signal in calm, jammers heard where the link says, agility that helps the picture."""

import pytest

from aegis.bench import BenchmarkError, ew
from aegis.core.evaluation.evaluate import evaluate
from aegis.graph.config import Parameters
from aegis.graph.evaluation.recording import options_of, simulate


def test_calm_raises_no_signal_at_either_level():
    assert ew._calm_points(0.02, 3) == ({}, 144, 0.5)
    found, frames, _ = ew._calm_signal(0.05, 3)
    assert (sum(found.values()), frames) == (0, 180)


def test_each_jammer_is_first_heard_where_the_closed_form_says():
    for row in ew._ranges(1):
        assert row["ratio"] == pytest.approx(1.0, abs=0.06), row


def test_agility_that_a_person_sets_as_advised_gives_the_picture_back():
    """The carrier is jammed from 40 s on; the same 80 s with and without a person who hops."""
    options = options_of(Parameters.read(None, []))
    alone, agile = (
        evaluate(simulate("jamming", seed=3, duration_s=80.0, advised=obey), options).measures
        for obey in (None, ew.hop)
    )
    assert agile["coverage"].value > alone["coverage"].value + 0.02
    assert agile["gospa_m"].value < 0.6 * alone["gospa_m"].value
    assert agile["longest_gap_s"].value < 5.0
    assert alone["ew_signalled"].value > 0.95 > 0.3 > agile["ew_signalled"].value


def test_hours_that_are_none_are_refused():
    with pytest.raises(BenchmarkError, match="positive"):
        next(ew.run(1, hours=-1.0))
