# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every topic of the graph: name, type, QoS; and what every node has besides its own. Imports no ROS, so that docs can read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Topic:
    """A DDS topic: relative name, ROS type, QoS."""

    name: str
    type: str
    reliable: bool = True
    depth: int = 10
    latched: bool = False  # transient local
    optional: bool = False  # its package is not everywhere

    @property
    def sensor(self) -> bool:
        """Tell whether a driver of anybody may publish it, as those of sensors do: best effort."""
        return not self.reliable


@dataclass(frozen=True)
class Service:
    """A ROS service of a node; a name that starts with ~ is under the node's own name."""

    name: str
    type: str
    decision: bool = False  # a person's, of whom the bridge knows who it is; else a command


SITE_EVENTS = "site_events"
TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("radar/cube", "aegis_msgs/msg/RadarCube", reliable=False, depth=2),
        Topic("radar/video", "aegis_msgs/msg/RadarVideo", reliable=False, depth=50),
        Topic("radar/points", "sensor_msgs/msg/PointCloud2", reliable=False, depth=5),
        Topic("radar/range_doppler", "aegis_msgs/msg/RangeDopplerMap", reliable=False, depth=2),
        Topic("radar/scan", "radar_msgs/msg/RadarScan", reliable=False, depth=5, optional=True),
        Topic("radar/tracks", "radar_msgs/msg/RadarTracks", reliable=False, depth=5, optional=True),
        Topic("radar/sector", "marine_sensor_msgs/msg/RadarSector", reliable=False, depth=50, optional=True),
        Topic("radar/noise", "aegis_msgs/msg/ReceiverNoise", reliable=False, depth=5),
        Topic("ew/pulses", "aegis_msgs/msg/PulseArray", reliable=False, depth=10),
        Topic("truth", "aegis_msgs/msg/TruthArray"),
        Topic("odometry", "nav_msgs/msg/Odometry", reliable=False, depth=100),
        Topic("detections", "aegis_msgs/msg/DetectionArray"),
        Topic("tracks", "aegis_msgs/msg/TrackArray"),
        Topic("source_tracks", "aegis_msgs/msg/TrackArray"),
        Topic("threats", "aegis_msgs/msg/ThreatArray"),
        Topic("alarms", "aegis_msgs/msg/AlarmArray", latched=True),
        Topic("protected", "aegis_msgs/msg/ProtectedArray", depth=1, latched=True),
        Topic("zones", "aegis_msgs/msg/ZoneArray", depth=1, latched=True),
        Topic("ew/signals", "aegis_msgs/msg/EwSignalArray"),
        Topic("ew/advice", "aegis_msgs/msg/EwAdviceArray", latched=True),
        # As /rosout: who comes late hears the last ones. An alarm in the first second would be in no history else.
        Topic("events", "aegis_msgs/msg/Event", depth=100, latched=True),
        # Those of other sites, with SITE/ before the stage. An uplink asks for many at a time of what a cut line has lost.
        Topic(SITE_EVENTS, "aegis_msgs/msg/Event", depth=1000, latched=True),
        Topic("status", "aegis_msgs/msg/PipelineStatus"),
        Topic("class_info", "aegis_msgs/msg/ClassInfo", depth=1, latched=True),
        Topic("markers", "visualization_msgs/msg/MarkerArray", depth=1),
        Topic("objects/radar_tracks", "radar_msgs/msg/RadarTracks", optional=True),
        Topic("objects/detections", "vision_msgs/msg/Detection3DArray", optional=True),
        Topic("objects/tracked", "autoware_perception_msgs/msg/TrackedObjects", optional=True),
        Topic("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray"),
    )
}


OF_A_RADAR = "radar/"  # a rig has topics that begin so for each of its radars: front/radar/points


def topic_called(name: str) -> Topic:
    """Return the row of a topic, by its name in the table or as one radar of a rig has it.

    Raises:
        KeyError: there is none.
    """
    _, radar, rest = name.rpartition(OF_A_RADAR)
    return TOPICS[radar + rest]


@runtime_checkable
class HearsElsewhere(Protocol):
    """Settings that say under which names a topic of the table is heard."""

    def heard_at(self, topic: str) -> Sequence[str]:
        """Return them."""


def heard_at(settings: object, topic: str) -> Sequence[str]:
    """Return the names under which a node with these settings hears a topic of the table: its own where they say nothing."""
    return settings.heard_at(topic) if isinstance(settings, HearsElsewhere) else (topic,)


# What comes with each scan and is proven to be of this graph (`aegis.ros.proofs.Regular`), besides each stage's status.
PROVEN_EACH_SCAN = ("tracks", "threats")
# Environment variable: which of that nodes of this graph publish, so that nobody else is taken for them before they are heard.
PROVEN_BY_PLAN = "AEGIS_PROVEN"

# A parameter of every node: whether commands are taken from anybody on DDS, without a proof. Decisions never are.
OPEN_COMMANDS = "open_commands"
# And whether a lifecycle manager starts its work; else it starts by itself.
MANAGED = "managed"
# And whether it goes back to work by itself after somebody has taken it out of `active`.
RETURNS = "managed_returns"
# What every node publishes and answers, besides its own row below.
COMMON_PUBLISHES = ("events", "status", "/diagnostics")
COMMON_SERVICES = (Service("~/restart", "aegis_msgs/srv/Restart"),)
