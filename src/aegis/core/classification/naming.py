# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a class is called, and what an object of unknown class could be, in words."""

from __future__ import annotations

from aegis.core.types import ClassId, Floats

# From this probability a class is one of those that an unknown object could be; of more than the most, none is named.
LEAST_CANDIDATE, MOST_CANDIDATES = 0.15, 3


def candidates(probability: Floats) -> list[ClassId]:
    """Return what an object of these class probabilities (N_CLASSES,) could be, the likeliest first; none: anything."""
    found = [ClassId(c) for c in (-probability).argsort(kind="stable").tolist() if probability[c] >= LEAST_CANDIDATE]
    return found if len(found) <= MOST_CANDIDATES and ClassId.UNKNOWN not in found else []


def could_be(class_id: int, probability: Floats) -> str:
    """Return what an object could be that has no class, as "DRONE or BIRD"; empty for one that has, or where that says nothing."""
    return " or ".join(c.name for c in candidates(probability)) if class_id == ClassId.UNKNOWN else ""


def class_in_words(class_id: int, probability: Floats) -> str:
    """Return an object's class, or what it could be, with the probabilities (N_CLASSES,)."""
    if class_id != ClassId.UNKNOWN:
        return f"{ClassId(class_id).name} ({probability[class_id]:.2f})"
    if probability.argmax() == ClassId.UNKNOWN and probability[ClassId.UNKNOWN] > 0.0:
        return f"class unknown, like none of those known ({probability[ClassId.UNKNOWN]:.2f})"
    names = [f"{c.name} ({probability[c]:.2f})" for c in candidates(probability)]
    return f"class unknown: {' or '.join(names)}" if names else "class unknown"
