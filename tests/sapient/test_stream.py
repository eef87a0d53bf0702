# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Framing and ids against their definitions."""

import struct
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.sapient.framing import MAX_MESSAGE_BYTES, Deframer, FramingError, framed
from aegis.sapient.ids import Identity, is_ulid, new_ulid, ulid


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=6), st.data())
def test_a_stream_in_any_pieces_gives_the_messages(messages, data):
    stream = b"".join(struct.pack("<I", len(m)) + m for m in messages)
    assert stream == b"".join(map(framed, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    deframer = Deframer()
    out = [m for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True) for m in deframer.feed(stream[a:b])]
    assert out == messages


@pytest.mark.parametrize(
    "head", [b"\0\0\0\0", struct.pack("<I", MAX_MESSAGE_BYTES + 1), b"GET / HTTP/1.1\r\n", b"\xff" * 4]
)
def test_what_is_no_framing_is_refused(head):
    with pytest.raises(FramingError, match="octets"):
        Deframer().feed(head)


def test_ulids_are_those_of_the_specification():
    """The example of github.com/ulid/spec: its time is 1469918176385 ms."""
    assert ulid(1_469_918_176_385, bytes(10))[:10] == "01ARYZ6S41"
    assert ulid((1 << 48) - 1, b"\xff" * 10) == "7" + "Z" * 25
    assert is_ulid(new_ulid(1_700_000_000_000_000_000))
    assert not is_ulid("8" + "Z" * 25)
    assert not is_ulid("01ARYZ6S41TSV4RRFFQ69G5FA")


def test_a_node_is_the_same_after_a_restart(tmp_path):
    first = Identity.of("", tmp_path)
    assert uuid.UUID(first.node_id).version == 4
    assert Identity.of("", tmp_path) == first
    assert Identity.of("", tmp_path).ulid_of("track", 7) == first.ulid_of("track", 7)
    assert len({first.ulid_of(kind, i) for kind in ("track", "alarm") for i in range(1000)}) == 2000
    said = "0b7a2f3c-94c7-4a55-8f2f-6f16a2f1c0de"
    assert Identity.of(said, tmp_path).node_id == said
    (tmp_path / "sapient_node.json").write_text("{}")
    assert Identity.of("", tmp_path).node_id not in (first.node_id, said)
    assert list(tmp_path.glob("*.damaged-*"))
