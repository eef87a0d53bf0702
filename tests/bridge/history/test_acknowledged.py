# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is acknowledged is kept, whatever order events come in; and a sender that goes back gets everything acknowledged."""

from hypothesis import given
from hypothesis import strategies as st

from aegis.bridge.history.acknowledged import MOST_STAGES, Origin, Position, advance

origins = st.builds(Origin, st.just("s"), st.sampled_from(["a", "b"]), st.integers(0, 2), st.integers(1, 12))


@given(st.lists(st.lists(origins, max_size=8), max_size=12))
def test_everything_within_a_position_is_kept(batches):
    kept: set[Origin] = set()
    positions: dict[str, Position] = {}
    for batch in batches:
        positions = advance(positions, batch)
        kept.update(batch)
        for stage, p in positions.items():
            assert {Origin(stage, p.run_id, p.epoch, i) for i in range(p.first, p.sequence + 1)} <= kept
            assert Origin(stage, p.run_id, p.epoch, p.highest) in kept
            assert p.first <= p.sequence <= p.highest


@given(st.integers(1, 40), st.lists(st.booleans(), max_size=60), st.integers(1, 9))
def test_a_sender_that_goes_back_gets_through_any_loss(n, arrives, window):
    positions: dict[str, Position] = {}
    kept = set()
    losses = iter(arrives)  # then the channel is good
    acknowledged = 0
    for _ in range(n + len(arrives)):
        for sequence in range(acknowledged + 1, min(acknowledged + window, n) + 1):
            if next(losses, True):
                positions = advance(positions, [Origin("s", "run", 0, sequence)])
                kept.add(sequence)
        position = positions.get("s")
        acknowledged = position.sequence if position and position.first == 1 else 0
        assert kept >= set(range(1, acknowledged + 1))
        if acknowledged == n:
            break
    assert acknowledged == n


def test_a_new_start_of_a_stage_begins_anew_and_a_late_event_of_the_last_does_not():
    positions = advance({}, [Origin("s", "run", 0, i) for i in (1, 2, 3)])
    positions = advance(positions, [Origin("s", "run", 1, 1), Origin("s", "run", 0, 4), Origin("s", "run", 1, 2)])
    assert positions["s"] == Position("run", 1, 1, 2, 2)
    assert advance(positions, [Origin("s", "next run", 0, 5)])["s"] == Position("next run", 0, 5, 5, 5)


def test_invented_stages_do_not_pile_up():
    positions = advance({}, [Origin(f"s{i}", "run", 0, 1) for i in range(3 * MOST_STAGES)])
    assert list(positions) == [f"s{i}" for i in range(2 * MOST_STAGES, 3 * MOST_STAGES)]
