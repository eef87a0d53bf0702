# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Own ship: heading, position and motion over ground, by NMEA 0183 sentences and what radars on a ship's network tell."""

from __future__ import annotations

import math
from collections import Counter

from aegis.core.angles import compass_text
from aegis.core.params import ConfigError, Settings, param
from aegis.drivers.frames import PlatformFix
from aegis.drivers.transport import UdpTransport

KNOT_MPS = 1852.0 / 3600.0
STALE_S = 5.0  # a heading or a motion that is older is unknown
MAX_SENTENCE = 1024
WGS84_A, WGS84_E2 = 6_378_137.0, 6.694_379_990_141e-3


class NmeaSettings(Settings):
    """Own ship's NMEA 0183 over UDP."""

    address: str = param("0.0.0.0", "Local address at which own ship's sentences come.")
    port: int = param(0, "Local UDP port of own ship's NMEA 0183 (10110 is usual); 0: none.", ge=0, le=65_535)
    source_address: str = param("", "Its sender: those of others are dropped and counted; empty takes any.")
    variation_deg: float = param(
        0.0, "Magnetic variation, east positive, for headings that are magnetic where no sentence (HDG, RMC) tells it.",
        unit="deg", ge=-180.0, le=180.0,
    )  # fmt: skip
    origin: str = param("", "Latitude and longitude of `map`'s origin, as '59.91,10.73'; empty: the first position.")

    def transports(self) -> list[UdpTransport]:
        """Return the line, closed; none where there is none.

        Raises:
            ConfigError: an address is none.
        """
        if not self.port:
            return []
        try:
            return [UdpTransport(self.address, self.port, source=self.source_address)]
        except ValueError as error:
            raise ConfigError(f"nmea.address or nmea.source_address: {error}") from None

    def origin_deg(self) -> tuple[float, float] | None:
        """Return latitude and longitude of the origin [deg].

        Raises:
            ConfigError: it is none.
        """
        if not self.origin:
            return None
        try:
            latitude, longitude = (float(word) for word in self.origin.split(","))
        except ValueError:
            latitude = math.nan
        if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 180.0):
            raise ConfigError(f"nmea.origin = '{self.origin}' is no 'latitude,longitude' in degrees, as '59.91,10.73'")
        return latitude, longitude


class OwnShip:
    """What is known of own ship, and since when."""

    def __init__(self, settings: NmeaSettings) -> None:
        self._origin_set = settings.origin_deg()
        self._variation_set = math.radians(settings.variation_deg)
        self.refused: Counter[str] = Counter()
        self.reset()

    def reset(self) -> None:
        """Forget it."""
        self._variation: float | None = None
        self._true: tuple[int, float] | None = None  # time [ns], heading [rad]
        self._magnetic: tuple[int, float] | None = None
        self._position: tuple[int, float, float] | None = None  # time, latitude, longitude [rad]
        self._motion: tuple[int, float, float] | None = None  # time, east, north [m/s]
        self._run = (0, 0.0, 0.0)  # time, and how far east and north it has gone since the position [m]
        self._origin = None if self._origin_set is None else tuple(map(math.radians, self._origin_set))

    def true_from_magnetic(self, heading: float) -> float:
        """Return a true heading [rad] of a magnetic one."""
        return heading + (self._variation_set if self._variation is None else self._variation)

    def heading_at(self, time_ns: int) -> float:
        """Return the true heading [rad]; NaN where it is not known or stale."""
        if self._true is not None and 0 <= time_ns - self._true[0] <= STALE_S * 1e9:
            return self._true[1]
        if self._magnetic is not None and 0 <= time_ns - self._magnetic[0] <= STALE_S * 1e9:
            return self.true_from_magnetic(self._magnetic[1])
        return math.nan

    def fix_at(self, time_ns: int) -> PlatformFix:
        """Return position and motion, the position carried on by all motions since; zeros where nothing is known."""
        east_mps = north_mps = 0.0
        if self._motion is not None and abs(time_ns - self._motion[0]) <= STALE_S * 1e9:
            east_mps, north_mps = self._motion[1:]
        if self._position is None or self._origin is None:
            return PlatformFix(0.0, 0.0, east_mps, north_mps)
        east, north = _plane(self._origin[0], self._origin[1], *self._position[1:])
        _, east_run, north_run = self._run_until(time_ns)
        return PlatformFix(east + east_run, north + north_run, east_mps, north_mps)

    def _run_until(self, time_ns: int) -> tuple[int, float, float]:
        """Return a time, and how far the ship has gone then since its position: no farther than its last motion holds."""
        since_ns, east, north = self._run
        if self._motion is None:
            return time_ns, east, north
        told_ns, east_mps, north_mps = self._motion
        for_s = max(min(time_ns, told_ns + round(STALE_S * 1e9)) - since_ns, 0) * 1e-9
        return time_ns, east + east_mps * for_s, north + north_mps * for_s

    def trouble(self, time_ns: int) -> str:
        """Return in words what was known of the ship and does not come any more; empty where nothing is missing."""
        if self._position is None or time_ns - self._position[0] <= STALE_S * 1e9:
            return ""
        moves = self._motion is not None and time_ns - self._motion[0] <= STALE_S * 1e9
        how = "it is carried on by course and speed" if moves else "the ship stands still in the picture"
        return f"own ship's position has not come for {(time_ns - self._position[0]) * 1e-9:.0f} s: {how}"

    def values(self) -> dict[str, str]:
        """Return what is known, in words."""
        out = {}
        if self._position is not None:
            out["position"] = f"{math.degrees(self._position[1]):.5f},{math.degrees(self._position[2]):.5f}"
        if self._true is not None:
            out["heading_deg"] = compass_text(math.degrees(self._true[1]), 1)
        elif self._magnetic is not None:
            known = "" if self._variation is not None or self._variation_set else ", no variation known"
            out["heading_deg"] = f"{compass_text(math.degrees(self._magnetic[1]), 1)} magnetic{known}"
        return out

    def set_variation(self, variation: float) -> None:
        """Take the magnetic variation, east positive [rad]."""
        if abs(variation) <= math.pi:
            self._variation = variation

    def set_heading(self, heading: float, time_ns: int, *, true: bool) -> None:
        """Take a heading [rad]."""
        heading %= 2.0 * math.pi
        if true:
            self._true = time_ns, heading
        else:
            self._magnetic = time_ns, heading

    def set_position(self, latitude: float, longitude: float, time_ns: int) -> None:
        """Take a position [rad]."""
        if not (abs(latitude) <= math.pi / 2.0 and abs(longitude) <= math.pi):
            self.refused["position that is none"] += 1
            return
        self._position = time_ns, latitude, longitude
        self._run = time_ns, 0.0, 0.0
        self._origin = self._origin or (latitude, longitude)

    def set_motion(self, course: float, speed_mps: float, time_ns: int) -> None:
        """Take course [rad, true] and speed over ground."""
        if 0.0 <= speed_mps < 100.0 and math.isfinite(course):
            self._run = self._run_until(time_ns)
            self._motion = time_ns, speed_mps * math.sin(course), speed_mps * math.cos(course)

    def take(self, packet: bytes, time_ns: int) -> bool:
        """Take the sentences of a datagram; tell whether it was NMEA 0183."""
        if packet[:1] not in (b"$", b"!", b"\\") or not packet.isascii():
            return False
        for line in packet[: 16 * MAX_SENTENCE].splitlines():
            line = line.rpartition(b"\\")[2].strip()  # what is before is a tag block
            if line.startswith(b"$"):
                self._sentence(line, time_ns)
        return True

    def _sentence(self, line: bytes, time_ns: int) -> None:
        body, star, checksum = line[1:].partition(b"*")
        if star:
            total = 0
            for byte in body:
                total ^= byte
            if checksum[:2].upper() != b"%02X" % total:
                self.refused["NMEA checksum"] += 1
                return
        words = body.decode("ascii", "replace").split(",")
        kind = words[0][-3:]
        try:
            if kind == "HDT" and _number(words, 1) is not None:
                # Some write M where T should be; the kind of sentence counts.
                self.set_heading(math.radians(float(words[1])), time_ns, true=True)
            elif kind == "THS" and _number(words, 1) is not None and words[2:3] != ["V"]:  # V: not valid
                self.set_heading(math.radians(float(words[1])), time_ns, true=True)
            elif kind in ("HDM", "HDG") and _number(words, 1) is not None:
                self._magnetic_heading(kind, words, time_ns)
            elif kind == "RMC" and words[2] == "A":
                self.set_position(_angle(words[3], words[4]), _angle(words[5], words[6]), time_ns)
                course, speed = _number(words, 8), _number(words, 7)
                if speed is not None and (course is not None or speed < 0.5):
                    self.set_motion(math.radians(course or 0.0), speed * KNOT_MPS, time_ns)
                variation = _number(words, 10)
                if variation is not None:
                    self.set_variation(math.radians(-variation if words[11][:1] == "W" else variation))
            elif kind == "GGA" and words[6] not in ("", "0"):
                self.set_position(_angle(words[2], words[3]), _angle(words[4], words[5]), time_ns)
            elif kind == "GLL" and words[6:7] in ([], ["A"]):
                self.set_position(_angle(words[1], words[2]), _angle(words[3], words[4]), time_ns)
            elif kind == "GNS" and words[6].strip("N"):  # N of each system: no fix
                self.set_position(_angle(words[2], words[3]), _angle(words[4], words[5]), time_ns)
            elif kind == "VTG" and words[9:10] != ["N"]:  # N: not valid
                course, speed = _number(words, 1), _number(words, 5)
                if course is not None and speed is not None:
                    self.set_motion(math.radians(course), speed * KNOT_MPS, time_ns)
        except (ValueError, IndexError):
            self.refused["NMEA sentence unreadable"] += 1

    def _magnetic_heading(self, kind: str, words: list[str], time_ns: int) -> None:
        heading = float(words[1])
        if kind == "HDG":
            deviation, variation = _number(words, 2), _number(words, 4)
            if deviation is not None:
                heading += -deviation if words[3] == "W" else deviation
            if variation is not None:
                self.set_variation(math.radians(-variation if words[5][:1] == "W" else variation))
        self.set_heading(math.radians(heading), time_ns, true=False)


def _number(words: list[str], index: int) -> float | None:
    """Return a field's number; None where it is empty or missing.

    Raises:
        ValueError: it is none.
    """
    text = words[index] if index < len(words) else ""
    if not text:
        return None
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _angle(text: str, side: str) -> float:
    """Return an angle [rad] of degrees and minutes, as 5831.77473 N."""
    point = text.index(".") if "." in text else len(text)
    degrees = int(text[: point - 2]) + float(text[point - 2 :]) / 60.0
    if side not in ("N", "S", "E", "W"):
        raise ValueError(side)
    return math.radians(-degrees if side in ("S", "W") else degrees)


def _plane(latitude_0: float, longitude_0: float, latitude: float, longitude: float) -> tuple[float, float]:
    """Return east and north of an origin [m], on the plane that touches the WGS 84 ellipsoid there (good to 1e-4 over 30 km)."""
    w = math.sqrt(1.0 - WGS84_E2 * math.sin(latitude_0) ** 2)
    meridian, prime = WGS84_A * (1.0 - WGS84_E2) / w**3, WGS84_A / w
    east = (longitude - longitude_0 + math.pi) % (2.0 * math.pi) - math.pi
    return east * prime * math.cos(latitude_0), (latitude - latitude_0) * meridian
