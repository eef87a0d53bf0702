# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The one table of the graph: every node with its stage, topics and services. Imports no ROS, so that launch files can read it.

`NODES` are the stages, which may share a process; `ALL_NODES` has the bridge too, which has one of its own: uvicorn's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from aegis.bridge.live.nodes import OWN_NAME, GraphNodes, restart_service
from aegis.core.params import Settings
from aegis.ros.topics import COMMON_SERVICES, SITE_EVENTS, Service

if TYPE_CHECKING:
    from aegis.ros.stages.base import Stage


@dataclass(frozen=True)
class NodeSpec:
    """A node: its stage and its parameters (`module:Class`), and what it reads, writes and answers besides what every node does.

    Of the topics that it subscribes to, a stage may want some only where its parameters say so (`Stage.reads`).
    """

    name: str
    stage: str
    settings: str  # apart from the stage: parameters can be checked without importing what works with them
    purpose: str
    subscribes: tuple[str, ...] = ()
    publishes: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    calls: tuple[str, ...] = ()  # services of other nodes, besides `restart`
    offline: bool = True  # also part of `aegis process`
    on_request: bool = False  # runs only where the radar in use needs it; see `aegis.graph.plan`
    of_radar: bool = False  # one for each radar of a rig

    def load_stage(self) -> type[Stage[Settings]]:
        """Import and return the stage class."""
        module, name = self.stage.split(":")
        stage: type[Stage[Settings]] = getattr(import_module(module), name)
        return stage

    def load_settings_type(self) -> type[Settings]:
        """Import and return the model of the parameters."""
        module, name = self.settings.split(":")
        settings: type[Settings] = getattr(import_module(module), name)
        return settings


UPLINK = "uplink"
OBJECTS = "objects"
NODES: dict[str, NodeSpec] = {
    node.name: node
    for node in (
        NodeSpec(
            "simulator",
            "aegis.ros.stages.simulator:SimulatorStage",
            "aegis.simulation.settings:SimulatorSettings",
            "a radar looking at a scenario; a hardware driver takes its place",
            publishes=("radar/points", "radar/cube", "radar/noise", "truth"),
            services=(Service("scan", "aegis_msgs/srv/Scan"), Service("set_mode", "aegis_msgs/srv/SetMode")),
            offline=False,
            of_radar=True,
        ),
        NodeSpec(
            "driver",
            "aegis.ros.stages.driver:DriverStage",
            "aegis.drivers.contract:DriverSettings",
            "a real radar's line: UDP, serial or a file, decoded; in the simulator's place",
            publishes=("radar/points", "radar/cube", "radar/video", "odometry"),
            offline=False,
            on_request=True,
            of_radar=True,
        ),
        NodeSpec(
            "radar_msgs",
            "aegis.ros.stages.radar_msgs:RadarMsgsStage",
            "aegis.ros.messages.radar_msgs:RadarMsgsSettings",
            "radar_msgs/RadarScan or RadarTracks to points, where that package is installed",
            subscribes=("radar/scan", "radar/tracks"),
            publishes=("radar/points",),
            offline=False,
            on_request=True,
            of_radar=True,
        ),
        NodeSpec(
            "frontend",
            "aegis.ros.stages.frontend:FrontEndStage",
            "aegis.core.signal.settings:FrontEndSettings",
            "a raw radar's samples to points: FFTs, CFAR, angles",
            subscribes=("radar/cube",),
            publishes=("radar/points", "radar/noise", "radar/range_doppler"),
            on_request=True,
            of_radar=True,
        ),
        NodeSpec(
            "video",
            "aegis.ros.stages.video:VideoStage",
            "aegis.core.video.settings:VideoSettings",
            "the video of a radar that turns to points: a threshold that follows the clutter, cells joined",
            subscribes=("radar/video", "radar/sector"),
            publishes=("radar/points",),
            on_request=True,
            of_radar=True,
        ),
        NodeSpec(
            "detection",
            "aegis.ros.stages.detection:DetectionStage",
            "aegis.core.detection.settings:DetectionSettings",
            "points of one object grouped, measured and classified",
            subscribes=("radar/points", "odometry"),
            publishes=("detections",),
            of_radar=True,
        ),
        NodeSpec(
            "tracking",
            "aegis.ros.stages.tracking:TrackingStage",
            "aegis.core.tracking.settings:TrackingSettings",
            "detections over time: where everything is and where it goes",
            subscribes=("detections",),
            publishes=("tracks", "class_info"),
        ),
        NodeSpec(
            "fusion",
            "aegis.ros.stages.fusion:FusionStage",
            "aegis.core.fusion.settings:FusionSettings",
            "tracks of several trackers, and of others, into one picture; `--fusion`",
            subscribes=("source_tracks",),
            publishes=("tracks",),
            offline=False,
            on_request=True,
        ),
        NodeSpec(
            "sapient",
            "aegis.sapient.stage:SapientStage",
            "aegis.sapient.settings:SapientSettings",
            "others' sensors and fusion nodes by SAPIENT (BSI Flex 335 v2): our tracks and alarms out, their detections in",
            subscribes=("tracks", "alarms"),
            publishes=("source_tracks",),
            offline=False,
            on_request=True,
        ),
        NodeSpec(
            "asterix_tracks",
            "aegis.ros.stages.asterix_tracks:AsterixTracksStage",
            "aegis.drivers.asterix_foreign_settings:AsterixTracksSettings",
            "others' tracks by ASTERIX (CAT062 of a centre, CAT048 of a radar that tracks), over UDP",
            publishes=("source_tracks",),
            offline=False,
            on_request=True,
        ),
        NodeSpec(
            UPLINK,
            "aegis.ros.stages.uplink:UplinkStage",
            "aegis.core.uplink.settings:UplinkSettings",
            "topics to and from other sites, over zenoh; where it has a site or receives any",
            subscribes=("alarms", "events", "tracks", "threats", "status"),
            publishes=(SITE_EVENTS,),
            offline=False,
            on_request=True,
        ),
        NodeSpec(
            "threat",
            "aegis.ros.stages.threat:ThreatStage",
            "aegis.core.threat.settings:ThreatSettings",
            "tracks ranked by the threat to what is protected, with reasons; rules of zones",
            subscribes=("tracks", "odometry", "zones"),
            publishes=("threats", "alarms", "protected"),
            services=(Service("alarms/handle", "aegis_msgs/srv/HandleAlarm", decision=True),),
        ),
        NodeSpec(
            "ew",
            "aegis.ros.stages.ew:EwStage",
            "aegis.core.ew.settings:EwSettings",
            "jamming, interference, deception and emitters as the radar itself senses them; advice that waits for a person",
            subscribes=("radar/noise", "detections", "tracks", "threats", "ew/pulses"),
            publishes=("ew/signals", "ew/advice"),
            services=(Service("ew/acknowledge", "aegis_msgs/srv/AcknowledgeEw", decision=True),),
        ),
        NodeSpec(
            "markers",
            "aegis.ros.stages.markers:MarkersStage",
            "aegis.core.picture:PictureSettings",
            "the picture for RViz",
            subscribes=("tracks", "threats"),
            publishes=("markers",),
        ),
        NodeSpec(
            OBJECTS,
            "aegis.ros.stages.objects:ObjectsStage",
            "aegis.core.objects:ObjectsSettings",
            "tracks for other stacks, in radar_msgs, vision_msgs or autoware_perception_msgs; where its parameters name any",
            subscribes=("tracks",),
            publishes=("objects/radar_tracks", "objects/detections", "objects/tracked"),
            offline=False,
            on_request=True,
        ),
        NodeSpec(
            "foxglove",
            "aegis.foxglove.stage:FoxgloveStage",
            "aegis.foxglove.settings:FoxgloveSettings",
            "the picture for Foxglove and Lichtblick",
            subscribes=(
                "radar/video",
                "radar/points",
                "detections",
                "tracks",
                "threats",
                "odometry",
                "alarms",
                "protected",
                "ew/signals",
                "ew/advice",
            ),
            offline=False,
        ),
    )
}

# What runs where nothing else is said.
DEFAULT_NODES = tuple(name for name, node in NODES.items() if not node.on_request)

BRIDGE = OWN_NAME
ALL_NODES: dict[str, NodeSpec] = {
    **NODES,
    BRIDGE: NodeSpec(
        BRIDGE,
        "aegis.bridge.ros_node:BridgeStage",
        "aegis.bridge.settings:BridgeSettings",
        "REST, WebSocket and the web page",
        # Detections before tracks: where both are ready, the executor takes them in this order.
        subscribes=(
            "detections",
            "tracks",
            "threats",
            "alarms",
            "protected",
            "ew/signals",
            "ew/advice",
            "events",
            SITE_EVENTS,
            "status",
            "class_info",
            "radar/video",  # while somebody watches it
        ),
        publishes=("zones",),
        calls=("scan", "set_mode", "ew/acknowledge", "alarms/handle"),
        offline=False,
    ),
}


def nodes_beside_bridge(names: Sequence[str] = ()) -> GraphNodes:
    """Return what the bridge has to know of the graph; `names` are the nodes that run, where these are not those of the table."""
    names = names or tuple(NODES)
    (restart,) = COMMON_SERVICES
    spec = ALL_NODES[BRIDGE]
    offered = {service.name: service.type for node in NODES.values() for service in node.services}
    of_radars = {service.name for node in NODES.values() if node.of_radar for service in node.services}
    radars = [name.rpartition("/")[0] for name in names if "/" in name and NODES[name.rpartition("/")[2]].services]
    return GraphNodes(
        names=tuple(names),
        subscribes=spec.subscribes,
        publishes=spec.publishes,
        services={
            **{restart_service(name): restart.type for name in names},
            **{name: offered[name] for name in spec.calls},
            **{f"{radar}/{name}": offered[name] for radar in radars for name in spec.calls if name in of_radars},
        },
        known=frozenset(ALL_NODES),
    )
