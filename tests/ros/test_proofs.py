"""The proof of a decision holds after any way over DDS, and for what was said only."""

import ctypes

import pytest
from aegis_msgs.msg import ZoneArray
from aegis_msgs.srv import AcknowledgeEw, HandleAlarm
from rclpy.serialization import deserialize_message, serialize_message

from aegis.core.decisions import ProofChecker
from aegis.ros.proofs import check_proof, has_proof, prove

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


@pytest.mark.parametrize("kind", [HandleAlarm.Request, AcknowledgeEw.Request, ZoneArray])
def test_a_proof_holds_on_the_other_side(kind):
    checker = ProofChecker(KEY)
    for seed in range(300):
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
