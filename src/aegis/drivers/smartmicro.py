# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""smartmicro UMRR radars on Ethernet: target lists over UDP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from aegis.core.health import Level
from aegis.core.params import group, param
from aegis.core.signal.equation import decibels
from aegis.core.types import Floats
from aegis.drivers.contract import DriverSettings, Parser
from aegis.drivers.first_sender import FirstSender
from aegis.drivers.frames import DriverHealth, FormatError, Frame, PointFrame, Reading, finite_or_nan
from aegis.drivers.packet_driver import UdpDriver, UdpSettings
from aegis.drivers.smartmicro_format import (
    LOG_PROTOCOL,
    PORT_PROTOCOL,
    Fragment,
    TargetList,
    decode_target_list,
    decode_transport,
)

MAX_PENDING = 2  # ports of which fragments are awaited: as much as packets may overtake each other
MAX_FRAGMENTS = 64
SECOND_SENSOR = "packet of a second sensor: driver.udp.source_address says which is the radar"
_MAX_COUNTER_STEP = 1000  # a larger step of the message counter is a restart, no loss
_LOG_SHOWN = 200  # characters
_LOG_AGE_NS = 10_000_000_000  # so long a fault that the radar logged is told as a warning
# Our name of a column, the target's field.
_AS_IS = {
    "range": "range",
    "azimuth": "azimuth",
    "elevation": "elevation",
    "range_rate": "speed_radial",
    "noise": "noise",
    "power": "power",
    "peak_index": "peak_index",
}
_VARIANCES = {
    "range_sigma": "range_variance",
    "azimuth_sigma": "azimuth_variance",
    "elevation_sigma": "elevation_variance",
    "range_rate_sigma": "speed_variance",
}


class SmartmicroSettings(DriverSettings):
    """Parameters of a smartmicro UMRR."""

    udp: UdpSettings = group(UdpSettings(port=55_555))
    rcs_unit: Literal["m2", "dBsm"] = param("m2", "Unit of the target list's RCS: m2 or dBsm; m2 in version 1.")


@dataclass
class _Pending:
    """A port of which some fragments have come."""

    count: int
    received_ns: int
    parts: dict[int, bytes] = field(default_factory=dict)


class SmartmicroParser(Parser):
    """Fragments to ports, ports to frames."""

    def __init__(self, rcs_unit: str = "m2") -> None:
        super().__init__()
        self.rcs_unit = rcs_unit
        self.lost_frames = 0
        self.log_messages = 0
        self.last_log = ""
        self._log_ns = self._now_ns = 0
        self._pending: dict[tuple[int, int], _Pending] = {}  # by client and counter, the oldest first
        self._last: tuple[int, int] | None = None  # client and counter of the last whole port
        self._first: FirstSender[int] = FirstSender()  # serial numbers

    def feed(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take a datagram."""
        self._now_ns = received_ns
        try:
            fragment = decode_transport(packet)
            if self._first.is_other(fragment.client, received_ns):
                raise FormatError(SECOND_SENSOR)  # two radars would be one picture
            self._first.take(fragment.client, received_ns)
            if fragment.protocol == LOG_PROTOCOL:
                self._take_log(fragment.payload)
                return []
            if fragment.protocol != PORT_PROTOCOL:
                raise FormatError("another protocol")
            port = self._assemble(fragment, received_ns)
            if port is None:
                return []
            data, first_ns = port
            return [self._frame(decode_target_list(data), first_ns)]
        except FormatError as error:
            self.refused[str(error)] += 1
            return []

    def reset(self) -> None:
        """Forget ports that are not complete, and which sensor it is."""
        for key in list(self._pending):
            self._drop(key)
        self._last, self._first = None, FirstSender()

    def health(self) -> DriverHealth:
        """Return what the radar logs, and how many of its frames did not come whole."""
        values: dict[str, Reading] = {
            "sensor_serial": self._first.chosen,
            "lost_frames": self.lost_frames,
            "log_messages": self.log_messages,
            "last_log": self.last_log,
        }
        if self.last_log.startswith(("FATAL", "ERROR")) and self._now_ns - self._log_ns < _LOG_AGE_NS:
            return DriverHealth(Level.WARN, f"the radar reports: {self.last_log}", values)
        return DriverHealth(values=values)

    def _take_log(self, payload: bytes) -> None:
        text = payload[:_LOG_SHOWN].decode("ascii", "replace")
        self.last_log = "".join(c if c.isprintable() else " " for c in text).strip()
        self.log_messages += 1
        self._log_ns = self._now_ns

    def _assemble(self, part: Fragment, received_ns: int) -> tuple[bytes, int] | None:
        """Return the whole port and when its first fragment came, or None while some are missing.

        Raises:
            FormatError: the fragment does not fit.
        """
        if not part.place < part.parts <= MAX_FRAGMENTS:
            raise FormatError("impossible fragment")
        key = (part.client, part.counter)
        pending = self._pending.get(key)
        if pending is None:
            if len(self._pending) == MAX_PENDING:
                self._drop(next(iter(self._pending)))
            pending = self._pending[key] = _Pending(part.parts, received_ns)
        if part.parts != pending.count or part.place in pending.parts:
            raise FormatError("repeated or contradictory fragment")
        pending.parts[part.place] = part.payload
        if len(pending.parts) < pending.count:
            return None
        del self._pending[key]
        self._count(*key)
        return b"".join(pending.parts[i] for i in range(pending.count)), pending.received_ns

    def _count(self, client: int, counter: int) -> None:
        """Take note that a port is whole: older ones will not be, and some may not have come at all."""
        for begun in [
            key for key in self._pending if key[0] == client and 0 < (counter - key[1]) % (1 << 16) < 1 << 15
        ]:
            self._drop(begun)
        if self._last and self._last[0] == client:
            step = (counter - self._last[1]) % (1 << 16)
            self.lost_frames += step - 1 if 1 < step < _MAX_COUNTER_STEP else 0
        self._last = (client, counter)

    def _drop(self, key: tuple[int, int]) -> None:
        self.refused["fragment of an incomplete port"] += len(self._pending.pop(key).parts)

    def _frame(self, found: TargetList, received_ns: int) -> PointFrame:
        targets = found.targets
        columns: dict[str, Floats] = {ours: finite_or_nan(targets[theirs]) for ours, theirs in _AS_IS.items()}
        columns["snr"] = finite_or_nan(columns["power"] - columns["noise"])
        columns |= {ours: _root(finite_or_nan(targets[theirs])) for ours, theirs in _VARIANCES.items()}
        rcs = finite_or_nan(targets["rcs"])
        columns["rcs"] = decibels(rcs) if self.rcs_unit == "m2" else rcs
        return PointFrame(columns, _mid_dwell_ns(found), received_ns)


class SmartmicroUmrr(UdpDriver):
    """smartmicro UMRR radars on Ethernet: target lists (port 66, versions 1 to 4) in UDP datagrams to port 55555.

    The recording that this was made from is of a UMRR-96, version 1. Versions 2 to 4 differ in the list's header; their layout was
    put together from the vendor's interface headers and agrees with the sizes of the vendor's simulation files, but no data of a
    sensor with them was at hand. Several radars must send to ports of their own, or be told apart by `source_address`;
    else the first that is heard is taken, by its serial number.

    Sensor time is the sensor's clock since power-on, unless it is synchronised. The list says when it was created (from version 4,
    when the acquisition began); the middle of the cycle before (after) that is taken as the time of measurement. In the recording a
    list comes up to 33 ms later than the quickest do, by that time.

    `range_sigma` and the like are what the sensor states; `power` [dB] and `peak_index` are carried along.
    """

    name: ClassVar[str] = "smartmicro_umrr"
    output: ClassVar[Literal["points", "cube"]] = "points"
    settings_type = SmartmicroSettings
    settings: SmartmicroSettings

    def make_parser(self) -> SmartmicroParser:
        """Return the parser."""
        return SmartmicroParser(self.settings.rcs_unit)


def _mid_dwell_ns(found: TargetList) -> int | None:
    """Return the middle of the cycle in which the list was measured [ns], or None without a time."""
    cycle_s = found.header["cycle_time"]
    half_ns = int(0.5e9 * cycle_s) if 0.0 < cycle_s < 10.0 else 0
    if found.header.get("acquisition_start"):
        return _ntp_ns(found.header.integer("acquisition_start")) + half_ns
    return _ntp_ns(found.created) - half_ns if found.created else None


def _ntp_ns(time: int) -> int:
    """Return nanoseconds of an NTP time: 32 bits of seconds, 32 bits of their fraction."""
    return (time * 1_000_000_000) >> 32


def _root(variance: Floats) -> Floats:
    """Return the square root, NaN of what is negative."""
    return np.sqrt(np.where(variance >= 0.0, variance, np.nan))
