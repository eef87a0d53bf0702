# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Who may connect to the Foxglove server, and who is cut."""

import json
import socket

import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from aegis.foxglove import gate
from aegis.foxglove.settings import FoxgloveSettings
from aegis.foxglove.stage import POINTS
from aegis.ros.messages.clouds import cloud_to_msg

TOKEN = "a token of some length"


def subscribe(websocket) -> None:
    """Subscribe to the points, once they are offered."""
    while True:
        message = json.loads(websocket.recv(timeout=10))
        for channel in message.get("channels", ()):
            if channel["topic"] == POINTS:
                websocket.send(
                    json.dumps({"op": "subscribe", "subscriptions": [{"id": 1, "channelId": channel["id"]}]})
                )
                return


def status(stage, path: str = "", **options) -> int:
    """Return the status with which a connection is answered; 101 where it is let in."""
    try:
        with connect(
            f"ws://127.0.0.1:{stage.settings.port}/{path}",
            subprotocols=["foxglove.sdk.v1"], close_timeout=0.2, **options,
        ):  # fmt: skip
            return 101
    except InvalidStatus as error:
        return error.response.status_code


def test_pages_of_other_origins_are_turned_away(serve):
    stage = serve()
    allowed = (
        None,
        "https://app.foxglove.dev",
        "file://",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://[::1]:1",
    )
    assert {origin: status(stage, origin=origin) for origin in allowed} == dict.fromkeys(allowed, 101)
    foreign = ("https://evil.example", "null", "http://localhost.evil.example:8765", "http://10.0.0.1")
    assert {origin: status(stage, origin=origin) for origin in foreign} == dict.fromkeys(foreign, 403)
    assert stage.detail()["turned_away"] == {"a page of another origin (parameter allowed_origins)": len(foreign)}
    assert status(serve(allowed_origins=("*",)), origin="https://evil.example") == 101
    assert status(serve(allowed_origins=()), origin="file://") == 403


def test_a_token_is_asked_for_where_there_is_one(serve):
    stage = serve(token=TOKEN)
    assert [status(stage, path) for path in ("", "?token=", "?token=another%20token%20of%20length")] == [401] * 3
    assert status(stage, "?token=" + TOKEN.replace(" ", "%20")) == 101
    assert status(stage, additional_headers={"Authorization": f"Bearer {TOKEN}"}) == 101
    assert TOKEN not in str(stage._offer().parameters)


def test_the_token_goes_no_farther():
    settings = FoxgloveSettings.load({"token": TOKEN})
    head = f"GET /?token={TOKEN.replace(' ', '+')} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    assert gate.admitted(head.encode(), settings) == b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("head", [b"", b"POST / HTTP/1.1", b"GET /", b"\xff\xfe \x00 HTTP", b"GET  / HTTP/1.1"])
def test_what_is_no_request_is_turned_away(head):
    with pytest.raises(gate.RefusedError) as refused:
        gate.admitted(head + b"\r\n\r\n", FoxgloveSettings())
    assert refused.value.status == 400


def test_silent_and_endless_connections_are_cut_and_bounded(serve, monkeypatch, wait_for):
    monkeypatch.setattr(gate, "HEAD_S", 0.5)
    monkeypatch.setattr(gate, "MOST_CONNECTIONS", 4)
    stage = serve()
    address = ("127.0.0.1", stage.settings.port)
    with socket.create_connection(address) as endless:
        endless.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 2 * gate.HEAD_BYTES)
        assert endless.recv(100).startswith(b"HTTP/1.1 400")
    wait_for(lambda: stage.detail()["viewers"] == 0, "it is gone")
    silent = [socket.create_connection(address) for _ in range(5)]
    try:
        answers = [one.recv(100)[:12] for one in reversed(silent)]
        assert sorted(answers) == [b"HTTP/1.1 408"] * 4 + [b"HTTP/1.1 503"]
    finally:
        for one in silent:
            one.close()
    wait_for(lambda: stage.detail()["viewers"] == 0, "they are gone")
    assert status(stage) == 101


def test_a_viewer_that_never_reads_is_cut_and_another_sees_on(serve, monkeypatch, wait_for):
    monkeypatch.setattr(gate, "STALLED_S", 0.5)
    stage = serve()
    points = np.zeros(50_000)
    cloud = cloud_to_msg({"x": points, "y": points}, frame_id="map", stamp_ns=5)
    url = f"ws://127.0.0.1:{stage.settings.port}"
    options = {"subprotocols": ["foxglove.sdk.v1"], "max_size": None, "close_timeout": 0.2}
    with connect(url, max_queue=1, **options) as websocket:
        subscribe(websocket)  # and read no more

        def cut() -> bool:
            list(stage.on_message("radar/points", cloud))
            return stage.detail()["turned_away"] == {"never read": 1}

        wait_for(cut, "it is cut", 30)
    with connect(url, **options) as websocket:
        subscribe(websocket)
        for _ in range(100):
            list(stage.on_message("radar/points", cloud))
            try:
                if isinstance(websocket.recv(timeout=0.1), bytes):
                    return
            except TimeoutError:
                continue
        pytest.fail("the other sees nothing")
