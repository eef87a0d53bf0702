# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A trained network's answer in plain numpy: a perceptron, its temperature, and a gate for what it was never shown.

Beside each feature its share of the way through each of some bins is an input, so that few layers tell ranges of it apart
(Gorishniy et al., On embeddings for numerical features in tabular deep learning, 2022, eq. 1: piecewise linear encoding).

The gate is the Mahalanobis distance of the last hidden layer to the nearest class, with one covariance for all (Lee et al., A
simple unified framework for detecting out-of-distribution samples, 2018, eq. 1-2).

What looks like one kind of a class can be a kind of another class that nobody showed it, however far from any border: so much is
doubted of every answer, and shared among all classes by their priors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aegis.core.types import N_CLASSES, ClassId, Floats


@dataclass(frozen=True)
class Network:
    """Weights; inputs F, hidden layers, outputs (N_CLASSES,) logits."""

    centre: Floats  # (F,) of the features
    scale: Floats  # (F,)
    edges: Floats  # (F, B + 1) of each feature's bins, ascending; (F, 0): there are none
    weights: tuple[
        Floats, ...
    ]  # (inputs, outputs) each; the first takes features, which are there, and bins (2 F + B F, ...)
    biases: tuple[Floats, ...]
    temperature: float
    means: Floats  # (K, H) of the last hidden layer, a class each
    precision: Floats  # (H, H)
    distance: (
        Floats  # (2,) squared Mahalanobis distances from which an object is rather, and surely, none of those known
    )
    doubt: float = 0.0  # share of objects of whose kind the answer says nothing; none is surer than 1 less this

    @classmethod
    def of(cls, arrays: Mapping[str, Floats]) -> Network:
        """Make it of named arrays.

        Raises:
            ValueError: an array is missing, of another shape, or not finite.
        """
        try:
            layers = sum(name.startswith("weight_") for name in arrays)
            network = cls(
                np.asarray(arrays["centre"], np.float64),
                np.asarray(arrays["scale"], np.float64),
                np.asarray(arrays.get("edges", np.empty((len(arrays["centre"]), 0))), np.float64),
                tuple(np.asarray(arrays[f"weight_{i}"], np.float32) for i in range(layers)),
                tuple(np.asarray(arrays[f"bias_{i}"], np.float32) for i in range(layers)),
                float(arrays["temperature"]),
                np.asarray(arrays["means"], np.float32),
                np.asarray(arrays["precision"], np.float32),
                np.asarray(arrays["distance"], np.float64),
                float(arrays.get("doubt", np.array(0.0))),
            )
        except KeyError as error:
            raise ValueError(f"the weights lack {error}") from None
        network._check()
        return network

    def arrays(self) -> dict[str, Floats]:
        """Return what `of` takes."""
        out: dict[str, Floats] = {
            "centre": self.centre, "scale": self.scale, "edges": self.edges, "temperature": np.array(self.temperature),
            "means": self.means, "precision": self.precision, "distance": self.distance, "doubt": np.array(self.doubt),
        }  # fmt: skip
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            out |= {f"weight_{i}": weight, f"bias_{i}": bias}
        return out

    def _check(self) -> None:
        features = len(self.centre)
        width = features * (2 + max(self.edges.shape[-1] - 1, 0))
        wrong = self.scale.shape != (features,) or len(self.weights) < 2 or not self.temperature > 0.0
        wrong |= self.edges.ndim != 2 or len(self.edges) != features or not (np.diff(self.edges) > 0.0).all()
        for weight, bias in zip(self.weights, self.biases, strict=True):
            wrong |= weight.shape != (width, len(bias))
            width = len(bias)
        hidden = self.weights[-1].shape[0] if self.weights else 0
        wrong |= width != N_CLASSES or self.means.shape[1:] != (hidden,) or self.precision.shape != (hidden, hidden)
        wrong |= not 0.0 <= self.doubt < 1.0
        wrong |= self.distance.shape != (2,) or not self.distance[0] < self.distance[1]
        if wrong or not all(np.isfinite(array).all() for array in self.arrays().values()):
            raise ValueError(f"the weights are not those of a network of {features} features and {N_CLASSES} classes")

    def inputs(self, features: Floats) -> Floats:
        """Return (n, inputs) what the first layer takes: the features, 0 where they are NaN, which are there, and their bins."""
        there = np.isfinite(features)
        known = np.where(there, features, self.centre)
        scaled = np.clip((known - self.centre) / self.scale, -6.0, 6.0)
        if not self.edges.size:
            return np.concatenate((scaled, there), axis=1)
        low, width = self.edges[:, :-1], np.diff(self.edges)
        bins = np.clip((known[:, :, None] - low) / width, 0.0, 1.0) * there[:, :, None]
        return np.concatenate((scaled, there, bins.reshape(len(bins), -1)), axis=1)

    def hidden(self, features: Floats) -> tuple[Floats, Floats]:
        """Return the last hidden layer (n, H) and the logits (n, N_CLASSES) of features (n, F)."""
        values = self.inputs(features).astype(np.float32)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = np.maximum(values @ weight + bias, 0.0)
        logits = values @ self.weights[-1] + self.biases[-1]
        return values.astype(np.float64), logits.astype(np.float64) / self.temperature

    def strangeness(self, hidden: Floats) -> Floats:
        """Return (n,) the squared Mahalanobis distance to the nearest class."""
        # |h - m|^2 in the metric, without an (n, K, H) array.
        through = hidden @ self.precision
        own = (through * hidden).sum(axis=1)
        middle = self.means @ self.precision
        squares = own[:, None] - 2.0 * (hidden @ middle.T) + (middle * self.means).sum(axis=1)
        out: Floats = np.maximum(squares.min(axis=1), 0.0).astype(np.float64)
        return out

    def posterior(self, features: Floats, prior: Floats) -> Floats:
        """Return (n, N_CLASSES) probabilities.

        Args:
            features: (n, F); NaN is what is not known.
            prior: (N_CLASSES,) relative to that of the training, 0 for classes that cannot be met; UNKNOWN's is above 0.
        """
        hidden, logits = self.hidden(features)
        return answered(self, hidden, logits, prior)


def answered(network: Network, hidden: Floats, logits: Floats, prior: Floats) -> Floats:
    """Return (n, N_CLASSES) probabilities from the last hidden layer (n, H) and the logits; see `Network.posterior`."""
    with np.errstate(divide="ignore"):
        logits = logits + np.log(prior)
    logits -= logits.max(axis=1, keepdims=True)
    probability: Floats = np.exp(logits)
    probability /= probability.sum(axis=1, keepdims=True)
    probability = (1.0 - network.doubt) * probability + network.doubt * prior / prior.sum()
    near, far = network.distance
    strange = np.clip((network.strangeness(hidden) - near) / (far - near), 0.0, 1.0)
    probability *= 1.0 - strange[:, None]
    probability[:, ClassId.UNKNOWN] += strange
    return probability
