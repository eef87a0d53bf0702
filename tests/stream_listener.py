# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A client of the live stream without a connection."""

from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.stream.client import Client
from aegis.bridge.stream.subscription import Format, Subscription


class Listener(Client):
    """Takes what is offered when it is asked to."""

    def __init__(self, form: Format, queue_length: int = 100, **wanted: object) -> None:
        who = Principal("somebody", "viewer", frozenset({"radar:read", "threats:read"}), 1e12, "s0")
        super().__init__(who, Subscription(format=form, **wanted), queue_length)

    def payloads(self) -> list[bytes]:
        """Return the contents of the WebSocket frames that wait (RFC 6455, 5.2: 2, 4 or 10 bytes before them)."""
        frames = iter(self.next_frame, None)
        return [frame[{126: 4, 127: 10}.get(frame[1], 2) :] for frame in frames]

    def stalled_s(self, now: float) -> float:
        return 0.0

    def cut(self) -> None:
        raise AssertionError("cut")
