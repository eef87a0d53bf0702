"""Every parameter of the bridge, and the rule about who may reach it."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import SecretStr

from aegis.core.params import ConfigError, param
from aegis.core.sensor import SensorPose


class BridgeSettings(SensorPose):
    """REST, WebSocket and the web page."""

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

    jwt_secret: SecretStr = param(
        "", "key that signs access tokens; empty on loopback makes one and keeps it", env="JWT_SECRET"
    )
    jwt_algorithm: Literal["HS256", "HS384", "HS512"] = param(
        "HS256", "the one algorithm tokens are signed with and accepted in", env="JWT_ALGORITHM"
    )
    access_token_minutes: float = param(15.0, "how long an access token is valid", unit="min", gt=0, le=1440)
    jwt_expiration_hours: float = param(
        0.0, "the same in hours; 0 leaves it to access_token_minutes", unit="h", ge=0, le=24, env="JWT_EXPIRATION_HOURS"
    )

    login_per_account_per_minute: int = param(10, "login attempts on one account", unit="1/min", ge=1, le=1000)
    login_per_address_per_minute: int = param(30, "login attempts from one address", unit="1/min", ge=1, le=10000)
    password_workers: int = param(1, "threads that check passwords", ge=1, le=16)
    password_queue: int = param(16, "logins that may wait for such a thread; more are told to come back", ge=1, le=1000)
    max_body_bytes: int = param(65536, "largest request body", unit="B", ge=1024, le=16777216)
    body_timeout_s: float = param(10.0, "how long a request's body may take to arrive", unit="s", gt=0, le=300)

    ws_queue_length: int = param(
        4, "frames that wait for one WebSocket client; then the oldest is dropped", ge=1, le=100
    )
    ws_eviction_s: float = param(5.0, "a client that reads nothing for so long is cut off", unit="s", gt=0, le=600)
    ws_max_clients: int = param(2000, "WebSocket clients at a time", ge=1, le=100000)
    ws_auth_s: float = param(10.0, "how long a new WebSocket may take to authenticate", unit="s", gt=0, le=60)
    ws_max_message_bytes: int = param(16384, "largest message of a client", unit="B", ge=1024, le=1048576)
    ws_send_buffer_bytes: int = param(
        262144,
        "kernel send buffer of a WebSocket: bounds how old a frame can get there; a small one stalls on delayed ACKs",
        unit="B",
        ge=131072,
        le=16777216,
    )
    heartbeat_s: float = param(5.0, "pause between heartbeats", unit="s", gt=0, le=60)

    ready_stages: tuple[str, ...] = param(
        ("detection", "tracking", "threat", "ew"), "stages that must be heard for /ready to say yes"
    )
    ready_silence_s: float = param(3.0, "a stage whose status is older is missing", unit="s", gt=0, le=600)
    handover_length: int = param(
        16, "messages of one topic that wait between the ROS thread and the event loop", ge=1, le=1000
    )

    @property
    def access_token_s(self) -> float:
        """How long an access token is valid [s]."""
        if self.jwt_expiration_hours > 0:
            return self.jwt_expiration_hours * 3600.0
        return self.access_token_minutes * 60.0

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
            " the clear: set tls_certificate and tls_key, or host 127.0.0.1, or insecure_non_loopback to accept it"
        )
