"""Calls services as any DDS participant may."""

import time


def call_service(node, kind: type, name: str, **fields):
    """Call a service from a node that is spun elsewhere, and return the answer."""
    client = node.create_client(kind, name)
    assert client.wait_for_service(20), name
    future = client.call_async(kind.Request(**fields))
    end = time.monotonic() + 20
    while not future.done():
        assert time.monotonic() < end, f"{name} does not answer"
        time.sleep(0.01)
    return future.result()
