"""Parameters of this room."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Literal, Self

from pydantic import field_validator, model_validator

from aegis.bridge.outputs.targets import parse_address, parse_url
from aegis.core.params import Settings, param

_SITE_BOUNDS = (("latitude", 90.0), ("longitude", 180.0), ("altitude", 20_000.0))


class OutputSettings(Settings):
    """Where `map` is on Earth, and where the picture goes in other people's formats."""

    site: tuple[float, ...] = param(
        (),
        "where the origin of map is: latitude [deg], longitude [deg], altitude above the WGS-84 ellipsoid [m]; empty: not"
        " placed, and what needs a place on Earth answers 503",
    )
    output_threat_max_lag_s: float = param(
        3.0,
        "a threat level measured so much before the tracks is not told of them in these formats",
        unit="s",
        gt=0,
        le=600,
    )
    output_simulated: bool = param(
        False, "the tracks are no real ones: Cursor on Target and ASTERIX then mark them as simulated"
    )
    output_multicast_ttl: int = param(
        1, "how many networks a datagram to a multicast group may cross; 1 stays in the own one", ge=0, le=255
    )
    output_multicast_interface: str = param(
        "", "IPv4 address of the network interface that sends to multicast groups; empty leaves it to the system"
    )

    cot_url: str = param(
        "",
        "where Cursor on Target events go: udp://host:port (a multicast group too), tcp:// or tls://; empty: nowhere",
    )
    cot_format: Literal["xml", "protobuf"] = param(
        "xml",
        "xml, or protobuf: TAK protocol version 1, over tcp and tls once the server has offered and accepted it",
    )
    cot_period_s: float = param(1.0, "each track is sent at most so often", unit="s", ge=0.05, le=3600)
    cot_stale_s: float = param(
        10.0,
        "how long after its measurement an event is valid; longer than the pause between scans",
        unit="s",
        gt=0,
        le=3600,
    )
    cot_hostile_level: Literal["", "LOW", "MEDIUM", "HIGH", "CRITICAL"] = param(
        "", "tracks of this threat level or above are shown as hostile; empty: every track's affiliation is unknown"
    )
    cot_tls_ca: str = param(
        "", "PEM file of the authorities that the TAK server's certificate must be from; empty takes the system's"
    )
    cot_tls_certificate: str = param("", "PEM file of the client certificate for the TAK server; empty sends none")
    cot_tls_key: str = param("", "PEM file of its key")
    cot_tls_server_name: str = param("", "name that the TAK server's certificate must show; empty: the host of cot_url")

    cat062_address: str = param(
        "", "where ASTERIX CAT062 goes over UDP, host:port (a multicast group too); empty: nowhere"
    )
    cat062_sac: int = param(0, "system area code of the records", ge=0, le=255)
    cat062_sic: int = param(0, "system identification code of the records", ge=0, le=255)
    cat062_period_s: float = param(1.0, "a picture is sent at most so often", unit="s", ge=0.05, le=3600)

    @field_validator("site")
    @classmethod
    def _check_site(cls, site: tuple[float, ...]) -> tuple[float, ...]:
        if site and len(site) != 3:
            raise ValueError("latitude [deg], longitude [deg] and altitude [m] are expected, or nothing")
        for value, (name, most) in zip(site, _SITE_BOUNDS, strict=False):
            if abs(value) > most:
                raise ValueError(f"the {name} is {value:g}; {-most:g} to {most:g} is expected")
        return site

    @field_validator("output_multicast_interface")
    @classmethod
    def _check_interface(cls, address: str) -> str:
        if address:
            IPv4Address(address)
        return address

    @field_validator("cot_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        if url:
            parse_url(url)
        return url

    @field_validator("cat062_address")
    @classmethod
    def _check_address(cls, address: str) -> str:
        if address:
            parse_address(address)
        return address

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        for name in ("cot_url", "cat062_address"):
            if getattr(self, name) and not self.site:
                raise ValueError(
                    f"'{name}' sends places on Earth, and 'site' does not say where map is: set it, or leave '{name}' empty"
                )
        if bool(self.cot_tls_certificate) != bool(self.cot_tls_key):
            raise ValueError("'cot_tls_certificate' and 'cot_tls_key' belong together; one of them is empty")
        return self
