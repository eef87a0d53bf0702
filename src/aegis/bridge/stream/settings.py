# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the live stream."""

from __future__ import annotations

from aegis.core.params import Settings, param


class StreamSettings(Settings):
    """How the live stream treats its clients."""

    queue_length: int = param(
        4, "Frames that wait for one client; then the oldest is dropped.", ge=1, le=100, was="ws_queue_length"
    )
    eviction_s: float = param(
        5.0, "A client that reads nothing for so long is cut off.", unit="s", gt=0, le=600, was="ws_eviction_s"
    )
    max_clients: int = param(2000, "Most clients at a time.", ge=1, le=100000, was="ws_max_clients")
    auth_s: float = param(
        10.0, "How long a new WebSocket may take to authenticate.", unit="s", gt=0, le=60, was="ws_auth_s"
    )
    max_message_bytes: int = param(
        16384, "Largest message of a client.", unit="B", ge=1024, le=1048576, was="ws_max_message_bytes"
    )
    send_buffer_bytes: int = param(
        262144,
        "Kernel send buffer of a WebSocket: bounds how old a frame can get there. A small one stalls on delayed ACKs.",
        unit="B",
        ge=131072,
        le=16777216,
        was="ws_send_buffer_bytes",
    )
    heartbeat_s: float = param(5.0, "Pause between heartbeats.", unit="s", gt=0, le=60, was="heartbeat_s")
