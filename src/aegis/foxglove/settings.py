# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node `foxglove`."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Literal

from pydantic import SecretStr

from aegis.core.params import ConfigError, group, named, param
from aegis.core.picture import PictureSettings
from aegis.core.sensor import SensorPose

OF_RADAR = ("radar/points", "radar/video")  # of a rig, each radar has its own
MIN_TOKEN = 16  # characters


class FoxgloveSettings(SensorPose):
    """The Foxglove server, and how it draws."""

    sink: Literal["sdk", "websocket"] = param(
        "sdk", "Which server: that of the package foxglove-sdk, or that of foxglove-websocket."
    )
    host: str = param("127.0.0.1", "Address to listen on; the server has no accounts, so leave it on this machine.")
    insecure_non_loopback: bool = param(
        False, "Listen on other addresses than loopback, in the clear: whoever has the token sees the picture."
    )
    token: SecretStr = param(
        SecretStr(""),
        "What a viewer has to bring, as ws://HOST:8765?token=TOKEN; empty asks for none, on loopback only.",
        env="FOXGLOVE_TOKEN",
    )
    allowed_origins: tuple[str, ...] = param(
        ("https://app.foxglove.dev", "file://"),
        "Origins of web pages that may connect, besides those of this machine; * lets all in.",
    )
    port: int = param(8765, "TCP port to listen on.", ge=1, le=65535)
    moving_platform: bool = param(
        False,
        "The sensor rides on a platform whose pose comes on `odometry`, as in `detection`; it is drawn where it is then.",
    )
    video_level: float = param(
        0.3, "Least level of a cell of a radar's video that is drawn, of full scale.", gt=0.0, le=1.0
    )
    strobe_length_m: float = param(
        10_000.0, "Length of the line along the bearing of an EW signal.", unit="m", gt=0.0, le=1e6
    )
    radars: dict[str, SensorPose] = named(
        "sensor_id",
        "The radars of a rig, and where each stands: their points and video are heard in a namespace of that name, and each has"
        " channels of its own. None: one radar, in the node's own namespace.",
    )
    picture: PictureSettings = group(PictureSettings(max_rate_hz=20.0))

    def heard_at(self, topic: str) -> Sequence[str]:
        """Return where a topic is heard: what each radar of a rig sends, where it sends it."""
        if topic not in OF_RADAR or not self.radars:
            return [topic]
        return [f"{radar}/{topic}" for radar in self.radars]


def check_exposure(settings: FoxgloveSettings) -> None:
    """Refuse to be reached from other machines, unless that is allowed: the server has no accounts.

    Raises:
        ConfigError: the message names what to set.
    """
    try:
        local = settings.host == "localhost" or ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        local = False
    token = settings.token.get_secret_value()
    if token and len(token) < MIN_TOKEN:
        raise ConfigError(
            f"foxglove: token (FOXGLOVE_TOKEN) has {len(token)} characters; {MIN_TOKEN} or more are needed"
        )
    if not local and not (token and settings.insecure_non_loopback):
        raise ConfigError(
            f"foxglove: host '{settings.host}' can be reached from other machines, and the server has no accounts: set host"
            " 127.0.0.1 (and a tunnel); or FOXGLOVE_TOKEN, and insecure_non_loopback to accept that it travels in the clear"
        )
