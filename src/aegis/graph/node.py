"""The live host of stages: one rclpy node a stage, one or all of them in this process."""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.logging import LoggingSeverity
from rclpy.node import Node

from aegis.core.events import Severity
from aegis.core.params import ConfigError, Settings
from aegis.graph.config import load_settings
from aegis.graph.nodes import ALL_NODES, BRIDGE, DEFAULT_NODES, NODES, NodeSpec, nodes_beside_bridge
from aegis.resources import share_dir
from aegis.ros.host import StageHost
from aegis.ros.parameters import declare_parameters, overrides
from aegis.ros.stages.base import Stage, StageContext
from aegis.state import next_epoch, state_dir

EXIT_CONFIG = 2


class StageNode(Node):  # type: ignore[misc]
    """A node of the graph table: its parameters checked and declared, its stage hosted."""

    def __init__(self, spec: NodeSpec, config: Path | None, sets: Iterable[str], namespace: str, run_id: str) -> None:
        super().__init__(spec.name, namespace=namespace)
        settings = load_settings(spec.name, config, sets, ros_overrides=overrides(self))
        declare_parameters(self, settings)
        own_namespace = self.get_namespace().strip("/")
        state = state_dir(own_namespace)
        epoch = next_epoch(state, spec.name, run_id)
        context = StageContext(run_id=run_id, epoch=epoch, state_dir=state, live=True, namespace=own_namespace)
        self.stage: Stage[Settings] = spec.load_stage()(settings, context)
        StageHost(self, self.stage, subscribes=spec.subscribes, publishes=spec.publishes, services=spec.services)


def run(
    names: Sequence[str],
    *,
    config: Path | None = None,
    sets: Sequence[str] = (),
    namespace: str = "",
    ros_args: Sequence[str] = (),
) -> int:
    """Run stages in this process until SIGINT or SIGTERM; return the exit code.

    Args:
        names: nodes of the graph table, or the bridge alone.
        config: parameter file; None for the defaults.
        sets: `NODE.KEY=VALUE` options.
        namespace: of every node.
        ros_args: what follows `--ros-args`, passed to ROS.
    """
    run_id = os.environ.get("AEGIS_RUN_ID") or secrets.token_hex(8)
    nodes: list[StageNode] = []
    try:
        if BRIDGE in names:
            if len(names) > 1:
                raise ConfigError("the bridge runs in a process of its own: uvicorn has the main thread there")
            from aegis.bridge.main import serve

            state = state_dir(namespace)
            bridge_settings: Any = load_settings(BRIDGE, config, sets)
            epoch = next_epoch(state, BRIDGE, run_id)
            return serve(
                bridge_settings,
                nodes_beside_bridge(),
                namespace=namespace,
                state_dir=state,
                run_id=run_id,
                epoch=epoch,
            )
        for name in names:
            if name not in NODES:
                raise ConfigError(f"no node '{name}'; known are: {', '.join(ALL_NODES)}")
            if not ros_args:  # else only the node knows all parameters
                load_settings(name, config, sets)
        severity = log_severity(os.environ)
        stages = {name: NODES[name].load_stage() for name in names}
        if any(stage.large_messages(load_settings(name, config, sets)) for name, stage in stages.items()):
            provide_shared_memory()
        rclpy.init(args=["aegis", *(["--ros-args", *ros_args] if ros_args else [])])
        executor = SingleThreadedExecutor()
        for name in names:
            nodes.append(StageNode(NODES[name], config, sets, namespace, run_id))
            if severity is not None:
                nodes[-1].get_logger().set_level(severity)
            executor.add_node(nodes[-1])
        executor.spin()
    except ConfigError as error:
        print(f"aegis: {error}", file=sys.stderr)
        return EXIT_CONFIG
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


def provide_shared_memory() -> None:
    """Let Fast DDS take shared memory for whole frames: with its own half a megabyte, best-effort cubes get lost.

    Left alone where the environment says how DDS is to be.
    """
    own = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE", "FASTDDS_BUILTIN_TRANSPORTS")
    if not any(os.environ.get(name) for name in own):
        os.environ[own[0]] = str(share_dir() / "config" / "dds" / "large_messages.xml")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one node, as `ros2 run aegis aegis_node NODE` and the launch file do; `all` runs every stage but the bridge."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    ros_args: list[str] = []
    if "--ros-args" in arguments:
        at = arguments.index("--ros-args")
        arguments, ros_args = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(prog="aegis_node", description="Run one node of the Aegis graph.")
    parser.add_argument(
        "nodes", nargs="+", metavar="NODE", choices=[*ALL_NODES, "all"],
        help=f"{', '.join(ALL_NODES)}; several share this process; 'all' is every stage but those on request",
    )  # fmt: skip
    parser.add_argument("--config", type=Path, help="parameter file (ROS 2 format, one for the whole graph)")
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="NODE.KEY=VALUE")
    parser.add_argument("--namespace", default="")
    options = parser.parse_args(arguments)
    names = list(dict.fromkeys(n for name in options.nodes for n in (DEFAULT_NODES if name == "all" else [name])))
    return run(names, config=options.config, sets=options.sets, namespace=options.namespace, ros_args=ros_args)


if __name__ == "__main__":
    sys.exit(main())
