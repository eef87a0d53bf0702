# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bodies: how deep JSON may be nested, told before it is parsed and in linear time; and what is too large."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.bridge.http.body import MAX_DEPTH, what_is_wrong


def depth(value: object) -> int:
    """Return how deep a parsed value is nested."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def nested(levels: int, inner: object = 1) -> object:
    for n in range(levels):
        inner = [inner] if n % 2 else {'"]}[{\\': inner}
    return inner


json_values = st.recursive(
    st.none() | st.floats(allow_nan=False) | st.text(alphabet='a"\\[]{}é\n'),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='a"\\[]{}', max_size=5), inner, max_size=4)
    ),
    max_leaves=40,
)


@given(json_values, st.integers(0, 30), st.booleans())
def test_exactly_what_is_nested_too_deep_is_refused(value, levels, ascii_only):
    value = nested(levels, value)
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert bool(what_is_wrong(body)) == (depth(value) > MAX_DEPTH)


@pytest.mark.parametrize("brackets", [b"[]", b"{}", b"[}", b'{"a":[]}'])
def test_the_bound_itself(brackets):
    inner = brackets.replace(b'{"a":[]}', b"[]")
    opening, closing = inner[:1], inner[1:]
    assert what_is_wrong(opening * MAX_DEPTH + closing * MAX_DEPTH) == ""
    assert "16 deep" in what_is_wrong(opening * (MAX_DEPTH + 1) + closing * (MAX_DEPTH + 1))


@given(st.binary(max_size=300) | st.lists(st.sampled_from([b"[", b"]", b"{", b"}", b'"', b"\\", b"a"])).map(b"".join))
def test_whatever_is_let_through_does_not_break_the_parser(body):
    if not what_is_wrong(body):
        try:
            value = json.loads(body)
        except ValueError:
            return
        assert depth(value) <= MAX_DEPTH


SIZE = 65536
HOSTILE = {
    "brackets": b"[" * SIZE,
    "pairs": b"[]" * (SIZE // 2),
    "closing first": b"]" * (SIZE // 2) + b"[" * (SIZE // 2),
    "a string of quotes": b"[" * 17 + b'"' + b'\\"' * (SIZE // 2),
    "a string that ends in a backslash": b"[" * 17 + b'"' + b'\\"' * (SIZE // 2) + b"\\",
    "strings": b"[" * 17 + b'""' * (SIZE // 2),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_body_takes_long_to_judge(body):
    def best_s(content: bytes) -> float:
        times = []
        for _ in range(5):
            begin = time.process_time()
            what_is_wrong(content)
            times.append(time.process_time() - begin)
        return min(times)

    assert best_s(body) < 0.05  # what goes back at every quote takes minutes


def post(app, body: bytes):
    return app.client.post("/api/auth/login", content=body, headers={"Content-Type": "application/json"})


def test_a_body_that_is_nested_too_deep_is_400(app):
    answer = post(app, b"[" * 60000)
    assert (answer.status_code, answer.json()) == (400, {"detail": "a body is JSON, nested at most 16 deep"})
    assert post(app, b'{"username":' * 17 + b"1" + b"}" * 17).json() == answer.json()
    assert "16 deep" not in post(app, b'{"username":' * 16 + b"1" + b"}" * 16).text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-32-be"])
def test_a_body_in_another_encoding_is_400(app, encoding):
    answer = post(app, '{"username": "admin", "password": "x"}'.encode(encoding))
    assert (answer.status_code, answer.json()) == (400, {"detail": "a body is JSON in UTF-8"})


@pytest.mark.parametrize(
    "body", [b"1" * 5000, b"1e999", b"NaN", b'"\xff"', b'{"username": ' + b"9" * 5000 + b"}", b"\xef\xbb\xbf{}"]
)
def test_odd_json_is_400(app, body):
    assert post(app, body).status_code == 400
