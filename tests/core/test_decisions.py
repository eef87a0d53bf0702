# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Proofs of decisions: the HMAC is held against openssl's."""

import subprocess

import pytest

from aegis.core.decisions import FRESH_S, MOST_REMEMBERED, OutdatedError, ProofChecker, make_proof

KEY = bytes(range(32))
NOW_NS = 1_780_000_000_000_000_000


def test_the_proof_is_an_hmac_over_time_name_and_content():
    time, number, mac = make_proof(KEY, "/ew/acknowledge", b"\1\2", NOW_NS).split(".")
    signed = f"{time}.{number}".encode() + b"\0/ew/acknowledge\0\1\2"
    command = ["openssl", "dgst", "-sha256", "-mac", "hmac", "-macopt", f"hexkey:{KEY.hex()}", "-r"]
    assert subprocess.run(command, input=signed, capture_output=True, check=True).stdout.decode().split()[0] == mac
    assert int(time) == NOW_NS


def test_a_proof_is_good_once_and_for_a_while():
    checker = ProofChecker(KEY)
    proof = make_proof(KEY, "a", b"x", NOW_NS)
    checker.check("a", b"x", proof, NOW_NS + 10**9, fresh=True)
    with pytest.raises(ValueError, match="used before"):
        checker.check("a", b"x", proof, NOW_NS + 10**9, fresh=True)
    for age_s in (FRESH_S + 1, -FRESH_S - 1):
        with pytest.raises(ValueError, match=f"{age_s:.0f} s old"):
            checker.check("a", b"y", make_proof(KEY, "a", b"y", NOW_NS), NOW_NS + int(age_s * 1e9), fresh=True)
    checker.check("a", b"y", make_proof(KEY, "a", b"y", NOW_NS), NOW_NS + 10**15, fresh=False)


@pytest.mark.parametrize(
    ("name", "content", "key", "change"),
    [
        ("b", b"x", KEY, str),
        ("a", b"z", KEY, str),
        ("a", b"x", KEY[::-1], str),
        ("a", b"x", KEY, lambda proof: "1" + proof),
        ("a", b"x", KEY, lambda proof: proof[:-1]),
        ("a", b"x", KEY, lambda proof: "\u00e9" + proof),
        ("a", b"x", KEY, lambda proof: "."),
    ],
)
def test_a_proof_of_something_else_is_refused(name, content, key, change):
    proof = change(make_proof(key, "a", b"x", NOW_NS))
    with pytest.raises(ValueError, match="its proof is wrong"):
        ProofChecker(KEY).check(name, content, proof, NOW_NS, fresh=True)


def test_none_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match="on the page, or through the bridge's API"):
        ProofChecker(KEY).check("a", b"x", "", NOW_NS, fresh=True)


def test_what_replaces_what_came_before_has_to_be_newer():
    checker = ProofChecker(KEY)
    old, new = (make_proof(KEY, "a", content, NOW_NS + ns) for content, ns in ((b"old", 0), (b"new", 5)))
    checker.check("a", b"new", new, NOW_NS + 10, fresh=False, newest=True)
    with pytest.raises(OutdatedError, match="a newer one was taken"):
        checker.check("a", b"old", old, NOW_NS + 10, fresh=False, newest=True)
    checker.check("b", b"old", make_proof(KEY, "b", b"old", NOW_NS), NOW_NS + 10, fresh=False, newest=True)
    # After the clock was set back by a second, what comes then is older than what is held, and taken.
    later = make_proof(KEY, "a", b"later", NOW_NS - 10**9)
    checker.check("a", b"later", later, NOW_NS - 10**9, fresh=False, newest=True)


def test_what_is_remembered_is_bounded():
    checker = ProofChecker(KEY)
    for n in range(MOST_REMEMBERED + 5):
        checker.check("a", b"", make_proof(KEY, "a", b"", NOW_NS + n), NOW_NS, fresh=True)
    assert len(checker._used[True]) == MOST_REMEMBERED


def test_of_what_comes_again_and_again_the_newest_counts_for_each():
    checker = ProofChecker(KEY)

    def check(whose: str, at_ns: int, now_ns: int = NOW_NS) -> None:
        checker.check_latest("a", whose, b"x", make_proof(KEY, "a", b"x", at_ns), now_ns)

    check("left", NOW_NS - 5)
    check("right", NOW_NS - 7)
    for at_ns in (NOW_NS - 5, NOW_NS - 6):
        with pytest.raises(OutdatedError):
            check("left", at_ns)
    check("left", NOW_NS - 4)
    for age_s in (FRESH_S + 1, -FRESH_S - 1):
        with pytest.raises(ValueError, match=f"its proof is {age_s:.0f} s old"):
            check("left", NOW_NS, NOW_NS + int(age_s * 1e9))
    check("left", NOW_NS - 10**9, NOW_NS - 10**9)  # the clock was set back
    with pytest.raises(ValueError, match="it has no proof"):
        checker.check_latest("a", "left", b"x", "", NOW_NS)
