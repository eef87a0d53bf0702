# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`ros2 launch aegis aegis.launch.py`: the whole graph, a process for each node of the table in aegis.graph.nodes.

`ros2 launch aegis aegis.launch.py --show-args` lists the arguments. Parameters of the nodes are in the file `config`, or in
`site`, which says itself which radars there are.
"""

import math
import os
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, SetEnvironmentVariable, Shutdown
from launch.events.process import ProcessExited
from launch.launch_context import LaunchContext
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from aegis.core.detection.settings import DetectionSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.decision_key import DECISION_KEY, decision_key
from aegis.graph.plan import Options, Plan
from aegis.graph.watchdog import HANG_AFTER_S
from aegis.resources import share_dir

YES_NO = ["true", "false"]
RESPAWN_DELAY_S = 1.0
DEFAULT_CONFIG = share_dir() / "config" / "aegis.yaml"


def generate_launch_description() -> LaunchDescription:
    """Return the arguments, and what makes the processes once they are known."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "config",
                default_value="",
                description=f"parameter file of the whole graph; empty, without site: {DEFAULT_CONFIG}",
            ),
            DeclareLaunchArgument(
                "site",
                default_value="",
                description="parameter file that says itself, in its section site, which radars there are: docs/sites.md",
            ),
            DeclareLaunchArgument("namespace", default_value="", description="of every node: one for each radar"),
            DeclareLaunchArgument(
                "simulator",
                default_value="true",
                choices=YES_NO,
                description="false: a driver of yours publishes radar/points, or radar/cube",
            ),
            DeclareLaunchArgument(
                "driver", default_value="", description="a real radar in the simulator's place: its driver's name"
            ),
            DeclareLaunchArgument(
                "radar_msgs",
                default_value="false",
                choices=YES_NO,
                description="true: a driver of yours publishes radar_msgs on radar/scan or radar/tracks",
            ),
            DeclareLaunchArgument(
                "external_video",
                default_value="false",
                choices=YES_NO,
                description="true: a driver of yours publishes marine_sensor_msgs/RadarSector on radar/sector",
            ),
            DeclareLaunchArgument(
                "front_end",
                default_value="auto",
                choices=["auto", *YES_NO],
                description="node from radar/cube to radar/points; auto: where the simulator or driver gives cubes",
            ),
            DeclareLaunchArgument("scenario", default_value="", description="of the simulator; empty: as in config"),
            DeclareLaunchArgument(
                "bridge", default_value="true", choices=YES_NO, description="REST, WebSocket and web page on port 8000"
            ),
            DeclareLaunchArgument(
                "foxglove", default_value="true", choices=YES_NO, description="server for Foxglove on port 8765"
            ),
            DeclareLaunchArgument(
                "respawn", default_value="true", choices=YES_NO, description="start a process that dies or hangs again"
            ),
            DeclareLaunchArgument(
                "hang_after",
                default_value=str(HANG_AFTER_S),
                description="with respawn: a process in one callback for so long [s] hangs; 0: never",
            ),
            DeclareLaunchArgument(
                "composed",
                default_value="false",
                choices=YES_NO,
                description="all nodes in one process, the bridge apart",
            ),
            DeclareLaunchArgument(
                "radars",
                default_value="",
                description="of a rig, each in a namespace of its own, into one tracker: front,left",
            ),
            DeclareLaunchArgument(
                "fusion",
                default_value="false",
                choices=YES_NO,
                description="true: a tracker for each radar of a rig, and their tracks fused",
            ),
            DeclareLaunchArgument(
                "sapient",
                default_value="",
                description="SAPIENT fusion node or middleware to report to: tcp://HOST:PORT",
            ),
            DeclareLaunchArgument(
                "nodes", default_value="", description="that run, and no other: detection,tracking; empty: all"
            ),
            DeclareLaunchArgument(
                "managed",
                default_value="",
                description="of the nodes, those that a lifecycle manager configures and activates: driver,tracking",
            ),
            DeclareLaunchArgument(
                "print_plan", default_value="false", choices=YES_NO, description="say what would run, and run nothing"
            ),
            OpaqueFunction(function=processes),
        ]
    )


def processes(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return a process for each node, or one for all.

    Raises:
        ConfigError: the parameter file, or a parameter in it, is wrong; or site is given beside what it says itself.
    """
    arguments = {name: LaunchConfiguration(name).perform(context) for name in context.launch_configurations}
    yes = {name for name, value in arguments.items() if value == "true"}
    config, site = (Path(arguments[name]) if arguments[name] else None for name in ("config", "site"))
    options = Options(
        config=config if config or site else DEFAULT_CONFIG,
        site=site,
        namespace=arguments["namespace"],
        scenario=arguments["scenario"],
        driver=arguments["driver"],
        external_radar="simulator" not in yes and not arguments["driver"],
        radar_msgs="radar_msgs" in yes,
        external_video="external_video" in yes,
        front_end={"true": True, "false": False}.get(arguments["front_end"]),
        bridge="bridge" in yes,
        foxglove="foxglove" in yes,
        composed="composed" in yes,
        radars=_listed(arguments["radars"]),
        fusion="fusion" in yes,
        sapient=arguments["sapient"],
        nodes=_listed(arguments["nodes"]),
        managed=_listed(arguments["managed"]),
    ).of_site()
    plan = Plan.of(options, os.environ)
    remarks = [LogInfo(msg=remark) for remark in plan.remarks]
    if "print_plan" in yes:
        return [*remarks, *(LogInfo(msg=line) for line in plan.lines(["ros2", "run", "aegis", "aegis_node"]))]
    supervised = ["--supervised", "--hang-after", arguments["hang_after"]] if "respawn" in yes else []
    entities: list[LaunchDescriptionEntity] = [
        Node(
            package="aegis",
            executable="aegis_node",
            exec_name=name,
            arguments=[*supervised, *words],
            additional_env=plan.environ[name],
            output="screen",
            respawn="respawn" in yes,  # of what supervises it
            respawn_delay=RESPAWN_DELAY_S,
            on_exit=end_where_it_cannot_start if supervised else None,
        )
        for name, words in plan.processes.items()
    ]
    key = SetEnvironmentVariable(DECISION_KEY, decision_key().hex())
    placed = () if options.headquarters else options.radars or ("",)
    return [
        key,
        *remarks,
        *entities,
        *(sensor_transform(plan, radar) for radar in placed),
    ]


def end_where_it_cannot_start(event: ProcessExited, _: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return what ends the launch where a supervised process has given up, and said why: a part of the graph is no graph."""
    if event.returncode <= 0:  # it was killed, and is respawned
        return []
    return [Shutdown(reason=f"{event.process_name} could not start (exit code {event.returncode})")]


def _listed(text: str) -> tuple[str, ...]:
    """Return the names of a list with commas."""
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def sensor_transform(plan: Plan, radar: str = "") -> LaunchDescriptionEntity:
    """Return a publisher of where a sensor stands in the picture, from the parameters of the stages; RViz needs it."""
    sensor = plan.radars.get(radar, plan.parameters).settings_as(DetectionSettings, "detection").frame_id
    tracking = plan.parameters.settings_as(TrackingSettings, "tracking")
    pose = tracking.sensors.get(radar, tracking)
    if not sensor or sensor == tracking.frame_id:
        return LogInfo(msg="no transform is published: the points are in the frame of the picture, or in any")
    try:
        get_package_prefix("tf2_ros")
    except PackageNotFoundError:
        return LogInfo(
            msg=f"no tf2_ros here: no transform {tracking.frame_id} -> {sensor}; RViz cannot place the points"
        )
    yaw, pitch, roll = (
        str(math.radians(angle)) for angle in (pose.sensor_yaw_deg, pose.sensor_pitch_deg, pose.sensor_roll_deg)
    )
    return Node(
        package="tf2_ros",
        executable="static_transform_publisher",
        arguments=[
            *("--x", str(pose.sensor_x), "--y", str(pose.sensor_y), "--z", str(pose.sensor_z)),
            *("--yaw", yaw, "--pitch", pitch, "--roll", roll),
            *("--frame-id", tracking.frame_id, "--child-frame-id", sensor),
        ],
    )
