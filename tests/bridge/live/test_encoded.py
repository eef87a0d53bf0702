# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Encodings of a message's objects, against the standard library's JSON and the reference library of MessagePack."""

import json
import math

import msgpack
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aegis.bridge.live.encoded import EncodedPart, EncodedRows, json_bytes, msgpack_bytes

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
objects = st.lists(st.dictionaries(st.text(max_size=8), values, max_size=4), max_size=20)


def plain(value):
    """Return the value as a client sees it: what is no number is null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@given(objects, st.data())
def test_some_of_the_objects_are_what_is_asked_for(items, data):
    wanted = data.draw(st.none() | st.lists(st.integers(0, len(items) - 1), unique=True) if items else st.none())
    index = None if wanted is None else np.array(sorted(wanted), dtype=np.intp)
    expected = plain(items if index is None else [items[i] for i in index])
    rows = EncodedRows(lambda: items)
    assert json.loads(rows.json(index)) == expected
    assert msgpack.unpackb(rows.msgpack(index), strict_map_key=False) == expected
    assert len(EncodedPart(rows, index)) == len(expected)


@given(st.dictionaries(st.text(max_size=8), values, max_size=20), objects)
def test_a_body_with_objects_in_it(body, items):
    body = {**body, "objects": EncodedPart(EncodedRows(lambda: items))}
    expected = plain({**body, "objects": items})
    assert json.loads(json_bytes(body)) == expected
    assert msgpack.unpackb(msgpack_bytes(body), strict_map_key=False) == expected


def test_long_arrays_and_maps_have_their_own_headers():
    for n in (0, 15, 16, 2**16 - 1, 2**16):
        rows = EncodedRows(lambda n=n: [{} for _ in range(n)])
        assert msgpack.unpackb(rows.msgpack()) == [{}] * n
    body = {str(i): i for i in range(2**16)}
    assert msgpack.unpackb(msgpack_bytes(body)) == body
