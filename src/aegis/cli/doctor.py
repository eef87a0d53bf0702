# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What this machine has, what it lacks, and how to get it. Imports nothing that may be missing: it has to say so."""

from __future__ import annotations

import importlib.util
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import aegis

PYTHON_MINIMUM, PYTHON_MAXIMUM = (3, 11), (3, 13)
CMAKE_MINIMUM = (3, 24)
SHM_MINIMUM_BYTES = 64 * 2**20
DOMAIN_MAXIMUM = 232
PROBE_TIMEOUT_S = 60.0
KEYSTORE_CURE = "`aegis security keystore DIR`; docs/security.md"
CLOCK_EARLIEST_S = 1_735_689_600.0  # 2025-01-01: before Aegis was written

# Module and what pip calls it: what `pip install .` brings, and what a colcon build leaves to pip.
PYTHON_PACKAGES = {
    "numpy": "numpy", "scipy": "scipy", "pydantic": "pydantic", "yaml": "pyyaml", "click": "click",
    "tqdm": "tqdm", "serial": "pyserial", "can": "python-can", "asterix": "libasterix",
    "rosbags": "rosbags", "lz4": "lz4", "backports": "backports.zstd",
    "fastapi": "fastapi", "uvicorn": "uvicorn[standard]", "websockets": "websockets",
    "orjson": "orjson", "jwt": "pyjwt", "pwdlib": "pwdlib[argon2]", "limits": "limits", "sqlalchemy": "sqlalchemy",
    "foxglove": "foxglove-sdk", "alembic": "alembic", "zxcvbn": "zxcvbn", "prometheus_client": "prometheus-client",
    "psutil": "psutil", "ormsgpack": "ormsgpack", "pymap3d": "pymap3d", "fastapi_offline": "fastapi-offline",
}  # fmt: skip

_RCLPY_PROBE = """
import time, rclpy
from std_msgs.msg import String
rclpy.init(args=[])
node = rclpy.create_node("aegis_doctor")
got = []
node.create_subscription(String, "loop", lambda message: got.append(message.data), 1)
publisher = node.create_publisher(String, "loop", 1)
deadline = time.monotonic() + 20
while not got and time.monotonic() < deadline:
    publisher.publish(String(data="there and back"))
    rclpy.spin_once(node, timeout_sec=0.05)
if got != ["there and back"] * len(got) or not got:
    raise SystemExit("a message to this very process did not arrive within 20 s")
print(rclpy.get_rmw_implementation_identifier())
rclpy.try_shutdown()
"""

_KERNELS_PROBE = """
import importlib, pkgutil
from aegis.core import kernels
names = [module.name for module in pkgutil.iter_modules(kernels.__path__)]
for name in names:
    if importlib.import_module(f"aegis.core.kernels.{name}").__file__.endswith(".py"):
        raise SystemExit(f"aegis.core.kernels.{name} is not compiled")
print(len(names))
"""

# The conversions hold their dataclasses against the messages when they are imported: a package of other fields fails here.
_MESSAGES_PROBE = """
import importlib.metadata, re
from pathlib import Path
import aegis_msgs.msg, aegis_msgs.srv
import aegis.ros.messages.cubes, aegis.ros.messages.ew, aegis.ros.messages.picture, aegis.ros.messages.reports

try:
    version = importlib.metadata.version("aegis_msgs")
except importlib.metadata.PackageNotFoundError:
    from ament_index_python.packages import get_package_share_directory
    manifest = Path(get_package_share_directory("aegis_msgs"), "package.xml").read_text()
    version = re.search(r"<version>(.*?)</version>", manifest).group(1)
print(version)
"""

# The plugin's name is in the library where it is built in, and only there.
_SECURITY_PROBE = """
import re, rclpy
from pathlib import Path
rclpy.get_rmw_implementation_identifier()
lines = Path("/proc/self/maps").read_text().splitlines()
found = [line.split()[-1] for line in lines if re.search("libfast(rtps|dds)[.]", line)]
print("unknown" if not found else "yes" if b"builtin.PKI-DH" in Path(found[0]).read_bytes() else "no")
"""


class State(StrEnum):
    """Outcome of a check: fine; worth knowing, Aegis runs without; Aegis does not run."""

    OK = "ok"
    WARN = "warn"
    MISSING = "missing"


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, and how to cure it where it is not ok."""

    name: str
    state: State
    found: str
    cure: str = ""


def run(echo: Callable[[str], object]) -> int:
    """Check everything and print a line for each; return the exit code: 0, or 1 where something needed is missing."""
    results = checks()
    width = max(len(check.name) for check in results)
    for check in results:
        echo(f"{check.state.value:8}{check.name:{width}}  {check.found}")
        if check.cure:
            echo(f"{'':8}{'':{width}}  -> {check.cure}")
    missing = [check.name for check in results if check.state is State.MISSING]
    if missing:
        echo(f"\nAegis does not run here yet; missing: {', '.join(missing)}")
        return 1
    echo("\nAegis runs here: `aegis up`")
    return 0


def checks() -> list[Check]:
    """Look at everything, in the order in which it is needed."""
    environ = os.environ
    return [
        check_python(sys.version_info[:2]),
        check_packages(),
        check_kernels(environ),
        check_rclpy(environ),
        check_messages(environ),
        check_files(),
        check_domain(environ),
        check_security(environ),
        check_shm(Path("/dev/shm")),
        check_state_dir(),
        check_clock(time.time()),
        check_port("bridge and web page", int_or(environ.get("API_PORT"), 8000), "`aegis up --port N`"),
        check_port("Foxglove", 8765, "`aegis up --set foxglove.port=N`, or `--no-foxglove`"),
        check_tool("C++ compiler", ("g++", "c++", "clang++"), "to build the messages", "sudo apt install g++"),
        check_cmake(),
        check_tool("Chromium", ("chromium", "chromium-browser", "google-chrome"), "to test the web page",
                   "sudo apt install chromium"),
    ]  # fmt: skip


def check_python(version: tuple[int, ...]) -> Check:
    """Check the interpreter."""
    found = ".".join(map(str, version))
    if PYTHON_MINIMUM <= version <= PYTHON_MAXIMUM:
        return Check("Python", State.OK, f"{found} ({sys.executable})")
    cure = "make the environment with Python 3.11, 3.12 or 3.13: `python3.12 -m venv .venv`"
    return Check("Python", State.MISSING, f"{found}; there are ROS wheels for 3.11 to 3.13", cure)


def check_packages() -> Check:
    """Check what Aegis imports besides ROS."""
    absent = [pip for module, pip in PYTHON_PACKAGES.items() if importlib.util.find_spec(module) is None]
    if not absent:
        return Check("Python packages", State.OK, f"all {len(PYTHON_PACKAGES)}")
    names = " ".join(f"'{name}'" for name in absent)
    return Check("Python packages", State.MISSING, f"not installed: {', '.join(absent)}", f"pip install {names}")


def check_kernels(environ: Mapping[str, str]) -> Check:
    """Check the inner loops: compiled, and for this interpreter."""
    failure, out = _probe(_KERNELS_PROBE, environ)
    if not failure:
        return Check("compiled kernels", State.OK, f"{out.split()[-1]} load")
    cure = "install Aegis again: `pip install ./msg .`, or `pip install -e .` in a checkout that you work on"
    return Check("compiled kernels", State.MISSING, failure, cure)


def check_rclpy(environ: Mapping[str, str]) -> Check:
    """Check ROS 2 itself: a node, and a message there and back, in a process and a DDS domain of their own."""
    own = {**environ, "ROS_DOMAIN_ID": str(random.randint(DOMAIN_MAXIMUM - 30, DOMAIN_MAXIMUM))}
    failure, out = _probe(_RCLPY_PROBE, own)
    if failure is None:
        return Check("ROS 2", State.OK, f"a message went there and back through {out}")
    cure = "`pip install ./msg .` in the checkout, or on a machine with ROS 2: `source /opt/ros/jazzy/setup.bash`"
    return Check("ROS 2", State.MISSING, failure, cure)


def check_messages(environ: Mapping[str, str]) -> Check:
    """Check that the message package is there, and is the one that belongs to this code."""
    cure = (
        "`pip install ./msg` in the checkout, or `colcon build` and `source install/setup.bash`; never both in one "
        "environment"
    )
    failure, version = _probe(_MESSAGES_PROBE, environ)
    if failure is not None:
        return Check("aegis_msgs", State.MISSING, failure, cure)
    if version != aegis.__version__:
        found = f"version {version}, but this is aegis {aegis.__version__}"
        return Check("aegis_msgs", State.MISSING, found, cure)
    return Check("aegis_msgs", State.OK, f"version {version}, with the fields that this code uses")


def check_files() -> Check:
    """Check that the files beside the code are there."""
    from aegis.resources import share_dir

    try:
        return Check("config and launch files", State.OK, str(share_dir()))
    except FileNotFoundError as error:
        return Check("config and launch files", State.MISSING, str(error), "`pip install .` in the checkout")


def check_domain(environ: Mapping[str, str]) -> Check:
    """Check which other nodes ours will see."""
    domain = environ.get("ROS_DOMAIN_ID") or "0"
    reach = environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE") or "not set: `aegis up` stays on this machine, `ros2` does not"
    if not re.fullmatch(r"\d+", domain) or int(domain) > DOMAIN_MAXIMUM:
        cure = f"export ROS_DOMAIN_ID=0 (to {DOMAIN_MAXIMUM}; on Linux above 101 ports can clash)"
        return Check("DDS domain", State.MISSING, f"ROS_DOMAIN_ID={domain} is no domain", cure)
    return Check("DDS domain", State.OK, f"{domain}; discovery range {reach}")


def check_security(environ: Mapping[str, str]) -> Check:
    """Check whether DDS can be secured here, and whether it is where that was asked for."""
    failure, out = _probe(_SECURITY_PROBE, environ)
    asked = environ.get("ROS_SECURITY_ENABLE", "").lower() == "true"
    if failure or out.split()[-1:] == ["unknown"]:
        return Check("DDS security", State.WARN, f"not known: {failure or 'another middleware than Fast DDS'}")
    if out.split()[-1] == "no":
        cure = (
            "the distribution's packages have it (apt, docker); with these, whoever reaches the domain is on the graph"
        )
        if asked:
            return Check("DDS security", State.MISSING, "asked for, but this Fast DDS is built without it", cure)
        return Check("DDS security", State.OK, "none: this Fast DDS is built without it; keep DDS on this machine")
    keystore = Path(environ.get("ROS_SECURITY_KEYSTORE", ""))
    if not asked:
        return Check("DDS security", State.OK, f"possible, not asked for (ROS_SECURITY_ENABLE); {KEYSTORE_CURE}")
    if not (keystore / "enclaves").is_dir():
        return Check(
            "DDS security",
            State.MISSING,
            f"ROS_SECURITY_KEYSTORE='{keystore}' is no keystore",
            "`aegis security keystore DIR`",
        )
    if environ.get("ROS_SECURITY_STRATEGY") != "Enforce":
        cure = "export ROS_SECURITY_STRATEGY=Enforce: else what has no key runs unsecured"
        return Check("DDS security", State.WARN, f"keystore {keystore}, not enforced", cure)
    return Check("DDS security", State.OK, f"enforced, keystore {keystore}")


def check_shm(directory: Path) -> Check:
    """Check the shared memory that carries messages between processes."""
    cure = "docker run --shm-size=256m (or --ipc=host), or FASTDDS_BUILTIN_TRANSPORTS=UDPv4 for every process"
    if not os.access(directory, os.W_OK):
        return Check("shared memory", State.WARN, f"{directory} cannot be written", cure)
    free = shutil.disk_usage(directory).free
    left_over = sum(1 for _ in directory.glob("fastrtps_*"))
    found = f"{free / 2**20:.0f} MiB free in {directory}, {left_over} files of Fast DDS"
    if free < SHM_MINIMUM_BYTES:
        cure += f"; files of killed processes can go when no node runs: rm {directory}/fastrtps_*"
        return Check("shared memory", State.WARN, found, cure)
    return Check("shared memory", State.OK, found)


def check_state_dir() -> Check:
    """Check the place for accounts, keys and track numbers."""
    from aegis.state import state_dir

    try:
        path = state_dir()
        with tempfile.TemporaryFile(dir=path):
            return Check("state directory", State.OK, f"{path}")
    except (OSError, RuntimeError) as error:  # RuntimeError: no home directory
        return Check("state directory", State.MISSING, str(error), "export AEGIS_STATE_DIR=/a/directory/you/can/write")


def check_clock(now_s: float) -> Check:
    """Check that the clock is not before this code was written or installed."""
    cure = "set the clock: `sudo timedatectl set-ntp true`, or chrony beside a GNSS receiver"
    installed_s = Path(__file__).stat().st_mtime
    found = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_s))
    if now_s < max(CLOCK_EARLIEST_S, installed_s - 86_400):
        return Check("clock", State.WARN, f"{found}: before Aegis came to this machine; every stamp is wrong", cure)
    return Check("clock", State.OK, found)


def check_port(use: str, port: int, other: str) -> Check:
    """Check that nothing listens on a TCP port of ours."""
    name = f"port {port}"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            cure = f"stop what uses it (`ss -ltnp 'sport = :{port}'` says what), or {other}"
            return Check(name, State.WARN, f"{error.strerror}; it is for: {use}", cure)
    return Check(name, State.OK, f"free for: {use}")


def check_tool(name: str, commands: tuple[str, ...], purpose: str, cure: str) -> Check:
    """Check a program that only some work needs."""
    for command in commands:
        path = shutil.which(command)
        if path:
            return Check(name, State.OK, path)
    return Check(name, State.WARN, f"no {' or '.join(commands)}; only needed {purpose}", cure)


def check_cmake() -> Check:
    """Check that CMake is there, and new enough to build the messages against the wheels."""
    needed = ".".join(map(str, CMAKE_MINIMUM))
    cure = "sudo apt install cmake (Debian 12, Ubuntu 24.04), or pip install cmake"
    path = shutil.which("cmake")
    if path is None:
        return Check("CMake", State.WARN, "none; only needed to build the messages", cure)
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=PROBE_TIMEOUT_S)
    match = re.search(r"(\d+)\.(\d+)(?:\.\d+)?", done.stdout)
    if match is None or (int(match[1]), int(match[2])) < CMAKE_MINIMUM:
        found = f"{match[0] if match else 'unknown version'} ({path}); {needed} is needed to build the messages"
        return Check("CMake", State.WARN, found, cure)
    return Check("CMake", State.OK, f"{match[0]} ({path})")


def int_or(text: str | None, default: int) -> int:
    """Return the port number that a text names, or the default where it names none."""
    return int(text) if text and re.fullmatch(r"\d{1,5}", text) and 0 < int(text) < 65536 else default


def _probe(code: str, environ: Mapping[str, str]) -> tuple[str | None, str]:
    """Run Python code in a process of its own; return what went wrong (None: nothing) and what it printed."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=dict(environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=PROBE_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {PROBE_TIMEOUT_S:.0f} s", ""
    if done.returncode == 0:
        return None, done.stdout.strip()
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return (lines[-1].strip() if lines else f"ended with exit code {done.returncode}"), ""
