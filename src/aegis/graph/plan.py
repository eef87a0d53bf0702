# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What runs: which nodes, in which processes, with which arguments and environment. `aegis up` and the launch file ask here."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aegis.core.objects import ObjectsSettings
from aegis.core.params import ConfigError, Settings
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.uplink.settings import UplinkSettings
from aegis.drivers import registry
from aegis.drivers.asterix_foreign_settings import AsterixTracksSettings, check_placed
from aegis.drivers.contract import DriverSettings
from aegis.graph import rig
from aegis.graph.config import Parameters
from aegis.graph.nodes import ALL_NODES, BRIDGE, NODES, OBJECTS, UPLINK
from aegis.graph.parameter_file import read_file
from aegis.graph.ros_args import BEGIN, RosArguments, Rule
from aegis.graph.site import site_of
from aegis.resources import share_dir
from aegis.ros.topics import MANAGED, PROVEN_BY_PLAN, PROVEN_EACH_SCAN
from aegis.sapient.settings import SapientSettings, check_usable
from aegis.simulation.settings import SimulatorSettings

ENCLAVES = "/aegis"  # of DDS security; each process's is below
COMPOSED = "graph"  # name of the process that all stages share
RUN_ID = "AEGIS_RUN_ID"
DISCOVERY_RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"
_DDS_PROFILES = "FASTRTPS_DEFAULT_PROFILES_FILE"
_DDS_TRANSPORTS = "FASTDDS_BUILTIN_TRANSPORTS"
_DDS_SAID = (_DDS_PROFILES, "FASTDDS_DEFAULT_PROFILES_FILE", _DDS_TRANSPORTS)


@dataclass(frozen=True)
class Options:
    """What can be asked of a run. None and empty leave it to the parameters."""

    config: Path | None = None
    sets: tuple[str, ...] = ()  # NODE.KEY=VALUE
    namespace: str = ""
    scenario: str | None = None
    driver: str | None = None
    external_radar: bool = False  # something else publishes the radar's topics
    radar_msgs: bool = False  # and does so in messages of that package
    external_video: bool = False  # or it publishes marine_sensor_msgs/RadarSector
    front_end: bool | None = None  # None: where our radar gives cubes
    port: int | None = None
    host: str | None = None
    insecure: bool = False
    bridge: bool = True
    foxglove: bool = True
    composed: bool = False  # all stages in one process
    fusion: bool = (
        False  # a tracker for each radar of a rig, and their tracks fused; else one tracker of all detections
    )
    radars: tuple[str, ...] = ()  # of a rig, each in a namespace of its own; empty: one radar, in that of the graph
    sapient: str | None = None  # the fusion node or middleware that is reported to
    site: Path | None = (
        None  # a parameter file that says itself which radars there are, and whether their tracks are fused
    )
    headquarters: bool = False  # no radar and no tracker: the tracks of sites, fused
    nodes: tuple[str, ...] = ()  # that run, of those that would; empty: all of them
    managed: tuple[str, ...] = ()  # that a lifecycle manager starts
    discovery_range: str = ""  # of DDS, where the environment does not say
    ros_args: tuple[str, ...] = ()  # what follows `--ros-args`

    def of_site(self) -> Options:
        """Return the options with what the site's file says.

        Raises:
            ConfigError: the file is wrong, or its radars are named beside it.
        """
        if self.site is None:
            return self
        if self.config is not None or self.radars or self.fusion:
            raise ConfigError(
                "--site (site:=) is the parameter file, and says which radars there are: no --config, --radar, --fusion (config:=, "
                "radars:=, fusion:=)"
            )
        said = site_of(self.site, read_file(self.site))
        if not said.radars and not said.fusion:
            raise ConfigError(
                f"{self.site}: section 'site' names no radars; a headquarters without any has fusion: true"
            )
        return replace(
            self, config=self.site, radars=said.radars, fusion=said.fusion, headquarters=not said.radars, site=None
        )

    def all_sets(self) -> list[str]:
        """Return the sets, and as such those of the other options that are parameters."""
        also = {
            "driver.driver": self.driver or None,
            "simulator.scenario": self.scenario or None,
            "sapient.edge.connect": self.sapient or None,
            "video.source": "sector" if self.external_video else None,
            "bridge.port": self.port,
            "bridge.host": self.host,
            "bridge.insecure_non_loopback": "true" if self.insecure else None,
        }
        managed = [f"{node}.{MANAGED}=true" for node in self.managed]
        return [*self.sets, *managed, *(f"{name}={value}" for name, value in also.items() if value is not None)]


@dataclass(frozen=True)
class Plan:
    """Processes by name: the arguments of `aegis_node`, and what is set in the environment of each."""

    nodes: tuple[str, ...]  # in all processes together
    processes: dict[str, list[str]]
    environ: dict[str, dict[str, str]]
    parameters: Parameters
    radars: dict[str, Parameters]  # of each radar of a rig, with what the rig says of it
    settings: dict[str, dict[str, Settings]]  # of each process, by node
    remarks: tuple[str, ...] = ()  # what in the parameter file is of no effect, in words

    @classmethod
    def of(cls, options: Options, environ: Mapping[str, str]) -> Plan:
        """Plan a run; everything that is wrong is said here, before anything starts.

        Args:
            options: what is asked for.
            environ: the environment; what it says of the run's id, of discovery and of DDS is left as it is.

        Raises:
            ConfigError: a parameter or an option is wrong, two radars are asked for, or fusion of one.
        """
        options = options.of_site()
        sets = options.all_sets()
        ros = RosArguments.parse(options.ros_args)
        parameters = Parameters.read(options.config, sets, namespace=options.namespace, ros=ros)
        of_several = len(options.radars) > 1 or options.headquarters or _takes_others(parameters, environ)
        if options.fusion and not of_several:
            raise ConfigError("fusion is of several radars: name them, as in --radar front --radar left")
        parts = rig.parts_of(options.radars, parameters, lambda given: _nodes(options, given, environ), options.fusion)
        if options.bridge:
            parts = rig.with_bridge(parts, parameters)
        shared = {RUN_ID: environ.get(RUN_ID) or secrets.token_hex(8)}
        if options.discovery_range and not environ.get(DISCOVERY_RANGE):
            shared[DISCOVERY_RANGE] = options.discovery_range
        if proven := _proven(parts, ros):
            shared[PROVEN_BY_PLAN] = ",".join(proven)
        secured = environ.get("ROS_SECURITY_ENABLE", "").lower() == "true"
        every = list(dict.fromkeys(name for part in parts for name in part.nodes))
        processes, environs, settled = {}, {}, {}
        for part in parts:
            given = part.parameters
            given.check(part.nodes)
            settings = {name: given.settings(name, environ=environ) for name in part.nodes}
            _check_sapient(settings)
            _check_asterix_tracks(settings)
            if BRIDGE in settings:
                _check_bridge(settings[BRIDGE])
            own = [name for name in part.nodes if name != BRIDGE]
            groups = {COMPOSED: own} if options.composed and own else {name: [name] for name in own}
            if BRIDGE in settings:
                groups[BRIDGE] = [BRIDGE]
            common = ["--config", str(given.config.resolve())] if given.config is not None else []
            for item in sets:
                common += ["--set", item]
            if given.namespace:
                common += ["--namespace", given.namespace]
            for group, nodes in groups.items():
                words = _ros_words(ros, nodes, every, given)
                if part.remaps:
                    words = [*(words or [BEGIN]), *part.remaps]
                if secured and "--enclave" not in dict(ros.options):
                    words = [*(words or [BEGIN]), "--enclave", f"{ENCLAVES}/{part.process(group)}"]
                own_sets = [f"--set={item}" for item in part.sets if item.partition(".")[0] in nodes]
                processes[part.process(group)] = [*nodes, *common, *own_sets, *words]
                settled[part.process(group)] = {name: settings[name] for name in nodes}
                environs[part.process(group)] = {**shared, **dds_environ((settings[name] for name in nodes), environ)}
        if strange := [name for name in options.managed if name not in every or name == BRIDGE]:
            able = ", ".join(name for name in every if name != BRIDGE)
            raise ConfigError(f"managed: no node '{strange[0]}' with a lifecycle runs; there are: {able}")
        radars = {part.radar: part.parameters for part in parts if part.radar}
        return cls(tuple(every), processes, environs, parameters, radars, settled, tuple(_remarks(options, parts)))

    def lines(self, command: Sequence[str]) -> list[str]:
        """Return the processes as lines for a shell, where `command` is that of `aegis_node`."""
        return [
            shlex.join([*(f"{name}={value}" for name, value in self.environ[process].items()), *command, *arguments])
            for process, arguments in self.processes.items()
        ]


def _remarks(options: Options, parts: Sequence[rig.Part]) -> Iterator[str]:
    """Yield what the parameter file says in vain, of radars that do not run here."""
    unheard = set.intersection(*(set(part.parameters.unheard(part.nodes)) for part in parts))
    if unheard:
        yield f"{options.config}: no node {', '.join(sorted(unheard))} runs here; --radar NAME runs a radar in a namespace"
    ours = {"simulator", "driver"} & {name for part in parts for name in part.nodes}
    if options.config is None or options.radars or not ours:
        return
    placed = parts[-1].parameters.settings_as(TrackingSettings, "tracking").sensors
    if placed:
        asked = " ".join(f"--radar {name}" for name in placed)
        yield f"{options.config} places {', '.join(placed)} (tracking.sensors); one radar runs, of no name: say {asked}"


def _proven(parts: Sequence[rig.Part], ros: RosArguments) -> list[str]:
    """Return what nodes that run here publish and prove with each scan, and for whom they report: nobody else is taken for them."""
    made = {topic for part in parts for name in part.nodes for topic in ALL_NODES[name].publishes}
    stages = [f"{part.radar}/{name}".lstrip("/") for part in parts for name in map(ros.node_name, part.nodes)]
    return [*(topic for topic in PROVEN_EACH_SCAN if topic in made), *(f"status:{stage}" for stage in stages)]


def dds_environ(settings: Iterable[Settings], environ: Mapping[str, str]) -> dict[str, str]:
    """Return by which ways Fast DDS is to send in a process; nothing where the environment says it.

    A process that sends raw cubes gets shared memory for whole frames: with its own half a megabyte, best-effort cubes get lost.
    What takes them is left as it is. All else sends by UDP: a process that is killed leaves its shared memory behind (about a
    megabyte each time), and once in some hundreds of kills its successor heard nothing any more until all was started again.
    """
    settings = list(settings)
    if any(environ.get(name) for name in _DDS_SAID):
        return {}
    if any(map(gives_cubes, settings)):
        return {_DDS_PROFILES: str(share_dir() / "config" / "dds" / "large_messages.xml")}
    if any(isinstance(one, FrontEndSettings) for one in settings):
        return {}
    return {_DDS_TRANSPORTS: "UDPv4"}


def gives_cubes(settings: Settings) -> bool:
    """Tell whether a node with these settings sends raw cubes."""
    if isinstance(settings, DriverSettings):
        return registry.gives_cubes(settings)
    return isinstance(settings, SimulatorSettings) and settings.gives_cubes


def _nodes(options: Options, parameters: Parameters, environ: Mapping[str, str]) -> list[str]:
    """Return the nodes to run, in the order of the graph table.

    The radar is a driver where the parameters name one, else the simulator; nothing of ours where it is external.

    Raises:
        ConfigError: a parameter of the simulator or driver is wrong, or two radars are asked for.
    """
    driver = parameters.settings_as(DriverSettings, "driver", environ=environ)
    external = options.external_radar or options.radar_msgs or options.external_video
    if external and driver.driver:
        raise ConfigError(
            f"an external radar and the driver '{driver.driver}' exclude each other: one radar, one source"
        )
    radar = None if external else "driver" if driver.driver else "simulator"
    if options.scenario and radar != "simulator":
        source = "the radar is external" if external else f"the radar is that of the driver '{driver.driver}'"
        raise ConfigError(
            f"scenario '{options.scenario}' is the simulator's, which does not run: {source}; leave one out"
        )
    cubes = radar is not None and gives_cubes(parameters.settings(radar, environ=environ))
    requested = {radar}
    if cubes if options.front_end is None else options.front_end:
        requested.add("frontend")
    sapient = parameters.settings_as(SapientSettings, "sapient", environ=environ)
    if sapient.active:
        requested.add("sapient")
    if parameters.settings_as(AsterixTracksSettings, "asterix_tracks", environ=environ).listen:
        requested.add("asterix_tracks")
    if options.fusion or _takes_others(parameters, environ):
        requested.add("fusion")
    if options.radar_msgs:
        requested.add("radar_msgs")
    if options.external_video or (radar == "driver" and registry.output_of(driver) == "video"):
        requested.add("video")
    if parameters.settings_as(UplinkSettings, UPLINK, environ=environ).is_used:
        requested.add(UPLINK)
    if parameters.settings_as(ObjectsSettings, OBJECTS, environ=environ).is_used:
        requested.add(OBJECTS)
    names = [
        name
        for name, spec in NODES.items()
        if (name != "foxglove" or options.foxglove)
        and (name in requested or (not spec.on_request and name != "simulator"))
    ]
    if options.headquarters:
        names = [name for name in names if not NODES[name].of_radar and name != "tracking"]
    if strange := [name for name in options.nodes if name not in names]:
        raise ConfigError(
            f"nodes: '{strange[0]}' does not run here; of these it can be told which do: {', '.join(names)}"
        )
    return [name for name in names if name in options.nodes] if options.nodes else names


def _check_bridge(settings: Settings) -> None:
    from aegis.bridge.settings import BridgeSettings, check_exposure

    assert isinstance(settings, BridgeSettings)
    check_exposure(settings)


def _takes_others(parameters: Parameters, environ: Mapping[str, str]) -> bool:
    """Tell whether somebody else's tracks come into the picture, which the fusion then makes."""
    sapient = parameters.settings_as(SapientSettings, "sapient", environ=environ)
    return (
        sapient.fusion.active or parameters.settings_as(AsterixTracksSettings, "asterix_tracks", environ=environ).listen
    )


def _check_asterix_tracks(settings: Mapping[str, Settings]) -> None:
    """Refuse what the node of ASTERIX tracks could not start with.

    Raises:
        ConfigError: the message names what to set.
    """
    given = settings.get("asterix_tracks")
    if isinstance(given, AsterixTracksSettings):
        check_placed(given)


def _check_sapient(settings: Mapping[str, Settings]) -> None:
    """Refuse what the node of SAPIENT could not start with.

    Raises:
        ConfigError: it could not.
    """
    given = settings.get("sapient")
    if isinstance(given, SapientSettings):
        check_usable(given)


def _ros_words(ros: RosArguments, nodes: Sequence[str], every: Sequence[str], parameters: Parameters) -> list[str]:
    """Return what follows `--ros-args` for a process: all of it but the parameters that none of its nodes has.

    Raises:
        ConfigError: a parameter is for a node that does not run, or all nodes would get the same name.
    """
    kept = []
    for option, value in ros.options:
        if option == "--param":
            rule = Rule.parse(option, value)
            names = {name for node in every for name in (node, ros.node_name(node))}
            if rule.node and rule.node not in names:
                raise ConfigError(f"{BEGIN} -p {value}: no node '{rule.node}' runs; there are: {', '.join(every)}")
            if not any(parameters.takes(node, rule) for node in nodes):
                continue
        elif option == "--remap":
            rule = Rule.parse(option, value)
            if rule.name in ("__node", "__name") and not rule.node:
                raise ConfigError(f"{BEGIN} -r {value}: one name for all nodes; say whose, as tracking:__node:=NAME")
        kept.append((option, value))
    return RosArguments(tuple(kept)).words()
