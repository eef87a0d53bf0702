# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Calls services as any DDS participant may; and publishes and calls with the proof of a node that has the graph's key."""

import time

from rclpy.node import Node
from rclpy.publisher import Publisher

from aegis.decision_key import decision_key
from aegis.ros.proofs import has_proof, prove


def proving(publisher: Publisher) -> Publisher:
    """Return the publisher; from now on what it publishes has a proof, as of a node that shares the state directory's key."""
    publish, name = publisher.publish, publisher.topic_name

    def proven(message):
        if has_proof(message):
            prove(message, name, decision_key())
        publish(message)

    publisher.publish = proven
    return publisher


def proven_request(node: Node, kind: type, name: str, **fields):
    """Return a request as the graph's own bridge sends it."""
    request = kind.Request(**fields)
    prove(request, node.resolve_service_name(name), decision_key())
    return request


def call_service(node, kind: type, name: str, *, request=None, **fields):
    """Call a service from a node that is spun elsewhere, and return the answer."""
    client = node.create_client(kind, name)
    assert client.wait_for_service(20), name
    future = client.call_async(kind.Request(**fields) if request is None else request)
    end = time.monotonic() + 20
    while not future.done():
        assert time.monotonic() < end, f"{name} does not answer"
        time.sleep(0.01)
    return future.result()
