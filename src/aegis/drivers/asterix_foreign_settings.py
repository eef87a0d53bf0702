# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node that takes others' tracks by ASTERIX: apart from the formats, which take a second and 76 MB to load."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import field_validator

from aegis.core.fusion import foreign_settings
from aegis.core.params import ConfigError, Settings, group, named, param
from aegis.core.site import Site
from aegis.drivers.packet_driver import UdpSettings

_SOURCE = re.compile(r"(\d{1,3})/(\d{1,3})")


class RadarPlaceSettings(Settings):
    """A radar whose tracks come as CAT048, by its place: they are told from there."""

    sac: int = param(0, "System area code of the radar.", ge=0, le=255)
    sic: int = param(0, "System identification code of the radar.", ge=0, le=255)
    latitude_deg: float = param(0.0, "Where it stands.", unit="deg", ge=-90.0, le=90.0)
    longitude_deg: float = param(0.0, "Where it stands.", unit="deg", ge=-180.0, le=180.0)
    altitude_m: float = param(0.0, "The antenna's height, above what the heights of its tracks are above.", unit="m")


class TrackEditionSettings(Settings):
    """Editions of the formats."""

    cat062: Literal["1.16", "1.17", "1.18", "1.19", "1.20", "1.21"] = param("1.20", "Edition of the system tracks.")
    cat048: Literal["1.27", "1.28", "1.29", "1.30", "1.31", "1.32"] = param("1.32", "Edition of the target reports.")


class AsterixTracksSettings(Settings):
    """Parameters of the node `asterix_tracks`."""

    listen: bool = param(False, "Take others' tracks by ASTERIX over UDP; the node runs, and `fusion` with it.")
    site: tuple[float, ...] = param(
        (),
        "Where the origin of map is: latitude [deg], longitude [deg], altitude above the WGS-84 ellipsoid [m]; `aegis up`"
        " takes it from bridge.outputs.site.",
    )
    udp: UdpSettings = group(UdpSettings(address="127.0.0.1", port=8601))
    only: tuple[str, ...] = param((), "Sources that are taken, each as SAC/SIC. Empty: all.")
    never: tuple[str, ...] = param(
        (), "Sources that are not taken, each as SAC/SIC: our own output, above all, which `aegis up` adds."
    )
    radars: dict[str, RadarPlaceSettings] = named(
        "radar", "Radars whose tracks come as CAT048; of others none is taken."
    )
    edition: TrackEditionSettings = group(TrackEditionSettings())
    period_s: float = foreign_settings.period(0.5)
    keep_s: float = foreign_settings.keep(15.0, "Centres report every 4 to 12 s.")
    clock_error_s: float = foreign_settings.clock_error(10.0)
    silent_after_s: float = param(30.0, "Without a track for so long, a source is silent.", unit="s", gt=0.0)
    position_sigma_m: float = foreign_settings.position_sigma(150.0)
    velocity_sigma_mps: float = foreign_settings.velocity_sigma(10.0)
    speed_sigma_mps: float = foreign_settings.speed_sigma(150.0)
    climb_sigma_mps: float = param(15.0, "Climb (one sigma) of a track that states none.", unit="m/s", gt=0.0)
    height_sigma_m: float = param(
        30.0, "Error (one sigma) of a height whose maker does not state it.", unit="m", gt=0.0
    )
    pressure_sigma_m: float = param(
        200.0,
        "Error (one sigma) of a flight level as height, by the air pressure; besides the stated one.",
        unit="m",
        gt=0.0,
    )
    unknown_height_m: float = param(5000.0, "Height above the site of a track that has none.", unit="m")
    unknown_height_sigma_m: float = param(4000.0, "Error (one sigma) of that.", unit="m", gt=0.0)
    max_sources: int = param(16, "Most sources; of others nothing is taken.", ge=1, le=60)
    max_tracks: int = param(5000, "Most tracks of a source; what is reported of others is dropped and counted.", ge=1)

    @field_validator("site")
    @classmethod
    def _check_site(cls, site: tuple[float, ...]) -> tuple[float, ...]:
        most = (90.0, 180.0, 20_000.0)
        if site and (len(site) != 3 or any(abs(v) > limit for v, limit in zip(site, most, strict=True))):
            raise ValueError("latitude [deg], longitude [deg] and altitude [m] are expected, or nothing")
        return site

    @field_validator("only", "never")
    @classmethod
    def _check_sources(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            found = _SOURCE.fullmatch(name)
            if found is None or max(map(int, found.groups())) > 255:
                raise ValueError(f"'{name}': SAC/SIC is expected, two numbers from 0 to 255")
        return names


def check_placed(settings: AsterixTracksSettings) -> Site:
    """Return the site.

    Raises:
        ConfigError: the settings name none.
    """
    site = Site.of(settings.site)
    if site is None:
        raise ConfigError(
            "asterix_tracks: tracks are on Earth, and 'site' does not say where map is: set bridge.outputs.site"
        )
    return site
