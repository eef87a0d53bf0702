# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The stream of TI's demo: what it says, cut and broken anywhere; and the radar's configuration over a terminal line."""

import math
import os
import struct
import threading
import tty
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ti_bytes import demo_packet, demo_stream, record, stats, temperature

from aegis.core.params import ConfigError
from aegis.drivers.frames import PointFrame
from aegis.drivers.ti_cli import read_commands
from aegis.drivers.ti_tlv import MAX_PACKET_BYTES
from aegis.drivers.ti_uart import TiUart, TiUartParser, TiUartSettings

STREAM = demo_stream()
MHZ_200 = 200_000_000


def frames_of(stream: bytes, parser: TiUartParser | None = None) -> list[PointFrame]:
    return (parser or TiUartParser()).feed(stream, 1)


def same(one: list[PointFrame], other: list[PointFrame]) -> bool:
    """Tell whether two lists are the same frames, but for the time of receipt."""
    return len(one) == len(other) and all(
        a.sensor_time_ns == b.sensor_time_ns
        and a.columns.keys() == b.columns.keys()
        and all(np.array_equal(a.columns[name], b.columns[name], equal_nan=True) for name in a.columns)
        for a, b in zip(one, other, strict=True)
    )


class TestContent:
    def test_axes_signs_and_units(self):
        """TI's point 1.5 m to the right, 4 m ahead, 0.25 m up, that comes nearer at 2 m/s; 25.0 dB of SNR, noise of 31.0 dB."""
        (frame,) = frames_of(demo_packet([(1.5, 4.0, 0.25, -2.0)], side=[(250, 310)]))
        got = {name: values.tolist() for name, values in frame.columns.items()}
        assert got == {"x": [4.0], "y": [-1.5], "z": [0.25], "range_rate": [-2.0], "snr": [25.0], "noise": [31.0]}
        assert all(values.dtype == np.float64 for values in frame.columns.values())

    def test_side_information_has_a_sign_and_all_of_int16(self):
        side = [(-32768, 32767), (0, -1)]
        (frame,) = frames_of(demo_packet([(0.0, 1.0, 0.0, 0.0)] * 2, side=side))
        assert frame.columns["snr"] == pytest.approx([-3276.8, 0.0])
        assert frame.columns["noise"] == pytest.approx([3276.7, -0.1])

    def test_without_side_information_it_is_unknown(self):
        (frame,) = frames_of(demo_packet([(0.0, 1.0, 0.0, 0.0)]))
        assert np.isnan(frame.columns["snr"]).all()

    def test_a_frame_without_points(self):
        (frame,) = frames_of(demo_packet([]))
        assert len(frame) == 0
        assert set(frame.columns) == {"x", "y", "z", "range_rate", "snr", "noise"}

    def test_numbers_that_are_none_are_unknown(self):
        (frame,) = frames_of(demo_packet([(math.nan, math.inf, -math.inf, math.nan), (1.0, 2.0, 3.0, 4.0)]))
        assert all(np.isnan(frame.columns[name][0]) for name in ("x", "y", "z", "range_rate"))
        assert frame.columns["x"][1] == 2.0

    def test_records_in_any_order_and_unknown_ones(self):
        packet = demo_packet(
            [(1.0, 2.0, 3.0, 4.0)], more=(record(77, b"12345"), record(2, bytes(512)), record(77, b""))
        )
        parser = TiUartParser()
        (frame,) = frames_of(packet, parser)
        assert frame.columns["x"].tolist() == [2.0]
        assert parser.refused == {"unknown record": 2}

    def test_health_has_load_temperatures_and_missed_frames(self):
        parser = TiUartParser()
        more = (stats(4000, load=35), temperature(48))
        frames_of(demo_packet([], number=7, more=more) + demo_packet([], number=10), parser)
        frames_of(demo_packet([], number=11, more=(temperature(99, valid=False),)), parser)
        values = parser.health().values
        assert values["active_frame_cpu_load_percent"] == 35
        assert values["interframe_processing_time_us"] == 4000
        assert values["temperature_tx3_c"] == 48
        assert values["frames_missed"] == 2

    def test_a_restarted_radar_missed_nothing(self):
        parser = TiUartParser()
        frames_of(b"".join(demo_packet([], number=n) for n in (500, 1, 2, 90_000)), parser)
        assert parser.health().values["frames_missed"] == 0


class TestTime:
    def test_cycles_with_wraps(self):
        """0.1 s apart, over a wrap of the counter after 21.47 s."""
        parser = TiUartParser()
        step = MHZ_200 // 10
        cycles = [2**32 - 3 * step + n * step for n in range(8)]
        frames = [
            frame
            for n, c in enumerate(cycles)
            for frame in parser.feed(demo_packet([], number=n, cycles=c), n * 100_000_000)
        ]
        times = np.diff([frame.sensor_time_ns for frame in frames])
        assert times.tolist() == [100_000_000] * 7

    @pytest.mark.parametrize("silence_s", [30, 60, 200])
    def test_wraps_in_a_silence_are_known_from_the_hosts_clock(self, silence_s):
        parser = TiUartParser()
        (first,) = parser.feed(demo_packet([], cycles=5), 0)
        cycles = 5 + silence_s * MHZ_200
        (second,) = parser.feed(demo_packet([], cycles=cycles), silence_s * 1_000_000_000 + 30_000_000)
        assert second.sensor_time_ns - first.sensor_time_ns == silence_s * 1_000_000_000

    def test_the_processing_is_taken_off_where_it_is_known(self):
        (plain,) = frames_of(demo_packet([], cycles=MHZ_200))
        (known,) = frames_of(demo_packet([], cycles=MHZ_200, more=(stats(4000),)))
        (absurd,) = frames_of(demo_packet([], cycles=MHZ_200, more=(stats(2**32 - 1),)))
        assert plain.sensor_time_ns == absurd.sensor_time_ns == 1_000_000_000
        assert known.sensor_time_ns == 996_000_000

    def test_another_clock(self):
        (frame,) = frames_of(demo_packet([], cycles=600_000_000), TiUartParser(600e6))
        assert frame.sensor_time_ns == 1_000_000_000

    def test_receipt_is_that_of_the_first_byte(self):
        parser = TiUartParser()
        packet = STREAM[0]
        assert parser.feed(packet[:50], 10) == []
        (frame,) = parser.feed(packet[50:] + STREAM[1][:5], 20)
        assert frame.received_ns == 10
        (frame,) = parser.feed(STREAM[1][5:], 30)
        assert frame.received_ns == 20


class TestStream:
    def test_split_at_every_byte(self):
        stream = b"".join(STREAM[:3])
        expected = frames_of(stream)
        assert len(expected) == 3
        for cut in range(len(stream) + 1):
            parser = TiUartParser()
            got = parser.feed(stream[:cut], 1) + parser.feed(stream[cut:], 1)
            assert same(got, expected)
            assert not parser.refused
        parser = TiUartParser()
        assert same([f for i in range(len(stream)) for f in parser.feed(stream[i : i + 1], 1)], expected)

    @settings(max_examples=200)
    @given(
        garbage=st.lists(st.binary(max_size=60), min_size=5, max_size=5),
        cuts=st.lists(st.integers(0, 3000), max_size=10),
    )
    def test_garbage_between_packets_costs_nothing_and_is_counted(self, garbage, cuts):
        parts = [garbage[0]]
        for packet, noise in zip(STREAM, garbage[1:], strict=True):
            parts += [packet, noise]
        stream = b"".join(parts)
        edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
        parser = TiUartParser()
        got = [f for a, b in pairwise(edges) for f in parser.feed(stream[a:b], 1)]
        assert same(got, frames_of(b"".join(STREAM)))
        # A run of garbage counts once; at the stream's end it may be the begin of a packet.
        inside = sum(bool(noise) for noise in garbage[:-1])
        assert inside <= parser.refused["bytes outside packets"] <= inside + bool(garbage[-1])

    @settings(max_examples=200)
    @given(begin=st.integers(0, 900), size=st.integers(1, 200))
    def test_lost_bytes_cost_the_packets_they_touch(self, begin, size):
        """Two good streams with a hole in the first: all packets come that the hole does not touch."""
        first, whole = b"".join(STREAM), b"".join(STREAM)
        begin = min(begin, len(first) - 1)
        end = min(begin + size, len(first))
        edges = np.cumsum([0, *map(len, STREAM)])
        untouched = [i for i in range(4) if edges[i + 1] <= begin or edges[i] >= end]
        parser = TiUartParser()
        got = parser.feed(first[:begin] + first[end:] + whole, 1)
        assert [len(f) for f in got] == [(3, 1, 0, 15)[i] for i in (*untouched, 0, 1, 2, 3)]
        assert bool(parser.refused) == (len(untouched) < 4 and (begin, end) not in _whole_packets(edges))

    @pytest.mark.parametrize(
        ("at", "value", "reason"),
        [
            (12, 39, "wrong length of a packet"),
            (12, MAX_PACKET_BYTES + 1, "wrong length of a packet"),
            (12, 2**32 - 1, "wrong length of a packet"),
            (12, 4096, "packet cut short"),
            (28, 2, "wrong length of a record"),
            (28, 0, "wrong length of a record"),
            (32, 2, "record beyond the packet"),
            (32, 33, "too many records"),
            (32, 0, "other number of points"),
            (44, 15, "wrong length of a record"),
            (44, 2**32 - 1, "record beyond the packet"),
            (40, 7, "wrong length of a record"),
        ],
    )
    def test_a_packet_that_contradicts_itself_is_refused_and_no_other(self, at, value, reason):
        good = demo_packet([(1.0, 2.0, 3.0, 4.0)])
        assert len(good) == 64
        bad = bytearray(good)
        struct.pack_into("<I", bad, at, value)
        parser = TiUartParser()
        frames = parser.feed(bytes(bad) + good, 1)
        assert len(frames) == 1
        assert parser.refused == {reason: 1}

    def test_a_length_beyond_what_comes_holds_up_no_more_than_one_packet(self):
        bad = bytearray(STREAM[0])
        struct.pack_into("<I", bad, 12, MAX_PACKET_BYTES)
        parser = TiUartParser()
        assert parser.feed(bytes(bad), 1) == []
        assert len(parser.feed(STREAM[1], 2)) == 1

    def test_what_is_kept_is_bounded(self):
        parser = TiUartParser()
        header = bytearray(demo_packet([])[:40])
        struct.pack_into("<I", header, 12, MAX_PACKET_BYTES)
        parser.feed(bytes(header), 1)
        for _ in range(100):
            parser.feed(bytes(10_000), 1)
            assert len(parser._buffer) <= MAX_PACKET_BYTES
        assert sum(parser.refused.values()) > 0

    def test_the_largest_packet(self):
        packet = demo_packet([(1.0, 2.0, 3.0, 4.0)], more=(record(5, bytes(MAX_PACKET_BYTES - 128)),))
        assert len(frames_of(packet)) == 1


def _whole_packets(edges: np.ndarray) -> set[tuple[int, int]]:
    """Return the holes that take whole packets, and so leave no trace."""
    return {(int(a), int(b)) for a in edges for b in edges if a < b}


CFG = """% made for a test
sensorStop
flushCfg

  channelCfg 15 7 0
sensorStart
"""


class Radar:
    """The far end of the two lines: takes commands and answers them as `answers` say (command's first word: text)."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.commands: list[str] = []
        self.ends = [os.openpty() for _ in range(2)]
        for end in (end for pair in self.ends for end in pair):
            tty.setraw(end)
        (self.control, control), (self.data, data) = self.ends
        self.devices = {"control.device": os.ttyname(control), "data.device": os.ttyname(data)}
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        heard = b""
        while (more := os.read(self.control, 100)) != b"\x04":
            heard += more
            while b"\n" in heard:
                line, heard = heard.split(b"\n", 1)
                self.commands.append(line.decode())
                answer = self.answers.get(self.commands[-1].split()[0], "Done\n")
                os.write(self.control, line + b"\r\n" + answer.encode() + b"\nmmwDemo:/>")

    def close(self) -> None:
        os.write(self.ends[0][1], b"\x04")
        self.thread.join(10.0)
        for end in (end for pair in self.ends for end in pair):
            os.close(end)


@pytest.fixture
def radar(request) -> Iterator[Radar]:
    made = Radar(getattr(request, "param", {}))
    yield made
    made.close()


def driver(radar: Radar, tmp_path, **values) -> TiUart:
    path = tmp_path / "radar.cfg"
    path.write_text(CFG)
    return TiUart(TiUartSettings.load({"driver": "ti_uart", "control.cfg_file": str(path), **radar.devices, **values}))


class TestConfiguration:
    @pytest.mark.parametrize(
        "radar",
        [{"sensorStop": "Ignored: Sensor is already stopped\nDone\n", "sensorStart": "Debug: Init = 0x1ffe\nDone\n"}],
        indirect=True,
    )
    def test_the_file_is_sent_and_points_come(self, radar, tmp_path, wait_for):
        with driver(radar, tmp_path) as started:
            assert radar.commands == ["sensorStop", "flushCfg", "channelCfg 15 7 0", "sensorStart"]
            os.write(radar.data, STREAM[0])
            frames = []
            wait_for(lambda: bool(frames.extend(started.poll(0.05)) or frames), "a frame")
        assert len(frames[0]) == 3

    @pytest.mark.parametrize(
        ("radar", "says"),
        [
            ({"channelCfg": "Error -1\n"}, "Error -1"),
            ({"channelCfg": "'channelCfg' is not recognized as a CLI command\n"}, "not recognized"),
        ],
        indirect=["radar"],
    )
    def test_an_error_names_the_line(self, radar, tmp_path, says):
        stopped = driver(radar, tmp_path)
        with pytest.raises(OSError, match=f"line 5 of .*radar.cfg, 'channelCfg 15 7 0': .*{says}"):
            stopped.start()
        assert radar.commands[-1] == "channelCfg 15 7 0"
        with pytest.raises(OSError, match="not open"):
            stopped.poll()
        radar.answers.clear()
        stopped.start()
        stopped.stop()

    @pytest.mark.parametrize("radar", [{"flushCfg": "what?\n"}], indirect=True)
    def test_no_answer_in_time(self, radar, tmp_path):
        with pytest.raises(OSError, match=r"line 3 .*'flushCfg': no 'Done' within 0.3 s.*what\?"):
            driver(radar, tmp_path, **{"control.command_timeout_s": 0.3}).start()

    def test_a_command_line_that_is_absent_is_named(self, radar, tmp_path):
        with pytest.raises(OSError, match="/dev/absent"):
            driver(radar, tmp_path, **{"control.device": "/dev/absent"}).start()

    def test_settings_that_do_not_go_together(self, radar, tmp_path):
        with pytest.raises(ConfigError, match=r"control\.device"):
            driver(radar, tmp_path, **{"control.device": ""})
        with pytest.raises(ConfigError, match=r"data\.device"):
            driver(radar, tmp_path, **{"data.device": ""})
        with pytest.raises(ConfigError, match=r"absent.cfg"):
            driver(radar, tmp_path, **{"control.cfg_file": "absent.cfg"})

    def test_a_file_without_commands(self, tmp_path):
        path = tmp_path / "empty.cfg"
        path.write_text("% nothing\n\n")
        with pytest.raises(ConfigError, match="0 commands"):
            read_commands(path)
