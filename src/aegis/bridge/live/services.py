# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The graph's services, called from the event loop and answered in the ROS thread."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from rclpy.node import Node

from aegis.bridge.live.nodes import GraphNodes
from aegis.bridge.problem import no_service
from aegis.decision_key import decision_key
from aegis.ros.proofs import has_proof, prove
from aegis.ros.qos import message_class

SCAN, SET_MODE, ACKNOWLEDGE, HANDLE_ALARM = "scan", "set_mode", "ew/acknowledge", "alarms/handle"


class Graph(Protocol):
    """Whom the routes ask to do something on the graph."""

    def has(self, service: str) -> bool:
        """Return whether the graph has a node for a service, whether or not it runs now."""

    def ready(self, service: str) -> bool:
        """Return whether a service is offered."""

    async def call(self, service: str, fields: dict[str, Any], timeout_s: float) -> Any:
        """Call a service with a request of these fields and return the response.

        Raises:
            ProblemError: 503, no node offers it, or the answer did not come in time.
        """


class GraphServices:
    """Clients of every service that the bridge may call, on a node that another thread spins."""

    def __init__(self, node: Node, nodes: GraphNodes) -> None:
        """Create the clients."""
        self._types = {name: message_class(kind) for name, kind in nodes.services.items()}
        self._resolve, self._key = node.resolve_service_name, decision_key()
        self._clients = {name: node.create_client(kind, name) for name, kind in self._types.items()}

    def has(self, service: str) -> bool:
        """Return whether the graph has a node for a service, whether or not it runs now."""
        return service in self._clients

    def ready(self, service: str) -> bool:
        """Return whether a service is offered; of none that the graph does not have."""
        return self.has(service) and bool(self._clients[service].service_is_ready())

    async def call(self, service: str, fields: dict[str, Any], timeout_s: float) -> Any:
        """Call a service with a request of these fields and return the response.

        Raises:
            ProblemError: 503, no node offers it, or the answer did not come in time.
        """
        if not self.ready(service):
            raise no_service(service, "is not offered by any node of the graph")
        client = self._clients[service]
        loop = asyncio.get_running_loop()
        answered = loop.create_future()

        def take(future: Any) -> None:  # in the ROS thread
            loop.call_soon_threadsafe(_settle, answered, future.result())

        request = self._types[service].Request(**fields)  # type: ignore[attr-defined]
        if has_proof(request):
            prove(request, self._resolve(service), self._key)
        pending = client.call_async(request)
        pending.add_done_callback(take)
        try:
            async with asyncio.timeout(timeout_s):
                return await answered
        except TimeoutError:
            raise no_service(service, f"did not answer within {timeout_s:g} s") from None
        finally:
            client.remove_pending_request(pending)


class NoGraph:
    """A bridge without a graph: no service is offered."""

    def has(self, service: str) -> bool:
        """Return True: which services there would be is not known."""
        return True

    def ready(self, service: str) -> bool:
        """Return False."""
        return False

    async def call(self, service: str, fields: dict[str, Any], timeout_s: float) -> Any:
        """Refuse.

        Raises:
            ProblemError: 503, always.
        """
        raise no_service(service, "cannot be called: the bridge is not connected to the graph")


def _settle(answered: asyncio.Future[Any], response: Any) -> None:
    if not answered.done():  # it may have timed out
        answered.set_result(response)
