# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where Foxglove messages go: channels on a WebSocket server, behind an interface that others fit too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import foxglove
from foxglove import Schema
from foxglove.websocket import (
    AnyInnerParameterValue,
    Capability,
    Client,
    MessageSchema,
    Parameter,
    ServerListener,
    Service,
    ServiceRequest,
    ServiceSchema,
    WebSocketServer,
)

from aegis.core.params import ConfigError

# Counts messages, not bytes; the SDK's default of 1024 can hold half a gigabyte for clients that do not read.
MESSAGE_BACKLOG = 16


Value = AnyInnerParameterValue  # of a parameter: bool, float, str, and lists of these
Channels = Mapping[str, tuple[str, Schema]]  # topic to message encoding and schema


@dataclass(frozen=True)
class Question:
    """A service that only answers: JSON in, JSON out."""

    request: dict[str, object]  # JSON schemas
    response: dict[str, object]
    answer: Callable[[bytes], bytes]  # called in a thread of the server


@dataclass(frozen=True)
class Offer:
    """What viewers may ask for, besides the channels. Nothing can be set: the server has no accounts."""

    parameters: Mapping[str, Value] = field(default_factory=dict)
    services: Mapping[str, Question] = field(default_factory=dict)

    def values(self, names: list[str]) -> dict[str, Value]:
        """Return the parameters of these names; of no names, all."""
        return {name: value for name, value in self.parameters.items() if not names or name in names}


class Sink(Protocol):
    """A server that viewers connect to."""

    def wanted(self, topic: str) -> bool:
        """Tell whether any viewer is subscribed to a channel."""

    def time(self, stamp_ns: int) -> None:
        """Tell viewers the time of what they see."""

    def send(self, topic: str, payload: bytes, stamp_ns: int) -> None:
        """Send an encoded message on one of the channels; viewers that do not keep up lose the oldest."""

    def detail(self) -> dict[str, object]:
        """Return what belongs into the stage's status, JSON-serialisable."""

    def close(self) -> None:
        """Stop the server."""


class SdkSink:
    """A foxglove-sdk server."""

    def __init__(self, host: str, port: int, name: str, channels: Channels, offer: Offer) -> None:
        """Start to listen.

        Args:
            host: address to bind.
            port: TCP port.
            name: what viewers show as the source.
            channels: topic to message encoding and schema.
            offer: what else viewers may ask for.

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
                name=name, host=host, port=port, context=context, message_backlog_size=MESSAGE_BACKLOG,
                capabilities=[Capability.Time, Capability.Parameters, Capability.Services], supported_encodings=["json"],
                server_listener=_Answers(offer),
                services=[_service(name, question) for name, question in offer.services.items()],
            )  # fmt: skip
        except RuntimeError as error:  # the SDK has one type for all that goes wrong here
            raise cannot_listen(host, port, error) from error

    def wanted(self, topic: str) -> bool:
        """Tell whether any viewer is subscribed to a channel."""
        return bool(self._channels[topic].has_sinks())

    def time(self, stamp_ns: int) -> None:
        """Tell viewers the time of what they see."""
        self._server.broadcast_time(stamp_ns)

    def send(self, topic: str, payload: bytes, stamp_ns: int) -> None:
        """Send an encoded message on one of the channels."""
        self._channels[topic].log(payload, log_time=stamp_ns)

    def detail(self) -> dict[str, object]:
        """Return nothing: the SDK does not count what viewers lost."""
        return {}

    def close(self) -> None:
        """Stop the server and disconnect its viewers; the port is free some milliseconds later."""
        for channel in self._channels.values():
            channel.close()
        self._server.stop()


class _Answers(ServerListener):
    """Answers what viewers ask of parameters; what they set stays as it was."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer

    def on_get_parameters(
        self, client: Client, param_names: list[str], request_id: str | None = None
    ) -> list[Parameter]:
        """Return the parameters that a viewer asks for."""
        return [Parameter(name, value=value) for name, value in self._offer.values(param_names).items()]

    def on_set_parameters(
        self, client: Client, parameters: list[Parameter], request_id: str | None = None
    ) -> list[Parameter]:
        """Return the parameters as they are."""
        return self.on_get_parameters(client, [parameter.name for parameter in parameters])


def _service(name: str, question: Question) -> Service:
    def schema(kind: str, fields: dict[str, object]) -> MessageSchema:
        return MessageSchema(encoding="json", schema=json_schema(f"{name} {kind}", fields))

    def handle(request: ServiceRequest) -> bytes:
        return question.answer(request.payload)

    shape = ServiceSchema(
        name, request=schema("request", question.request), response=schema("response", question.response)
    )
    return Service(name, schema=shape, handler=handle)


def json_schema(name: str, fields: dict[str, object]) -> Schema:
    """Return the schema of JSON messages."""
    return Schema(name=name, encoding="jsonschema", data=json.dumps(fields).encode())


def cannot_listen(host: str, port: int, error: Exception) -> ConfigError:
    """Return the error of a server that could not start."""
    return ConfigError(
        f"foxglove: cannot listen on {host} port {port} ({error}); another program may use it: stop that one, or choose another"
        " port (`--set foxglove.port=8766`), or do without (`--no-foxglove`)"
    )
