"""What each process of a graph may do on DDS, and nothing else: from the table of nodes, and from what a plan remaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from aegis.bridge.live.nodes import restart_service
from aegis.core.uplink.settings import CARRIED, UplinkSettings
from aegis.graph.nodes import ALL_NODES, BRIDGE, NODES, UPLINK
from aegis.graph.plan import ENCLAVES, Plan
from aegis.graph.ros_args import BEGIN
from aegis.ros.topics import COMMON_PUBLISHES, COMMON_SERVICES

# What rclpy gives every node, and every node hears.
_OF_ROS = ("/rosout", "/parameter_events")
_PARAMETERS = (
    "describe_parameters", "get_parameter_types", "get_parameters", "list_parameters", "set_parameters",
    "set_parameters_atomically", "get_type_description",
)  # fmt: skip


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
    uplink = plan.parameters.settings_as(UplinkSettings, UPLINK)
    sites = [f"{site}/{topic}" for site in uplink.receive for topic in CARRIED]
    running = [name for words in plan.processes.values() for name in _full_names(words)]
    return [
        Enclave(enclave_of(process), tuple(_policy(name, words, running, sites) for name in _nodes(words)))
        for process, words in plan.processes.items()
    ]


def _policy(name: str, words: Sequence[str], running: Iterable[str], sites: Iterable[str]) -> NodePolicy:
    namespace, remaps = _namespace(words), _remaps(words)

    def full(relative: str) -> str:
        found = remaps.get(relative, relative)
        return found if found.startswith("/") else "/".join(("", *filter(None, namespace.split("/")), found))

    spec = ALL_NODES[name]
    own = full(name)
    policy = NodePolicy(name, f"/{namespace}")
    policy.publishes = {*map(full, (*spec.publishes, *COMMON_PUBLISHES)), *_OF_ROS}
    policy.subscribes = {*map(full, spec.subscribes), "/parameter_events", "/clock"}
    policy.offers = {*(full(one.name) for one in spec.services), *(f"{own}/{one}" for one in _PARAMETERS)}
    policy.offers |= {f"{own}/{one.name.removeprefix('~/')}" for one in COMMON_SERVICES}
    policy.calls = {full(one) for one in spec.calls}
    if name == UPLINK:
        policy.publishes |= {full(one) for one in sites}
    if name == BRIDGE:
        policy.calls |= {restart_service(node) for node in (*running, *map(full, NODES))}  # it has a client of each
    return policy


def _nodes(words: Sequence[str]) -> list[str]:
    """Return the nodes of a process, which its arguments begin with."""
    first = next((k for k, word in enumerate(words) if word.startswith("-")), len(words))
    return list(words[:first])


def _full_names(words: Sequence[str]) -> list[str]:
    namespace = _namespace(words)
    return ["/".join(("", *filter(None, namespace.split("/")), name)) for name in _nodes(words)]


def _namespace(words: Sequence[str]) -> str:
    return words[words.index("--namespace") + 1].strip("/") if "--namespace" in words else ""


def _remaps(words: Sequence[str]) -> dict[str, str]:
    ros = words[words.index(BEGIN) :] if BEGIN in words else []
    rules = [value for option, value in pairwise(ros) if option in ("-r", "--remap")]
    return {left: right for left, _, right in (rule.partition(":=") for rule in rules)}
