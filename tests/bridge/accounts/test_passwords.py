# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Passwords: which are taken, the pool that checks them, and that an unknown name takes as long."""

import asyncio
import contextlib
import statistics
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import refused

from aegis.bridge.accounts.passwords import Passwords, check_strength
from aegis.bridge.problem import ProblemError


@pytest.fixture
def passwords():
    made = Passwords(workers=1, queue=2)
    yield made
    made.close()


@pytest.mark.parametrize(
    "password",
    ["three herons over a grey lake", "correct horse battery staple", "Xk3!vQ9#mZ7&", "Wäldchen am kühlen See"],
)
def test_a_good_password_is_taken(password):
    check_strength("ada", password)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "12 to 1024 characters"),
        ("Xk3!vQ9#mZ7", "12 to 1024 characters"),
        ("x" * 1025, "12 to 1024 characters"),
        ("xk3!vq9#ADA-mz7&", "contains the username"),
        ("password1234", "common password"),
        ("aaaaaaaaaaaaaa", 'Repeats like "aaa"'),
        ("123456789012", "easy to guess"),
        ("qwertyuiopasdf", "easy to guess"),
        ("correcthorse", "easy to guess"),
        ("x7" * 512, "easy to guess"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password, reason):
    with refused(400, reason) as refusal:
        check_strength("ada", password)
    assert not password or password not in str(refusal.value)


def test_a_short_name_does_not_rule_out_every_password():
    check_strength("a", "three herons over a grey lake")


@settings(max_examples=20)
@given(st.text(min_size=12, max_size=24))
def test_any_text_is_judged_without_an_error(password):
    with contextlib.suppress(ProblemError):
        check_strength("ada", password)


def test_a_hash_verifies_its_own_password_only(passwords):
    hashed = passwords.hash("one password")
    assert passwords.verify("one password", hashed)
    assert not passwords.verify("another password", hashed)
    assert not passwords.verify("one password", None)


def test_an_unknown_name_takes_as_long_as_a_wrong_password(passwords):
    hashed = passwords.hash("right")

    def median_s(stored: str | None) -> float:
        times = []
        for _ in range(15):
            begin = time.process_time()
            assert not passwords.verify("wrong", stored)
            times.append(time.process_time() - begin)
        return statistics.median(times)

    # Without the dummy hash it would be about 1 : 20.
    assert 0.5 < median_s(None) / median_s(hashed) < 2.0


def test_passwords_beyond_the_queue_are_told_to_come_back(passwords):
    hashed = passwords.hash("right")

    async def many():
        work = (passwords.run(passwords.verify, "right", hashed) for _ in range(5))
        return await asyncio.gather(*work, return_exceptions=True)

    results = asyncio.run(many())
    assert sum(isinstance(result, ProblemError) and result.status == 429 for result in results) == 2
    assert results.count(True) == 3


def test_checking_a_password_does_not_hold_up_the_event_loop(passwords):
    hashed = passwords.hash("right")

    async def beats_while_checking() -> int:
        check = asyncio.create_task(passwords.run(passwords.verify, "right", hashed))
        beats = 0
        while not check.done():
            await asyncio.sleep(0.001)
            beats += 1
        assert check.result()
        return beats

    assert asyncio.run(beats_while_checking()) >= 3  # a check on the loop would allow one
