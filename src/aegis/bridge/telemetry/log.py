# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The bridge's own log: plain lines on standard error, and JSON in `bridge.log`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from aegis.bridge.http.request_id import ACCESS_LOG, current_request
from aegis.bridge.telemetry.settings import LogSettings
from aegis.bridge.telemetry.stage_log import timestamp
from aegis.bridge.telemetry.writer import LogWriter

FILE = "bridge.log"
_OURS = "aegis"


class _JsonHandler(logging.Handler):
    """Makes a line of a record at once, while it is known for which request, and leaves the writing to the thread."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer
        self._traces = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record."""
        try:
            self._writer.put(FILE, self._line(record))
        except Exception:  # noqa: BLE001 - a record that cannot be written must not stop the caller; logging reports it
            self.handleError(record)

    def _line(self, record: logging.LogRecord) -> bytes:
        request = current_request.get() or {}
        principal = request.get("principal")
        document = {
            "timestamp": timestamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            "request_id": request.get("request_id"),
            "user": principal.name if principal else None,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            document["exception"] = self._traces.formatException(record.exc_info)
        return orjson.dumps(document, default=str)


def _public(record: logging.LogRecord) -> bool:
    """Return whether a record may be kept: the server's own lines on WebSockets have the query string, in which may be a token."""
    return not (record.name == "uvicorn.error" and '"WebSocket ' in str(record.msg))


@contextmanager
def bridge_log(folder: Path, settings: LogSettings) -> Iterator[LogWriter]:
    """Log to standard error and to `bridge.log` in a folder, until the end of the block."""
    root, ours, access = logging.getLogger(), logging.getLogger(_OURS), logging.getLogger(ACCESS_LOG)
    before = root.level, ours.level
    level = logging.getLevelNamesMapping()[settings.level]
    # Below INFO, libraries repeat what they got: headers and messages, with the tokens in them.
    root.setLevel(max(level, logging.INFO))
    ours.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it logs at every start that there is nothing to do
    writer = LogWriter(folder, settings, "bridge-log")
    readable = logging.StreamHandler()
    readable.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    as_json = _JsonHandler(writer)
    for handler in (readable, as_json):
        handler.addFilter(_public)
        root.addHandler(handler)
    access.addHandler(as_json)
    access.propagate = False  # not every request on standard error
    try:
        yield writer
    finally:
        writer.close()
        access.propagate = True
        access.removeHandler(as_json)
        for handler in (readable, as_json):
            root.removeHandler(handler)
        root.setLevel(before[0])
        ours.setLevel(before[1])
