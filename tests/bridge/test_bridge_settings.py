# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Who may reach the bridge, and with which key it signs."""

import re
import secrets
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from aegis.bridge.accounts.secret import SECRET_FILE, load_secret
from aegis.bridge.accounts.settings import AccountSettings
from aegis.bridge.settings import BridgeSettings, check_exposure
from aegis.cli.main import cli
from aegis.core.params import ConfigError


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("192.168.1.5", False),
        ("radar.example.org", False),
    ],
)
def test_a_host_that_others_can_reach_needs_tls_or_the_flag(host, loopback):
    settings = BridgeSettings.load({"host": host})
    assert settings.loopback is loopback
    if loopback:
        check_exposure(settings)
        return
    with pytest.raises(ConfigError, match="insecure_non_loopback"):
        check_exposure(settings)
    check_exposure(BridgeSettings.load({"host": host, "insecure_non_loopback": True}))
    check_exposure(BridgeSettings.load({"host": host, "tls.certificate": "a.pem", "tls.key": "b.pem"}))


def test_a_certificate_without_its_key_is_refused():
    with pytest.raises(ConfigError, match="belong together"):
        check_exposure(BridgeSettings.load({"tls.certificate": "a.pem"}))


def test_a_parameter_of_before_is_refused_and_the_one_of_now_named():
    old = {info.was: info.name for info in BridgeSettings.params() if info.was}
    assert len(old) > 50
    for was, now in old.items():
        if was in {info.name for info in BridgeSettings.params()}:
            continue
        with pytest.raises(ConfigError, match=f"'{re.escape(now)}'"):
            BridgeSettings.load({was: 1})


def test_the_original_environment_names_work():
    environ = {"API_HOST": "::1", "API_PORT": "8123", "JWT_ALGORITHM": "HS512", "JWT_EXPIRATION_HOURS": "0.5"}
    settings = BridgeSettings.load({}, environ=environ)
    assert (settings.host, settings.port, settings.accounts.jwt_algorithm) == ("::1", 8123, "HS512")
    assert settings.accounts.access_token_s == 1800.0
    assert BridgeSettings.load({}).accounts.access_token_s == 900.0


@pytest.mark.parametrize("algorithm", ["none", "RS256", "HS1", ""])
def test_another_algorithm_is_refused(algorithm):
    with pytest.raises(ConfigError, match="jwt_algorithm"):
        BridgeSettings.load({"accounts.jwt_algorithm": algorithm})


def test_a_missing_secret_is_made_once_and_kept_for_its_owner(tmp_path: Path):
    first = load_secret(AccountSettings.load({}), tmp_path)
    mode = (tmp_path / SECRET_FILE).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert len(first) >= 64
    assert load_secret(AccountSettings.load({}), tmp_path) == first
    other = tmp_path / "other"
    other.mkdir()
    assert load_secret(AccountSettings.load({}), other) != first


def test_a_secret_file_that_others_can_read_is_refused(tmp_path: Path):
    load_secret(AccountSettings.load({}), tmp_path)
    (tmp_path / SECRET_FILE).chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_secret(AccountSettings.load({}), tmp_path)


def test_a_reachable_bridge_must_be_given_a_secret(tmp_path: Path):
    with pytest.raises(ConfigError, match="JWT_SECRET is missing"):
        load_secret(AccountSettings.load({}), tmp_path, reachable_on="0.0.0.0")
    assert not (tmp_path / SECRET_FILE).exists()


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(secrets.token_hex(15) + "x", id="31-bytes"),
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        "your-secret-key-change-in-production-please",
        "a-string-secret-at-least-256-bits-long",
        "ab" * 40,
    ],
    ids=["short", "of a tutorial", "of a template", "of jwt.io", "repeated"],  # the first is random
)
def test_a_short_or_known_secret_is_refused_without_being_repeated(secret, tmp_path: Path):
    settings = AccountSettings.load({}, environ={"JWT_SECRET": secret})
    assert secret not in repr(settings)
    with pytest.raises(ConfigError) as refusal:
        load_secret(settings, tmp_path)
    assert secret not in str(refusal.value)


@pytest.mark.parametrize(("algorithm", "least"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_the_secret_is_as_long_as_the_hash(algorithm, least, tmp_path: Path):
    secret = secrets.token_urlsafe(100)
    load_secret(AccountSettings.load({"jwt_secret": secret[:least], "jwt_algorithm": algorithm}), tmp_path)
    with pytest.raises(ConfigError, match=f"at least {least}"):
        load_secret(AccountSettings.load({"jwt_secret": secret[: least - 1], "jwt_algorithm": algorithm}), tmp_path)


@pytest.mark.parametrize("words", [["--host", "0.0.0.0"], ["--set", "bridge.host=192.168.1.5"]])
def test_up_says_before_anything_starts_that_it_would_be_reached_in_the_clear(words):
    result = CliRunner().invoke(cli, ["up", *words])
    assert result.exit_code == 2
    assert "can be reached from other machines" in result.output
    assert "--insecure" in result.output


def test_the_video_of_a_rig_is_heard_where_each_radar_sends_it():
    rig = BridgeSettings.load({"nodes": ["left/driver", "left/detection", "front/driver", "tracking"]})
    assert rig.heard_at("radar/video") == ["front/radar/video", "left/radar/video"]
    assert rig.heard_at("tracks") == ["tracks"]
    assert BridgeSettings().heard_at("radar/video") == ["radar/video"]
