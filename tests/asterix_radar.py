# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A surveillance radar as bytes: what `turning.Antenna` meets, as datagrams of CAT048, with markers of CAT034 or without."""

import numpy as np
from asterix_bytes import datablock, north_marker, plot, sector_crossing
from turning import START_S, Antenna, Course

NM = 1852.0
SECTORS = 32


def datagrams(
    antenna: Antenna,
    courses: dict[str, Course],
    until: float,
    rng,
    *,
    markers: str = "north",
    delay_s: float = 0.0,
    **options,
) -> list[tuple[int, bytes]]:
    """Return when each datagram comes [ns], and its bytes.

    Args:
        antenna, courses, until, rng, options: as for `Antenna.plots`; the antenna looks north at `north_s`.
        markers: "north", "sectors" (those too) or "none".
        delay_s: plots come so much later than they are measured, each by another time up to this.
    """
    out = []
    for p in antenna.plots(courses, until, rng, **options):
        theta = round(np.degrees(np.pi / 2 - p.azimuth) % 360.0 / 360.0 * 65536) % 65536 / 65536 * 360.0
        seconds = (START_S + p.time) % 86_400
        out.append((p.time + rng.uniform(0.0, delay_s), datablock(48, plot(p.range / NM, theta, seconds))))
    step = antenna.period_s / SECTORS
    for k in range(int((until - antenna.north_s) / step) + 1):
        time = antenna.north_s + k * step
        seconds = (START_S + time) % 86_400
        if markers != "none" and k % SECTORS == 0:
            out.append((time, datablock(34, north_marker(seconds))))
        if markers == "sectors":
            out.append((time, datablock(34, sector_crossing(k % SECTORS * 8, seconds))))
    return [(round((START_S + time) * 1e9), data) for time, data in sorted(out, key=lambda each: each[0])]
