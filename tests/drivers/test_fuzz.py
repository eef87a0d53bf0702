# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mutated packets into every driver's parser: no exception, bounded memory, every refusal counted by one of few reasons."""

import gc
import random
import sys
import time
import tracemalloc
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from amounts import amount
from driver_case import DriverCase, all_cases, check_content

from aegis.drivers.contract import Parser
from aegis.drivers.packet_driver import PacketDriver
from aegis.drivers.registry import BUILT_IN

MAX_HELD_BYTES = 64 << 20  # by a parser, at any time
MAX_PEAK_BYTES = 128 << 20  # while it parses
GROWTH_BYTES = 1 << 20  # by how much the second half may hold more than the first
TRACED_PACKETS = 2_000  # tracing memory is slow
MAX_REASONS = 40
LENGTHS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)

CASES = all_cases()
each_case = pytest.mark.parametrize("case", CASES, ids=str)
# Nothing marks where in a recording of raw samples a frame begins.
each_live_case = pytest.mark.parametrize("case", [case for case in CASES if case.line != "file"], ids=str)
# A stream's piece may wait for the next.
each_udp_case = pytest.mark.parametrize("case", [case for case in CASES if case.line == "udp"], ids=str)


def mutated(valid: list[bytes], rng: random.Random) -> Iterator[bytes]:
    """Yield packets again and again: in some passes all broken, in others few, so that frames of many packets come too."""
    position, rate = -1, 0.0
    while True:
        position = (position + 1) % len(valid)
        if position == 0:
            rate = rng.choice((0.0, 0.02, 0.3, 1.0, 1.0))
        packet = valid[position]
        kind = rng.randrange(1, 11) if rng.random() < rate else 0
        if kind == 0:  # as it is, in its place
            yield packet
        elif kind == 1:  # bits flipped
            data = bytearray(packet)
            for _ in range(rng.randrange(1, 9)):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            yield bytes(data)
        elif kind == 2:  # bytes at their extremes
            data = bytearray(packet)
            for _ in range(rng.randrange(1, 9)):
                data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
            yield bytes(data)
        elif kind == 3:
            yield packet[: rng.randrange(len(packet))]
        elif kind == 4:
            yield packet + rng.randbytes(rng.randrange(1, 64))
        elif kind == 5:
            yield packet
            yield packet
        elif kind == 6:  # out of order, or some lost
            position = rng.randrange(len(valid))
        elif kind == 7:
            other = valid[rng.randrange(len(valid))]
            yield packet[: rng.randrange(len(packet))] + other[rng.randrange(len(other)) :]
        elif kind == 8:  # a length, wherever one may be: most are near the beginning
            data = bytearray(packet)
            size = rng.choice((1, 2, 4))
            begin = min(rng.choice((rng.randrange(64), rng.randrange(len(data)))), len(data) - size)
            value = rng.choice((*LENGTHS, len(data) - 1, len(data) + 1, rng.getrandbits(32))) % (1 << 8 * size)
            if begin >= 0:
                data[begin : begin + size] = value.to_bytes(size, rng.choice(("big", "little")))
            yield bytes(data)
        elif kind == 9:  # a whole run of a field: times that jump, counts that are huge, NaN
            data = bytearray(packet)
            begin = rng.randrange(len(data))
            end = min(begin + rng.choice((2, 4, 8, 16)), len(data))
            data[begin:end] = bytes([rng.choice((0, 0x7F, 0x80, 0xFF))]) * (end - begin)
            yield bytes(data)
        else:
            yield rng.randbytes(rng.randrange(1500))


def held_bytes(root: Any) -> int:
    """Return the size of all that an object keeps alive, but classes, functions and modules."""
    code = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
    seen: set[int] = set()
    todo = [root]
    total = 0
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(thing, code):
            continue
        seen.add(id(thing))
        total += sys.getsizeof(thing)
        todo += gc.get_referents(thing)
        if isinstance(thing, np.ndarray) and thing.base is not None:
            todo.append(thing.base)
    return total


def parser_of(case: DriverCase, tmp_path) -> Parser:
    line = {
        "udp": {},
        "can": {"can.adapter": "virtual"},
        "serial": {"data.device": "none"},
        "file": {"path": str(tmp_path / "none")},
    }[case.line]
    if case.line == "file":
        (tmp_path / "none").write_bytes(b"".join(case.packets()))
    driver = case.make(tmp_path, **line)
    assert isinstance(driver, PacketDriver), "only a parser that knows no line can be fuzzed"
    return driver.parser


@each_case
def test_mutated_packets(case, tmp_path, record_property):
    parser = parser_of(case, tmp_path)
    rng = random.Random(f"{case.driver} {case.line}")
    packets = mutated(case.packets(), rng)
    begin_s = time.process_time()
    now_ns = 1_700_000_000_000_000_000
    held = {False: 0, True: 0}  # most in the first half, in the second
    given = 0
    tracemalloc.start()
    packets_fed = amount(case.fuzz_packets, nightly=10 * case.fuzz_packets)
    for n in range(packets_fed):
        now_ns += rng.randrange(2_000_000)
        frames = parser.feed(next(packets), now_ns)
        given += len(frames)
        for frame in frames:
            check_content(frame, plausible=False)
        if n % 2000 == 0:
            half = n >= packets_fed // 2
            held[half] = max(held[half], held_bytes(parser))
            assert held[half] <= MAX_HELD_BYTES
            parser.health()
        if n == TRACED_PACKETS:
            assert tracemalloc.get_traced_memory()[1] <= MAX_PEAK_BYTES
            tracemalloc.stop()
    for frame in parser.finish():
        check_content(frame, plausible=False)
    assert parser.finish() == [], "what has been given out is forgotten"
    record_property("seconds", round(time.process_time() - begin_s, 1))
    assert held[True] <= held[False] + GROWTH_BYTES, "what is held grows with what was fed"

    reasons = dict(parser.refused)
    assert given > 0, f"no frame of {packets_fed} packets, some of them good: {reasons}"
    assert sum(reasons.values()) > 0
    assert len(reasons) <= MAX_REASONS
    assert all(type(reason) is str and 0 < len(reason) < 60 for reason in reasons), reasons


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_driver_gets_a_hundred_thousand(name):
    assert sum(case.fuzz_packets for case in CASES if case.driver == name) >= 100_000


@each_live_case
def test_a_parser_finds_its_feet_again(case, tmp_path):
    """After a thousand broken packets, good ones sent twice give at least the frames of once."""
    parser = parser_of(case, tmp_path)
    packets = mutated(case.packets(), random.Random(case.driver))
    for n in range(1000):
        parser.feed(next(packets), 1_700_000_000_000_000_000 + n)
    frames = []
    for n, packet in enumerate(case.packets() * 2):
        frames += parser.feed(packet, 1_700_000_001_000_000_000 + n)
    assert len(frames) >= case.frames


@each_udp_case
def test_every_refusal_is_counted(case, tmp_path):
    """A datagram of noise is counted, gives a frame (which its bytes may happen to be), or waits for what continues it."""
    parser = parser_of(case, tmp_path)
    rng = random.Random(3)
    frames = 0
    for n in range(1000):
        frames += len(parser.feed(rng.randbytes(rng.randrange(200)), n))
    assert sum(parser.refused.values()) + frames >= 990
