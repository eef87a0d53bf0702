# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of classification, which detection and tracking both have."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from aegis.core.param_info import OneOf
from aegis.core.params import Settings, group, named, param
from aegis.core.types import ClassId, Floats

ClassName = Annotated[str, OneOf(tuple(ClassId.__members__), "class")]
Prior = Annotated[float, Field(gt=0.0, le=1e6)]


class ClassificationSettings(Settings):
    """Which classes there are, and how sure one has to be."""

    classes: tuple[ClassName, ...] = param(
        tuple(ClassId.__members__), "Classes that can be met here; the others get probability 0."
    )
    confidence_threshold: float = param(
        0.65, "Below this confidence the class is UNKNOWN.", ge=0.0, le=1.0, env="DETECTION_THRESHOLD"
    )

    priors: dict[ClassName, Prior] = named(
        "CLASS", "How common a class is here, relative to what the model takes it to be: 1 where nothing is said."
    )

    def class_ids(self) -> tuple[ClassId, ...]:
        """Return the classes."""
        return tuple(ClassId[name] for name in self.classes)

    def class_priors(self) -> dict[ClassId, float]:
        """Return the priors that were set."""
        return {ClassId[name]: prior for name, prior in self.priors.items()}


class StatedClassesSettings(Settings):
    """How far class probabilities count that detections state: of the sensor, its front end, or who else saw more of the object."""

    doubt: float = param(
        0.1,
        "Share of objects of which all that is stated is wrong; 1: what is stated counts for nothing.",
        ge=0.0,
        le=1.0,
    )
    correlation: float = param(
        0.3, "Correlation of the errors of looks at one object: they count as 1 / correlation independent ones at most.",
        gt=0.0, le=1.0,
    )  # fmt: skip
    priors: dict[ClassName, Prior] = named(
        "CLASS", "How common the sensor takes a class to be, relative to the others: 1 where nothing is said."
    )

    def prior_of_named(self) -> Floats:
        """Return the sensor's priors of all classes but UNKNOWN, (N_CLASSES - 1,); their sum is 1."""
        prior = np.array([self.priors.get(c.name, 1.0) for c in tuple(ClassId)[1:]])
        out: Floats = prior / prior.sum()
        return out


class TrackClassificationSettings(ClassificationSettings):
    """What gives tracks their classes."""

    classifier: str = param(
        "trained", "What gives tracks their classes: trained, the network that ships; table, the stated table of RCS, speeds and "
        "heights; or the path of an ONNX model of yours (needs the extra onnx; docs/classification.md).",
    )  # fmt: skip
    model_cache_dir: str = param(
        "", "Folder with models that `aegis train` wrote; they are taken instead of those that ship. Empty: those that ship.",
        env="MODEL_CACHE_DIR",
    )  # fmt: skip
    model_device: Literal["auto", "cpu", "cuda"] = param(
        "auto", "Where a trained model runs: on the CPU by numpy (auto, cpu), or on a GPU by torch (cuda; needs the extra train).",
        env="MODEL_DEVICE",
    )  # fmt: skip
    keep_threshold: float = param(
        0.57,
        "After 32 looks, a track keeps the class that it has while that is its most probable one and at least this probable.",
        ge=0.0,
        le=1.0,
    )
    min_snr_db: float = param(
        6.0, "A look at a lower SNR says nothing of a track's class.", unit="dB", ge=-100.0, le=100.0
    )
    max_noise_rise_db: float = param(
        6.0, "A look where the noise is this much above the sensor's usual level, as by jamming, says nothing of a track's class.",
        unit="dB", gt=0.0, le=200.0,
    )  # fmt: skip
    stated: StatedClassesSettings = group(StatedClassesSettings())
