# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""ASTERIX CAT048 and CAT034 over UDP: the plots of surveillance radars, a revolution of the antenna or a sector a frame."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from aegis.core.angles import wrapped
from aegis.core.health import Level
from aegis.core.params import ConfigError, Settings, group, param
from aegis.core.types import Floats
from aegis.drivers.asterix_files import AsterixFile, FinalFile, is_final
from aegis.drivers.asterix_records import (
    DAY_NS,
    FALSE_REASONS,
    Plot,
    Reader,
    RefusedError,
    ServiceMessage,
    called_false,
    datablocks,
    read_plot,
    read_service_message,
    source,
    utc_ns,
)
from aegis.drivers.asterix_sectors import Cut, Instant, SectorCutter
from aegis.drivers.contract import DriverSettings, Parser
from aegis.drivers.frames import DriverHealth, Frame, PointFrame, finite_or_nan
from aegis.drivers.packet_driver import UdpDriver, UdpSettings
from aegis.drivers.recording import Recording
from aegis.drivers.transport import Transport

EARTH_RADIUS_M = 6_371_000.0
NORTH_MARKER, SECTOR_CROSSING = 1, 2
UNKNOWN_SOURCE = -1


class EditionSettings(Settings):
    """Editions of the formats that the radar sends."""

    cat048: Literal["1.27", "1.28", "1.29", "1.30", "1.31", "1.32"] = param(
        "1.32", "Edition of the target reports.", was="cat048_edition"
    )
    cat034: Literal["1.27", "1.28", "1.29"] = param("1.29", "Edition of the service messages.", was="cat034_edition")


class FrameSettings(Settings):
    """What is put together to one frame."""

    kind: Literal["revolution", "sector"] = param(
        "sector", "What one frame is. sector: what the antenna has swept from marker to marker (CAT034), in frame.sector_s at "
        "most; the picture follows as it turns. revolution: a whole turn; the picture follows once a turn. In both, each plot "
        "says its own time (column time_offset).", was="frame",
    )  # fmt: skip
    sector_s: float = param(1.0, "A sector ends after this time at the latest.", unit="s", ge=0.05, le=10.0)
    max_s: float = param(
        20.0, "A revolution ends after this time where no marker (CAT034) does.", unit="s", ge=0.01, le=120.0,
        was="max_frame_s",
    )  # fmt: skip
    max_plots: int = param(20_000, "A frame ends at this many plots where no marker (CAT034) does.", ge=1, le=1_000_000)


class ElevationSettings(Settings):
    """Where the column elevation comes from."""

    source: Literal["none", "height", "flight_level"] = param(
        "none", "Column elevation, from the height that a 3D radar measured (I048/110), or else (flight_level) from the "
        "transponder's flight level (I048/090), which is off by the air pressure. Unknown where a plot has neither.",
        was="elevation",
    )  # fmt: skip
    radar_altitude_m: float = param(
        0.0, "The antenna's height above mean sea level, for the elevation.", unit="m", ge=-500.0, le=9000.0
    )
    flight_level_sigma_m: float = param(
        150.0, "Error (one sigma) of a flight level as height, by air pressure and rounding.", unit="m", gt=0.0
    )
    height_sigma_m: float = param(300.0, "Error (one sigma) of a 3D radar's height.", unit="m", gt=0.0)


class AsterixSettings(DriverSettings):
    """Parameters of the driver `asterix`."""

    silent_after_s: float = param(
        30.0, "Without a frame for this long, the sensor is silent: 'no data'.", unit="s", gt=0.0
    )
    udp: UdpSettings = group(UdpSettings(port=8600))
    sac: int = param(-1, "System area code of the radar; -1: of the first that is heard.", ge=-1, le=255)
    sic: int = param(-1, "System identification code of the radar; -1: of the first that is heard.", ge=-1, le=255)
    x_axis_azimuth_deg: float = param(
        90.0, "Where x of the sensor's frame points, clockwise from the radar's north; at 90 it is as `map`: east, north, up.",
        unit="deg", ge=-360.0, le=360.0,
    )  # fmt: skip
    false_reports: Literal["drop", "keep"] = param(
        "drop",
        "Reports that the radar itself calls a reflection, a side lobe's, second time around or a phantom (I048/030).",
    )
    has_doppler: bool = param(False, "The radar sends Doppler speeds (I048/120): column range_rate.")
    doppler_sign: Literal[1, -1] = param(
        1, "Sign of the Doppler speed: -1 where it is positive closing; EUROCONTROL recommends positive receding."
    )
    edition: EditionSettings = group(EditionSettings())
    frame: FrameSettings = group(FrameSettings())
    elevation: ElevationSettings = group(ElevationSettings())


class AsterixParser(Parser):
    """Datagrams to frames. The first frame may be a part: it begins when the driver does."""

    def __init__(self, settings: AsterixSettings) -> None:
        super().__init__()
        self._settings = settings
        self._readers = {
            48: Reader(48, settings.edition.cat048),
            34: Reader(34, settings.edition.cat034),
        }
        self._by_sectors = settings.frame.kind == "sector"
        self._last_error = ""
        self._cut = 0  # frames that no marker ended, in a row
        self._data_ns: int | None = None
        self.reset()

    def follow(self, start_ns: int) -> None:
        """Take what comes as received when it was measured: in a file without times, whose day begins at `start_ns`."""
        self._data_ns = start_ns + DAY_NS // 2

    def reset(self) -> None:
        """Forget the frame that is not complete, and which radar it is."""
        self._source = (self._settings.sac, self._settings.sic)
        self._begin: Instant | None = None  # the marker before the frame
        self._plots: list[Plot] = []
        self._times: list[Instant] = []  # of the plots
        self._status: ServiceMessage | None = None
        self._rotation_period_s: float | None = None
        self._cutter = SectorCutter(self._settings.frame.sector_s, self._settings.frame.max_plots)
        self._cutter.refused = self.refused

    def feed(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take one datagram: any number of datablocks, each of any number of records."""
        out: list[Frame] = []
        try:
            for category, data in datablocks(packet):
                if category in self._readers:
                    out += self._take_block(category, data, received_ns)
                else:
                    self.refused["other category"] += 1
        except RefusedError as error:
            self._refuse(error)
        return out

    def finish(self) -> list[Frame]:
        """Return the frame that waits for its marker."""
        if self._by_sectors:
            return self._sectors(self._cutter.finish())
        out = self._cut_frame() if self._plots else []
        self._begin = None
        return out

    def health(self) -> DriverHealth:
        """Return what the radar says of itself (CAT034)."""
        status, s = self._status, self._settings
        values = {"sac_sic": "{}/{}".format(*self._source), "last_error": self._last_error}
        if self._by_sectors:
            values["antenna"] = "by markers (CAT034)" if self._cutter.markers.rate else "no markers (CAT034)"
        if self._rotation_period_s is not None:
            values["rotation_period_s"] = f"{self._rotation_period_s:.3f}"
        if status is not None and status.no_go:
            return DriverHealth(Level.ERROR, "the radar says: not for operational use (NOGO)", values)
        if status is not None and status.time_valid is False:
            return DriverHealth(Level.WARN, "the radar says: time source not valid", values)
        if status is not None and status.overload:
            return DriverHealth(Level.WARN, "the radar says: overload", values)
        if self._cut > 1:
            text = f"no north marker (CAT034): frames are cut after {s.frame.max_s:g} s or {s.frame.max_plots} plots"
            return DriverHealth(Level.WARN, text, values)
        return DriverHealth(values=values)

    def _refuse(self, error: RefusedError) -> None:
        self.refused[error.reason] += 1
        self._last_error = str(error)

    def _take_block(self, category: int, data: bytes, received_ns: int) -> list[Frame]:
        """Take the records of a datablock; those before one that cannot be read are good."""
        out: list[Frame] = []
        try:
            for record in self._readers[category].records(data):
                try:
                    self._check_source(source(record))
                    if category == 48:
                        if self._settings.false_reports == "drop" and (why := called_false(record)):
                            raise RefusedError(why)
                        out += self._take_plot(read_plot(record), received_ns)
                    else:
                        out += self._take_message(read_service_message(record), received_ns)
                except RefusedError as error:
                    self._refuse(error)
        except RefusedError as error:
            self._refuse(error)
        return out

    def _check_source(self, found: tuple[int, int]) -> None:
        """Refuse other radars; remember which the first was, where the settings leave it open."""
        sac, sic = (have if want == UNKNOWN_SOURCE else want for want, have in zip(self._source, found, strict=True))
        if (sac, sic) != found:
            raise RefusedError("foreign SAC/SIC", f"SAC/SIC {found[0]}/{found[1]}, but {sac}/{sic} is expected")
        self._source = found

    def _take_plot(self, plot: Plot, received_ns: int) -> list[Frame]:
        out: list[Frame] = []
        s = self._settings
        when = self._instant(plot.time_ticks, received_ns)
        if self._by_sectors:
            return self._sectors(self._cutter.plot(plot, when))
        if self._plots and not 0 <= when.received_ns - self._times[0].received_ns <= s.frame.max_s * 1e9:
            out = self._cut_frame()
        self._plots.append(plot)
        self._times.append(when)
        return out + (self._cut_frame() if len(self._plots) >= s.frame.max_plots else [])

    def _take_message(self, message: ServiceMessage, received_ns: int) -> list[Frame]:
        if message.no_go is not None:
            self._status = message
        if message.rotation_period_s is not None:
            self._rotation_period_s = self._cutter.markers.period_s = message.rotation_period_s
        end = self._instant(message.time_ticks, received_ns)
        if self._by_sectors:
            angle = 0.0 if message.kind == NORTH_MARKER else message.sector_angle
            known = message.kind in (NORTH_MARKER, SECTOR_CROSSING) and angle is not None
            return self._sectors(self._cutter.marker(angle, end)) if known and angle is not None else []
        if message.kind != NORTH_MARKER:
            return []
        frames = [self._frame(end)] if self._plots or self._begin else []
        self._begin, self._cut = end, 0
        return frames

    def _instant(self, ticks: int | None, received_ns: int) -> Instant:
        if self._data_ns is not None:
            received_ns = self._data_ns = self._data_ns if ticks is None else utc_ns(ticks, self._data_ns)
        return Instant(None if ticks is None else utc_ns(ticks, received_ns), received_ns)

    def tick(self, now_ns: int) -> list[Frame]:
        """Return the sectors that nothing was measured in, as far as the radar is known to work."""
        return self._sectors(self._cutter.tick(now_ns)) if self._by_sectors else []

    def _sectors(self, cuts: list[Cut]) -> list[Frame]:
        """Return the frames of sectors; their time is that of the end."""
        out: list[Frame] = []
        for plots, offsets_s, end, sector in cuts:
            columns = columns_of(plots, self._settings) | {"time_offset": np.array(offsets_s, dtype=np.float64)}
            azimuth = math.radians(self._settings.x_axis_azimuth_deg) - sector.azimuth
            swept = replace(sector, azimuth=math.remainder(azimuth, 2.0 * math.pi), rate=-sector.rate)
            out.append(PointFrame(columns, end.measured_ns, end.received_ns, swept))
        return out

    def _cut_frame(self) -> list[Frame]:
        """End a frame without a marker."""
        self._begin = None
        self._cut += 1
        return [self._frame(None)]

    def _frame(self, end: Instant | None) -> Frame:
        """Return the frame of the plots that have come, and begin a new one.

        Its time is the middle between the markers, which is steady; where one is missing or out of place, that of its middle plot.
        """
        begin, plots, times = self._begin, self._plots, self._times
        self._plots, self._times = [], []
        when = _middle(begin, end, self._settings.frame.max_s) or (_median(times) if times else end or begin)
        assert when is not None  # an empty frame is between markers
        measured = [math.nan if t.measured_ns is None or when.measured_ns is None else
                    (t.measured_ns - when.measured_ns) * 1e-9 for t in times]  # fmt: skip
        columns = columns_of(plots, self._settings) | {"time_offset": np.array(measured, dtype=np.float64)}
        return PointFrame(columns, when.measured_ns, when.received_ns)


class Asterix(UdpDriver):
    """A surveillance radar that sends its plots as ASTERIX CAT048, and north markers and sector crossings as CAT034."""

    name: ClassVar[str] = "asterix"
    output: ClassVar[Literal["points", "cube"]] = "points"
    chosen: ClassVar[frozenset[str]] = UdpDriver.chosen | frozenset(FALSE_REASONS.values())
    settings_type = AsterixSettings
    settings: AsterixSettings

    def recorded(self, recording: Recording) -> Transport:
        """Return the datagrams of a capture, or the datablocks of a file, in FINAL's framing or bare."""
        if recording.kind == "capture":
            return super().recorded(recording)
        if is_final(recording):
            return FinalFile(recording)
        category, length = recording.begin[0], int.from_bytes(recording.begin[1:3], "big")
        if not category or length < 4:
            raise ConfigError(
                f"{recording.path} is neither a capture nor ASTERIX: it begins with {recording.begin[:3].hex(' ')}, "
                "where a datablock's category and length are expected, or a record of FINAL"
            )
        return AsterixFile(recording)

    def make_parser(self) -> AsterixParser:
        """Return the parser."""
        parser = AsterixParser(self.settings)
        if isinstance(self.transport, AsterixFile) and not isinstance(self.transport, FinalFile):
            parser.follow(self.transport.recording.start_ns)
        return parser


def columns_of(plots: list[Plot], s: AsterixSettings) -> dict[str, Floats]:
    """Return the columns of a frame: those of the contract, and what only ASTERIX knows.

    `power` [dBm] of the primary echo; `mode_3a` (the number, code 7777 is 4095), `address`, `flight_altitude` [m] of the
    transponder; `report_type`; `track_number`, `track_x`, `track_y`, `track_vx`, `track_vy` of the radar's own tracker, in the
    sensor's frame.
    """

    def column(name: str) -> Floats:
        return finite_or_nan([getattr(plot, name) for plot in plots])

    def azimuth(name: str) -> Floats:
        return wrapped(math.radians(s.x_axis_azimuth_deg) - column(name))

    out = {"range": column("range"), "azimuth": azimuth("theta")}
    if s.elevation.source != "none":
        height, sigma = column("height"), np.full(len(plots), s.elevation.height_sigma_m)
        if s.elevation.source == "flight_level":
            sigma = np.where(np.isnan(height), s.elevation.flight_level_sigma_m, sigma)
            height = np.where(np.isnan(height), column("flight_altitude"), height)
        out["elevation"] = elevation_of(out["range"], height, s.elevation.radar_altitude_m)
        across = np.maximum(out["range"] * np.cos(out["elevation"]), 1.0)
        out["elevation_sigma"] = np.minimum(sigma / across, np.pi / 2)
    if s.has_doppler:
        out["range_rate"] = s.doppler_sign * column("doppler")
    for name in ("power", "mode_3a", "address", "flight_altitude", "report_type", "track_number"):
        out[name] = column(name)
    position, course = azimuth("track_theta"), azimuth("track_heading")
    out["track_x"], out["track_y"] = column("track_range") * np.cos(position), column("track_range") * np.sin(position)
    out["track_vx"], out["track_vy"] = column("track_speed") * np.cos(course), column("track_speed") * np.sin(course)
    return out


def elevation_of(slant_range: Floats, height: Floats, radar_altitude_m: float) -> Floats:
    """Return the elevation above the radar's horizon [rad] of targets at a height above a round Earth; NaN where there is none.

    The triangle of radar, target and Earth's centre: (R+h)^2 = (R+h0)^2 + r^2 + 2 (R+h0) r sin(elevation). The wave's bending
    (some 0.1 deg at 200 km) is left out, as the height was not measured along it.
    """
    radar, target = EARTH_RADIUS_M + radar_altitude_m, EARTH_RADIUS_M + height
    sine = (target**2 - radar**2 - slant_range**2) / (2.0 * radar * np.maximum(slant_range, 1.0))
    return np.arcsin(np.where(np.abs(sine) <= 1.0, sine, np.nan))


def _middle(begin: Instant | None, end: Instant | None, within_s: float) -> Instant | None:
    """Return the middle between two markers; None where one is missing, or they do not follow each other within a time."""
    if begin is None or end is None or begin.measured_ns is None or end.measured_ns is None:
        return None
    if not 0 <= end.measured_ns - begin.measured_ns <= within_s * 1e9:
        return None
    return Instant((begin.measured_ns + end.measured_ns) // 2, (begin.received_ns + end.received_ns) // 2)


def _median(times: list[Instant]) -> Instant:
    """Return the middle one: a single time that is wrong does not move it."""
    known = sorted((t for t in times if t.measured_ns is not None), key=lambda t: t.measured_ns or 0) or times
    return known[len(known) // 2]
