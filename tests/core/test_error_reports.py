# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reports of errors, to a receiver on loopback: what comes, and what does not."""

import gzip
import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from aegis.core.params import ConfigError
from aegis.error_reports import report_errors

pytest.importorskip("sentry_sdk", reason="pip install 'aegis[sentry]'")
WORK = """
import logging, os
from aegis.error_reports import report_errors
report_errors(os.environ, "9.9", "bridge")
log = logging.getLogger("aegis.test")
def divide(password):
    return 1 / 0
log.error("eve has logged in from 192.0.2.7")
try:
    divide("a secret word")
except ZeroDivisionError:
    log.exception("of eve, at 192.0.2.7")
raise KeyError("eve")
"""


@pytest.fixture
def receiver():
    """A server that keeps what it is sent."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, bodies
    server.shutdown()
    thread.join(10)
    server.server_close()


def work(**environ: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", WORK], env={**os.environ, **environ}, capture_output=True, text=True, timeout=60
    )


def test_a_report_has_the_exception_and_its_place_and_nobody(receiver):
    port, bodies = receiver
    done = work(SENTRY_DSN=f"http://key@127.0.0.1:{port}/1")
    assert "KeyError" in done.stderr
    text = b"".join(bodies)
    for word in (b"ZeroDivisionError", b"KeyError", b"divide", b"aegis@9.9", b'"process":"bridge"'):
        assert word in text.replace(b": ", b":"), word
    for word in (b"eve", b"192.0.2.7", b"secret", socket.gethostname().encode(), b"/home"):
        assert word not in text.replace(b"event", b"").replace(b"level", b""), word
    assert len(bodies) == 2  # the line without an exception is not among them


def test_without_the_variable_nothing_is_loaded(receiver):
    _, bodies = receiver
    code = "import os, sys; from aegis.error_reports import report_errors as r; r({}, '1', 'x'); print('sentry_sdk' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False"
    assert bodies == []


def test_a_wrong_dsn_is_said():
    with pytest.raises(ConfigError, match="SENTRY_DSN"):
        report_errors({"SENTRY_DSN": "not one"}, "1", "x")
