# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Three revolutions of a surveillance radar, in four sectors each: a Mode S aircraft, a primary plot with Doppler, an SSR plot."""

import struct
import time

from asterix_bytes import datablock, north_marker, plot, sector_crossing
from driver_case import DriverCase

PERIOD_S = 4.0


def _packets() -> list[bytes]:
    now_s = time.time() % 86_400 - 20.0
    packets = []
    for revolution in range(4):
        begin_s = (now_s + revolution * PERIOD_S) % 86_400
        status = b"\x80\x00"  # I034/050, common part: all well
        packets.append(datablock(34, north_marker(begin_s, i041=struct.pack(">H", 512), i050=status)))
        if revolution == 3:
            break
        for sector in range(0, 256, 64):
            at_s = (begin_s + sector / 256 * PERIOD_S) % 86_400
            theta = sector / 256 * 360 + 10.0
            packets.append(datablock(34, sector_crossing(sector, at_s)))
            mode_s = {"i070": struct.pack(">H", 0o7000), "i090": struct.pack(">H", 4 * 330), "i220": b"\x40\x62\x1d"}
            packets.append(
                datablock(
                    48,
                    plot(40.0 + revolution, theta, at_s + 0.1, i020=b"\xe0", **mode_s, i161=struct.pack(">H", 77)),
                    plot(5.5, theta + 3, at_s + 0.2, i120=b"\x80" + struct.pack(">H", 0x3FF & -57), i130=b"\x08\xc4"),
                )
            )
            packets.append(datablock(48, plot(12.25, theta + 9, at_s + 0.3, i020=b"\x40")))
    return packets


CASES = [DriverCase("asterix", _packets, frames=12, line="udp", settings={"has_doppler": True, "sac": 25, "sic": 201})]
