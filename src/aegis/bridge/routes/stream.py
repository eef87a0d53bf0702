"""The live stream: a WebSocket that authenticates with its first message, never in the URL."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from aegis.bridge.accounts.tokens import Principal, TokenError
from aegis.bridge.context import Bridge, bridge_of
from aegis.bridge.stream.hub import CHANNELS, Client

router = APIRouter()
_log = logging.getLogger(__name__)

# Close codes of our own (4000 to 4999 are free for applications).
UNAUTHENTICATED, FORBIDDEN = 4401, 4403
UNSUPPORTED_DATA, TRY_AGAIN_LATER = 1003, 1013
COMMAND_PAUSE_S = 0.02  # a client's commands are read no faster, so that one client cannot keep the loop busy


@router.websocket("/ws/radar-stream")
async def radar_stream(websocket: WebSocket) -> None:
    """Stream radar_frame, threats, system_status and heartbeat to a client that authenticates."""
    bridge = bridge_of(websocket)
    if not _origin_allowed(websocket, bridge):
        _log.warning("WebSocket refused: origin %r is not allowed", websocket.headers.get("origin"))
        await websocket.close(FORBIDDEN)
        return
    await websocket.accept()
    try:
        principal = await _authenticate(websocket, bridge)
        if principal is None:
            await websocket.close(UNAUTHENTICATED, "authenticate first")
            return
        if bridge.hub.full:
            await websocket.close(TRY_AGAIN_LATER, "too many clients")
            return
        await _serve(websocket, bridge, Client(websocket, principal, bridge.settings.ws_queue_length))
    except WebSocketDisconnect:
        pass  # the client went away: nobody is left to tell


def _origin_allowed(websocket: WebSocket, bridge: Bridge) -> bool:
    """Tell whether a browser's page may connect; programs send no Origin."""
    origin = websocket.headers.get("origin")
    if origin is None or origin in bridge.settings.allowed_origins:
        return True
    host = websocket.headers.get("host", "")
    return bool(host) and origin.partition("://")[2].lower() == host.lower()


async def _authenticate(websocket: WebSocket, bridge: Bridge) -> Principal | None:
    """Return who the first message's token speaks for; None when it does not come, or is not accepted."""
    try:
        async with asyncio.timeout(bridge.settings.ws_auth_s):
            message = _decode(await websocket.receive_text())
        if message.get("type") != "auth" or not isinstance(message.get("token"), str):
            return None
        return bridge.tokens.verify(message["token"])
    except (TimeoutError, ValueError, KeyError, TokenError) as error:
        _log.info("WebSocket not authenticated: %s: %s", type(error).__name__, error)
        return None


def _decode(text: str) -> dict[str, Any]:
    """Return a client's message.

    Raises:
        ValueError: it is not a JSON object.
    """
    message = orjson.loads(text)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")
    return message


async def _serve(websocket: WebSocket, bridge: Bridge, client: Client) -> None:
    """Serve a client until it leaves, is cut off, breaks the protocol, or its token expires."""
    client.offer(orjson.dumps({"type": "auth_ok", **client.describe()}).decode())
    sender = asyncio.create_task(client.send_all())
    reader = asyncio.create_task(_read(websocket, bridge, client))
    bridge.hub.add(client)
    try:
        left_s = max(0.0, client.principal.expires_at - time.time())
        done, _ = await asyncio.wait({sender, reader}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        bridge.hub.remove(client)
        sender.cancel()
        reader.cancel()
        ended = await asyncio.gather(sender, reader, return_exceptions=True)
    for result in ended:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            _log.error("WebSocket of '%s' failed", client.principal.name, exc_info=result)
    if not done:
        await _close(websocket, client, UNAUTHENTICATED, "the token has expired")
    elif reader in done and not isinstance(ended[1], BaseException):
        await _close(websocket, client, UNSUPPORTED_DATA, "a message is a JSON object")


async def _close(websocket: WebSocket, client: Client, code: int, reason: str) -> None:
    """Close with a code, or cut the connection when the client does not even take that."""
    try:
        async with asyncio.timeout(1.0):
            await websocket.close(code, reason)
    except TimeoutError:
        client.cut()


async def _read(websocket: WebSocket, bridge: Bridge, client: Client) -> None:
    """Answer a client's commands; return when it sends what is no message."""
    while True:
        try:
            answer = _command(_decode(await websocket.receive_text()), bridge, client)
        except (ValueError, KeyError):  # KeyError: a binary message
            return
        client.offer(orjson.dumps(answer).decode())
        await asyncio.sleep(COMMAND_PAUSE_S)


def _command(message: dict[str, Any], bridge: Bridge, client: Client) -> dict[str, Any]:
    """Do what a client asks, and return the answer."""
    kind = message.get("type")
    if kind == "ping":
        return {"type": "pong", "time_s": time.time()}
    if kind == "get_status":
        return {"type": "status", **bridge.system_status(), "client": client.describe()}
    if kind == "subscribe":
        wanted = message.get("channels")
        if not isinstance(wanted, list) or not all(channel in CHANNELS for channel in map(str, wanted)):
            return _refusal(kind, f"channels is a list of {', '.join(CHANNELS)}")
        denied = sorted(set(map(str, wanted)) - client.allowed)
        if denied:
            return _refusal(kind, f"the token's scopes do not cover {', '.join(denied)}")
        client.channels = frozenset(map(str, wanted))
        return {"type": "subscribed", "channels": sorted(client.channels)}
    return _refusal(str(kind)[:32], "unknown command; known are ping, get_status, subscribe")


def _refusal(command: str, detail: str) -> dict[str, Any]:
    return {"type": "error", "command": command, "detail": detail}
