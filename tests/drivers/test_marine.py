# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Garmin xHD, Raymarine Quantum and ASTERIX CAT240: spokes by hand, and recorded turns of the first two."""

import math
from pathlib import Path

import asterix.generated as specifications
import numpy as np
import pytest
from asterix.base import Bits, ParsingMode
from asterix_bytes import datablock
from marine_packets import cat240, garmin_report, garmin_spoke, packed, quantum_spoke, quantum_status

from aegis.core.health import Level
from aegis.drivers.asterix_video import AsterixVideo
from aegis.drivers.contract import Driver
from aegis.drivers.frames import VideoFrame
from aegis.drivers.garmin_xhd import GarminXhd
from aegis.drivers.raymarine_quantum import RaymarineQuantum, unpacked
from aegis.drivers.recording import Recording

S = 1_000_000_000
LEVELS = np.arange(240).astype(np.uint8)


def made(kind: type[Driver], recording: Path | None = None, **values) -> Driver:
    settings = kind.settings_type.load({"driver": kind.name, **values})
    return kind(settings) if recording is None else kind.of_recording(settings, Recording(recording))


def fed(driver: Driver, *packets: bytes) -> list[VideoFrame]:
    parser = driver.parser
    return [frame for n, data in enumerate(packets) for frame in parser.feed(data, S + n * S // 1000)] + parser.finish()


def recorded(kind: type[Driver], path: Path) -> tuple[list[VideoFrame], Driver]:
    out = []
    with made(kind, path) as driver:
        try:
            while True:
                out += driver.poll()
        except EOFError:
            return out, driver


def turns_of(found: list[VideoFrame]) -> float:
    steps = np.diff(-np.concatenate([f.azimuth for f in found])) % (2 * np.pi)
    return float(steps[steps < 1.0].sum() / (2 * np.pi))


def test_spokes_come_together_with_their_times():
    first, second = fed(made(GarminXhd), *(garmin_spoke(n, LEVELS) for n in range(40)))
    assert (len(first), len(second)) == (32, 8)
    np.testing.assert_array_equal(first.codes[7], LEVELS)
    np.testing.assert_allclose(np.degrees(-first.azimuth), np.arange(32) * 0.25, atol=1e-9)
    np.testing.assert_allclose(first.time_offset, (np.arange(32) - 31) * 1e-3, atol=1e-9)
    assert first.received_ns == S + 31 * S // 1000
    assert (first.cell_m, first.full_scale) == (6.0, 255)


def test_a_change_of_range_ends_a_frame():
    driver = made(GarminXhd)
    spokes = [garmin_spoke(n, LEVELS, range_m=1440 if n < 5 else 2880) for n in range(8)]
    assert [(len(f), f.cell_m) for f in fed(driver, *spokes)] == [(5, 6.0), (3, 12.0)]


def test_garmins_reports_are_health():
    driver = made(GarminXhd)
    fed(driver, garmin_report(0x919, 1), garmin_report(0x900, 7), garmin_report(0x1234, 7))
    assert driver.health().values["transmits"] == "on"
    assert dict(driver.parser.refused) == {"unknown packet": 1}


def test_a_quantums_cells_are_unpacked():
    rng = np.random.default_rng(1)
    for _ in range(20):
        levels = np.repeat(rng.integers(0, 256, 60), rng.integers(1, 9, 60)).astype(np.uint8)
        np.testing.assert_array_equal(unpacked(packed(levels), len(levels)), levels)
        assert unpacked(packed(levels), len(levels) + 1) is None
    assert unpacked(b"\x5c\x05", 5) is None


def test_a_quantum_counts_from_the_stern_and_says_its_range_apart():
    driver = made(RaymarineQuantum)
    assert fed(driver, quantum_spoke(0, LEVELS)) == []
    assert dict(driver.parser.refused) == {"spoke before the range is known": 1}
    (frame,) = fed(driver, quantum_status(index=3), quantum_spoke(125, LEVELS), quantum_spoke(126, LEVELS))
    np.testing.assert_allclose(np.degrees(-frame.azimuth), [0.0, 1.44], atol=1e-9)
    assert frame.cell_m == pytest.approx(250 * 1.852 / 120)
    assert (frame.approaching, frame.receding, frame.full_scale) == (0, 0, 255)
    info = (0x280001).to_bytes(4, "little") + b"E70498" + bytes(58)
    (frame,) = fed(driver, info, quantum_spoke(127, LEVELS))
    assert (frame.approaching, frame.receding, frame.full_scale) == (255, 254, 253)
    assert driver.health().values["state"] == "transmitting"


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("compressed", [False, True])
def test_cat240_of_every_resolution(bits, compressed):
    rng = np.random.default_rng(bits)
    cells = rng.integers(0, 256, 64).astype(np.uint8)
    record = cat240(1.0, cells, bits=bits, first=10, compressed=compressed, volume="051" if bits > 8 else "050")
    # libasterix reads the same items of the same octets: these bytes are CAT240.
    parsed = specifications.Cat_240_1_3.cv_record.parse(ParsingMode.StrictParsing, Bits.from_bytes(record))
    assert not isinstance(parsed, ValueError)
    assert parsed[0].get_item("049").variation.get_item("NBCELLS").as_uint() == 64 * 8 // bits
    driver = made(AsterixVideo)
    (frame,) = fed(driver, datablock(240, record))
    if bits == 8:
        expected = cells
    elif bits > 8:
        expected = cells[:: bits // 8]
    else:
        expected = np.array(
            [int(b) >> (8 - bits * (k + 1)) & ((1 << bits) - 1) for b in cells for k in range(8 // bits)]
        )
    np.testing.assert_array_equal(frame.codes[0], expected)
    assert frame.full_scale == min(255, (1 << bits) - 1)
    assert frame.cell_m == pytest.approx(100e-9 * 299_792_458 / 2)
    assert frame.first_range_m == pytest.approx(10 * frame.cell_m)
    np.testing.assert_allclose(-frame.azimuth, 1.0 + math.pi / 1024, atol=1e-4)
    assert frame.heading[0] == 0.0  # from north, unless the settings say the bow


def test_cat240_that_contradicts_itself_is_counted():
    driver = made(AsterixVideo, sac=1)
    good = cat240(1.0, LEVELS)
    for data in (
        datablock(240, good[:-4]),
        datablock(240, cat240(1.0, LEVELS, cell_ns=0)),
        datablock(240, cat240(1.0, LEVELS, sac=9)),
        datablock(240, b"\xff\xff\xff"),
        datablock(48, good),
        datablock(240, cat240(1.0, LEVELS, kind=1)),  # a summary, which is no fault
    ):
        assert fed(driver, data) == []
    assert dict(driver.parser.refused) == {
        "CAT240 record unreadable": 2,
        "CAT240 spoke unreadable": 1,
        "foreign SAC/SIC": 1,
        "other category": 1,
    }


def test_a_file_of_cat240(tmp_path):
    path = tmp_path / "video.ast"
    path.write_bytes(
        b"".join(datablock(240, cat240(n / 1024 * 2 * math.pi, LEVELS, seconds=10.0 + n)) for n in range(5))
    )
    found, driver = recorded(AsterixVideo, path)
    assert [len(f) for f in found] == [1] * 5, "a second lies between them"
    day_ns = driver.transport.recording.start_ns
    assert [f.received_ns - day_ns for f in found] == [(10 + n) * S for n in range(5)]


@pytest.fixture(scope="module")
def captures(shared_data: Path) -> Path:
    return shared_data / "marine_radar_captures"


def test_a_recorded_garmin(captures):
    found, driver = recorded(GarminXhd, captures / "garmin_xhd.pcap.gz")
    assert sum(map(len, found)) == 44_127
    assert turns_of(found) == pytest.approx(44_127 / 1440, abs=0.05)
    assert {round(f.cell_m, 2) for f in found} == {6.0}  # as report 0x09A0 says: 6000 mm
    assert driver.health().values["turns_per_minute"] == pytest.approx(24, abs=0.2)
    assert driver.health().values["turn_s"] == pytest.approx(2.5, abs=0.05)
    assert not driver.refused


def test_a_recorded_quantum(captures):
    found, driver = recorded(RaymarineQuantum, captures / "quantum2_powerup.pcapng.gz")
    assert sum(map(len, found)) == 2837
    assert not driver.refused
    assert {f.codes.shape[1] for f in found} == {231}
    assert {f.cell_m for f in found} == {2 * 1852 / 103}  # 2 nautical miles are set
    codes = np.concatenate([f.codes for f in found])
    assert (codes == 254).sum() == 396  # receding; nothing there approaches
    assert (codes == 255).sum() == 0


def test_a_heading_or_a_position_that_was_there_and_does_not_come_any_more_is_said():
    driver = made(GarminXhd)
    driver.parser.feed(b"$GPRMC,1,A,5831.7,N,01500.4,E,0.0,0.0,100816,,\r\n$HEHDT,90.0,T\r\n", S)
    for n in range(40):
        driver.parser.feed(garmin_spoke(n), S + n * S // 1000)
    assert driver.health().level is Level.OK
    for n in range(40, 80):
        driver.parser.feed(garmin_spoke(n), 10 * S + n * S // 1000)
    health = driver.health()
    assert health.level is Level.WARN
    assert health.text == (
        "own ship's position has not come for 9 s: the ship stands still in the picture; no heading for 9 s"
    )
    never = made(GarminXhd)
    for n in range(40):
        never.parser.feed(garmin_spoke(n), S * (1 + n))
    assert never.health().level is Level.OK, "a radar without a heading has none to lose"
