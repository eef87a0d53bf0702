# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The machine and the process that the bridge runs in."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from aegis import __version__

PERIOD_S = 2.0  # over which shares of a processor are averaged
_PACKAGES = ("ros-rclpy", "fastapi", "uvicorn", "sqlalchemy", "numpy")


class Machine:
    """Reads the operating system's counts."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._process = psutil.Process()
        self._begin = time.monotonic()
        self._cpu_percent: float | None = None
        self._process_cpu_percent: float | None = None
        self._versions: dict[str, str | None] = {"aegis": __version__, "python": platform.python_version()}
        self._versions.update({name: _version(name) for name in _PACKAGES})

    async def run(self) -> None:
        """Measure the shares of the processors until cancelled; the first of each library call means nothing."""
        psutil.cpu_percent()
        self._process.cpu_percent()
        while True:
            await asyncio.sleep(PERIOD_S)
            self._cpu_percent = psutil.cpu_percent()
            self._process_cpu_percent = self._process.cpu_percent()

    def threads(self) -> int:
        """Return how many threads the process has."""
        return int(self._process.num_threads())

    def report(self) -> dict[str, Any]:
        """Return everything in named units; it asks the file system, so not on the event loop."""
        memory = psutil.virtual_memory()
        load = os.getloadavg()
        with self._process.oneshot():
            process = {
                "cpu_percent": self._process_cpu_percent,
                "rss_bytes": self._process.memory_info().rss,
                "threads": self._process.num_threads(),
                "open_files": self._process.num_fds(),
                "uptime_s": round(time.monotonic() - self._begin, 3),
            }
        return {
            "cpu_count": psutil.cpu_count(),
            "cpu_percent": self._cpu_percent,
            "load_1_min": load[0],
            "load_5_min": load[1],
            "load_15_min": load[2],
            "memory_total_bytes": memory.total,
            "memory_available_bytes": memory.available,
            "state_disk_free_bytes": self._free_bytes(),
            "process": process,
            "versions": self._versions,
        }

    def _free_bytes(self) -> int | None:
        try:
            return shutil.disk_usage(self._state_dir).free
        except OSError:  # gone since the start: unknown
            return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:  # on a machine with its distribution's own ROS 2, or packages
        return None
