"""What the picture keeps to at the settings that ship, end to end against truth: the margins that hold today.

A change that breaks one of them made the picture worse; one that makes it better may tighten them. The whole table: `aegis bench
evaluate`, docs/figures.md. The measures have tests of their own, tests/core/evaluation.
"""

import math

import pytest

from aegis.bench.evaluate import judge
from aegis.core.evaluation.evaluate import Evaluation


def within(found: Evaluation, **limits: tuple[float, float]) -> None:
    """Check that each measure has data and lies between its limits."""
    for name, (low, high) in limits.items():
        value, n = found.measures[name]
        assert n > 0, f"{name}: no data"
        assert math.isfinite(value), name
        assert low <= value <= high, f"{name} is {value:.4g}; {low:g} to {high:g} is expected"


NO_FALSE_TRACKS = {
    "false_tracks": (0, 0),
    "false_critical_s": (0, 0),
    "ew_false_signals": (0, 0),
    "ew_false_advice": (0, 0),
}


def test_in_an_empty_sky_nothing_is_shown():
    within(judge("empty", 1), false_scans_share=(0, 0.001), alarms=(0, 0), ew_advice=(0, 0), **NO_FALSE_TRACKS)


@pytest.mark.parametrize(("name", "rms_m"), [("crossing", 3.0), ("drone_swarm", 3.0)])
def test_everything_is_shown_once_where_it_is_and_under_one_name(name, rms_m):
    found = judge(name, 1, duration_s=90.0)
    within(
        found, coverage=(0.98, 1), update_probability=(0.99, 1), never_shown=(0, 0), id_changes=(0, 0), duplicate_tracks=(0, 0),
        rms_m=(0, rms_m), nees_within_95=(0.93, 1), to_confirmation_s=(0, 1.0), idf1=(0.98, 1), gap_share=(0, 0.01),
        class_wrong=(0, 0.05), alarms=(0, 0), **NO_FALSE_TRACKS,
    )  # fmt: skip


def test_what_comes_first_is_the_first_threat():
    # To just before the impact; the others are no threats, and have an order only where those are listed too.
    found = judge("fast_approach", 1, ["threat.levels.listed_from=LOW"], duration_s=39.0)
    within(
        found, threat_order=(0.99, 1), threat_first_right=(0.9, 1), impact_error_s=(0, 1.0), coverage=(0.97, 1), id_changes=(0, 0),
        **NO_FALSE_TRACKS,
    )  # fmt: skip


def test_a_jammer_is_told_while_it_is_on_and_makes_no_ghosts():
    within(judge("jamming", 1, duration_s=80.0), ew_signalled=(0.95, 1), false_first_s=(0, 0.5), **NO_FALSE_TRACKS)


def test_of_raw_samples_as_many_objects_are_shown_as_there_are_and_nothing_seems_to_jam():
    """The seed is none of those that the profile was set on. In 40 s there were 200 false tracks, and jamming signals."""
    within(
        judge("street", 31, duration_s=8.0), count_within_1=(0.9, 1), coverage=(0.85, 1), duplicate_tracks=(0, 0),
        id_changes=(0, 1), ew_signals=(0, 0), **NO_FALSE_TRACKS,
    )  # fmt: skip
