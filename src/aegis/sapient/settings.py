# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node `sapient`."""

from __future__ import annotations

import ipaddress
import re
from importlib.util import find_spec
from typing import Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from aegis.core.fusion import foreign_settings
from aegis.core.params import ConfigError, Settings, group, param
from aegis.core.sensor import SensorPose

UUID4 = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
PACKAGES = ("sapient_msg", "utm")
_SITE_BOUNDS = (90.0, 180.0, 20_000.0)


class Endpoint(NamedTuple):
    """One end of a TCP connection."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.tls else 'tcp'}://{host}:{self.port}"


def parse_endpoint(url: str) -> Endpoint:
    """Return what `tcp://host:port` or `tls://host:port` names.

    Raises:
        ValueError: it is neither.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or not parts.port or parts.path.strip("/"):
        raise ValueError(f"'{url}': tcp://host:port or tls://host:port is expected")
    return Endpoint(parts.hostname, parts.port, parts.scheme == "tls")


def _checked(url: str) -> str:
    if url:
        parse_endpoint(url)
    return url


class EdgeSettings(Settings):
    """This graph as an edge node: a sensor of somebody's fusion node."""

    connect: str = param(
        "",
        "Fusion node or middleware that this graph reports to, as tcp://host:port or tls://host:port. Empty: to nobody.",
    )
    destination_id: str = param(
        "", "UUID of the fusion node, written into what is sent to it. Empty: not written; most middleware needs none."
    )
    period_s: float = param(
        1.0, "Each track is reported at most so often; a task may ask for more or less.", unit="s", ge=0.1, le=60.0
    )
    status_period_s: float = param(5.0, "How often a status report is sent.", unit="s", ge=0.5, le=600.0)
    ack_after_s: float = param(
        10.0,
        "A registration that nobody has acknowledged after so long: the connection is opened anew.",
        unit="s",
        gt=0.0,
        le=600.0,
    )
    alerts: bool = param(True, "Alarms of zone rules are sent as alerts.")

    _check = field_validator("connect")(_checked)

    @field_validator("destination_id")
    @classmethod
    def _check_destination(cls, value: str) -> str:
        if value and not UUID4.fullmatch(value):
            raise ValueError("a UUID of version 4 in lower case is expected, or nothing")
        return value


class FusionSideSettings(Settings):
    """This graph as a fusion node: others' detections become foreign tracks of its picture."""

    listen: str = param(
        "",
        "Address where edge nodes connect to this graph, as tcp://127.0.0.1:5020; tls:// asks each for a certificate."
        " Empty: none may.",
    )
    connect: str = param(
        "",
        "Middleware whose port for fusion nodes (a peer, in Apex) this graph connects to, as tcp://host:port. Empty: none.",
    )
    acknowledge: bool = param(
        False,
        "Registrations that come through a middleware are acknowledged by this node; off where the middleware does so"
        " itself, as Apex does (sendRegistrationAck).",
    )
    insecure_non_loopback: bool = param(
        False,
        "Listen on other addresses than loopback without TLS: whoever reaches the port can put tracks into the picture.",
    )
    period_s: float = foreign_settings.period(0.5)
    keep_s: float = foreign_settings.keep(5.0)
    clock_error_s: float = foreign_settings.clock_error(5.0)
    lat_lng_errors: Literal["degrees", "metres"] = param(
        "degrees",
        "Unit of x_error and y_error of places in latitude and longitude in degrees. The standard's field has that of "
        "the coordinates; some nodes send metres.",
    )
    position_sigma_m: float = foreign_settings.position_sigma(50.0)
    height_sigma_m: float = param(500.0, "Error (one sigma) of the height of a place that has none.", unit="m", gt=0.0)
    bearing_sigma_deg: float = param(
        1.0, "Error (one sigma) of a bearing or elevation whose node does not state it.", unit="deg", gt=0.0, le=90.0
    )
    velocity_sigma_mps: float = foreign_settings.velocity_sigma(10.0)
    speed_sigma_mps: float = foreign_settings.speed_sigma(50.0)
    geoid_m: float = param(
        0.0,
        "Height of mean sea level above the ellipsoid at the site, for heights above mean sea level (datum WGS84_G).",
        unit="m",
        ge=-110.0,
        le=90.0,
    )
    max_nodes: int = param(32, "Most nodes; others' registrations are refused.", ge=1, le=60)
    max_objects: int = param(2000, "Most objects of a node; what is reported of others is dropped and counted.", ge=1)

    _check = field_validator("listen", "connect")(_checked)

    @property
    def active(self) -> bool:
        """Whether others' detections are taken."""
        return bool(self.listen or self.connect)


class TlsSettings(Settings):
    """Certificates of connections by tls://."""

    ca: str = param(
        "", "PEM file of the authorities that the other end's certificate must be from; empty: the system's."
    )
    certificate: str = param("", "PEM file of this node's certificate. To listen by tls:// needs one.")
    key: str = param("", "PEM file of its key, without a password.")
    server_name: str = param("", "Name that a server's certificate must show; empty: the host connected to.")

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if bool(self.certificate) != bool(self.key):
            raise ValueError("'certificate' and 'key' belong together; one of them is empty")
        return self


class SapientSettings(SensorPose):
    """SAPIENT, BSI Flex 335 v2: who this node is, and whom it speaks to."""

    site: tuple[float, ...] = param(
        (),
        "Where the origin of map is: latitude [deg], longitude [deg], altitude above the WGS-84 ellipsoid [m]; `aegis up`"
        " takes it from bridge.outputs.site.",
    )
    node_name: str = param("Aegis", "Name of this node, which others show.")
    short_name: str = param("Aegis", "Short name of this node.")
    node_id: str = param(
        "", "UUID (version 4) of this node. Empty: made at the first start, and kept in the state directory."
    )
    edge: EdgeSettings = group(EdgeSettings())
    fusion: FusionSideSettings = group(FusionSideSettings())
    tls: TlsSettings = group(TlsSettings())

    @property
    def active(self) -> bool:
        """Whether there is anybody to speak to."""
        return bool(self.edge.connect or self.fusion.active)

    @field_validator("node_id")
    @classmethod
    def _check_id(cls, value: str) -> str:
        if value and not UUID4.fullmatch(value):
            raise ValueError("a UUID of version 4 in lower case is expected, or nothing")
        return value

    @field_validator("site")
    @classmethod
    def _check_site(cls, site: tuple[float, ...]) -> tuple[float, ...]:
        if site and (len(site) != 3 or any(abs(v) > most for v, most in zip(site, _SITE_BOUNDS, strict=True))):
            raise ValueError("latitude [deg], longitude [deg] and altitude [m] are expected, or nothing")
        return site


def check_usable(settings: SapientSettings) -> None:
    """Refuse what cannot work, and to be reached from other machines unasked.

    Raises:
        ConfigError: the message names what to set, or to install.
    """
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise ConfigError(f"sapient: the package {missing[0]} is not there: pip install 'aegis[sapient]'")
    if not settings.active:
        raise ConfigError("sapient: nobody to speak to: set edge.connect, fusion.listen or fusion.connect")
    if not settings.site:
        raise ConfigError(
            "sapient: places are on Earth, and 'site' does not say where map is: set bridge.outputs.site (or sapient.site)"
        )
    if not settings.fusion.listen:
        return
    at = parse_endpoint(settings.fusion.listen)
    if at.tls:
        if not (settings.tls.certificate and settings.tls.ca):
            raise ConfigError(f"sapient: fusion.listen '{at}' needs tls.certificate, tls.key and tls.ca")
        return
    try:
        local = at.host == "localhost" or ipaddress.ip_address(at.host).is_loopback
    except ValueError:
        local = False
    if not local and not settings.fusion.insecure_non_loopback:
        raise ConfigError(
            f"sapient: fusion.listen '{at}' can be reached from other machines, and whoever connects can put tracks into the "
            "picture: use tls://, or set fusion.insecure_non_loopback"
        )
