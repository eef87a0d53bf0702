# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The kinematic model: learned from tracks, judged on days, kinds and radars that it was not shown."""

from __future__ import annotations

import numpy as np

from aegis.core.classification.network import Network
from aegis.core.classification.settings import ClassificationSettings
from aegis.core.classification.track_memory import FEATURES
from aegis.core.types import N_CLASSES, ClassId, Floats
from aegis.training.fitted import Recipe, Table
from aegis.training.scored import KNOWN, Score, auroc, confusion, score, told
from aegis.training.tracks import ALL_KINDS, Examples

SHOWN_LOOKS = (1, 3, 10, 30)
GROUPS = (
    (
        "climb", "log_climb_sigma", "mean_climb", "climb_spread", "way_up", "off_up", "height", "log_height_sigma", "height_spread",
        "lowest", "highest",
    ),
    ("rcs", "rcs_power", "rcs_spread", "rcs_step"),
    ("snr",),
)  # fmt: skip
# Beside what the simulator draws: what a radar calls SNR, how exact it is, how often it looks. It is nothing of the object's own.
JITTER = {
    "snr": 0.4, "log_interval": 0.2, "log_window": 0.1, "log_speed_sigma": 0.2, "log_speed_noise": 0.2, "log_place_sigma": 0.3,
    "log_height_sigma": 0.3, "log_climb_sigma": 0.3,
}  # fmt: skip
LEAST_JITTER = 0.01
# So much that of kinds that were left out at most 1 % are wrong at above .9 after ten looks. Chosen on networks learned without the
# third or the fourth kind of each class and a radar family (1 or 5); `aegis bench classify` leaves out others.
DOUBT = 0.1
THRESHOLD = ClassificationSettings().confidence_threshold


def recipe() -> Recipe:
    """Return how it is learned."""
    return Recipe(
        hidden=(192, 64),
        bins=12,
        epochs=16,
        batch=512,
        dropout=0.15,
        averaged=1000.0,
        groups=tuple(tuple(FEATURES.index(name) for name in group) for group in GROUPS),
        jitter=tuple(JITTER.get(name, LEAST_JITTER) for name in FEATURES),
        doubt=DOUBT,
    )


def table(examples: Examples) -> Table:
    """Return examples as a network learns from them: kinds of one class weigh alike."""
    return Table(examples.features, examples.class_id, examples.kind)


def probabilities(network: Network, examples: Examples) -> Floats:
    """Return (N, N_CLASSES) probabilities of examples."""
    return network.posterior(examples.features.astype(np.float64), np.ones(N_CLASSES))


def known(examples: Examples) -> Examples:
    """Return those of the classes that are judged."""
    return examples.take(np.isin(examples.class_id, [int(c) for c in KNOWN]))


def scores(probability: Floats, examples: Examples) -> dict[int, Score]:
    """Return the score after each of `SHOWN_LOOKS`; kinds of a class weigh as they came."""
    return {
        k: score(probability[examples.looks == k], examples.class_id[examples.looks == k], THRESHOLD)
        for k in SHOWN_LOOKS
    }


def strangeness(probability: Floats) -> Floats:
    """Return (N,) how little an answer is one of the known classes: 1 less the most probable one's probability."""
    return np.asarray(1.0 - probability[:, 1:].max(axis=1))


def stranger_figures(network: Network, seen: Examples, strange: Examples, looks: int = 10) -> dict[str, object]:
    """Return how well strangers are known as such after some looks: AUROC, and the share confidently called a class."""
    seen, strange = known(seen), strange.take(strange.looks == looks)
    p_seen = probabilities(network, seen.take(seen.looks == looks))
    p_strange = probabilities(network, strange)
    sure = (p_strange[:, 1:].max(axis=1) > 0.9).astype(float)
    kinds = list(ALL_KINDS)
    return {
        "auroc": round(auroc(strangeness(p_seen), strangeness(p_strange)), 4),
        "confidently_a_class": round(float(sure.mean()), 4),
        "by_kind": {
            kinds[k]: {
                "auroc": round(auroc(strangeness(p_seen), strangeness(p_strange[strange.kind == k])), 3),
                "confidently_a_class": round(float(sure[strange.kind == k].mean()), 3),
            }
            for k in np.unique(strange.kind)
        },
    }


def figures(network: Network, examples: Examples) -> dict[str, object]:
    """Return what a card says of examples that the network was not shown."""
    judged = known(examples)
    probability = probabilities(network, judged)
    ten = judged.looks == 10
    return {
        "after_looks": {str(k): one._asdict() for k, one in scores(probability, judged).items()},
        "confusion_after_10": confusion(told(probability[ten], THRESHOLD), judged.class_id[ten]),
    }


def left_out(examples: Examples, fold: int, folds: int) -> tuple[list[int], int]:
    """Return the kinds, one of each class, and the radar family that a fold leaves out."""
    kinds = list(ALL_KINDS)
    out = []
    for c in KNOWN:
        own = [i for i, name in enumerate(kinds) if ALL_KINDS[name].class_id == c]
        out.append(own[fold % len(own)])
    families = np.unique(examples.radar)
    return out, int(families[fold * len(families) // folds])


def prior_of(examples: Examples) -> dict[str, int]:
    """Return how many examples of each class there are."""
    return {c.name: int((examples.class_id == c).sum()) for c in ClassId}
