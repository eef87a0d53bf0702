# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The colours of threat levels, one for every place where people see them: the web page, RViz, Foxglove."""

from __future__ import annotations

from typing import NamedTuple

from aegis.core.types import ThreatLevel


class Colour(NamedTuple):
    """Red, green, blue and opacity, each from 0 to 1."""

    r: float
    g: float
    b: float
    a: float = 1.0

    @classmethod
    def from_hex(cls, text: str) -> Colour:
        """Return the colour of `#rrggbb`."""
        return cls(*(int(text[i : i + 2], 16) / 255.0 for i in (1, 3, 5)))


LEVEL_HEX = {
    ThreatLevel.CRITICAL: "#ff5c6c",
    ThreatLevel.HIGH: "#ff9f43",
    ThreatLevel.MEDIUM: "#f4d35e",
    ThreatLevel.LOW: "#5bc48c",
}
UNASSESSED_HEX = "#7fb2de"  # no threat level, or one too old to believe
# The same on a light ground, where the others cannot be read.
LEVEL_HEX_ON_LIGHT = {
    ThreatLevel.CRITICAL: "#c20857",
    ThreatLevel.HIGH: "#963c00",
    ThreatLevel.MEDIUM: "#77692d",
    ThreatLevel.LOW: "#165232",
}
UNASSESSED_HEX_ON_LIGHT = "#2f65a2"

LEVEL_COLOURS = {level: Colour.from_hex(text) for level, text in LEVEL_HEX.items()}
UNASSESSED = Colour.from_hex(UNASSESSED_HEX)


def css() -> str:
    """Return a style sheet with the colours as `--critical` and so on, and `--none`; others by day."""
    return _rule(":root", LEVEL_HEX, UNASSESSED_HEX) + _rule(
        ':root[data-theme="day"]', LEVEL_HEX_ON_LIGHT, UNASSESSED_HEX_ON_LIGHT
    )


def _rule(selector: str, levels: dict[ThreatLevel, str], unassessed: str) -> str:
    lines = [f"  --{level.name.lower()}: {text};" for level, text in levels.items()]
    return "\n".join([f"{selector} {{", *lines, f"  --none: {unassessed};", "}", ""])
