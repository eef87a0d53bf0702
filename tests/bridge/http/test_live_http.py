# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A real bridge process and requests that no client should send: late, too large, or odd."""

import re
import select
import socket
import time

ODD = (
    b"GET /health HTTP/1.1\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost:\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: [::1\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a b:c:d/e?f#g\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: \xff\xfe:99999999\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET /health HTTP/1.0\r\n\r\n",
    b"GET http://[::1/health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://other.example/health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET //health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%ff%fe%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /health?%ff=%00&a[=]&&&= HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /health#x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET ?x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"BREW /health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"TRACE /health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nX-\x00: y\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nOrigin: http://[\r\nAccess-Control-Request-Method: GET\r\n\r\n",
    b"OPTIONS /health HTTP/1.1\r\nHost: x\r\nOrigin: http://[\r\nAccess-Control-Request-Method: \xff\r\n\r\n",
    b"GET /api/auth/me HTTP/1.1\r\nHost: [\r\nAuthorization: \xff\r\n\r\n",
    b"GET /api/auth/me HTTP/1.1\r\nHost: [\r\nAuthorization: Bearer \xff.\xff.\xff\r\n\r\n",
    b'GET /health HTTP/1.1\r\nHost: x\r\nIf-None-Match: \xff"\r\nAccept: \xff\r\nCookie: \xff=;=\r\n\r\n',
    b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: \xff;;=\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json; charset=\xff\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n\r\n{}",
    b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n{}",
    b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /ws/radar-stream HTTP/1.1\r\nHost: [\r\nOrigin: http://[\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    b"GET /ws/radar-stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    b"GET /ws/nothing HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
)


def connect(bridge) -> socket.socket:
    host, port = bridge.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def answer(bridge, request: bytes) -> int | None:
    """Return the status of the answer; None where the connection is closed without one."""
    with connect(bridge) as raw:
        raw.sendall(request)
        raw.settimeout(5)
        said = b""
        try:
            while b"\r\n" not in said:
                piece = raw.recv(4096)
                if not piece:
                    break
                said += piece
        except ConnectionResetError:
            pass
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", said)
    return int(found.group(1)) if found else None


def test_an_odd_request_is_the_clients_fault(start_bridge):
    bridge = start_bridge(requests_timeout_s=1.0, allowed_origins=["https://dash.example.org"])
    statuses = {request: answer(bridge, request) for request in ODD}
    assert {request: status for request, status in statuses.items() if status is not None and status >= 500} == {}
    assert answer(bridge, ODD[0]) == 400  # HTTP/1.1 asks for a host
    assert answer(bridge, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n") == 200
    head = b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert answer(bridge, head) == 200
    assert sum(status is None for status in statuses.values()) <= 2, statuses
    assert "Traceback" not in "".join(bridge.lines)


def test_late_and_large_requests_are_cut_short(start_bridge):
    bridge = start_bridge(requests_timeout_s=0.5, max_body_bytes=2048)
    login = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    cases = {
        "silent": (b"", b""),
        "slow headers": (b"GET /health HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n"),
        "slow body": (login + b"Content-Length: 999\r\n\r\n", b" "),
    }
    for name, (first, again) in cases.items():
        with connect(bridge) as raw:
            begin = time.monotonic()
            raw.sendall(first)
            while not select.select([raw], [], [], 0.05)[0]:
                assert time.monotonic() - begin < 5, name
                raw.sendall(again)
            said = raw.recv(4096)
        assert (b" 408 " in said) == bool(first), (name, said)
    assert answer(bridge, login + b"Content-Length: 2049\r\n\r\n" + b" " * 2049) == 413
    chunk = b"400\r\n" + b" " * 1024 + b"\r\n"
    assert answer(bridge, login + b"Transfer-Encoding: chunked\r\n\r\n" + 3 * chunk) == 413
    assert answer(bridge, login + b"Content-Length: 2048\r\n\r\n" + b"[" * 2048) == 400
    assert answer(bridge, login + b"Content-Length: 2048\r\n\r\n" + b" " * 2048) == 400  # just no JSON
