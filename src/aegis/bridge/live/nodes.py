# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The nodes beside the bridge, as the table of the graph has them; handed in when the bridge is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OWN_NAME = "bridge"  # in that table


@dataclass(frozen=True)
class GraphNodes:
    """What the bridge has to know of the graph."""

    names: tuple[str, ...]  # of the other nodes, in the order of the graph
    subscribes: tuple[
        str, ...
    ]  # topics that the bridge reads, in the order in which they are taken where all are ready
    publishes: tuple[str, ...]  # topics that the bridge publishes
    services: Mapping[str, str]  # that the bridge calls: name to type
    known: frozenset[str] = frozenset()  # names of all nodes that a graph may have


def restart_service(node: str) -> str:
    """Return the name of a node's restart service."""
    return f"{node}/restart"
