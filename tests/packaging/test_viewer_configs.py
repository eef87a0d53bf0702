# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The viewers' configurations show what the graph publishes: topics, frames and QoS of the table, not of memory."""

import json

import yaml

from aegis.core.tracking.settings import TrackingSettings
from aegis.foxglove.stage import AREAS, POINTS, STROBES, THREATS, TRACKS, VIDEO
from aegis.graph.nodes import NODES
from aegis.resources import config_file
from aegis.ros.messages.markers import NAMESPACES
from aegis.ros.topics import TOPICS


def test_rviz_shows_the_markers_and_the_points_in_the_pictures_frame():
    manager = yaml.safe_load(config_file("rviz/aegis.rviz").read_text())["Visualization Manager"]
    assert manager["Global Options"]["Fixed Frame"] == TrackingSettings().frame_id
    shown = {d["Topic"]["Value"]: d for d in manager["Displays"] if "Topic" in d}
    kinds = {"visualization_msgs/msg/MarkerArray": "MarkerArray", "sensor_msgs/msg/PointCloud2": "PointCloud2"}
    assert set(shown) == {"/markers", "/radar/points"}
    for name, display in shown.items():
        topic = TOPICS[name.removeprefix("/")]
        assert display["Class"] == f"rviz_default_plugins/{kinds[topic.type]}"
        assert display["Topic"]["Reliability Policy"] == ("Reliable" if topic.reliable else "Best Effort")
    assert set(shown["/markers"]["Namespaces"]) == set(NAMESPACES)
    assert "markers" in NODES["markers"].publishes


def test_foxglove_layout_shows_the_channels_of_the_server():
    layout = json.loads(config_file("foxglove/aegis.json").read_text())
    panels = layout["configById"]
    assert set(panels["3D!aegis"]["topics"]) == {TRACKS, AREAS, STROBES, POINTS, VIDEO}
    assert panels["3D!aegis"]["followTf"] == TrackingSettings().frame_id
    assert panels["Table!threats"]["topicPath"].startswith(THREATS + ".")
    assert panels["RawMessages!threats"]["topicPath"] == THREATS

    def leaves(node):
        return [node] if isinstance(node, str) else leaves(node["first"]) + leaves(node["second"])

    assert sorted(leaves(layout["layout"])) == sorted(panels)
