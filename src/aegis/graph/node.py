# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The live host of the graph: one rclpy node a stage, one or all of them in this process; or the bridge in its own."""

from __future__ import annotations

import argparse
import ctypes
import json
import logging
import os
import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.logging import LoggingSeverity
from rclpy.parameter import Parameter
from rclpy.type_support import check_for_type_support

from aegis import __version__
from aegis.core.events import Severity
from aegis.core.params import ConfigError, Settings
from aegis.error_reports import report_errors
from aegis.graph.config import Parameters
from aegis.graph.managed import UNCONFIGURED, ManagedNode
from aegis.graph.nodes import ALL_NODES, BRIDGE, DEFAULT_NODES, NODES, NodeSpec, nodes_beside_bridge
from aegis.graph.plan import COMPOSED, RUN_ID, dds_environ
from aegis.graph.ros_args import BEGIN, RosArguments, split_ros_args
from aegis.graph.supervisor import EXIT_CONFIG, Program, Supervisor
from aegis.graph.watchdog import HANG_AFTER_S, hang_after_s
from aegis.resources import stale_builds
from aegis.ros.host import StageHost
from aegis.ros.parameters import declare_parameters
from aegis.ros.qos import message_class
from aegis.ros.spin import spin
from aegis.ros.stages.base import Stage, StageContext
from aegis.ros.topics import COMMON_PUBLISHES, TOPICS
from aegis.secret_files import read_secret_files
from aegis.state import STARTS, next_epoch, state_dir

# Of parameters: passwords and keys are in them.
SECRET_GROUPS = ("bridge.history.", "bridge.accounts.", "bridge.replicas.")
LARGE_BLOCK_BYTES = 8 * 2**20  # more than a raw radar's cube
ARENAS = 2
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of <malloc.h>
# What `--log-level` may say, and the least severity of ours that it means.
_LEVELS = {"debug": "DEBUG", "info": "INFO", "warn": "WARNING", "error": "ERROR", "fatal": "ERROR"}


class StageNode(ManagedNode):
    """A node of the graph table: its parameters declared, its stage hosted; by its parameter `managed` with a lifecycle."""

    def __init__(self, spec: NodeSpec, settings: Settings, parameters: Parameters, run_id: str) -> None:
        own = parameters.ros_own(spec.name)
        overrides = [Parameter(name, value=value) for name, value in own.items()]
        super().__init__(spec.name, namespace=parameters.namespace, parameter_overrides=overrides)
        declare_parameters(self, settings, spec.load_stage().tunable)
        own_namespace = self.get_namespace().strip("/")  # --ros-args may say another, and another name
        state = state_dir(own_namespace)
        epoch = next_epoch(state, self.get_name(), run_id)
        label = label_of(self.get_fully_qualified_name(), self.resolve_topic_name("status"))
        context = StageContext(
            run_id=run_id, epoch=epoch, state_dir=state, live=True, namespace=own_namespace, label=label
        )
        self.stage: Stage[Settings] = spec.load_stage()(settings, context)
        managed = self.is_to_be_managed()
        self.stage.idle = UNCONFIGURED if managed else ""
        host = StageHost(
            self,
            self.stage,
            subscribes=spec.subscribes,
            publishes=spec.publishes,
            services=spec.services,
            overrides=own,
        )
        if managed:
            self.manage(host)


def label_of(node: str, status_topic: str) -> str:
    """Return what a node is called among those that share a status topic: its full name, from the topic's namespace on.

    `/front/detection` is `front/detection` where its status goes to `/status`, and `detection` where it goes to `/front/status`.
    """
    shared = status_topic.rpartition("/")[0] + "/"
    return node.removeprefix(shared).strip("/")


def run(names: Sequence[str], parameters: Parameters) -> int:
    """Run stages, or the bridge, in this process until SIGINT or SIGTERM; return the exit code."""
    run_id = os.environ.get(RUN_ID) or secrets.token_hex(8)
    give_memory_back()
    try:
        report_errors(os.environ, __version__, ",".join(names))
        environ = with_log_level(os.environ, parameters.ros.log_level)
        parameters.check(names)
        settings = {name: parameters.settings(name, environ=environ) for name in names}
        os.environ.update(dds_environ(settings.values(), os.environ))
        if BRIDGE not in names:
            return run_stages(settings, parameters, run_id)
        if len(names) > 1:
            raise ConfigError("the bridge runs in a process of its own: uvicorn has the main thread there")
        return run_bridge(settings[BRIDGE], parameters, run_id)
    except ConfigError as error:
        print(f"aegis: {error}", file=sys.stderr)
        return EXIT_CONFIG


def give_memory_back() -> None:
    """Let the C library return what large allocations leave, where it can be told so.

    Left alone, glibc takes a large block that was freed once (20 MB, of a password's hash) for a sign to keep so much for ever, and
    an arena for each of Fast DDS's threads.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, LARGE_BLOCK_BYTES)
        libc.mallopt(_M_ARENA_MAX, ARENAS)


def preload(names: Iterable[str]) -> None:
    """Import what stages work with, and ROS's code for their messages, so that processes forked from this one share it."""
    for name in names:
        if name == BRIDGE:  # alone with what it imports
            continue
        spec = NODES[name]
        with suppress(ImportError):  # the node says what is missing, and how to get it
            spec.load_stage()
            for topic in (*spec.subscribes, *spec.publishes, *COMMON_PUBLISHES):
                check_for_type_support(message_class(TOPICS[topic].type))
    rclpy.get_rmw_implementation_identifier()  # loads the middleware's library


def run_bridge(settings: Settings, parameters: Parameters, run_id: str) -> int:
    """Run the bridge until SIGINT or SIGTERM; return the exit code.

    Raises:
        ConfigError: it cannot work with its settings.
    """
    from aegis.bridge.main import serve
    from aegis.bridge.settings import BridgeSettings

    assert isinstance(settings, BridgeSettings)
    namespace = parameters.ros.namespace(BRIDGE, parameters.namespace)
    state = state_dir(namespace)
    words = parameters.ros.words() or [BEGIN]
    for name, value in parameters.ros_own(BRIDGE).items():
        words += ["-p", f"{name}:={json.dumps(value)}"]
    return serve(
        settings,
        nodes_beside_bridge(settings.nodes),
        namespace=namespace,
        state_dir=state,
        run_id=run_id,
        epoch=next_epoch(state, parameters.ros.node_name(BRIDGE), run_id),
        ros_args=words,
        export_words=_export_words(parameters),
    )


def _export_words(parameters: Parameters) -> list[str]:
    """Return what tells `aegis export` the graph's parameters; not those that may be secret."""
    words = [] if parameters.config is None else ["--config", str(parameters.config.resolve())]
    public = [one for one in parameters.sets if not one.startswith(SECRET_GROUPS)]
    return words + [word for one in public for word in ("--set", one)]


def run_stages(settings: Mapping[str, Settings], parameters: Parameters, run_id: str) -> int:
    """Run stages, named with their settings, until SIGINT or SIGTERM; return the exit code.

    Raises:
        ConfigError: a stage cannot work with its settings, or ROS does not take its arguments.
    """
    severity = None if parameters.ros.log_level else log_severity(os.environ)  # else ROS has set it
    nodes: list[StageNode] = []
    try:
        init_ros(parameters.ros.words())
        executor = SingleThreadedExecutor()
        for name, own in settings.items():
            nodes.append(StageNode(NODES[name], own, parameters, run_id))
            if severity is not None:
                nodes[-1].get_logger().set_level(severity)
            executor.add_node(nodes[-1])
        spin(executor, is_watched=lambda: any(node.stage.is_watched for node in nodes), is_over=lambda: not rclpy.ok())
    except (KeyboardInterrupt, ExternalShutdownException):
        pass  # asked to stop
    except RuntimeError:  # RCLError, which rclpy does not export
        if rclpy.ok():
            raise
        # Asked to stop while starting: the signal took the context away under what was being made.
    finally:
        for node in nodes:
            node.stage.close()
        rclpy.try_shutdown()
    return 0


def init_ros(words: Sequence[str]) -> None:
    """Start ROS in this process.

    Raises:
        ConfigError: it does not take the arguments.
    """
    try:
        rclpy.init(args=["aegis", *words])
    except RuntimeError as error:
        raise ConfigError(f"{' '.join(words)}: {error}") from error


def log_severity(environ: Mapping[str, str]) -> LoggingSeverity | None:
    """Return the least severity that nodes log, as LOG_LEVEL says; None where it says nothing.

    Raises:
        ConfigError: it is no severity.
    """
    level = environ.get("LOG_LEVEL", "")
    if not level:
        return None
    if level not in Severity.__members__:
        raise ConfigError(f"environment variable LOG_LEVEL = '{level}': {', '.join(Severity.__members__)} are allowed")
    return LoggingSeverity(logging.getLevelNamesMapping()[level])  # ROS has taken over Python's numbers


def with_log_level(environ: Mapping[str, str], level: str) -> dict[str, str]:
    """Return the environment with the level of `--ros-args --log-level`, if there is one, in the place of LOG_LEVEL's.

    Raises:
        ConfigError: it is no level of ROS.
    """
    if level and level.lower() not in _LEVELS:
        raise ConfigError(f"{BEGIN} --log-level {level}: {', '.join(_LEVELS)} are allowed")
    return {**environ, **({"LOG_LEVEL": _LEVELS[level.lower()]} if level else {})}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one node, as `ros2 run aegis aegis_node NODE` and the launch file do; `all` runs every stage but the bridge."""
    arguments, ros_args = split_ros_args(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="aegis_node", description="Run one node of the Aegis graph.")
    parser.add_argument(
        "nodes", nargs="+", metavar="NODE", choices=[*ALL_NODES, "all"],
        help=f"{', '.join(ALL_NODES)}; several share this process; 'all' is every stage but those on request",
    )  # fmt: skip
    parser.add_argument("--config", type=Path, help="parameter file (ROS 2 format, one for the whole graph)")
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="NODE.KEY=VALUE")
    parser.add_argument("--namespace", default="")
    parser.add_argument(
        "--supervised", action="store_true",
        help="restart it when it dies or hangs, and end when it cannot start, as `aegis up` does",
    )  # fmt: skip
    parser.add_argument(
        "--hang-after", type=hang_after_s, default=HANG_AFTER_S, metavar="SECONDS",
        help=f"with --supervised: in one callback for so long it hangs; 0: never [{HANG_AFTER_S:g}]",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    names = list(dict.fromkeys(n for name in options.nodes for n in (DEFAULT_NODES if name == "all" else [name])))
    try:
        read_secret_files(os.environ)
        ros = RosArguments.parse(ros_args)
        parameters = Parameters.read(options.config, options.sets, namespace=options.namespace, ros=ros)
    except ConfigError as error:
        print(f"aegis: {error}", file=sys.stderr)
        return EXIT_CONFIG
    if STARTS not in os.environ:  # else who has started this has said it
        for line in stale_builds():
            print(f"aegis: {line}", file=sys.stderr)
    if not options.supervised:
        return run(names, parameters)
    preload(names)
    program = Program(partial(run, names, parameters))
    name = names[0] if len(names) == 1 else COMPOSED

    def say(text: str) -> None:
        print(f"aegis: {text}", file=sys.stderr, flush=True)

    return Supervisor({name: program}, say, hang_after_s=options.hang_after).run()


if __name__ == "__main__":
    sys.exit(main())
