"""Where Foxglove messages go: channels on a WebSocket server, behind an interface that others fit too."""

from __future__ import annotations

from typing import Any, Protocol

import foxglove
from foxglove.websocket import WebSocketServer

from aegis.core.params import ConfigError

# Counts messages, not bytes; the SDK's default of 1024 can hold half a gigabyte for clients that do not read.
MESSAGE_BACKLOG = 16


class Sink(Protocol):
    """A server that viewers connect to."""

    def send(self, topic: str, payload: bytes, stamp_ns: int) -> None:
        """Send an encoded message on one of the channels; viewers that do not keep up lose the oldest."""

    def detail(self) -> dict[str, Any]:
        """Return what belongs into the stage's status, JSON-serialisable."""

    def close(self) -> None:
        """Stop the server."""


class SdkSink:
    """A foxglove-sdk server."""

    def __init__(self, host: str, port: int, name: str, channels: dict[str, tuple[str, Any]]) -> None:
        """Start to listen.

        Args:
            host: address to bind.
            port: TCP port.
            name: what viewers show as the source.
            channels: topic to (message encoding, foxglove Schema).

        Raises:
            ConfigError: nothing can listen there, because another process does.
        """
        # A context of its own: the SDK's global one would show a second server in this process the same channels. Kept,
        # because channels do not keep their context, and without it close.
        self._context = context = foxglove.Context()
        self._channels = {
            topic: foxglove.Channel(topic, message_encoding=encoding, schema=schema, context=context)
            for topic, (encoding, schema) in channels.items()
        }
        try:
            self._server: WebSocketServer = foxglove.start_server(
                name=name, host=host, port=port, context=context, capabilities=[], message_backlog_size=MESSAGE_BACKLOG
            )
        except RuntimeError as error:  # the SDK has one type for all that goes wrong here
            raise cannot_listen(host, port, error) from error

    def send(self, topic: str, payload: bytes, stamp_ns: int) -> None:
        """Send an encoded message on one of the channels."""
        self._channels[topic].log(payload, log_time=stamp_ns)

    def detail(self) -> dict[str, Any]:
        """Return nothing: the SDK does not count what viewers lost."""
        return {}

    def close(self) -> None:
        """Stop the server and disconnect its viewers; the port is free some milliseconds later."""
        for channel in self._channels.values():
            channel.close()
        self._server.stop()


def cannot_listen(host: str, port: int, error: Exception) -> ConfigError:
    """Return the error of a server that could not start."""
    return ConfigError(
        f"foxglove: cannot listen on {host} port {port} ({error}); another program may use it: stop that one, "
        "or set the parameters 'host' and 'port' of the node foxglove"
    )
