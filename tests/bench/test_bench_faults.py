# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis bench faults`: what a row says of the times measured. tests/faults and tests/graph inject the faults."""

import signal

import pytest

from aegis.bench import faults


def test_a_row_has_the_times_of_every_process():
    times = [(name, 0.01 * k, 1.0 + k) for k, name in enumerate(faults.NAMES)]
    row = faults._row(signal.SIGSTOP, times)
    n = len(faults.NAMES)
    assert (row["fault"], row["times"]) == ("SIGSTOP", n)
    assert (row["noticed_max_s"], row["back_max_s"]) == (0.01 * (n - 1), float(n))
    assert row["back_p50_s"] == pytest.approx((1.0 + n) / 2)
    assert row["back_p95_s"] == pytest.approx(1.0 + 0.95 * (n - 1), abs=0.006)
    assert row["back_median_s_of"] == {name: 1.0 + k for k, name in enumerate(faults.NAMES)}
    assert set(faults.HEARD_ON) < set(faults.NAMES)
