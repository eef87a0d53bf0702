# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A bridge process for the tests: `run_bridge.py STATE_DIR NAMESPACE JSON_SETTINGS`, or one that is forked."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

from aegis.bridge.main import serve
from aegis.bridge.settings import BridgeSettings
from aegis.core.params import ConfigError
from aegis.graph.nodes import nodes_beside_bridge

_FORKING = multiprocessing.get_context("forkserver")
# What takes a second and a half of each start. `aegis up` forks its processes too.
_FORKING.set_forkserver_preload(
    [
        "aegis.bridge.main",
        "aegis.bridge.ros_node",
        "alembic.command",
        "rclpy.node",
        "rosidl_generator_py.import_type_support_impl",
    ]
)


def main(state_dir: str, namespace: str, values: str) -> int:
    try:
        return serve(
            BridgeSettings.load(json.loads(values), environ=os.environ),
            nodes_beside_bridge(),
            namespace=namespace,
            state_dir=Path(state_dir),
            run_id="test-run",
            epoch=3,
        )
    except ConfigError as error:
        print(f"config error: {error}", file=sys.stderr)
        return 2


class ForkedBridge:
    """A bridge in a process that is forked; it is asked and stopped as a `subprocess.Popen` is."""

    def __init__(self, environ: dict[str, str], errors: Path, *words: str) -> None:
        """Start it; `errors` is where its standard error goes."""
        self._process = _FORKING.Process(target=_forked, args=(environ, errors, words))
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(f"bridge {self.pid}", timeout)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _forked(environ: dict[str, str], errors: Path, words: tuple[str, ...]) -> None:
    os.environ.clear()
    os.environ.update(environ)
    with errors.open("a") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    sys.stderr.reconfigure(line_buffering=True)
    sys.exit(main(*words))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
