# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the uplink stage."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from aegis.core.param_info import OneOf
from aegis.core.params import Settings, group, param

# What of a topic is never lost while the record holds it, and in its order; the first is sent first.
RECORDED = ("alarms", "events")
PICTURES = ("tracks", "threats", "status")  # of these the newest is sent, and no other
CARRIED = (*RECORDED, *PICTURES)
ALL_SITES = "*"
_SITE = re.compile("[A-Za-z][A-Za-z0-9_]*")
_ENDPOINT = re.compile(r"(tcp|tls|quic|udp|ws|serial|unixsock-stream)/\S+")


def is_site(name: str) -> bool:
    """Tell whether it can be a site's name: it is a namespace of ROS."""
    return _SITE.fullmatch(name) is not None


def _site(name: str) -> str:
    if name and not is_site(name):
        raise ValueError(f"'{name}' is no name of a site: a letter, then letters, digits or _")
    return name


def _site_or_all(name: str) -> str:
    return name if name == ALL_SITES else _site(name)


def _endpoint(text: str) -> str:
    if not _ENDPOINT.fullmatch(text):
        raise ValueError(f"'{text}' is no endpoint of zenoh; tls/HOST:PORT or tcp/HOST:PORT is expected")
    return text


Endpoint = Annotated[str, AfterValidator(_endpoint)]


class RecordSettings(Settings):
    """What is kept on the disk for who could not hear it."""

    max_mb: float = param(64.0, "Most megabytes of messages; the oldest are dropped.", unit="MB", gt=0.0, le=100_000.0)
    max_age_h: float = param(168.0, "What is older is dropped.", unit="h", gt=0.0, le=87_600.0)


class UplinkSettings(Settings):
    """Parameters of the node `uplink`."""

    site: Annotated[str, AfterValidator(_site)] = param(
        "", "Name of this site, under which others see its topics: /SITE/tracks. Empty: nothing is sent."
    )
    topics: tuple[Annotated[str, OneOf(CARRIED, "topic that an uplink carries:")], ...] = param(
        CARRIED, "What this site sends. Alarms and events are recorded and never lost while the record holds them; of the others "
        "the newest is sent.",
    )  # fmt: skip
    receive: tuple[Annotated[str, AfterValidator(_site_or_all)], ...] = param(
        (), "Sites whose topics are published here; each is said where it is not heard. [\"*\"]: all that come."
    )  # fmt: skip
    mode: Literal["router", "peer", "client"] = param(
        "peer", "What this end is for zenoh. Headquarters: router, or peer. A site: client of the headquarters' router, or peer."
    )  # fmt: skip
    listen: tuple[Endpoint, ...] = param((), "Endpoints where others connect, such as tls/0.0.0.0:7447.")
    connect: tuple[Endpoint, ...] = param(
        (), "Endpoints to connect to, such as tls/hq.example.org:7447; again and again."
    )
    zenoh: str = param(
        "", "File with more of zenoh's own configuration, as JSON or YAML: certificates, access control. Empty: none."
    )  # fmt: skip
    bound_kbit_s: float = param(
        1000.0, "What is sent in the long run, at most; 0: without limit. Alarms and events go first. A little less than the line "
        "can carry keeps its queues empty.", unit="kbit/s", ge=0.0, le=10_000_000.0,
    )  # fmt: skip
    silent_after_s: float = param(
        3.0, "A site that was not heard for so long is silent: its pictures say nothing any more.", unit="s", ge=1.5, le=600.0
    )  # fmt: skip
    first_heard_s: float = param(
        15.0, "Time after the start within which the sites named in `receive`, and those of former runs, must be heard.",
        unit="s", gt=0.0, le=3600.0,
    )  # fmt: skip
    max_sites: int = param(100, "Most sites that are received; beyond, they are refused and counted.", ge=1, le=10_000)
    record: RecordSettings = group(RecordSettings())

    @model_validator(mode="after")
    def _has_a_line(self) -> UplinkSettings:
        if (self.site or self.receive) and not (self.listen or self.connect):
            raise ValueError("an uplink needs an endpoint: `connect` to those of another site, or `listen` for others")
        if self.mode == "client" and not self.connect:
            raise ValueError("mode client needs the endpoint of a router in `connect`")
        if self.site and self.site in self.receive:
            raise ValueError(f"`receive` names this site itself, '{self.site}'")
        return self

    @property
    def is_used(self) -> bool:
        """Tell whether there is anything to carry."""
        return bool(self.site or self.receive)
