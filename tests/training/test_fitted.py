# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Learning, on examples whose classes are known in closed form."""

from dataclasses import replace

import numpy as np
import pytest

from aegis.core.types import N_CLASSES, ClassId
from aegis.training.fitted import Recipe, Table, blank_of, finished, weights_of

DRONE, BIRD = int(ClassId.DRONE), int(ClassId.BIRD)


def drawn(n: int, seed: int) -> Table:
    """Two classes 2 apart in a feature of sd 1: the log odds have slope 2 in it. Another says nothing, and may be absent."""
    rng = np.random.default_rng(seed)
    class_id = rng.choice([DRONE, BIRD], n)
    x = np.column_stack([rng.normal(size=n) + np.where(class_id == BIRD, 1.0, -1.0), rng.normal(size=n)])
    x[rng.random(n) < 0.3, 1] = np.nan
    return Table(x.astype(np.float32), class_id, class_id)


def test_every_class_and_every_group_of_it_weighs_alike():
    class_id = np.array([1, 1, 1, 1, 2, 2, 0])
    table = Table(np.zeros((7, 1), np.float32), class_id, np.array([0, 0, 0, 1, 2, 2, 3]))
    weight = weights_of(table, unknown_weight=0.5)
    shares = [weight[class_id == c].sum() for c in (0, 1, 2)]
    assert shares == pytest.approx([0.5 * shares[1], shares[1], shares[1]])
    assert weight[:3].sum() == pytest.approx(weight[3])


def test_bins_have_as_many_examples_each():
    table = drawn(10_000, 1)
    network = blank_of(table, Recipe(bins=5))
    counts = [
        np.histogram(column[np.isfinite(column)], edges)[0]
        for column, edges in zip(table.features.T, network.edges, strict=True)
    ]
    for found in counts:
        np.testing.assert_allclose(found / found.sum(), 0.2, atol=0.002)


@pytest.mark.parametrize("bins", [0, 6])
def test_probabilities_are_those_of_the_closed_form(bins):
    pytest.importorskip("torch", reason="torch is the extra train")
    from aegis.training.fitted import fit

    recipe = Recipe(hidden=(16, 8), bins=bins, epochs=15, batch=256, rate=1e-2, averaged=50.0, dropout=0.0)
    network = fit(drawn(8000, 1), drawn(4000, 2), recipe, progress=False).network
    asked = drawn(2000, 3)
    found = network.posterior(asked.features.astype(np.float64), np.ones(N_CLASSES))
    expected = 1.0 / (1.0 + np.exp(-2.0 * asked.features[:, 0]))
    assert np.abs(found[:, BIRD] - expected).mean() < 0.03
    assert found[:, ClassId.MISSILE].max() < 0.01


def test_what_no_example_measured_says_nothing():
    shown, held_out = drawn(2000, 1), drawn(1000, 2)
    for table in (shown, held_out):
        never, alike = np.full(len(table.class_id), np.nan), np.full(len(table.class_id), 0.5)
        table.features = np.column_stack([table.features, never, alike]).astype(np.float32)
    rng = np.random.default_rng(4)
    plain = blank_of(shown, Recipe(hidden=(6, 5), bins=3))
    sizes = [(20, 6), (6, 5), (5, N_CLASSES)]  # weights as they are drawn
    weights = tuple(rng.normal(size=size).astype(np.float32) for size in sizes)
    network = replace(plain, weights=weights, biases=tuple(np.zeros(size[1], np.float32) for size in sizes))
    network = finished(network, shown, held_out)
    asked = shown.features[:50].astype(np.float64)
    strange = asked.copy()
    strange[:, 2:] = rng.normal(size=(50, 2)) * 1e3
    np.testing.assert_allclose(
        network.posterior(strange, np.ones(N_CLASSES)), network.posterior(asked, np.ones(N_CLASSES))
    )
