# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The contract of `aegis.drivers.contract`, which every driver must keep, through a real line of its kind."""

import os
import random
import socket
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import can
import pytest
from driver_case import DriverCase, all_cases, check_content

from aegis.core.health import Level
from aegis.core.params import ConfigError
from aegis.drivers.contract import Driver, DriverSettings
from aegis.drivers.frames import POINT_COLUMNS, CubeFrame, DriverHealth, PointFrame, VideoFrame
from aegis.drivers.registry import BUILT_IN, driver_class, driver_names, settings_for

DEADLINE_S = 10.0
CLOCK_SLACK_NS = 20_000_000  # between the kernel's time of a packet and ours
CAN_ID_MASK, CAN_FD_BYTES = 0x1FFF_FFFF, 64
SERIAL_PIECE = 512  # a pty takes no more than some kB that nobody has read

CASES = all_cases()
each_case = pytest.mark.parametrize("case", CASES, ids=str)
# A recording is never silent, and where it is of raw samples it has no garbage: every byte is one.
each_live_case = pytest.mark.parametrize("case", [case for case in CASES if case.line != "file"], ids=str)


class Line:
    """The far end of a driver's line: what the radar does."""

    def __init__(self, case: DriverCase, tmp_path) -> None:
        self.kind = case.line
        if case.line == "udp":
            self.radar = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self.settings = {"udp.address": "127.0.0.1", "udp.port": self.port}
        elif case.line == "can":
            channel = str(tmp_path)  # a virtual bus of this test alone
            self.radar_bus = can.Bus(interface="virtual", channel=channel)
            self.settings = {"can.adapter": "virtual", "can.interface": channel}
        elif case.line == "serial":
            self.radar_end, self.driver_end = os.openpty()
            tty.setraw(self.radar_end)
            tty.setraw(self.driver_end)
            self.settings = {"data.device": os.ttyname(self.driver_end)}
        else:
            self.path = tmp_path / "recording.bin"
            self.path.write_bytes(b"".join(case.packets()))
            self.settings = {"path": str(self.path)}

    def close(self) -> None:
        if self.kind == "udp":
            self.radar.close()
        elif self.kind == "can":
            self.radar_bus.shutdown()
        elif self.kind == "serial":
            os.close(self.radar_end)
            os.close(self.driver_end)

    def send(self, packet: bytes) -> Iterator[None]:
        """Send a packet; stop where the driver must read."""
        if self.kind == "udp":
            self.radar.sendto(packet, ("127.0.0.1", self.port))
            yield
        elif self.kind == "can":
            can_id, data = int.from_bytes(packet[:4], "big") & CAN_ID_MASK, packet[4 : 4 + CAN_FD_BYTES]
            self.radar_bus.send(can.Message(arbitration_id=can_id, data=data, is_fd=True))
            yield
        elif self.kind == "serial":
            for begin in range(0, len(packet), SERIAL_PIECE):
                os.write(self.radar_end, packet[begin : begin + SERIAL_PIECE])
                yield


@contextmanager
def connected(case: DriverCase, tmp_path) -> Iterator[tuple[Driver, Line]]:
    line = Line(case, tmp_path)
    driver = case.make(tmp_path, **line.settings)
    try:
        yield driver, line
    finally:
        driver.stop()
        line.close()


def run(driver: Driver, line: Line, packets: list[bytes], frames: int) -> list:
    """Send packets while polling; return all frames, after making sure that no more than `frames` come."""
    out = []
    if line.kind != "file":
        for packet in packets:
            for _ in line.send(packet):
                out += driver.poll()
    end = time.monotonic() + DEADLINE_S
    while len(out) < frames and time.monotonic() < end:
        out += driver.poll(0.05)
    try:
        out += driver.poll(0.05)
        assert line.kind != "file", "a recording that is at its end raises EOFError"
    except EOFError:
        assert line.kind == "file", "only a recording has an end"
    assert len(out) == frames, f"{len(out)} frames, refused {dict(driver.refused)}"
    return out


def check_frame(frame, driver: Driver, since_ns: int) -> None:
    assert isinstance(frame, {"points": PointFrame, "cube": CubeFrame, "video": VideoFrame}[driver.output])
    assert type(frame.received_ns) is int
    assert since_ns - CLOCK_SLACK_NS <= frame.received_ns <= time.time_ns() + CLOCK_SLACK_NS
    assert frame.sensor_time_ns is None or type(frame.sensor_time_ns) is int
    check_content(frame)


def test_every_built_in_driver_has_a_case():
    assert set(BUILT_IN) <= {case.driver for case in CASES}


def test_another_package_brings_a_driver():
    assert "example" in driver_names()
    assert driver_class("example").__module__ == "example_driver"


@pytest.mark.parametrize("name", sorted({case.driver for case in CASES}))
def test_a_driver_says_what_it_is(name):
    kind = driver_class(name)
    assert kind.name == name
    assert kind.output in ("points", "cube", "video")
    assert kind.__doc__
    assert issubclass(kind.settings_type, DriverSettings)
    assert settings_for({"driver": name}) is kind.settings_type
    for info in kind.settings_type.params():
        assert info.doc, info.name
        assert isinstance(info.default, (bool, int, float, str, tuple)), f"{info.name}: ROS has no such parameter"


@each_case
def test_wrong_settings_are_refused_when_it_is_made(case, tmp_path):
    kind = driver_class(case.driver)
    with pytest.raises(ConfigError, match="no_such_parameter"):
        case.make(tmp_path, no_such_parameter=1)
    with pytest.raises(ConfigError, match="silent_after_s"):
        case.make(tmp_path, silent_after_s=-1.0)

    class OtherSettings(DriverSettings):
        pass

    with pytest.raises(ConfigError, match="OtherSettings"):
        kind(OtherSettings())
    wrong_line = {
        "udp": {"udp.address": "radar"},
        "can": {"can.adapter": "no_such_adapter"},
        "serial": {"data.device": "", "data.baud": -1},
        "file": {"path": ""},
    }[case.line]
    with pytest.raises(ConfigError, match="|".join(wrong_line)):
        case.make(tmp_path, **wrong_line)


@each_case
def test_all_frames_come_and_again_after_a_restart(case, tmp_path):
    packets = case.packets()
    with connected(case, tmp_path) as (driver, line):
        for attempt in (1, 2):
            since_ns = time.time_ns()
            driver.start()
            frames = run(driver, line, packets, case.frames)
            for frame in frames:
                check_frame(frame, driver, since_ns)
            times = [frame.received_ns for frame in frames]
            assert times == sorted(times)
            assert driver.frames == attempt * case.frames
            assert driver.packets > 0
            assert not driver.refused, "these packets are all good"
            driver.stop()
    if driver.output == "points":
        assert sum(map(len, frames)) > 0


@each_case
def test_what_was_not_complete_is_forgotten_at_a_stop(case, tmp_path):
    packets = case.packets()
    with connected(case, tmp_path) as (driver, line):
        driver.start()
        if line.kind == "file":
            driver.poll()
        else:
            for packet in packets[: len(packets) // 2]:
                for _ in line.send(packet):
                    driver.poll()
        driver.stop()
        driver.start()
        run(driver, line, packets, case.frames)


@each_case
def test_a_driver_that_is_not_started_has_no_line(case, tmp_path):
    with connected(case, tmp_path) as (driver, _):
        driver.stop()  # without effect
        with pytest.raises(OSError, match="not open"):
            driver.poll()
        driver.start()
        driver.stop()
        driver.stop()
        with pytest.raises(OSError, match="not open"):
            driver.poll(0.01)


@each_live_case
def test_polling_a_silent_line_ends_in_time(case, tmp_path):
    with connected(case, tmp_path) as (driver, _), driver:
        begin = time.monotonic()
        assert driver.poll() == []
        assert driver.poll(0.1) == []
        assert time.monotonic() - begin < 1.0


@each_live_case
def test_a_packet_ends_the_wait(case, tmp_path):
    with connected(case, tmp_path) as (driver, line), driver:
        next(iter(line.send(case.packets()[0])))
        begin = time.monotonic()
        driver.poll(30.0)
        assert time.monotonic() - begin < 10.0
        assert driver.packets == 1


@each_live_case
def test_garbage_between_packets_loses_no_later_frame(case, tmp_path):
    random_bytes = random.Random(1).randbytes
    packets = case.packets()
    garbage = [random_bytes(n) for n in (1, 7, 64, 333, 1400)] + ([b""] if case.line == "udp" else [])
    with connected(case, tmp_path) as (driver, line), driver:
        for packet in garbage:
            for _ in line.send(packet):
                driver.poll()
        run(driver, line, packets, case.frames)
        assert sum(driver.refused.values()) > 0
        assert all(type(reason) is str and type(count) is int for reason, count in driver.refused.items())


@each_live_case
def test_garbage_amid_packets_loses_no_more_than_it_touches(case, tmp_path):
    """Datagrams between others touch nothing; in a stream, what is begun may be lost, but the rest comes."""
    random_bytes = random.Random(2).randbytes
    packets = case.packets()
    middle = len(packets) // 2
    amid = [*packets[:middle], random_bytes(100), *packets[middle:]]
    with connected(case, tmp_path) as (driver, line), driver:
        if case.line in ("udp", "can"):
            run(driver, line, amid, case.frames)
        else:
            run(driver, line, [*amid, *packets], 2 * case.frames)


@each_case
def test_a_line_that_cannot_be_opened_is_named(case, tmp_path):
    line = Line(case, tmp_path)
    driver = case.make(tmp_path, **line.settings)
    if case.line == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", line.port))
            with pytest.raises(OSError, match=str(line.port)):
                driver.start()
        driver.start()  # may be called again
        driver.stop()
        line.close()
        return
    line.close()
    if case.line == "can":
        driver = case.make(tmp_path, **{"can.interface": "no_such_can"})
        with pytest.raises(OSError, match="CAN interface no_such_can"):
            driver.start()
        return
    if case.line == "file":
        line.path.unlink()
    with pytest.raises(OSError, match=line.settings["data.device" if case.line == "serial" else "path"]):
        driver.start()


@each_case
def test_health_can_be_asked_at_any_time(case, tmp_path):
    def check() -> None:
        health = driver.health()
        assert isinstance(health, DriverHealth)
        assert isinstance(health.level, Level)
        assert health.text
        assert all(isinstance(key, str) for key in health.values)

    with connected(case, tmp_path) as (driver, line):
        check()
        driver.start()
        check()
        run(driver, line, case.packets(), case.frames)
        check()
        assert driver.health().level is Level.OK, "these packets are of a radar that does well"
        driver.stop()
        check()


@each_case
def test_known_columns_have_our_names(case, tmp_path):
    """A column that means one of ours under another name would be ignored by detection."""
    with connected(case, tmp_path) as (driver, line):
        driver.start()
        frames = run(driver, line, case.packets(), case.frames)
    if driver.output != "points":
        return
    names = set(frames[0].columns)
    assert names & set(POINT_COLUMNS)
    assert all(set(frame.columns) == names for frame in frames), "the same columns in every frame"
    assert not names & {"doppler", "velocity", "speed_radial", "rcs_dbsm", "snr_db", "azimuth_deg"}
