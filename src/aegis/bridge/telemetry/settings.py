"""Parameters of the bridge's logs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from aegis.core.params import Settings, param


class TelemetrySettings(Settings):
    """What the bridge logs, and where."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = param(
        "INFO", "least severity that is logged, of the bridge's own lines and of events", env="LOG_LEVEL"
    )
    log_dir: str = param(
        "", "folder of the log files, one below it a namespace; empty is 'log' in the state directory", env="LOG_DIR"
    )
    log_file_bytes: int = param(
        10_000_000, "a log file that would grow beyond is put aside as FILE.1", unit="B", ge=10_000, le=1_000_000_000
    )
    log_files_kept: int = param(5, "older log files kept beside each current one", ge=1, le=1000)
    log_queue_bytes: int = param(
        4_000_000,
        "log lines that may wait for the disk; what comes then is dropped",
        unit="B",
        ge=10_000,
        le=1_000_000_000,
    )

    def log_folder(self, state_dir: Path, namespace: str) -> Path:
        """Return the folder of the log files.

        Args:
            state_dir: the state directory of the namespace.
            namespace: of the graph; bridges of several share one `log_dir`.
        """
        if not self.log_dir:
            return state_dir / "log"
        return Path(self.log_dir).joinpath(*filter(None, namespace.split("/")))
