# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The network in numpy, against plain loops and scipy."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import mahalanobis
from scipy.special import softmax

from aegis.core.classification.network import Network
from aegis.core.types import N_CLASSES, ClassId

F, H = 3, 5


def network(distance=(1e6, 2e6), temperature=1.0, seed=0, bins=0, doubt=0.0) -> Network:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(H, H))
    edges = np.cumsum(rng.uniform(0.1, 2.0, (F, bins + 1)), axis=1) - 2.0 if bins else np.empty((F, 0))
    return Network.of(
        {
            "centre": rng.normal(size=F), "scale": rng.uniform(0.5, 2.0, F), "temperature": np.array(temperature),
            "edges": edges, "weight_0": rng.normal(size=((2 + bins) * F, 4)), "bias_0": rng.normal(size=4),
            "weight_1": rng.normal(size=(4, H)), "bias_1": rng.normal(size=H),
            "weight_2": rng.normal(size=(H, N_CLASSES)), "bias_2": rng.normal(size=N_CLASSES),
            "means": rng.normal(size=(4, H)), "precision": np.linalg.inv(root @ root.T + np.eye(H)), "distance": np.array(distance),
            "doubt": np.array(doubt),
        }
    )  # fmt: skip


def by_hand(n: Network, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = [0.0 if np.isnan(v) else np.clip((v - c) / s, -6, 6) for v, c, s in zip(x, n.centre, n.scale, strict=True)]
    values += [0.0 if np.isnan(v) else 1.0 for v in x]
    for v, edges in zip(x, n.edges, strict=True):
        for low, high in pairwise(edges):
            values.append(0.0 if np.isnan(v) or v < low else 1.0 if v > high else (v - low) / (high - low))
    values = np.array(values)
    for weight, bias in zip(n.weights[:-1], n.biases[:-1], strict=True):
        values = np.maximum(values @ weight + bias, 0.0)
    return values, (values @ n.weights[-1] + n.biases[-1]) / n.temperature


NUMBER = st.one_of(st.floats(-1e4, 1e4), st.just(float("nan")))


@given(st.lists(st.tuples(NUMBER, NUMBER, NUMBER), min_size=1, max_size=6), st.floats(0.3, 4.0), st.integers(0, 4))
def test_probabilities_are_those_worked_out_by_hand(rows, temperature, bins):
    n, x = network(temperature=temperature, bins=bins), np.array(rows)
    found = n.posterior(x, np.ones(N_CLASSES))
    np.testing.assert_allclose(found, [softmax(by_hand(n, row)[1]) for row in x], atol=1e-4)


def test_strangeness_is_the_distance_to_the_nearest_class():
    n = network()
    x = np.random.default_rng(3).normal(size=(20, F))
    hidden, _ = n.hidden(x)
    expected = [min(mahalanobis(h, m, n.precision) ** 2 for m in n.means) for h in hidden]
    np.testing.assert_allclose(n.strangeness(hidden), expected, rtol=1e-3, atol=1e-3)


def test_what_is_far_from_every_class_is_unknown():
    x = np.random.default_rng(3).normal(size=(20, F))
    found = network(distance=(1e-6, 1e-5)).posterior(x, np.ones(N_CLASSES))
    np.testing.assert_allclose(found[:, ClassId.UNKNOWN], 1.0)


def test_so_much_is_doubted_of_an_answer_as_was_said():
    x, prior = np.random.default_rng(3).normal(scale=20.0, size=(20, F)), np.ones(N_CLASSES)
    prior[ClassId.MISSILE] = 0.0
    sure, found = network(temperature=0.4).posterior(x, prior), network(temperature=0.4, doubt=0.09).posterior(x, prior)
    assert sure.max() > 0.999
    np.testing.assert_allclose(found, 0.91 * sure + 0.01 * prior)


def test_a_prior_multiplies_the_odds_and_zero_excludes():
    n, x = network(), np.random.default_rng(4).normal(size=(9, F))
    prior = np.ones(N_CLASSES)
    before = n.posterior(x, prior)
    prior[ClassId.BIRD], prior[ClassId.MISSILE] = 5.0, 0.0
    after = n.posterior(x, prior)
    odds = before[:, ClassId.BIRD] / before[:, ClassId.DRONE]
    np.testing.assert_allclose(after[:, ClassId.BIRD] / after[:, ClassId.DRONE], 5.0 * odds)
    assert (after[:, ClassId.MISSILE] == 0.0).all()
    np.testing.assert_allclose(after.sum(axis=1), 1.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("centre", np.ones(F + 1)), ("weight_1", np.ones((4, H + 1))), ("means", np.ones((2, H - 1))),
        ("distance", np.array([2.0, 1.0])),
        ("bias_2", np.full(N_CLASSES, np.nan)), ("temperature", np.array(0.0)),
        ("edges", np.zeros((F, 2))), ("edges", np.empty((F - 1, 0))),
    ],
)  # fmt: skip
def test_wrong_weights_are_refused(name, value):
    with pytest.raises(ValueError, match="the weights are not those"):
        Network.of(network().arrays() | {name: value})


def test_missing_weights_are_named():
    arrays = network().arrays()
    del arrays["means"]
    with pytest.raises(ValueError, match="lack 'means'"):
        Network.of(arrays)


def test_torch_answers_as_numpy_does():
    pytest.importorskip("torch", reason="torch is the extra train")
    from aegis.models.on_gpu import GpuNetwork

    n, x = network(temperature=1.7), np.random.default_rng(5).normal(size=(50, F))
    x[::7, 1] = np.nan
    np.testing.assert_allclose(
        GpuNetwork(n, "cpu").posterior(x, np.ones(N_CLASSES)), n.posterior(x, np.ones(N_CLASSES)), atol=1e-5
    )
