# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the bridge's stream is compared with: a loop of `await websocket.send_json` over all clients, as tutorials show it.

`python -m aegis.bench.bridge_naive PORT TRACKS HZ`. It makes its own frames: no graph, no login, nothing filtered.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from aegis.bench.picture import detections, tracks
from aegis.bridge.live import columns

PATH, TRACKS_PATH = "/ws", "/tracks"


def create_app(n: int, hz: float) -> FastAPI:
    """Return the application: it sends a radar_frame of n tracks at a rate to whoever connects."""
    clients: set[WebSocket] = set()
    rows = orjson.loads(columns.track_rows(tracks(n, 1, time.time_ns())).json())

    async def broadcast() -> None:
        sequence, due = 0, time.monotonic()
        while True:
            sequence, due = sequence + 1, due + 1.0 / hz
            stamp_ns = time.time_ns()
            frame = {
                "type": "radar_frame",
                "frame": sequence,
                "sequence": sequence,
                "sensor_id": "bench",
                "stamp_s": stamp_ns / 1e9,
                "age_s": 0.0,
                "frame_id": "map",
                # Once through JSON, so that unknown numbers are null as in the bridge's own frames.
                "detections": orjson.loads(columns.detection_brief(detections(n, sequence, stamp_ns)).json()),
                "tracks": orjson.loads(columns.track_brief(tracks(n, sequence, stamp_ns)).json()),
            }
            for client in list(clients):
                try:
                    await client.send_json(frame)
                except (WebSocketDisconnect, RuntimeError):  # RuntimeError: closed on this side
                    clients.discard(client)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(broadcast())
        yield
        task.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.get(TRACKS_PATH)
    async def picture() -> dict[str, Any]:
        return {"count": n, "tracks": rows}

    @app.websocket(PATH)
    async def listen(websocket: WebSocket) -> None:
        await websocket.accept()
        clients.add(websocket)
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await websocket.receive_text()

    return app


if __name__ == "__main__":
    port, count, rate = sys.argv[1:]
    uvicorn.run(
        create_app(int(count), float(rate)),
        host="127.0.0.1",
        port=int(port),
        log_level="error",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
    )
