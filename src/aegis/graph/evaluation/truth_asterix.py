# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Truth that aircraft report of themselves, as ASTERIX CAT021."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from aegis.core.types import ClassId
from aegis.drivers import asterix_adsb as adsb
from aegis.drivers.asterix_files import AsterixFile, FinalFile, is_final
from aegis.drivers.asterix_records import DAY_NS, RefusedError, datablocks
from aegis.drivers.capture import open_recording
from aegis.drivers.recording import CapturedUdp, Recording
from aegis.graph.evaluation.truth_report import Refused, Report, velocity_of


def asterix(path: Path, near_ns: int, refused: Refused) -> Iterator[Report]:
    """Yield the aircraft of CAT021 in a capture, or a file of datablocks, bare or in FINAL's framing.

    Args:
        path: the file.
        near_ns: a time of the picture: times of day are of the day that puts them nearest.
        refused: counts what was not taken.
    """
    recording = Recording(path)
    if recording.kind == "capture":
        line: CapturedUdp | AsterixFile = CapturedUdp(recording, lambda datagram: True, "at all")
    else:
        line = FinalFile(recording) if is_final(recording) else AsterixFile(recording)
    reader = adsb.adsb_reader()
    unpacked, raw = open_recording(path)
    with raw, unpacked:
        for packet in line.packets(unpacked):
            try:
                for category, data in datablocks(packet.data):
                    if category != adsb.CATEGORY:
                        refused[f"CAT{category:03d}"] += 1
                        continue
                    for record in reader.records(data):
                        try:
                            yield _adsb(adsb.read_adsb(record), near_ns)
                        except RefusedError as error:
                            refused[error.reason] += 1
            except RefusedError as error:
                refused[error.reason] += 1
    refused.update(Counter(line.refused))


def _adsb(report: adsb.AdsbReport, near_ns: int) -> Report:
    difference = (round(report.time_s * 1e9) - near_ns) % DAY_NS
    classes = {
        **dict.fromkeys(adsb.AIRCRAFT_CATEGORIES, ClassId.AIRCRAFT),
        **dict.fromkeys(adsb.VEHICLE_CATEGORIES, ClassId.VEHICLE),
        adsb.HELICOPTER_CATEGORY: ClassId.HELICOPTER,
        adsb.DRONE_CATEGORY: ClassId.DRONE,
    }
    return Report(
        time_ns=near_ns + (difference if difference < DAY_NS // 2 else difference - DAY_NS),
        id=f"{report.address:06x}",
        place=(report.latitude_deg, report.longitude_deg, report.altitude_m),
        on_earth=True,
        velocity=velocity_of(report.ground_speed, report.track, report.climb),
        class_id=classes.get(report.category, ClassId.UNKNOWN),
        name=report.callsign,
    )
