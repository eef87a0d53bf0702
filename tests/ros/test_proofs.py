# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The proof of a decision holds after any way over DDS, and for what was said only."""

import ctypes
import time
from array import array

import pytest
from aegis_msgs.msg import (
    AlarmArray,
    ClassInfo,
    Event,
    EwAdviceArray,
    PipelineStatus,
    ProtectedArray,
    ThreatArray,
    TrackArray,
    ZoneArray,
)
from aegis_msgs.srv import AcknowledgeEw, HandleAlarm, Restart, Scan, SetMode
from rclpy.serialization import deserialize_message, serialize_message

from aegis.core.decisions import OutdatedError, ProofChecker
from aegis.graph.nodes import NODES
from aegis.ros.proofs import Regular, check_proof, has_proof, prove
from aegis.ros.qos import message_class
from aegis.ros.topics import COMMON_SERVICES, PROVEN_EACH_SCAN, TOPICS

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
PROVEN += [
    ZoneArray,
    AlarmArray,
    EwAdviceArray,
    ProtectedArray,
    ClassInfo,
    Event,
    TrackArray,
    ThreatArray,
    PipelineStatus,
]


def test_every_service_what_is_published_when_it_changes_and_the_picture_have_a_proof():
    services = {one.type for node in NODES.values() for one in (*node.services, *COMMON_SERVICES)}
    topics = {one.type for one in TOPICS.values() if one.latched or one.name in (*PROVEN_EACH_SCAN, "status")}
    assert {message_class(kind) for kind in topics} | {message_class(kind).Request for kind in services} == set(PROVEN)


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


def of_stages(*stages: str, name: str = "/status", key: bytes | None = KEY) -> PipelineStatus:
    message = PipelineStatus(stage=list(stages))
    if key is not None:
        prove(message, name, key)
    return message


def test_what_comes_each_scan_is_anybodys_until_this_graph_has_spoken():
    """A stage of a stranger's, of ours, of ours again, of the stranger's in our name or beside another row, and of a third."""
    regular = Regular(ProofChecker(KEY), "")

    def is_first(message: PipelineStatus) -> bool:
        return regular.is_first(message, "status", "/status", list(message.stage))

    ours = of_stages("threat")
    assert [is_first(of_stages("threat", key=None)), is_first(ours), is_first(of_stages("threat"))] == [0, 1, 0]
    with pytest.raises(OutdatedError):
        is_first(ours)
    for key, why in ((None, "no proof"), (KEY[::-1], "its proof is wrong")):
        for stages in (["threat"], ["other", "threat"]):
            with pytest.raises(ValueError, match=why):
                is_first(of_stages(*stages, key=key))
    with pytest.raises(ValueError, match="its proof is wrong"):
        is_first(of_stages("threat", name="/front/status"))
    assert not is_first(of_stages("other", key=None))


def test_what_the_plan_has_is_nobody_elses_from_the_start():
    regular = Regular(ProofChecker(KEY), "tracks,status:threat")
    for at, stage in (("tracks", ""), ("status", "threat")):
        with pytest.raises(ValueError, match="no proof"):
            regular.is_first(of_stages(stage, key=None), at, f"/{at}", [stage])
    for at, stage in (("threats", ""), ("status", "ew"), ("north/tracks", "")):
        assert not regular.is_first(of_stages(stage, key=None), at, f"/{at}", [stage])


def test_what_a_proof_costs_at_200_tracks():
    """Less than a tenth of what a scan at 10 Hz has, for one publisher and seven readers; printed with -s."""
    n = 200
    of_a_track = {"state": 6, "covariance": 36, "class_probability": 10}
    tracks = TrackArray(sources=["front,left"] * n)
    threats = ThreatArray(
        reason=["closes at 31 m/s, closest 40 m in 12 s"] * n, asset=["camp"] * n, behaviour=["APPROACH"] * n
    )
    codes = {"sequence<double>": "d", "sequence<float>": "f", "sequence<uint32>": "I", "sequence<uint8>": "B"}
    for message in (tracks, threats):
        for name, of in message.get_fields_and_field_types().items():
            if of in codes:
                setattr(message, name, array(codes[of], [1]) * (n * of_a_track.get(name, 1)))
    status = filled(PipelineStatus, 1)
    status.detail = ["x" * 1500]
    for message in (tracks, threats, status):
        regular, spent = Regular(ProofChecker(KEY), ""), []
        for _ in range(20):
            begin = time.perf_counter()
            prove(message, "/here", KEY)
            proven = time.perf_counter()
            regular.is_first(message, "here", "/here", [""])
            spent.append((proven - begin, time.perf_counter() - proven))
        made, checked = (min(times) * 1e6 for times in zip(*spent, strict=True))
        assert made + 7 * checked < 10_000
        print(f"{type(message).__name__}: {made:.0f} us to prove, {checked:.0f} us to check")
