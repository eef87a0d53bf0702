"""Parameters of the live stream."""

from __future__ import annotations

from aegis.core.params import Settings, param


class StreamSettings(Settings):
    """How the live stream treats its clients."""

    ws_queue_length: int = param(
        4, "frames that wait for one WebSocket client; then the oldest is dropped", ge=1, le=100
    )
    ws_eviction_s: float = param(5.0, "a client that reads nothing for so long is cut off", unit="s", gt=0, le=600)
    ws_max_clients: int = param(2000, "WebSocket clients at a time", ge=1, le=100000)
    ws_auth_s: float = param(10.0, "how long a new WebSocket may take to authenticate", unit="s", gt=0, le=60)
    ws_max_message_bytes: int = param(16384, "largest message of a client", unit="B", ge=1024, le=1048576)
    ws_send_buffer_bytes: int = param(
        262144,
        "kernel send buffer of a WebSocket: bounds how old a frame can get there; a small one stalls on delayed ACKs",
        unit="B",
        ge=131072,
        le=16777216,
    )
    heartbeat_s: float = param(5.0, "pause between heartbeats", unit="s", gt=0, le=60)
