# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The proof of a decision holds after any way over DDS, and for what was said only."""

import ctypes

import pytest
from aegis_msgs.msg import AlarmArray, ClassInfo, Event, EwAdviceArray, ProtectedArray, ZoneArray
from aegis_msgs.srv import AcknowledgeEw, HandleAlarm, Restart, Scan, SetMode
from rclpy.serialization import deserialize_message, serialize_message

from aegis.core.decisions import ProofChecker
from aegis.graph.nodes import NODES
from aegis.ros.proofs import check_proof, has_proof, prove
from aegis.ros.qos import message_class
from aegis.ros.topics import COMMON_SERVICES, TOPICS

KEY = b"a key of thirty-two bytes, or so"


def filled(kind, seed: int):
    """Return a message with all fields set, floats to what float32 cannot hold."""
    message = kind()
    values = {"string": f"n {seed}", "double": seed / 3, "float": seed / 7, "boolean": bool(seed % 2)}
    for name, field in kind.get_fields_and_field_types().items():
        bare = field.removeprefix("sequence<").rstrip(">")
        if bare in values:
            value = values[bare]
        elif "int" in bare:
            value = seed % 100
        else:
            continue
        setattr(message, name, [value] * (seed % 5) if field.startswith("sequence") else value)
    return message


def soil(seed: int) -> None:
    """Leave something else in the freed memory in which messages are serialised."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    taken = [libc.malloc(size) for size in range(16, 2048, 16) for _ in range(8)]
    for k, at in enumerate(taken):
        ctypes.memset(at, (seed * 37 + k) % 255 + 1, 16 + k // 8 * 16)
    for at in taken:
        libc.free(at)


PROVEN = [one.Request for one in (HandleAlarm, AcknowledgeEw, Restart, Scan, SetMode)]
PROVEN += [ZoneArray, AlarmArray, EwAdviceArray, ProtectedArray, ClassInfo, Event]


def test_every_service_and_what_is_published_when_it_changes_has_a_proof():
    services = {one.type for node in NODES.values() for one in (*node.services, *COMMON_SERVICES)}
    latched = {one.type for one in TOPICS.values() if one.latched}
    assert {message_class(kind) for kind in latched} | {message_class(kind).Request for kind in services} == set(PROVEN)


@pytest.mark.parametrize("kind", PROVEN)
def test_no_field_may_be_changed(kind):
    """Each field by itself, by the least that it can be; arrays in their length too."""
    for name, of in kind.get_fields_and_field_types().items():
        if name == "proof":
            continue
        message = filled(kind, 3)
        prove(message, "/here", KEY)
        if of == "std_msgs/Header":
            message.header.stamp.nanosec += 1
        elif of.startswith("sequence"):
            setattr(message, name, list(getattr(message, name))[:-1])
        else:
            before = getattr(message, name)
            least = {bool: lambda v: not v, str: lambda v: v + " ", int: lambda v: v + 1, float: lambda v: v + 1e-9}
            setattr(message, name, least[type(before)](before))
        with pytest.raises(ValueError, match="proof is wrong"):
            check_proof(message, "/here", ProofChecker(KEY), fresh=True)


@pytest.mark.parametrize("kind", PROVEN)
def test_a_proof_holds_on_the_other_side(kind):
    checker = ProofChecker(KEY)
    for seed in range(100):
        message = filled(kind, seed)
        assert has_proof(message)
        prove(message, "/here", KEY)
        soil(seed)
        check_proof(deserialize_message(serialize_message(message), kind), "/here", checker, fresh=True)


def test_what_was_changed_elsewhere_or_repeated_is_refused():
    checker = ProofChecker(KEY)
    message = filled(HandleAlarm.Request, 3)
    prove(message, "/here", KEY)
    with pytest.raises(ValueError, match="proof is wrong"):
        check_proof(message, "/there", checker, fresh=True)
    message.operator_name += "!"
    with pytest.raises(ValueError, match="proof is wrong"):
        check_proof(message, "/here", checker, fresh=True)
    message.operator_name = message.operator_name[:-1]
    check_proof(message, "/here", checker, fresh=True)
    with pytest.raises(ValueError, match="used before"):
        check_proof(message, "/here", checker, fresh=True)
