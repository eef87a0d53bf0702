# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tasks beside a block end with it."""

import asyncio

from aegis.bridge.background import running


def test_work_that_takes_a_cancellation_for_an_error_ends_with_the_block():
    ended = []

    async def work() -> None:
        try:
            while True:
                try:
                    await asyncio.sleep(3600.0)
                except asyncio.CancelledError:
                    if ended:
                        raise
                    ended.append("taken for an error")
        finally:
            ended.append("ended")

    async def block() -> None:
        async with running(work()):
            await asyncio.sleep(0.0)

    asyncio.run(asyncio.wait_for(block(), 30.0))
    assert ended == ["taken for an error", "ended"]


def test_what_fails_is_logged_and_ends_no_other(caplog):
    went_on = []

    async def fails() -> None:
        raise ValueError("no such thing")

    async def works() -> None:
        await asyncio.sleep(0.0)
        went_on.append(True)

    async def block() -> None:
        async with running(fails(), works()):
            while not went_on:
                await asyncio.sleep(0.0)

    asyncio.run(asyncio.wait_for(block(), 30.0))
    assert "no such thing" in caplog.text
