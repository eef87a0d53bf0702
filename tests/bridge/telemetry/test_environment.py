# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every environment name of the original takes effect."""

from pathlib import Path

import pytest
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.logging import LoggingSeverity

from aegis.core.params import ConfigError
from aegis.graph import node
from aegis.graph.config import load_settings

SECRET = "0123456789abcdef-0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "value", "node", "read"),
    [
        ("API_HOST", "::1", "bridge", lambda s: s.host),
        ("API_PORT", "8123", "bridge", lambda s: str(s.port)),
        ("RADAR_SCAN_INTERVAL", "0.25", "simulator", lambda s: str(s.interval_s)),
        ("RADAR_REFRESH_RATE", "4.0", "simulator", lambda s: str(1.0 / s.interval_s)),
        ("DETECTION_THRESHOLD", "0.9", "detection", lambda s: str(s.classification.confidence_threshold)),
        ("DETECTION_THRESHOLD", "0.9", "tracking", lambda s: str(s.classification.confidence_threshold)),
        ("MODEL_CACHE_DIR", "/models", "tracking", lambda s: s.classification.model_cache_dir),
        ("MAX_TARGETS", "77", "detection", lambda s: str(s.limits.max_targets)),
        ("THREAT_THRESHOLD_HIGH", "0.7", "threat", lambda s: str(s.levels.high)),
        ("THREAT_THRESHOLD_CRITICAL", "0.95", "threat", lambda s: str(s.levels.critical)),
        ("MODEL_DEVICE", "cpu", "detection", lambda s: s.model_device),
        ("LOG_LEVEL", "WARNING", "bridge", lambda s: s.log.level),
        ("LOG_DIR", "/var/log/aegis", "bridge", lambda s: str(s.log.folder(Path("/state"), ""))),
        ("JWT_SECRET", SECRET, "bridge", lambda s: s.accounts.jwt_secret.get_secret_value()),
        ("JWT_ALGORITHM", "HS512", "bridge", lambda s: s.accounts.jwt_algorithm),
        ("JWT_EXPIRATION_HOURS", "2.0", "bridge", lambda s: str(s.accounts.access_token_s / 3600.0)),
    ],
)
def test_a_parameter_follows_its_environment_name(name, value, node, read):
    assert read(load_settings(node, None, environ={})) != value
    assert read(load_settings(node, None, environ={name: value})) == value


@pytest.mark.parametrize(
    ("name", "value", "node", "allowed"),
    [
        ("MODEL_DEVICE", "tpu", "detection", ("'auto'", "'cpu'", "'cuda'")),
        ("MODEL_DEVICE", "tpu", "tracking", ("'auto'", "'cpu'", "'cuda'")),
        ("LOG_LEVEL", "LOUD", "bridge", ("'DEBUG'", "'ERROR'")),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(name, value, node, allowed):
    with pytest.raises(ConfigError, match=f"environment variable {name}") as refusal:
        load_settings(node, None, environ={name: value})
    assert all(word in str(refusal.value) for word in allowed)


def test_log_level_reaches_a_stages_ros_log(ros_domain, monkeypatch):
    class Executor(SingleThreadedExecutor):
        """Looks at its nodes instead of spinning."""

        def spin_once(self, timeout_sec: float | None = None) -> None:
            seen.extend(one.get_logger().get_effective_level() for one in self.get_nodes())
            raise ExternalShutdownException

    seen: list[LoggingSeverity] = []
    monkeypatch.setattr(node, "SingleThreadedExecutor", Executor)
    for level in ("", "DEBUG", "INFO", "WARNING", "ERROR"):
        monkeypatch.setenv("LOG_LEVEL", level)
        assert node.main(["threat"]) == 0
    severity = LoggingSeverity
    assert seen == [severity.INFO, severity.DEBUG, severity.INFO, severity.WARN, severity.ERROR]


def test_a_stage_refuses_a_log_level_that_is_none(monkeypatch, capsys):
    monkeypatch.setenv("LOG_LEVEL", "verbose")
    assert node.main(["threat"]) == node.EXIT_CONFIG
    assert "LOG_LEVEL = 'verbose': DEBUG, INFO, WARNING, ERROR are allowed" in capsys.readouterr().err
