# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How long somebody has waited for a processor: what a busy machine adds to every time that is measured on it."""

from pathlib import Path


def waited_s(*threads: int) -> float:
    """Return how long threads, or the first ones of processes, have waited for a processor since their start, together."""
    return sum(int(Path(f"/proc/{one}/schedstat").read_text().split()[1]) for one in threads) * 1e-9
