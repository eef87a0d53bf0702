# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A recorded file in the place of a radar's line: captured datagrams or CAN frames, or the bytes of a serial line.

A driver says what it takes of it (`PacketDriver.recorded`); nothing opens a socket. The times are those of the recording. Where it
has none (`timed` is false), frames are stamped by the sensor's own clock, from `start_ns` on.
"""

from __future__ import annotations

import io
import struct
import zlib
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO, Literal

from aegis.core.params import ConfigError
from aegis.drivers.capture import CUT_SHORT, DAMAGED, first_bytes, is_capture, line_frames, open_recording
from aegis.drivers.datagrams import CAN, READABLE, Datagram, Datagrams, link_name
from aegis.drivers.transport import MAX_STREAM_BYTES, Packet, Transport

START_NS = 946_684_800_000_000_000  # 2000-01-01: of what has no times of its own, where nothing else is said
_CAN_ID, _CAN_BAD = 0x1FFF_FFFF, 0x6000_0000  # remote and error frames
MOST_NAMED = 6

Accept = Callable[[Datagram], bool]


@dataclass
class Recording:
    """A recorded file.

    Args:
        path: the file: pcap or pcapng, or anything else as bytes; each may be gzipped.
        start_ns: Unix time of its begin, where it has no times.

    Raises:
        ConfigError: there is no such file, or it is empty.
    """

    path: Path
    start_ns: int = START_NS
    now_ns: int = 0  # of what was read last
    timed: bool = True
    kind: Literal["capture", "candump", "bytes"] = "bytes"

    def __post_init__(self) -> None:
        try:
            self.begin = first_bytes(self.path, 64)
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be read: {error.strerror}; a recording is expected") from None
        if not self.begin:
            raise ConfigError(f"{self.path} is empty, or damaged from its begin; a recording is expected")
        if is_capture(self.begin):
            self.kind = "capture"
        elif self.begin[:1] == b"(" and b") " in self.begin:
            self.kind = "candump"
        self.skipped: Counter[str] = Counter()  # what is of no radar of this kind, and no fault
        self.file: BinaryIO | None = None  # open, for who shows the progress
        self.now_ns = self.start_ns

    def datagrams(self, accept: Accept, wanted: str) -> Transport:
        """Return the line of captured datagrams.

        Args:
            accept: tells which are the radar's.
            wanted: the same in words, where there is none.

        Raises:
            ConfigError: this is no capture.
        """
        if self.kind != "capture":
            raise ConfigError(
                f"{self.path} is neither pcap nor pcapng (it begins with {self.begin[:8].hex(' ')}); the driver reads "
                "captured UDP datagrams"
            )
        return CapturedUdp(self, accept, wanted)

    def can_frames(self) -> Transport:
        """Return the line of captured CAN frames.

        Raises:
            ConfigError: this is none.
        """
        if self.kind == "bytes":
            raise ConfigError(f"{self.path} is neither pcap, pcapng nor a log of candump: no CAN frames")
        return CapturedCan(self)

    def stream(self) -> Transport:
        """Return the line of the file's bytes.

        Raises:
            ConfigError: this is a capture.
        """
        if self.kind != "bytes":
            raise ConfigError(f"{self.path} is a {self.kind}; the driver reads the bytes of a serial line as they came")
        self.timed = False
        return RecordedBytes(self)

    def skipped_text(self) -> str:
        """Return what was left alone, in words."""
        most = self.skipped.most_common(MOST_NAMED)
        rest = f", and {len(self.skipped) - len(most)} more" if len(self.skipped) > len(most) else ""
        return ", ".join(f"{name} ({count})" for name, count in most) + rest


class RecordedLine(Transport):
    """A line that yields the packets of a recording, one a look."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self.recording = recording
        self._packets: Iterator[Packet] | None = None

    @abstractmethod
    def packets(self, file: BinaryIO) -> Iterator[Packet]:
        """Yield the packets."""

    def open(self) -> None:
        """Begin at the file's begin."""
        if self._packets is None:
            unpacked, self.recording.file = open_recording(self.recording.path)
            self._packets = self.packets(unpacked)

    def read(self, timeout_s: float) -> list[Packet]:
        """Return the next packet."""
        if self._packets is None:
            raise OSError(f"{self.recording.path} is not open")
        packet = next(self._packets, None)
        if packet is None:
            raise EOFError(f"{self.recording.path} is at its end")
        self.recording.now_ns = packet.received_ns
        return [packet]

    def close(self) -> None:
        """Close the file."""
        if self.recording.file is not None:
            self.recording.file.close()
        self._packets = self.recording.file = None


class CapturedUdp(RecordedLine):
    """The datagrams that `accept` takes.

    `read` raises ConfigError where there are none: the message says which there are.
    """

    def __init__(self, recording: Recording, accept: Accept, wanted: str) -> None:
        super().__init__(recording)
        self._accept, self._wanted = accept, wanted

    def packets(self, file: BinaryIO) -> Iterator[Packet]:
        """Yield the datagrams."""
        found, damage = Datagrams(), Counter[str]()
        others: Counter[str] = Counter()
        taken = frames = 0
        for frame in line_frames(file, damage):
            frames += 1
            datagram = found.take(frame)
            if datagram is None:
                continue
            if self._accept(datagram):
                taken += 1
                self._count(found, damage, others)
                yield Packet(datagram.data, datagram.time_ns, str(ip_address(datagram.source)))
            else:
                others[datagram.where()] += 1
        found.finish()
        self._count(found, damage, others)
        if not taken:
            raise ConfigError(self._nothing(frames, found, others))

    def _count(self, found: Datagrams, damage: Counter[str], others: Counter[str]) -> None:
        foreign = Counter({f"link type {link_name(link)}": n for link, n in found.foreign.items()})
        self.refused = found.refused + damage + foreign
        self.recording.skipped = found.skipped + Counter({f"to {where}": n for where, n in others.items()})

    def _nothing(self, frames: int, found: Datagrams, others: Counter[str]) -> str:
        path = self.recording.path
        if found.foreign and sum(found.foreign.values()) == frames:
            links = ", ".join(link_name(link) for link in found.foreign)
            return f"{path} was captured on a line of link type {links}; these are read: {READABLE}"
        most = ", ".join(f"{where} ({n})" for where, n in others.most_common(MOST_NAMED)) or "none"
        more = f"; refused: {dict(self.refused)}" if self.refused else ""
        return f"{path} has {frames} frames, but no datagram {self._wanted}; it has datagrams to: {most}{more}"


class CapturedCan(RecordedLine):
    """CAN frames, of a capture (link type 227) or a log of candump; a packet is as `CanTransport`'s."""

    def packets(self, file: BinaryIO) -> Iterator[Packet]:
        """Yield the frames."""
        if self.recording.kind == "candump":
            yield from self._candump(file)
            return
        damage: Counter[str] = Counter()
        foreign: Counter[int] = Counter()
        taken = 0
        for frame in line_frames(file, damage):
            self.refused = self.refused + damage
            damage.clear()
            if frame.link_type != CAN:
                foreign[frame.link_type] += 1
                self.refused[f"link type {link_name(frame.link_type)}"] += 1
            elif len(frame.data) < 8 or len(frame.data) < 8 + frame.data[4]:
                self.refused["frame too short for its headers"] += 1
            else:
                (can_id,) = struct.unpack_from(">I", frame.data)
                if can_id & _CAN_BAD:
                    self.refused["CAN error or remote frame"] += 1
                    continue
                taken += 1
                data = (can_id & _CAN_ID).to_bytes(4, "big") + frame.data[8 : 8 + frame.data[4]]
                yield Packet(data, frame.time_ns)
        self.refused = self.refused + damage
        if not taken:
            links = ", ".join(link_name(link) for link in foreign) or "none"
            raise ConfigError(f"{self.recording.path} holds no CAN frame; its link types: {links}; {CAN} is expected")

    def _candump(self, file: BinaryIO) -> Iterator[Packet]:
        import can

        try:
            for message in can.CanutilsLogReader(io.TextIOWrapper(file, encoding="ascii", errors="replace")):
                if message.is_error_frame or message.is_remote_frame:
                    self.refused["CAN error or remote frame"] += 1
                    continue
                data = message.arbitration_id.to_bytes(4, "big") + bytes(message.data)
                yield Packet(data, round(message.timestamp * 1e9))
        except (ValueError, IndexError, EOFError, OSError, zlib.error):  # a line that is none; the packing
            self.refused[DAMAGED] += 1


class RecordedBytes(RecordedLine):
    """The bytes of a file, a piece at a time."""

    def packets(self, file: BinaryIO) -> Iterator[Packet]:
        """Yield the pieces."""
        while True:
            try:
                data = file.read(MAX_STREAM_BYTES)
            except EOFError:
                self.refused[CUT_SHORT] += 1
                return
            except (OSError, zlib.error):
                self.refused[DAMAGED] += 1
                return
            if not data:
                return
            yield Packet(data, self.recording.now_ns)


def sent_to(port: int, group: str, source: str) -> tuple[Accept, str]:
    """Return what takes datagrams to a port (0: any), a multicast group and from a source (empty: any), and that in words."""
    to, by = (ip_address(text).packed if text else b"" for text in (group, source))

    def accept(datagram: Datagram) -> bool:
        return (
            port in (0, datagram.port) and (not to or datagram.destination == to) and (not by or datagram.source == by)
        )

    said = [f"to UDP port {port}" if port else "to any UDP port"]
    said += [f"of group {group}"] * bool(group) + [f"from {source}"] * bool(source)
    return accept, f"{' '.join(said)} (--set driver.udp.port=... and driver.udp.multicast_group=... say others)"
