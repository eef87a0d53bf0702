# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis doctor` on this machine, and on machines broken on purpose."""

import os
import re
import socket
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from aegis.cli import doctor
from aegis.cli.doctor import State

ROOT = Path(__file__).resolve().parents[2]


def run_doctor(environ):
    code = "import sys; from aegis.cli.doctor import run; sys.exit(run(print))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False, timeout=180
    )
    assert not done.stderr.strip() or "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def lines_of(output, name):
    """Return the state of a check and its text with the cure."""
    lines = output.splitlines()
    at = next(i for i, line in enumerate(lines) if line[8:].startswith(name))
    cure = lines[at + 1] if at + 1 < len(lines) and "->" in lines[at + 1] else ""
    return lines[at][:8].strip(), lines[at][8:] + cure


def test_this_machine_is_fine(ros_domain):
    code, output = run_doctor(ros_domain)
    assert code == 0, output
    assert "missing" not in output
    assert "rmw_" in lines_of(output, "ROS 2")[1]
    assert output.splitlines()[-1] == "Aegis runs here: `aegis up`"


def test_the_command_is_wired():
    done = subprocess.run(
        [sys.executable, "-m", "aegis", "doctor", "--help"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0
    assert "missing" in done.stdout


@pytest.mark.parametrize(
    ("module", "name", "cure"),
    [
        ("aegis_msgs", "aegis_msgs", "pip install ./msg"),
        ("rclpy", "ROS 2", "source /opt/ros/jazzy/setup.bash"),
    ],
)
def test_a_missing_package_is_named_with_its_cure(ros_domain, tmp_path, module, name, cure):
    (tmp_path / f"{module}.py").write_text(f"raise ModuleNotFoundError('no module {module}')\n")
    path = os.pathsep.join([str(tmp_path), ros_domain.get("PYTHONPATH", "")])
    code, output = run_doctor({**ros_domain, "PYTHONPATH": path})
    assert code == 1
    state, text = lines_of(output, name)
    assert state == "missing"
    assert module in text
    assert cure in text
    assert name in output.splitlines()[-1]


def test_messages_of_other_fields_are_found(ros_domain, tmp_path):
    """An aegis_msgs whose TrackArray lacks a field that this code fills."""
    (tmp_path / "sitecustomize.py").write_text(
        "import aegis_msgs.msg as m\n"
        "class TrackArray:\n"
        "    __slots__ = ('header', 'sequence')\n"
        "m.TrackArray = TrackArray\n"
    )
    path = os.pathsep.join([str(tmp_path), ros_domain.get("PYTHONPATH", "")])
    check = doctor.check_messages({**ros_domain, "PYTHONPATH": path})
    assert check.state is State.MISSING
    assert "TrackArray" in check.found


def test_the_missing_field_of_older_messages_is_named(ros_domain, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "from aegis_msgs.msg import TrackArray\n"
        "known = {n: t for n, t in TrackArray.get_fields_and_field_types().items() if n != 'hits'}\n"
        "TrackArray.get_fields_and_field_types = classmethod(lambda cls: known)\n"
    )
    path = os.pathsep.join([str(tmp_path), ros_domain.get("PYTHONPATH", "")])
    check = doctor.check_messages({**ros_domain, "PYTHONPATH": path})
    assert check.state is State.MISSING
    assert "aegis_msgs/TrackArray" in check.found
    assert "no field 'hits'" in check.found
    assert "pip install ./msg" in check.cure


def test_no_place_for_the_state(ros_domain, tmp_path):
    (tmp_path / "file").write_text("")
    code, output = run_doctor({**ros_domain, "AEGIS_STATE_DIR": str(tmp_path / "file" / "state")})
    assert code == 1
    state, text = lines_of(output, "state directory")
    assert state == "missing"
    assert "AEGIS_STATE_DIR" in text


def test_a_port_in_use_is_a_warning_with_the_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        check = doctor.check_port("test", port, "`aegis up --port N`")
    assert check.state is State.WARN
    assert str(port) in check.cure
    assert "--port N" in check.cure
    assert doctor.check_port("test", port, "").state is State.OK


@pytest.mark.parametrize(
    ("version", "state"), [((3, 10), "missing"), ((3, 11), "ok"), ((3, 13), "ok"), ((3, 14), "missing")]
)
def test_python_version(version, state):
    assert doctor.check_python(version).state == state


@pytest.mark.parametrize(
    ("domain", "state"),
    [("0", "ok"), ("", "ok"), ("232", "ok"), ("233", "missing"), ("-1", "missing"), ("x", "missing")],
)
def test_domain(domain, state):
    assert doctor.check_domain({"ROS_DOMAIN_ID": domain}).state == state


def test_clock():
    assert doctor.check_clock(0.0).state is State.WARN
    assert doctor.check_clock(4e9).state is State.OK


def test_shared_memory(tmp_path):
    assert doctor.check_shm(tmp_path / "absent").state is State.WARN
    (tmp_path / "fastrtps_1").touch()
    assert "1 files" in doctor.check_shm(tmp_path).found


def test_a_program_that_is_absent_is_a_warning(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = doctor.check_tool("C++ compiler", ("g++",), "to build the messages", "sudo apt install g++")
    assert found.state is State.WARN
    assert found.cure == "sudo apt install g++"
    assert doctor.check_cmake().state is State.WARN


def test_an_old_cmake_is_a_warning(monkeypatch, tmp_path):
    script = tmp_path / "cmake"
    script.write_text("#!/bin/sh\necho cmake version 3.22.1\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    check = doctor.check_cmake()
    assert check.state is State.WARN
    assert "3.24" in check.found


def test_every_dependency_of_the_project_is_checked():
    """The list in doctor against pyproject's, by distribution name; ROS packages have checks of their own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {d.split(">")[0].split("=")[0].split("<")[0].strip() for d in project["dependencies"]}
    assert {d for d in declared if not d.startswith(("ros-", "aegis"))} == set(doctor.PYTHON_PACKAGES.values())
    by_module = metadata.packages_distributions()
    for module, name in doctor.PYTHON_PACKAGES.items():
        # Names of distributions are the same whatever their case and dashes (PEP 503).
        found = {re.sub(r"[-_.]+", "-", one).lower() for one in by_module[module]}
        assert re.sub(r"[-_.]+", "-", name.split("[")[0]).lower() in found


@pytest.mark.parametrize(
    ("built", "environ", "state", "says"),
    [
        ("no", {}, State.OK, "built without it"),
        ("no", {"ROS_SECURITY_ENABLE": "true"}, State.MISSING, "asked for"),
        ("yes", {}, State.OK, "not asked for"),
        ("yes", {"ROS_SECURITY_ENABLE": "true"}, State.MISSING, "no keystore"),
        ("yes", {"ROS_SECURITY_ENABLE": "true", "ROS_SECURITY_KEYSTORE": "KEYS"}, State.WARN, "not enforced"),
        (
            "yes",
            {"ROS_SECURITY_ENABLE": "true", "ROS_SECURITY_KEYSTORE": "KEYS", "ROS_SECURITY_STRATEGY": "Enforce"},
            State.OK,
            "enforced",
        ),
    ],
)
def test_dds_security_is_told_by_what_is_built_in_and_asked_for(built, environ, state, says, tmp_path, monkeypatch):
    (tmp_path / "enclaves").mkdir()
    monkeypatch.setattr(doctor, "_probe", lambda code, environ: (None, built))
    check = doctor.check_security({k: str(tmp_path) if v == "KEYS" else v for k, v in environ.items()})
    assert (check.state, says in check.found) == (state, True), check


def test_the_wheels_have_no_dds_security():
    check = doctor.check_security(os.environ)
    ours = Path(sys.prefix, "lib", "libfastrtps.so")
    if not ours.exists():
        pytest.skip("ROS 2 is not that of the wheels")
    symbols = subprocess.run(["readelf", "--dyn-syms", "-W", ours], capture_output=True, text=True, check=True).stdout
    assert ("PKIDH" in symbols, "built without it" in check.found) == (False, True)
