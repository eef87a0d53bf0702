# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the bridge, a group for each part, and the rule about who may reach it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from pathlib import Path

from aegis.bridge.accounts.settings import AccountSettings
from aegis.bridge.history.settings import HistorySettings
from aegis.bridge.incident.settings import IncidentSettings
from aegis.bridge.outputs.settings import OutputSettings
from aegis.bridge.replicas.settings import ReplicaSettings
from aegis.bridge.stream.settings import StreamSettings
from aegis.bridge.telemetry.settings import LogSettings
from aegis.core.params import ConfigError, Settings, group, param
from aegis.core.sensor import SensorPoses

VIDEO_TOPIC = "radar/video"


class TlsSettings(Settings):
    """How connections are encrypted."""

    certificate: str = param("", "PEM file of the certificate chain; empty serves without TLS.", was="tls_certificate")
    key: str = param("", "PEM file of the certificate's key.", was="tls_key")


class RequestSettings(Settings):
    """What a request may be."""

    max_body_bytes: int = param(65536, "Largest request body.", unit="B", ge=1024, le=16777216, was="max_body_bytes")
    timeout_s: float = param(
        10.0,
        "How long a request, headers and body, may take to arrive.",
        unit="s",
        gt=0,
        le=300,
        was="request_timeout_s",
    )
    trusted_proxies: tuple[str, ...] = param(
        (),
        "Addresses or networks of proxies, as '127.0.0.1' or '10.0.0.0/24', whose X-Forwarded-For says where a request comes from"
        " and whose X-Forwarded-Proto says whether with TLS. The proxy has to set both itself. Others' are ignored.",
    )


class ReadySettings(Settings):
    """When the graph is ready."""

    stages: tuple[str, ...] = param(
        ("detection", "tracking", "threat", "ew"),
        "Stages that must report for /ready to answer 200; and what came regularly must go on to come.",
        was="ready_stages",
    )
    silence_s: float = param(
        3.0, "A stage whose status is older is missing.", unit="s", gt=0, le=600, was="ready_silence_s"
    )
    data_silence_s: float = param(
        1.5,
        "Detections, tracks or threats that came at least three times in this time are silent after it; what comes less often, "
        "after three of its periods.",
        unit="s",
        ge=0.1,
        le=3600,
    )
    first_data_s: float = param(
        15.0,
        "Time after the start within which `sensors`, and detection, tracking and threat where they are among `stages`, must have "
        "given data; 0: no limit.",
        unit="s",
        ge=0,
        le=3600,
    )
    sensors: tuple[str, ...] = param((), "Sensors (sensor_id) whose detections are expected; empty: one of any name.")
    stuck_after: int = param(
        3,
        "So many scans of a sensor in a row with exactly the detections of the one before (more where they are fewer than three) "
        "are a stuck sensor; 0: never.",
        ge=0,
        le=1000,
    )

    def expected(self) -> list[tuple[str, str]]:
        """Return what is to come: topics, each with a sensor, or none where whoever may be it."""
        runs = {name.rpartition("/")[2] for name in self.stages}
        detections = [("detections", name) for name in self.sensors or ("",)] if "detection" in runs else []
        made = {"tracking": "tracks", "threat": "threats"}
        return detections + [(topic, "") for stage, topic in made.items() if stage in runs]


class BridgeSettings(SensorPoses):
    """REST, WebSocket and the web page: where it listens, and a group of parameters for each of its parts."""

    host: str = param("127.0.0.1", "Address to listen on.", env="API_HOST")
    port: int = param(8000, "TCP port to listen on; 0 takes a free one.", ge=0, le=65535, env="API_PORT")
    insecure_non_loopback: bool = param(
        False, "Listen on other addresses than loopback without TLS: passwords and tokens then travel in the clear."
    )
    allowed_origins: tuple[str, ...] = param(
        (), "Web origins besides the bridge's own that may use it, as 'https://host:port'."
    )
    queue_length: int = param(
        16,
        "Messages of one kind that wait between the ROS thread and the event loop.",
        ge=1,
        le=1000,
        was="handover_length",
    )
    tls: TlsSettings = group(TlsSettings())
    requests: RequestSettings = group(RequestSettings())
    nodes: tuple[str, ...] = param((), "Nodes beside the bridge, as a rig's plan names them. Empty: one of each.")
    ready: ReadySettings = group(ReadySettings())
    accounts: AccountSettings = group(AccountSettings())
    stream: StreamSettings = group(StreamSettings())
    history: HistorySettings = group(HistorySettings())
    incident: IncidentSettings = group(IncidentSettings())
    replicas: ReplicaSettings = group(ReplicaSettings())
    outputs: OutputSettings = group(OutputSettings())
    log: LogSettings = group(LogSettings())

    def heard_at(self, topic: str) -> Sequence[str]:
        """Return under which names a topic is heard: the video of each radar of a rig where it sends it."""
        radars = {name.rpartition("/")[0] for name in self.nodes if name.endswith("/driver")}
        return [f"{radar}/{topic}" for radar in sorted(radars)] if topic == VIDEO_TOPIC and radars else [topic]

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the bridge."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def check_exposure(settings: BridgeSettings) -> None:
    """Refuse to be reached from other machines in the clear, unless that is allowed.

    Raises:
        ConfigError: the message names what to set.
    """
    if bool(settings.tls.certificate) != bool(settings.tls.key):
        raise ConfigError("bridge: tls.certificate and tls.key belong together; one of them is empty")
    if not settings.loopback and not settings.tls.certificate and not settings.insecure_non_loopback:
        raise ConfigError(
            f"bridge: host '{settings.host}' can be reached from other machines, and passwords and tokens would travel in"
            " the clear: set tls.certificate and tls.key, or host 127.0.0.1, or insecure_non_loopback (`aegis up --insecure`) to"
            " accept it"
        )


def check_tls_files(settings: TlsSettings) -> None:
    """Refuse files that are not there.

    Raises:
        ConfigError: naming the parameter.
    """
    for name, path in (("tls.certificate", settings.certificate), ("tls.key", settings.key)):
        if path and not Path(path).is_file():
            raise ConfigError(f"bridge: {name} '{path}' is not a file")
