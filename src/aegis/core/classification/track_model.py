# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What gives tracks their classes: the trained network, or the stated table where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from aegis.core.classification import physical
from aegis.core.classification.physical import PhysicalModel
from aegis.core.classification.track_memory import WINDOW_LOOKS, features
from aegis.core.types import N_CLASSES, ClassId, Floats, Ints

LOOKS_TO_NAME = 5.0  # that have to say so before a class is told


class Measured(NamedTuple):
    """What is known of S tracks now; arrays (S,), NaN where something was not measured."""

    rcs_dbsm: Floats  # mean over `looks`
    looks: Floats
    speed: Floats  # [m/s]
    speed_sigma: Floats
    height: Floats  # above ground [m]
    height_sigma: Floats


class TrackModel(Protocol):
    """Class probabilities of tracks."""

    @property
    def name(self) -> str:
        """Return the model's name and version."""

    @property
    def basis(self) -> str:
        """Return what it rests on, in words."""

    @property
    def prior(self) -> Floats:
        """Return the priors (N_CLASSES,), up to a factor."""

    @property
    def remembers(self) -> bool:
        """Tell whether the tracks' looks are remembered: for it, for what detections state, and for when a class is told."""

    def probability(self, tracks: Measured, memory: Floats) -> Floats:
        """Return (S, N_CLASSES) probabilities of tracks with this memory (M, S); rows sum to 1."""


class Posterior(Protocol):
    """Whatever turns features into probabilities."""

    def posterior(self, features: Floats, prior: Floats) -> Floats:
        """Return (n, N_CLASSES) probabilities of features (n, F) by priors (N_CLASSES,) relative to its own."""


class TableModel:
    """The stated table of RCS, speeds and heights (physical.py)."""

    name, basis = physical.NAME, physical.BASIS

    def __init__(
        self,
        classes: tuple[ClassId, ...] = tuple(ClassId),
        priors: Mapping[ClassId, float] | None = None,
        *,
        remembers: bool = False,
    ) -> None:
        """Restrict the answer to `classes`; `priors` are relative to those of the table; `remembers`: what detections state
        counts too, and names rest on looks as those of a network do.
        """
        self.model = PhysicalModel(classes, priors)
        self.prior, self.remembers = self.model.prior, remembers

    def probability(self, tracks: Measured, memory: Floats) -> Floats:
        """Return (S, N_CLASSES) probabilities."""
        return self.model.posterior(len(tracks.speed), **tracks._asdict())


class NetworkModel:
    """The trained network on the features of a track's looks."""

    remembers = True

    def __init__(
        self,
        network: Posterior,
        name: str,
        basis: str,
        classes: tuple[ClassId, ...] = tuple(ClassId),
        priors: Mapping[ClassId, float] | None = None,
    ) -> None:
        """Make it; `priors` are relative to those of the training, 1 where none is given."""
        self._network, self.name, self.basis = network, name, basis
        self.prior = relative_priors(classes, priors)
        self._unlooked = self.prior / self.prior.sum()

    def probability(self, tracks: Measured, memory: Floats) -> Floats:
        """Return (S, N_CLASSES) probabilities; those of tracks without a look that counted are the priors."""
        out = np.tile(self._unlooked, (memory.shape[1], 1))
        looked = np.flatnonzero(memory[0] > 0.0)
        if len(looked):
            out[looked] = self._network.posterior(features(memory[:, looked]), self.prior)
        return out


def relative_priors(classes: tuple[ClassId, ...], priors: Mapping[ClassId, float] | None) -> Floats:
    """Return (N_CLASSES,) factors of the priors: 0 for classes that cannot be met; UNKNOWN can always be."""
    considered = {ClassId.UNKNOWN, *classes}
    given = priors or {}
    return np.array([given.get(c, 1.0) if c in considered else 0.0 for c in ClassId])


class Named(NamedTuple):
    """The class that is told of S tracks, and what it rests on."""

    class_id: Ints
    met: Floats  # the class that a look had last, UNKNOWN before any had one
    looks: Floats  # that had it since one had another


def named(
    class_id: Ints, probability: Floats, before: Ints, seen: Floats, met: Floats, looks: Floats, looked: NDArray[np.bool_],
    keep_threshold: float,
) -> Named:  # fmt: skip
    """Return what is told: the class that `LOOKS_TO_NAME` looks have had, while it is the most probable one and probable enough.

    No single look names a track, nor takes it over to another class: that has to be the class of as many looks itself, and the
    track is UNKNOWN until then. What wavers about a single threshold would have a name in one scan and none in the next: what was
    told is kept down to a lower one. It is once the window of looks is full; before, each look adds to what is known, and what was
    told early may have to be taken back.

    Args:
        class_id: (S,) that the probabilities (S, N_CLASSES) give now, UNKNOWN where none of them suffices.
        before: (S,) what was told in the scan before.
        seen: (S,) looks that there were.
        met, looks: (S,) as in `Named`, of the scan before.
        looked: (S,) which tracks had a new look.
        keep_threshold: as probable the class that was told before has to be.
    """
    has = looked & (class_id != ClassId.UNKNOWN)
    looks = np.where(has, np.where(class_id == met, looks + 1.0, 1.0), looks)
    met = np.where(has, class_id, met)
    best, most = probability.argmax(axis=1), probability.max(axis=1, initial=0.0)
    keeps = (best == before) & (most >= keep_threshold) & (seen >= WINDOW_LOOKS)
    tells = (best == met) & (looks >= LOOKS_TO_NAME) & ((class_id == best) | keeps)
    return Named(np.where(tells, best, int(ClassId.UNKNOWN)), met, looks)


assert len(ClassId) == N_CLASSES
