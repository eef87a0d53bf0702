# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sends the picture as ASTERIX CAT062 over UDP."""

from __future__ import annotations

import asyncio

import numpy as np

from aegis.bridge.outputs import cat062
from aegis.bridge.outputs.cat062 import Origin
from aegis.bridge.outputs.feed import Feed, Picture
from aegis.bridge.outputs.lines import UdpLine
from aegis.bridge.outputs.sender import Sender
from aegis.bridge.outputs.settings import OutputSettings
from aegis.bridge.outputs.targets import parse_address
from aegis.bridge.outputs.track_numbers import TrackNumbers
from aegis.core.types import Ints

_NONE = np.zeros(0, dtype=np.int64)


class Cat062Sender(Sender):
    """Sends every track that has a place, and once more each that has ended.

    Args:
        settings: with a `cat062.address`.
        feed: where the pictures come from.
    """

    def __init__(self, settings: OutputSettings, feed: Feed) -> None:
        line = UdpLine(
            parse_address(settings.cat062.address),
            multicast_ttl=settings.multicast_ttl,
            multicast_interface=settings.multicast_interface,
        )
        super().__init__("cat062", feed, line, settings.cat062.period_s)
        self._settings = settings
        self._numbers = TrackNumbers()
        self._without_number = 0
        self._sensors: set[str] = set()
        # What was sent last: the picture, the indices of its tracks in it, and their numbers.
        self._last: tuple[Picture, Ints, Ints] | None = None

    def counts(self) -> dict[str, int]:
        """Return what was sent, and how often a track found no number."""
        return {**super().counts(), "cat062_without_number": self._without_number}

    async def _send(self, picture: Picture) -> None:
        packets = cat062.datagrams(await asyncio.to_thread(self._records, picture))
        self._count(len(packets), await self._line.send(packets))

    def _records(self, picture: Picture) -> list[bytes]:
        self._sensors.add(picture.tracks.sensor_id)
        origin = Origin(
            sac=self._settings.cat062.sac,
            sic=self._settings.cat062.sic,
            monosensor=len(self._sensors) == 1,
            simulated=self._settings.simulated,
        )
        chosen = np.flatnonzero(picture.has_place)
        numbers = np.array(self._numbers.lend(picture.tracks.track_id[chosen].tolist()), dtype=np.int64)
        self._without_number += int(np.count_nonzero(numbers == 0))
        chosen, numbers = chosen[numbers > 0], numbers[numbers > 0]
        ids = picture.tracks.track_id[chosen]
        last_ids = _NONE
        ended: list[bytes] = []
        if self._last is not None:
            before, last_chosen, last_numbers = self._last
            last_ids = before.tracks.track_id[last_chosen]
            gone = ~np.isin(last_ids, ids)
            no_first = np.zeros(np.count_nonzero(gone), dtype=bool)
            ended = cat062.records(before, last_chosen[gone], last_numbers[gone], no_first, origin, last=True)
            self._numbers.give_back(last_ids[gone].tolist())
        self._last = picture, chosen, numbers
        return ended + cat062.records(picture, chosen, numbers, ~np.isin(ids, last_ids), origin, last=False)
