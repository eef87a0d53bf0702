"""What the conformance suite and the fuzzing need of each driver; the cases are in tests/drivers/cases_*.py, each with CASES."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class DriverCase:
    """One driver with packets that it must take."""

    driver: str  # its name in the registry
    packets: Callable[[], list[bytes]]  # valid, constructed in code (no recorded data), as a radar would send them
    frames: int  # that these packets give
    line: Literal["udp", "serial", "file"]  # how they reach the driver in the conformance suite
    settings: dict[str, Any] = field(default_factory=dict)  # beside the line's own (port; device; path)
    files: Callable[[Path], dict[str, Any]] | None = None  # writes files that settings name; returns those settings
    fuzz_packets: int = 100_000
