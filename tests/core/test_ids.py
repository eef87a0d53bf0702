# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Ids are never repeated: reserved before they are used."""

import pytest

from aegis.core.ids import BLOCK, LAST_ID, UniqueIds


def test_ids_are_handed_out_in_order_from_the_first():
    ids = UniqueIds()
    assert [*ids.take(3), *ids.take(0), *ids.take(2)] == [1, 2, 3, 4, 5]
    assert UniqueIds(77).take(2).tolist() == [77, 78]


def test_every_id_is_reserved_before_it_is_used():
    reserved = [10]
    ids = UniqueIds(10, reserved.append)
    for n in (1, 1, 3 * BLOCK, 0, BLOCK, 2):
        taken = ids.take(n)
        assert all(i < reserved[-1] for i in taken.tolist())
    assert len(reserved) < 5, "a block at a time"


def test_what_cannot_be_reserved_is_not_handed_out():
    def full(next_id: int) -> None:
        raise OSError("no space left on device")

    ids = UniqueIds(1, full)
    with pytest.raises(OSError, match="no space"):
        ids.take(1)
    with pytest.raises(OSError, match="no space"):
        ids.take(1)


def test_the_end_is_an_error_and_not_a_repetition():
    ids = UniqueIds(LAST_ID)
    assert ids.take(1).tolist() == [LAST_ID]
    with pytest.raises(OverflowError, match="used up"):
        ids.take(1)
