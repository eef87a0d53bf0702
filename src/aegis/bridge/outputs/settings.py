# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the outputs."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Literal, Self

from pydantic import field_validator, model_validator

from aegis.bridge.outputs.targets import parse_address, parse_url
from aegis.core.params import Settings, group, param

_SITE_BOUNDS = (("latitude", 90.0), ("longitude", 180.0), ("altitude", 20_000.0))


class CotSettings(Settings):
    """Cursor on Target."""

    url: str = param(
        "",
        "Where Cursor on Target events go: udp://host:port (a multicast group too), tcp:// or tls://. Empty: nowhere.",
        was="cot_url",
    )
    format: Literal["xml", "protobuf"] = param(
        "xml",
        "Format of the events: xml, or protobuf, which is TAK protocol version 1, over tcp and tls once the server has offered and"
        " accepted it.",
        was="cot_format",
    )
    period_s: float = param(1.0, "Each track is sent at most so often.", unit="s", ge=0.05, le=3600, was="cot_period_s")
    stale_s: float = param(
        10.0,
        "How long after its measurement an event is valid; longer than the pause between scans.",
        unit="s",
        gt=0,
        le=3600,
        was="cot_stale_s",
    )
    hostile_level: Literal["", "LOW", "MEDIUM", "HIGH", "CRITICAL"] = param(
        "",
        "Tracks of this threat level or above are shown as hostile. Empty: every track's affiliation is unknown.",
        was="cot_hostile_level",
    )
    tls_ca: str = param(
        "",
        "PEM file of the authorities that the TAK server's certificate must be from; empty takes the system's.",
        was="cot_tls_ca",
    )
    tls_certificate: str = param(
        "",
        "PEM file of the client certificate for the TAK server; empty sends none.",
        was="cot_tls_certificate",
    )
    tls_key: str = param("", "PEM file of the client certificate's key.", was="cot_tls_key")
    tls_server_name: str = param(
        "",
        "Name that the TAK server's certificate must show; empty: the host of the URL.",
        was="cot_tls_server_name",
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        if url:
            parse_url(url)
        return url

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("'tls_certificate' and 'tls_key' belong together; one of them is empty")
        return self


class Cat062Settings(Settings):
    """ASTERIX CAT062."""

    address: str = param(
        "",
        "Where ASTERIX CAT062 goes over UDP, host:port (a multicast group too). Empty: nowhere.",
        was="cat062_address",
    )
    sac: int = param(0, "System area code of the records.", ge=0, le=255, was="cat062_sac")
    sic: int = param(0, "System identification code of the records.", ge=0, le=255, was="cat062_sic")
    period_s: float = param(
        1.0, "A picture is sent at most so often.", unit="s", ge=0.05, le=3600, was="cat062_period_s"
    )

    @field_validator("address")
    @classmethod
    def _check_address(cls, address: str) -> str:
        if address:
            parse_address(address)
        return address


class OutputSettings(Settings):
    """Where `map` is on Earth, and where the picture goes in other people's formats."""

    site: tuple[float, ...] = param(
        (),
        "Where the origin of map is: latitude [deg], longitude [deg], altitude above the WGS-84 ellipsoid [m]. Empty: not placed,"
        " and what needs a place on Earth answers 503.",
        was="site",
    )
    coast: str = param(
        "",
        "GeoJSON file of lines or areas, as a coast, that the page draws under the picture; it needs 'site'. Empty: none.",
    )
    tiles: str = param(
        "",
        "PMTiles file (version 3) of raster or vector tiles that the page draws under the picture; it needs 'site'. Empty: none.",
    )
    threat_max_lag_s: float = param(
        3.0,
        "A threat level measured so much before the tracks is not in these formats.",
        unit="s",
        gt=0,
        le=600,
        was="output_threat_max_lag_s",
    )
    simulated: bool = param(
        False,
        "The tracks are no real ones: Cursor on Target and ASTERIX then mark them as simulated.",
        was="output_simulated",
    )
    multicast_ttl: int = param(
        1,
        "How many networks a datagram to a multicast group may cross; 1 stays in the own one.",
        ge=0,
        le=255,
        was="output_multicast_ttl",
    )
    multicast_interface: str = param(
        "",
        "IPv4 address of the network interface that sends to multicast groups; empty leaves it to the system.",
        was="output_multicast_interface",
    )
    cot: CotSettings = group(CotSettings())
    cat062: Cat062Settings = group(Cat062Settings())

    @field_validator("site")
    @classmethod
    def _check_site(cls, site: tuple[float, ...]) -> tuple[float, ...]:
        if site and len(site) != 3:
            raise ValueError("latitude [deg], longitude [deg] and altitude [m] are expected, or nothing")
        for value, (name, most) in zip(site, _SITE_BOUNDS, strict=False):
            if abs(value) > most:
                raise ValueError(f"the {name} is {value:g}; {-most:g} to {most:g} is expected")
        return site

    @field_validator("multicast_interface")
    @classmethod
    def _check_interface(cls, address: str) -> str:
        if address:
            IPv4Address(address)
        return address

    @model_validator(mode="after")
    def _check_placed(self) -> Self:
        if self.coast and not self.site:
            raise ValueError(
                "'coast' is on Earth, and 'site' does not say where map is: set it, or leave 'coast' empty"
            )
        if self.tiles and not self.site:
            raise ValueError(
                "'tiles' are on Earth, and 'site' does not say where map is: set it, or leave 'tiles' empty"
            )
        for name, target in (("cot.url", self.cot.url), ("cat062.address", self.cat062.address)):
            if target and not self.site:
                raise ValueError(
                    f"'{name}' sends places on Earth, and 'site' does not say where map is: set it, or leave '{name}' empty"
                )
        return self
