# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The launch file as it is written: made from the node table. It is run in test_launch.py, where ROS's launch is installed."""

import ast

from aegis.graph.nodes import BRIDGE, NODES
from aegis.resources import share_dir

LAUNCH_FILE = share_dir() / "launch" / "aegis.launch.py"


def test_nodes_come_from_the_table():
    """The file names no node but those that its arguments switch, and the two whose parameters place the sensor."""
    tree = ast.parse(LAUNCH_FILE.read_text(encoding="utf-8"))
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert words & set(NODES) == {
        "simulator", "driver", "radar_msgs", "foxglove", "detection", "tracking", "fusion", "sapient"
    }  # fmt: skip
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert "Options" in calls
    assert "Plan.of(" in LAUNCH_FILE.read_text(encoding="utf-8")


def test_every_declared_argument_is_used():
    source = LAUNCH_FILE.read_text(encoding="utf-8")
    tree = ast.parse(source)
    declared = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DeclareLaunchArgument"
    }
    assert declared == {
        "config", "namespace", "simulator", "driver", "radar_msgs", "external_video", "front_end", "scenario", "bridge", "foxglove",
        "respawn", "hang_after", "composed", "print_plan", "radars", "nodes", "fusion", "sapient", "managed",
        "site",
    }  # fmt: skip
    body = source.split("def processes", 1)[1]
    for name in declared:
        assert f'"{name}"' in body, f"argument '{name}' is declared, but nothing looks at it"


def test_the_bridge_is_no_node_of_the_table():
    assert BRIDGE not in NODES
