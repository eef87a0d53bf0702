# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes log lines in a thread of its own, so that neither the event loop nor the ROS thread waits for a disk."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from pathlib import Path

from aegis.bridge.telemetry.rotated_file import RotatedFile
from aegis.bridge.telemetry.settings import LogSettings

_log = logging.getLogger(__name__)

GATHER_S = 0.1  # lines that come within are written together
RETRY_S = 1.0
_JOIN_DEADLINE_S = 5.0


class LogWriter:
    """Takes lines for the files of a folder. A disk that refuses them is tried again; they wait meanwhile, as far as they fit."""

    def __init__(self, folder: Path, settings: LogSettings, name: str) -> None:
        """Start the thread.

        Args:
            folder: where the files are; made by the first line.
            settings: how large files and the queue may grow.
            name: of the thread.
        """
        self.folder = folder
        self._settings = settings
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, list[bytes]] = defaultdict(list)  # by file
        self._files: dict[str, RotatedFile] = {}
        self._filled = threading.Event()
        self._stop = threading.Event()
        self._failing = False
        self._dropped_logged = 0
        self.waiting_bytes = 0
        self.written = 0
        self.dropped = 0
        self.failures = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, file: str, line: bytes) -> None:
        """Queue a line, without its end, for a file of the folder; drop and count it where the queue is full."""
        with self._lock:
            if self.waiting_bytes + len(line) > self._settings.queue_bytes:
                self.dropped += 1
                return
            self._waiting[file].append(line)
            self.waiting_bytes += len(line)
        if not self._filled.is_set():
            self._filled.set()

    def close(self) -> None:
        """Write what waits, once more where that has failed, and end the thread."""
        self._stop.set()
        self._filled.set()
        self._thread.join(_JOIN_DEADLINE_S)
        lost = sum(map(len, self._waiting.values()))
        if lost:
            _log.error("%d log lines could not be written to %s, and are lost", lost, self.folder)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._filled.wait()
            self._stop.wait(RETRY_S if self._failing else GATHER_S)
            self._filled.clear()
            self._write()
            if self._failing:
                self._filled.set()
        self._write()  # what came during the last one
        for file in self._files.values():
            file.close()

    def _write(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, defaultdict(list)
        failure: OSError | None = None
        for name, lines in batch.items():
            done = 0
            try:
                file = self._file(name)
                for line in lines:
                    file.append(line)
                    done += 1
            except OSError as error:
                self.failures += 1
                failure = error
            self.written += done
            with self._lock:
                self.waiting_bytes -= sum(map(len, lines[:done]))
                if done < len(lines):
                    self._waiting[name][:0] = lines[done:]
        self._report(failure)

    def _report(self, failure: OSError | None) -> None:
        """Log once that lines cannot be written, when they can again, and how many were dropped."""
        if failure is not None and not self._failing:
            where = failure.filename or self.folder
            _log.error("log lines cannot be written, and wait: %s: %s", where, failure.strerror)
        elif failure is None and self._failing:
            _log.warning("log lines are written again in %s", self.folder)
        self._failing = failure is not None
        new = self.dropped - self._dropped_logged
        if new and not self._failing:
            _log.warning("%d log lines were dropped: too many waited for %s", new, self.folder)
            self._dropped_logged += new

    def _file(self, name: str) -> RotatedFile:
        if name not in self._files:
            limits = self._settings
            self._files[name] = RotatedFile(self.folder / name, limits.file_bytes, limits.files_kept)
        return self._files[name]
