# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The live stream: a WebSocket that authenticates with its first message, never in the URL."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import replace

import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from aegis.bridge.accounts.tokens import Principal, TokenError
from aegis.bridge.bridge import Bridge, bridge_of
from aegis.bridge.http.guard import record_denied
from aegis.bridge.problem import ProblemError
from aegis.bridge.stream.channels import DEFAULT_CHANNELS, allowed_channels
from aegis.bridge.stream.client import WebSocketClient, Wire
from aegis.bridge.stream.subscription import Format, Subscription, SubscriptionError, subscription
from aegis.bridge.stream.ws_protocol import WIRE, Opcode, data_frame

router = APIRouter()
Message = Mapping[str, object]  # a command or an answer: one JSON object
_log = logging.getLogger(__name__)

# Close codes of our own (4000 to 4999 are free for applications).
UNAUTHENTICATED, FORBIDDEN = 4401, 4403
UNSUPPORTED_DATA, TRY_AGAIN_LATER = 1003, 1013
MOST_REASON_BYTES = 123  # RFC 6455 section 5.5
COMMAND_PAUSE_S = 0.02  # a client's commands are read no faster, so that one client cannot keep the loop busy


@router.websocket("/ws/radar-stream")
async def radar_stream(websocket: WebSocket) -> None:
    """Stream radar_frame, threats, system_status, heartbeat and ew to a client that authenticates."""
    bridge = bridge_of(websocket)
    if not _origin_allowed(websocket, bridge):
        _log.warning("WebSocket refused: origin %r is not allowed", websocket.headers.get("origin"))
        await record_denied(bridge.audit, websocket, "foreign origin")
        await websocket.close(FORBIDDEN)
        return
    await websocket.accept()
    try:
        principal = await _authenticate(websocket, bridge)
        if principal is None:
            await websocket.close(UNAUTHENTICATED, "authenticate first")
            return
        websocket.state.principal = principal  # for the log
        if bridge.hub.full:
            await websocket.close(TRY_AGAIN_LATER, "too many clients")
            return
        start = Subscription(channels=DEFAULT_CHANNELS & allowed_channels(principal.scopes))
        wire: Wire = websocket.scope["extensions"][WIRE]
        await _serve(websocket, bridge, WebSocketClient(wire, principal, start, bridge.settings.stream.queue_length))
    except ProblemError as error:
        await websocket.close(TRY_AGAIN_LATER, error.detail[:MOST_REASON_BYTES])
    except WebSocketDisconnect:
        pass  # the client is gone: there is no one to answer


def _origin_allowed(websocket: WebSocket, bridge: Bridge) -> bool:
    """Return whether a browser's page may connect; programs send no Origin."""
    origin = websocket.headers.get("origin")
    if origin is None or origin in bridge.settings.allowed_origins:
        return True
    host = websocket.headers.get("host", "")
    return bool(host) and origin.partition("://")[2].lower() == host.lower()


async def _authenticate(websocket: WebSocket, bridge: Bridge) -> Principal | None:
    """Return who the first message's token speaks for; None when it does not come, or is not accepted."""
    try:
        async with asyncio.timeout(bridge.settings.stream.auth_s):
            message = _decode(await websocket.receive_text())
        if message.get("type") != "auth":
            return None
        return await _principal(message, bridge)
    except TokenError as error:
        await record_denied(bridge.audit, websocket, str(error))
        return None
    except (TimeoutError, ValueError, KeyError) as error:
        _log.info("WebSocket not authenticated: %s: %s", type(error).__name__, error)
        return None


async def _principal(message: Message, bridge: Bridge) -> Principal:
    """Return who an `auth` message speaks for.

    Raises:
        TokenError: it holds neither a token nor a ticket, or one that is not accepted.
        ProblemError: 503, it cannot be looked at now.
    """
    token, ticket = message.get("token"), message.get("ticket")
    if isinstance(token, str):
        return bridge.tokens.verify(token)
    principal = await bridge.tickets.redeem(ticket) if isinstance(ticket, str) else None
    if principal is None:
        raise TokenError("no token, and no ticket that is good")
    return principal


def _decode(text: str) -> Message:
    """Return a client's message.

    Raises:
        ValueError: it is not a JSON object.
    """
    message = orjson.loads(text)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")
    return message


async def _serve(websocket: WebSocket, bridge: Bridge, client: WebSocketClient) -> None:
    """Serve a client until it leaves, is cut off, breaks the protocol, or its token expires."""
    reader = asyncio.create_task(_read(websocket, bridge, client))
    bridge.hub.add(client)
    _answer(client, {"type": "auth_ok", **client.describe()})
    bridge.hub.greet(client)
    done: set[asyncio.Task[None]] = set()
    try:
        while not done and (left_s := client.principal.expires_at - time.time()) > 0.0:  # it may be renewed meanwhile
            done, _ = await asyncio.wait({reader}, timeout=left_s)
    finally:
        bridge.hub.remove(client)
        reader.cancel()
        (ended,) = await asyncio.gather(reader, return_exceptions=True)
    if isinstance(ended, Exception) and not isinstance(ended, WebSocketDisconnect):
        _log.error("WebSocket of '%s' failed", client.principal.name, exc_info=ended)
    if not done:
        await _close(websocket, client, UNAUTHENTICATED, "the token has expired")
    elif ended is None:
        await _close(websocket, client, UNSUPPORTED_DATA, "a message is a JSON object")


async def _close(websocket: WebSocket, client: WebSocketClient, code: int, reason: str) -> None:
    """Close with a code, or cut the connection when the client does not even take that."""
    try:
        async with asyncio.timeout(1.0):
            await websocket.close(code, reason)
    except TimeoutError:
        client.cut()


async def _read(websocket: WebSocket, bridge: Bridge, client: WebSocketClient) -> None:
    """Answer a client's commands; return when it sends what is no message."""
    while True:
        try:
            message = _decode(await websocket.receive_text())
        except (ValueError, KeyError):  # KeyError: a binary message
            return
        _answer(client, await _command(message, bridge, client))
        if message.get("type") == "subscribe":
            bridge.hub.greet(client)
        elif message.get("type") == "full":
            bridge.hub.give_full(client)
        await asyncio.sleep(COMMAND_PAUSE_S)


def _answer(client: WebSocketClient, answer: Message) -> None:
    client.answer(data_frame(Opcode.TEXT, orjson.dumps(answer)))


async def _command(message: Message, bridge: Bridge, client: WebSocketClient) -> Message:
    """Do what a client asks, and return the answer."""
    kind = message.get("type")
    if kind == "ping":
        return {"type": "pong", "time_s": time.time()}
    if kind == "get_status":
        return {"type": "status", **bridge.system_status(), "client": client.describe()}
    if kind == "full":
        return {"type": "full_sent"}
    if kind == "subscribe":
        return _subscribe({key: value for key, value in message.items() if key != "type"}, bridge, client)
    if kind == "auth":
        return await _renew(message, bridge, client)
    return _refusal(str(kind)[:32], "unknown command; known are ping, get_status, subscribe, full, auth")


def _subscribe(fields: Message, bridge: Bridge, client: WebSocketClient) -> Message:
    try:
        wanted = subscription(fields, client.allowed)
        if wanted.format is Format.SSE:
            raise SubscriptionError("format: json, msgpack or delta is possible here")
    except SubscriptionError as error:
        return _refusal("subscribe", str(error))
    bridge.hub.change(client, wanted)
    return {"type": "subscribed", **wanted.describe()}


async def _renew(message: Message, bridge: Bridge, client: WebSocketClient) -> Message:
    """Take a newer token of the same person, so that the stream outlives the first one."""
    try:
        principal = await _principal(message, bridge)
    except ProblemError as error:
        return _refusal("auth", error.detail)
    except TokenError as error:
        _log.info("WebSocket of '%s' not renewed: %s", client.principal.name, error)
        return _refusal("auth", "the token is not accepted")
    if principal.name != client.principal.name:
        return _refusal("auth", "the token is somebody else's")
    client.principal = principal
    if not client.subscription.channels <= client.allowed:
        left = client.subscription.channels & client.allowed
        bridge.hub.change(client, replace(client.subscription, channels=left))
    return {"type": "auth_ok", **client.describe()}


def _refusal(command: str, detail: str) -> Message:
    return {"type": "error", "command": command, "detail": detail}
