"""Every parameter of the bridge, and the rule about who may reach it."""

from __future__ import annotations

import ipaddress

from aegis.bridge.accounts.settings import AccountSettings
from aegis.bridge.history.settings import HistorySettings
from aegis.bridge.outputs.settings import OutputSettings
from aegis.bridge.stream.settings import StreamSettings
from aegis.bridge.telemetry.settings import TelemetrySettings
from aegis.core.params import ConfigError, param
from aegis.core.sensor import SensorPose


class BridgeSettings(TelemetrySettings, OutputSettings, HistorySettings, StreamSettings, AccountSettings, SensorPose):
    """REST, WebSocket and the web page: where it listens, and the parameters of all its rooms."""

    host: str = param("127.0.0.1", "address to listen on", env="API_HOST")
    port: int = param(8000, "TCP port to listen on; 0 takes a free one", ge=0, le=65535, env="API_PORT")
    tls_certificate: str = param("", "PEM file of the certificate chain; empty serves without TLS")
    tls_key: str = param("", "PEM file of the certificate's key")
    insecure_non_loopback: bool = param(
        False, "listen on other addresses than loopback without TLS: passwords and tokens then travel in the clear"
    )
    allowed_origins: tuple[str, ...] = param(
        (), "web origins besides the bridge's own that may use it, as 'https://host:port'"
    )

    max_body_bytes: int = param(65536, "largest request body", unit="B", ge=1024, le=16777216)
    request_timeout_s: float = param(
        10.0, "how long a request, headers and body, may take to arrive", unit="s", gt=0, le=300
    )

    ready_stages: tuple[str, ...] = param(
        ("detection", "tracking", "threat", "ew"), "stages that must be heard for /ready to say yes"
    )
    ready_silence_s: float = param(3.0, "a stage whose status is older is missing", unit="s", gt=0, le=600)
    handover_length: int = param(
        16, "messages of one topic that wait between the ROS thread and the event loop", ge=1, le=1000
    )

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted."""
        return bool(self.tls_certificate)

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
    """Refuse to be reached from other machines in the clear, unless told to.

    Raises:
        ConfigError: saying what to set.
    """
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise ConfigError("bridge: tls_certificate and tls_key belong together; one of them is empty")
    if not settings.loopback and not settings.tls and not settings.insecure_non_loopback:
        raise ConfigError(
            f"bridge: host '{settings.host}' can be reached from other machines, and passwords and tokens would travel in"
            " the clear: set tls_certificate and tls_key, or host 127.0.0.1, or insecure_non_loopback (`aegis up --insecure`) to"
            " accept it"
        )
