# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Others' tracks by ASTERIX as pictures of foreign sources: datagrams in, pictures out, without sockets and clocks."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from aegis.core.fusion.foreign import Report
from aegis.core.fusion.foreign_source import ForeignSource, Limits, Taken
from aegis.core.fusion.settings import FOREIGN
from aegis.core.ids import UniqueIds
from aegis.core.site import Site
from aegis.core.types import N_CLASSES, ClassId, Floats, Tracks
from aegis.drivers.asterix import EARTH_RADIUS_M
from aegis.drivers.asterix_adsb import AIRCRAFT_CATEGORIES, DRONE_CATEGORY, HELICOPTER_CATEGORY, VEHICLE_CATEGORIES
from aegis.drivers.asterix_foreign_settings import AsterixTracksSettings, RadarPlaceSettings
from aegis.drivers.asterix_records import Reader, Record, RefusedError, datablocks, source, utc_ns
from aegis.drivers.asterix_tracks import NO_TRACK, TrackRecord, read_radar_track, read_system_track

SYSTEM, RADAR = 62, 48  # categories
SURE_EXISTENCE, TENTATIVE_EXISTENCE = 0.9, 0.4  # of what its maker has confirmed, and has not
STATED_CLASS = 0.9  # probability of the class that an emitter's category names
FARTHEST_M = 1e6  # from the site
LEAST_SIGMA_M, LEAST_SIGMA_MPS = 0.5, 0.25  # the format's own steps
NOT_TAKEN = "source that is not to be taken"
USUAL = (NOT_TAKEN, NO_TRACK)
_REFUSED = {Taken.LATE: "track no later than its last", Taken.FULL: "over max_tracks"}
_CLASSES = {
    **dict.fromkeys(AIRCRAFT_CATEGORIES, ClassId.AIRCRAFT),
    **dict.fromkeys(VEHICLE_CATEGORIES, ClassId.VEHICLE),
    HELICOPTER_CATEGORY: ClassId.HELICOPTER,
    DRONE_CATEGORY: ClassId.DRONE,
}


@dataclass
class Maker:
    """One maker of tracks."""

    source: ForeignSource[int]  # whose objects go by its own track numbers
    heard_ns: int


class ForeignTracks:
    """All makers of tracks.

    Args:
        settings: what is taken, and for what is not stated.
        site: where `map` is.
        ids: of tracks.
        frame_id: of the pictures.
    """

    def __init__(self, settings: AsterixTracksSettings, site: Site, ids: UniqueIds, frame_id: str = "map") -> None:
        self.sources: dict[str, Maker] = {}
        self.refused: Counter[str] = Counter()
        self.passed_over: Counter[str] = Counter()  # what is right to come, and is no track of those that are taken
        self._s, self._site, self._ids, self._frame_id = settings, site, ids, frame_id
        self._readers = {SYSTEM: Reader(SYSTEM, settings.edition.cat062), RADAR: Reader(RADAR, settings.edition.cat048)}
        self._radars = {f"{one.sac}/{one.sic}": one for one in settings.radars.values()}
        self._limits = Limits(settings.period_s, settings.keep_s, settings.speed_sigma_mps, settings.max_tracks)

    def take(self, packet: bytes, received_ns: int) -> None:
        """Take a datagram: any number of datablocks, each of any number of records. What cannot be used is counted."""
        try:
            for category, data in datablocks(packet):
                if category in self._readers:
                    self._take_block(category, data, received_ns)
                else:
                    self.passed_over[f"CAT{category:03d}"] += 1
        except RefusedError as error:
            self.refused[error.reason] += 1

    def pictures(self, now_ns: int) -> list[Tracks]:
        """Return the picture of each source that has reported since its last one, and is due."""
        made = (one.source.picture(now_ns, self._frame_id) for one in self.sources.values())
        return [picture for picture in made if picture is not None]

    def silent(self, now_ns: int) -> list[str]:
        """Return the sources that say nothing any more, as SAC/SIC."""
        after_ns = self._s.silent_after_s * 1e9
        return sorted(name for name, one in self.sources.items() if now_ns - one.heard_ns > after_ns)

    def _take_block(self, category: int, data: bytes, received_ns: int) -> None:
        for record in self._readers[category].records(data):
            try:
                self._take_record(category, record, received_ns)
            except RefusedError as error:
                (self.passed_over if error.reason in USUAL else self.refused)[error.reason] += 1

    def _take_record(self, category: int, record: Record, received_ns: int) -> None:
        name = "{}/{}".format(*source(record))
        if name in self._s.never or (self._s.only and name not in self._s.only):
            raise RefusedError(NOT_TAKEN)
        if category == RADAR and name not in self._radars:
            raise RefusedError("CAT048 of a radar whose place is not known (radars)")
        told = read_system_track(record) if category == SYSTEM else read_radar_track(record)
        stamp_ns = utc_ns(told.time_ticks, received_ns)
        if abs(received_ns - stamp_ns) > self._s.clock_error_s * 1e9:
            raise RefusedError("time of a track is off the clock")
        known = self._source(name, received_ns)
        if told.ended:
            if known.end(told.number, reused=True):
                known.note(stamp_ns)
            return
        report = self._report(told, stamp_ns, self._radars.get(name) if category == RADAR else None)
        taken = known.take(told.number, report)
        if taken is not Taken.YES:
            raise RefusedError(_REFUSED[taken])

    def _source(self, name: str, now_ns: int) -> ForeignSource[int]:
        one = self.sources.get(name)
        if one is None:
            if len(self.sources) >= self._s.max_sources:
                raise RefusedError("over max_sources")
            made: ForeignSource[int] = ForeignSource(f"{FOREIGN}asterix/{name}", self._limits, self._ids)
            one = self.sources[name] = Maker(made, now_ns)
        one.heard_ns = now_ns
        return one.source

    def _report(self, told: TrackRecord, stamp_ns: int, radar: RadarPlaceSettings | None) -> Report:
        """Return what a record says, in `map`.

        Raises:
            RefusedError: it has no place near the site.
        """
        height, height_sigma = self._height(told)
        if radar is None:
            at = (told.latitude_deg, told.longitude_deg)
            position = self._site.positions(*map(np.array, (*at, height)))
        else:
            at = (radar.latitude_deg, radar.longitude_deg)
            position = self._from_radar(told, radar, height)
        if not (np.abs(position) < FARTHEST_M).all():
            raise RefusedError("place not near the site")
        turn = self._site.turns(np.array([at[0]]), np.array([at[1]]))[0]
        sigmas, s = told.sigmas, self._s
        place = [_known(sigmas.east_m, s.position_sigma_m), _known(sigmas.north_m, s.position_sigma_m), height_sigma]
        velocity = spread = None
        if math.isfinite(told.velocity_east_mps) and math.isfinite(told.velocity_north_mps):
            climbs = math.isfinite(told.climb_mps)
            climb_sigma = _known(sigmas.climb_mps, s.velocity_sigma_mps) if climbs else s.climb_sigma_mps
            rates = [
                _known(sigmas.east_mps, s.velocity_sigma_mps),
                _known(sigmas.north_mps, s.velocity_sigma_mps),
                climb_sigma,
            ]
            velocity = turn @ [told.velocity_east_mps, told.velocity_north_mps, told.climb_mps if climbs else 0.0]
            spread = turn @ np.diag(np.maximum(rates, LEAST_SIGMA_MPS) ** 2) @ turn.T
        return Report(
            stamp_ns,
            position,
            turn @ np.diag(np.maximum(place, LEAST_SIGMA_M) ** 2) @ turn.T,
            velocity,
            spread,
            _class_probability(told.emitter),
            TENTATIVE_EXISTENCE if told.tentative else SURE_EXISTENCE,
        )

    def _height(self, told: TrackRecord) -> tuple[float, float]:
        """Return a track's height above the ellipsoid, as far as it is known, and its standard deviation [m]."""
        if not math.isfinite(told.height_m):
            return self._site.altitude_m + self._s.unknown_height_m, self._s.unknown_height_sigma_m
        stated = _known(told.sigmas.height_m, self._s.height_sigma_m)
        return told.height_m, math.hypot(stated, self._s.pressure_sigma_m) if told.by_pressure else stated

    def _from_radar(self, told: TrackRecord, radar: RadarPlaceSettings, height: float) -> Floats:
        """Return the place in `map` of a track that is told from a radar: along the plane that touches the Earth there.

        What is above that plane is the difference of heights, less the Earth's curve below it, d^2 / 2R.
        """
        fall = (told.east_m**2 + told.north_m**2) / (2.0 * EARTH_RADIUS_M)
        local = np.array([told.east_m, told.north_m, height - radar.altitude_m - fall])
        at = np.array([radar.latitude_deg]), np.array([radar.longitude_deg])
        origin = self._site.positions(*at, np.array([radar.altitude_m]))[0]
        return np.asarray(origin + self._site.turns(*at)[0] @ local)


def _known(sigma: float, otherwise: float) -> float:
    return sigma if math.isfinite(sigma) else otherwise


def _class_probability(emitter: int) -> Floats:
    out = np.zeros(N_CLASSES)
    named_class = _CLASSES.get(emitter, ClassId.UNKNOWN)
    out[int(named_class)] = STATED_CLASS
    out[int(ClassId.UNKNOWN)] += 1.0 - STATED_CLASS
    return out
