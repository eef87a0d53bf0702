"""Parameters of classification, which detection and tracking both have."""

from __future__ import annotations

from typing import Annotated

from aegis.core.param_info import OneOf
from aegis.core.params import Settings, param
from aegis.core.types import ClassId

ClassName = Annotated[str, OneOf(tuple(ClassId.__members__), "class")]


class ClassificationSettings(Settings):
    """Which classes there are, and how sure one has to be."""

    classes: tuple[ClassName, ...] = param(
        tuple(ClassId.__members__), "Classes that can be met here; the others get probability 0."
    )
    confidence_threshold: float = param(
        0.65, "Below this confidence the class is UNKNOWN.", ge=0.0, le=1.0, env="DETECTION_THRESHOLD"
    )

    def class_ids(self) -> tuple[ClassId, ...]:
        """Return the classes."""
        return tuple(ClassId[name] for name in self.classes)
