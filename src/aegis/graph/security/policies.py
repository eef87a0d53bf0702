# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What each process of a graph may do on DDS, and nothing else: from the table of nodes, and from what a plan remaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aegis.bridge.settings import BridgeSettings
from aegis.core.params import Settings
from aegis.core.uplink.settings import CARRIED, UplinkSettings
from aegis.graph.nodes import ALL_NODES, nodes_beside_bridge
from aegis.graph.plan import ENCLAVES, Plan
from aegis.graph.ros_args import RosArguments, Rule, split_ros_args
from aegis.ros.topics import COMMON_PUBLISHES, COMMON_SERVICES, heard_at

# What rclpy gives every node, and every node hears.
_OF_ROS = ("/rosout", "/parameter_events")
_PARAMETERS = (
    "describe_parameters", "get_parameter_types", "get_parameters", "list_parameters", "set_parameters",
    "set_parameters_atomically", "get_type_description",
)  # fmt: skip
# And where it is managed; under its own name, so that nobody else's is given with them.
_LIFECYCLE = ("change_state", "get_state", "get_available_states", "get_available_transitions", "get_transition_graph")
_TRANSITIONS = "~/transition_event"


@dataclass
class NodePolicy:
    """What a node may do; names are full ones."""

    name: str
    namespace: str
    publishes: set[str] = field(default_factory=set)
    subscribes: set[str] = field(default_factory=set)
    offers: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Enclave:
    """The nodes of a process, which share a key."""

    path: str
    nodes: tuple[NodePolicy, ...]

    def topics(self) -> tuple[list[str], list[str]]:
        """Return the DDS topics that the process may write, and read: services are two topics each."""
        writes = {"ros_discovery_info"}
        reads = {"ros_discovery_info"}
        for node in self.nodes:
            writes |= {f"rt{name}" for name in node.publishes} | {f"rr{name}Reply" for name in node.offers}
            reads |= {f"rt{name}" for name in node.subscribes} | {f"rq{name}Request" for name in node.offers}
            writes |= {f"rq{name}Request" for name in node.calls}
            reads |= {f"rr{name}Reply" for name in node.calls}
        return sorted(writes), sorted(reads)


def enclave_of(process: str) -> str:
    """Return the path of the enclave of a plan's process."""
    return f"{ENCLAVES}/{process}"


def enclaves(plan: Plan) -> list[Enclave]:
    """Return what the processes of a plan may do."""
    return [
        Enclave(
            enclave_of(process),
            tuple(_policy(name, settings, words) for name, settings in plan.settings[process].items()),
        )
        for process, words in plan.processes.items()
    ]


def _policy(name: str, settings: Settings, words: Sequence[str]) -> NodePolicy:
    spec, names = ALL_NODES[name], _Names.of(name, words)
    policy = NodePolicy(names.node, f"/{names.namespace}")
    policy.publishes = {*map(names.full, (*spec.publishes, *COMMON_PUBLISHES, _TRANSITIONS)), *_OF_ROS}
    if isinstance(settings, UplinkSettings):  # what it receives, under the sites' names
        policy.publishes |= {names.full(f"{site}/{topic}") for site in settings.receive for topic in CARRIED}
    policy.subscribes = {names.full(at) for topic in spec.subscribes for at in heard_at(settings, topic)}
    policy.subscribes |= {"/parameter_events", "/clock"}
    offered = (
        *(one.name for one in (*spec.services, *COMMON_SERVICES)),
        *(f"~/{one}" for one in (*_PARAMETERS, *_LIFECYCLE)),
    )
    policy.offers = set(map(names.full, offered))
    called = nodes_beside_bridge(settings.nodes).services if isinstance(settings, BridgeSettings) else spec.calls
    policy.calls = set(map(names.full, called))
    return policy


@dataclass(frozen=True)
class _Names:
    """What a node and its topics are called, after what `--ros-args` of its process say."""

    node: str
    namespace: str
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, name: str, words: Sequence[str]) -> _Names:
        own, after = split_ros_args(words)
        ros = RosArguments.parse(after)
        given = own[own.index("--namespace") + 1] if "--namespace" in own else ""
        node = ros.node_name(name)
        rules = (Rule.parse(option, value) for option, value in ros.options if option == "--remap")
        return cls(node, ros.namespace(name, given), tuple(rule for rule in rules if rule.node in ("", node)))

    def full(self, name: str) -> str:
        """Return the full name of a topic or service; of several rules for it, ROS takes the first."""
        expanded = self._expanded(name)
        return next((self._expanded(r.value) for r in self.rules if self._expanded(r.name) == expanded), expanded)

    def _expanded(self, name: str) -> str:
        if name.startswith("/"):
            return name
        within = [self.node, name.removeprefix("~/")] if name.startswith("~/") else [name]
        return "/".join(("", *filter(None, self.namespace.split("/")), *within))
