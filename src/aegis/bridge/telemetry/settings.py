# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the bridge's logs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from aegis.core.params import Settings, param


class LogSettings(Settings):
    """What the bridge logs, and where."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = param(
        "INFO",
        "Least severity that is logged, of the bridge's own lines and of events.",
        env="LOG_LEVEL",
        was="log_level",
    )
    dir: str = param(
        "",
        "Folder of the log files, one below it for a namespace; empty is 'log' in the state directory.",
        env="LOG_DIR",
        was="log_dir",
    )
    file_bytes: int = param(
        10_000_000,
        "A log file that would grow beyond is put aside as FILE.1.",
        unit="B",
        ge=10_000,
        le=1_000_000_000,
        was="log_file_bytes",
    )
    files_kept: int = param(5, "Older log files kept beside each current one.", ge=1, le=1000, was="log_files_kept")
    queue_bytes: int = param(
        4_000_000,
        "Log lines that may wait for the disk; what comes then is dropped.",
        unit="B",
        ge=10_000,
        le=1_000_000_000,
        was="log_queue_bytes",
    )

    def folder(self, state_dir: Path, namespace: str) -> Path:
        """Return the folder of the log files.

        Args:
            state_dir: the state directory of the namespace.
            namespace: of the graph; bridges of several share one `dir`.
        """
        if not self.dir:
            return state_dir / "log"
        return Path(self.dir).joinpath(*filter(None, namespace.split("/")))
