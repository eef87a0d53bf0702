# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pauses between attempts."""

import random

from aegis.core.backoff import Backoff


def test_pauses_double_up_to_the_bound_and_begin_again_after_a_success():
    backoff = Backoff(0.25, 5.0)
    assert [backoff.pause_s() for _ in range(7)] == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.pause_s() == 0.25


def test_chance_shortens_a_pause_to_half_at_most():
    backoff = Backoff(1.0, 1.0, random.Random(1))
    pauses = [backoff.pause_s() for _ in range(1000)]
    assert 0.5 <= min(pauses) < 0.51
    assert 0.99 < max(pauses) <= 1.0
