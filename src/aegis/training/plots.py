# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plots of a training: loss, calibration, confusion."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np

from aegis.core.types import ClassId, Floats, Ints

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def plot(path: Path, history: list[dict[str, float]], probability: Floats, class_id: Ints) -> None:
    """Write a picture of the loss by epoch, the share right by confidence, and the confusion of probabilities (N, N_CLASSES)."""
    figure, (loss, calibration, confusion) = plt.subplots(1, 3, figsize=(16, 5))
    loss.plot([row["epoch"] for row in history], [row["loss"] for row in history])
    loss.set(xlabel="epoch", ylabel="cross-entropy", title="training")
    best, confidence = probability.argmax(axis=1), probability.max(axis=1)
    bins = np.minimum((confidence * 10).astype(int), 9)
    there = [k for k in range(10) if (bins == k).any()]
    calibration.plot([0, 1], [0, 1], "k:")
    calibration.plot(
        [confidence[bins == k].mean() for k in there], [(best == class_id)[bins == k].mean() for k in there], "o-"
    )
    calibration.set(xlabel="confidence", ylabel="share right", title="a day that was not shown")
    table = np.zeros((len(ClassId), len(ClassId)))
    np.add.at(table, (class_id, best), 1.0)
    table /= np.maximum(table.sum(axis=1, keepdims=True), 1.0)
    confusion.imshow(table, cmap="Blues", vmin=0.0, vmax=1.0)
    names = [c.name.lower() for c in ClassId]
    confusion.set_xticks(range(len(names)), names, rotation=90)
    confusion.set_yticks(range(len(names)), names)
    confusion.set(xlabel="most probable", ylabel="truth")
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)
