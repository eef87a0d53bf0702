# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is said at the start: builds that are older than their sources, a port that others could reach."""

import os
from pathlib import Path

import pytest

import aegis
from aegis import resources
from aegis.core.params import ConfigError
from aegis.foxglove.settings import FoxgloveSettings, check_exposure
from aegis.resources import stale_builds


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch) -> Path:
    """A checkout in which everything was built after it was written."""
    kernels = tmp_path / "src" / "aegis" / "core" / "kernels"
    kernels.mkdir(parents=True)
    (tmp_path / "msg" / "msg").mkdir(parents=True)
    (tmp_path / "installed").mkdir()
    for n, path in enumerate(
        [
            tmp_path / "pyproject.toml",
            tmp_path / "src" / "aegis" / "__init__.py",
            kernels / "gate.py",
            kernels / "zones.py",
            tmp_path / "msg" / "msg" / "Event.msg",
            kernels / "gate.cpython-311-x86_64-linux-gnu.so",
            kernels / "zones.cpython-311-x86_64-linux-gnu.so",
            tmp_path / "installed" / "__init__.py",
        ]
    ):
        path.write_text("")
        os.utime(path, (1e9 + n, 1e9 + n))
    monkeypatch.setattr(aegis, "__file__", str(tmp_path / "src" / "aegis" / "__init__.py"))
    spec = type("Spec", (), {"origin": str(tmp_path / "installed" / "__init__.py")})
    monkeypatch.setattr(resources, "find_spec", lambda name: spec)
    return tmp_path


def change(path: Path) -> None:
    os.utime(path, (2e9, 2e9))


def test_what_is_built_is_as_new_as_its_sources(checkout):
    assert stale_builds() == []


def test_kernels_that_are_older_than_their_sources_are_named_with_the_command(checkout):
    change(checkout / "src" / "aegis" / "core" / "kernels" / "zones.py")
    (line,) = stale_builds()
    assert "(zones)" in line
    assert line.endswith(f"`pip install --no-build-isolation --no-deps -e {checkout}`")


def test_messages_that_are_older_than_their_sources_are_named_with_the_command(checkout):
    change(checkout / "msg" / "msg" / "Event.msg")
    (line,) = stale_builds()
    assert line.endswith(f"`pip install --no-deps {checkout / 'msg'}`")


def test_what_is_no_checkout_has_nothing_to_build(checkout):
    change(checkout / "msg" / "msg" / "Event.msg")
    (checkout / "pyproject.toml").unlink()
    assert stale_builds() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "radar.example", "::"])
def test_foxglove_is_not_shown_to_others_unasked(host):
    with pytest.raises(ConfigError, match="insecure_non_loopback"):
        check_exposure(FoxgloveSettings.load({"host": host}))
    with pytest.raises(ConfigError, match="FOXGLOVE_TOKEN"):
        check_exposure(FoxgloveSettings.load({"host": host, "insecure_non_loopback": True}))
    with pytest.raises(ConfigError, match="16 or more"):
        check_exposure(FoxgloveSettings.load({"host": host, "insecure_non_loopback": True, "token": "short"}))
    with pytest.raises(ConfigError, match="insecure_non_loopback"):
        check_exposure(FoxgloveSettings.load({"host": host, "token": "0123456789abcdef"}))
    check_exposure(FoxgloveSettings.load({"host": host, "insecure_non_loopback": True, "token": "0123456789abcdef"}))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_may_look(host):
    check_exposure(FoxgloveSettings.load({"host": host}))
