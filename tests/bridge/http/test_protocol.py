# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A request must arrive in time: uvicorn with our protocol on a socket, and clients that are slow in every way."""

import asyncio
import contextlib
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from websockets.sync.client import connect

from aegis.bridge.http import protocol
from aegis.bridge.settings import BridgeSettings

TIMEOUT_S = 0.6
SLACK_S = 2.0  # what a busy machine may add
HEADERS = b"GET /quick HTTP/1.1\r\nHost: x\r\n"
PIECE_S = 0.05


async def application(scope, receive, send) -> None:
    """Read the body, if there is one, then answer; /slow takes three timeouts, /early does not wait for the body."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        return
    if scope["path"] != "/early":
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            if not message["more_body"]:
                break
    if scope["path"] == "/slow":
        await asyncio.sleep(3 * TIMEOUT_S)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})


@contextmanager
def serving(**options: object) -> Iterator[int]:
    """Serve the application in a thread; yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application,
        loop=f"{protocol.__name__}:Loop",
        http=protocol.protocol_class(TIMEOUT_S),
        ws="websockets-sansio",
        timeout_keep_alive=2 * TIMEOUT_S,
        timeout_graceful_shutdown=1,
        log_config=None,
        **options,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as number:
        yield number


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def watch(port: int, talk: Talk) -> tuple[bytes, float]:
    """Talk to the server until it closes; return all it said, and after how long it closed."""
    begin = time.monotonic()  # before the server's time begins, which is when it takes the connection
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    talking = asyncio.create_task(talk(reader, writer))
    said = b""
    try:
        while piece := await asyncio.wait_for(reader.read(4096), 30):
            said += piece
    except ConnectionResetError:
        pass
    after_s = time.monotonic() - begin
    talking.cancel()
    await asyncio.gather(talking, return_exceptions=True)
    writer.close()
    return said, after_s


def saying(first: bytes, again: bytes = b"") -> Talk:
    """Return a talk that says something, and then something more again and again."""

    async def talk(_reader, writer) -> None:
        writer.write(first)
        while again:
            await asyncio.sleep(PIECE_S)
            writer.write(again)
            await writer.drain()

    return talk


POST = b"POST /quick HTTP/1.1\r\nHost: x\r\n"
LATE = {
    "says nothing": (saying(b""), b""),
    "ends lines and says no more": (saying(b"", b"\r\n"), b""),
    "begins": (saying(b"G"), b" 408 "),
    "slow request line": (saying(b"GET /", b"x"), b" 408 "),
    "slow headers": (saying(HEADERS, b"X-A: b\r\n"), b" 408 "),
    "one endless header": (saying(HEADERS + b"X-A: ", b"b"), b" 408 "),
    "no body": (saying(POST + b"Content-Length: 9\r\n\r\n"), b" 408 "),
    "slow body": (saying(POST + b"Content-Length: 999\r\n\r\n", b"x"), b" 408 "),
    "slow chunks": (saying(POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), b" 408 "),
    "waits to be told to continue": (saying(POST + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n"), b" 408 "),
    "slow upgrade": (saying(HEADERS + b"Upgrade: websocket\r\nConnection: Upgrade\r\n", b"X-A: b\r\n"), b" 408 "),
    # Answered before its body has come: the body must still come in time.
    "slow body after the answer": (saying(b"POST /early HTTP/1.1\r\nContent-Length: 999\r\n\r\n", b"x"), b" 200 "),
    # The first one was answered.
    "ends lines after a request": (saying(HEADERS + b"\r\n", b"\r\n"), b" 200 "),
    "slow second request": (saying(HEADERS + b"\r\nGET /", b"x"), b" 200 "),
}


def test_every_late_request_is_closed_in_time(port):
    async def all_at_once() -> list[tuple[bytes, float]]:
        return await asyncio.gather(*(watch(port, talk) for talk, _ in LATE.values()))

    for (name, (_, expected)), (said, after_s) in zip(LATE.items(), asyncio.run(all_at_once()), strict=True):
        assert expected in said, (name, said)
        assert bool(said) == bool(expected), (name, said)
        assert TIMEOUT_S * 0.9 < after_s < TIMEOUT_S + SLACK_S, (name, after_s)
        if b" 408 " in said:
            head, _, body = said.rpartition(b"\r\n\r\n")
            assert json.loads(body)["detail"] == "a request must arrive within 0.6 s", name
            assert b"connection: close" in head, name


def test_a_body_that_comes_late_behind_its_answer_leaves_no_connection_behind(port):
    """uvicorn's own keep-alive timeout would have been forgotten."""

    async def talk(reader, writer) -> None:
        writer.write(b"POST /early HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
        await asyncio.sleep(PIECE_S)
        writer.write(b"123456789")

    said, after_s = asyncio.run(watch(port, talk))
    assert b" 200 " in said
    assert after_s < 2 * TIMEOUT_S + SLACK_S  # the keep-alive timeout


def test_a_slow_answer_is_waited_for_also_behind_a_stray_line_end(port):
    async def stray(_reader, writer) -> None:
        writer.write(request)
        await asyncio.sleep(PIECE_S)
        writer.write(b"\r\n")

    async def both() -> list[tuple[bytes, float]]:
        return await asyncio.gather(watch(port, saying(request)), watch(port, stray))

    request = b"GET /slow HTTP/1.1\r\nConnection: close\r\n\r\n"

    for said, after_s in asyncio.run(both()):
        assert said.endswith(b"done")
        assert after_s > 3 * TIMEOUT_S


def test_what_comes_late_behind_a_running_answer_says_nothing_into_it(port):
    said, _ = asyncio.run(watch(port, saying(b"GET /slow HTTP/1.1\r\n\r\nGET /quick HT")))
    assert b"408" not in said


def test_requests_on_one_connection_each_have_their_time(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        begin = time.monotonic()
        for _ in range(8):
            raw.sendall(HEADERS)
            raw.settimeout(TIMEOUT_S / 6)
            with pytest.raises(TimeoutError):  # nothing comes before the request is whole
                raw.recv(4096)
            raw.settimeout(10)
            raw.sendall(b"\r\n")
            answer = b""
            while not answer.endswith(b"done"):
                answer += raw.recv(4096)
        assert time.monotonic() - begin > TIMEOUT_S


def test_a_websocket_stays_also_after_an_earlier_request(port):
    with connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client:
        with pytest.raises(TimeoutError):
            client.recv(3 * TIMEOUT_S)
        client.send("still there?")
        assert client.recv(10) == "still there?"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(HEADERS + b"\r\n")
        while not raw.recv(4096).endswith(b"done"):
            pass
        raw.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert b" 101 " in raw.recv(4096)
        raw.settimeout(3 * TIMEOUT_S)  # longer than the keep-alive timeout
        with pytest.raises(TimeoutError):
            raw.recv(4096)


def test_a_connection_without_a_tls_handshake_is_closed(tmp_path: Path, monkeypatch):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not on this machine")
    assert protocol.TLS_HANDSHAKE_S <= 10.0
    monkeypatch.setattr(protocol, "TLS_HANDSHAKE_S", TIMEOUT_S)
    with serving(ssl_certfile=str(certificate), ssl_keyfile=str(key)) as port:
        said, after_s = asyncio.run(watch(port, saying(b"")))
        assert (said, after_s < TIMEOUT_S + SLACK_S) == (b"", True)
        context = ssl.create_default_context(cafile=certificate)
        context.check_hostname = False
        begin = time.monotonic()
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
            context.wrap_socket(raw) as secure,
        ):
            secure.sendall(b"GET /")
            said = b""
            while piece := secure.recv(4096):
                said += piece
        assert b" 408 " in said
        assert time.monotonic() - begin < TIMEOUT_S + SLACK_S


def test_the_bound_is_ten_seconds():
    assert BridgeSettings.load({}).requests.timeout_s == 10.0


LINE, HEAD, MOST = protocol.MAX_LINE_BYTES, protocol.MAX_HEAD_BYTES, protocol.MAX_HEADERS
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
BIG = b"X: " + (LINE - 1) * b"a" + b"\r\n"  # as large as a header may be
TOO_LARGE = {
    "a long header": (HEADERS + b"X: " + LINE * b"a" + b"\r\n\r\n", b" 431 "),
    "a header that does not end": (HEADERS + b"X: " + (LINE + 4096) * b"a", b" 431 "),
    "a name that does not end": (HEADERS + (LINE + 4096) * b"a", b" 431 "),
    "many headers": (HEADERS + MOST * b"X: a\r\n" + b"\r\n", b" 431 "),  # with its Host one too many
    "much in few headers": (HEADERS + (HEAD // LINE) * BIG + b"X: a\r\n" + b"\r\n", b" 431 "),
    "a long URL": (b"GET /" + LINE * b"a" + b" HTTP/1.1\r\nHost: x\r\n\r\n", b" 414 "),
    "many trailers": (CHUNKED + b"0\r\n" + MOST * b"X: a\r\n" + b"\r\n", b" 431 "),
    "a trailer that does not end": (CHUNKED + b"0\r\nX: " + (LINE + 4096) * b"a", b" 431 "),
    "an extension of a chunk that does not end": (CHUNKED + b"1;" + (LINE + 4096) * b"a", b" 431 "),
    "a long header of an upgrade": (
        HEADERS + b"Upgrade: websocket\r\nConnection: Upgrade\r\nX: " + LINE * b"a" + b"\r\n\r\n", b" 431 "
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_head_that_is_too_large_is_refused(port, name):
    request, status = TOO_LARGE[name]
    said, _ = asyncio.run(watch(port, saying(request)))
    assert said.startswith(b"HTTP/1.1" + status), said
    body = json.loads(said.partition(b"\r\n\r\n")[2])
    assert set(body) == {"detail"}


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEADERS + BIG + b"Connection: close\r\n\r\n",
        HEADERS + (MOST - 2) * b"X: a\r\n" + b"Connection: close\r\n\r\n",
        HEADERS + (HEAD // LINE - 1) * BIG + b"Connection: close\r\n\r\n",
        POST + b"Connection: close\r\nContent-Length: 100000\r\n\r\n" + 100000 * b"a",
    ],
    ids=["one large header", "as many as may be", "much together", "a large body"],
)
def test_a_head_within_the_bounds_is_taken(port, request_bytes):
    said, _ = asyncio.run(watch(port, saying(request_bytes)))
    assert said.startswith(b"HTTP/1.1 200 "), said
    assert said.endswith(b"done")


def test_a_flood_of_headers_is_not_kept(port):
    """A client that goes on sending: what arrives is bounded, whatever it sends."""
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw, contextlib.suppress(OSError):
        raw.sendall(HEADERS + b"X: ")
        while sent < 2**28:
            sent += raw.send(2**16 * b"a")
    assert sent < 2**26  # what the sockets between us hold, and not the whole
