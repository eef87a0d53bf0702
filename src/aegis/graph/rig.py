# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Several radars into one picture: the nodes of each radar in a namespace of its own, all others once.

A radar's nodes are those from its driver to its detections, and with fusion its tracker. What the others read of them
(`detections`, `radar/noise`, the tracks to be fused) and what all say of themselves goes to the topics of the rig. Where a radar
stands is said once, in `tracking.sensors.NAME`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from aegis.bridge.settings import BridgeSettings
from aegis.core.detection.settings import DetectionSettings
from aegis.core.params import ConfigError
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.uplink.settings import ALL_SITES, UplinkSettings
from aegis.graph.config import Parameters
from aegis.graph.nodes import ALL_NODES, BRIDGE, NODES, UPLINK
from aegis.graph.parameter_file import parse_sets
from aegis.ros.topics import COMMON_PUBLISHES

_NAME = re.compile("[A-Za-z][A-Za-z0-9_]*")
_PLACE = ("sensor_x", "sensor_y", "sensor_z", "sensor_yaw_deg", "sensor_pitch_deg", "sensor_roll_deg")
_TRACKER, _FUSION = "tracking", "fusion"
_SOURCE_TRACKS = "source_tracks"  # what the trackers' `tracks` are for the fusion
_RANGE_BIAS_SIGMA_M = 20.0
_ONE_FOR_ALL = ("odometry", "truth")  # of topics that radars' nodes share besides those that the others read


@dataclass(frozen=True)
class Part:
    """Nodes that share a namespace."""

    nodes: list[str]
    parameters: Parameters
    radar: str = ""  # empty: all that is no radar's
    sets: list[str] = field(default_factory=list)  # besides those of the whole rig
    remaps: list[str] = field(default_factory=list)  # words for ROS

    def process(self, name: str) -> str:
        """Return the name of one of its processes."""
        return f"{self.radar}/{name}" if self.radar else name


def parts_of(
    radars: Sequence[str], parameters: Parameters, nodes_of: Callable[[Parameters], list[str]], fusion: bool = False
) -> list[Part]:
    """Return the parts of a rig; of one radar alone, all in one.

    Args:
        radars: their names; none: one radar, or with fusion none.
        parameters: of all.
        nodes_of: the nodes that run with some parameters.
        fusion: each radar has a tracker of its own.

    Raises:
        ConfigError: a name is none, or there twice; or a parameter is wrong.
    """
    if not radars:
        return [_last_part(nodes_of(parameters), radars, parameters)]
    for name in radars:
        if not _NAME.fullmatch(name) or name in (*NODES, BRIDGE) or radars.count(name) > 1:
            raise ConfigError(
                f"radar '{name}': a name is a letter, then letters, digits or _; no node's, and there once"
            )
    begins_at_s = round(time.time())
    parts, rest = [], []
    for number, radar in enumerate(radars, start=1):
        within = _within(radar, parameters)
        names = nodes_of(within)
        own = [name for name in names if NODES[name].of_radar or (fusion and name == _TRACKER)]
        rest = [name for name in names if name not in own]
        sets = _sets(radar, number, own, within, parameters, begins_at_s)
        if _TRACKER in own and not within.gives(_TRACKER, "sensor_ids"):
            sets.append(f"{_TRACKER}.sensor_ids=[{_sensor_id(radar, within)}]")
        given = replace(within, explicit=[*parse_sets(sets), *within.explicit])
        parts.append(Part(own, given, radar, sets, _remaps(own, rest, parameters.namespace, first=number == 1)))
    return [*parts, _last_part(rest, radars, parameters)]


def _last_part(names: list[str], radars: Sequence[str], parameters: Parameters) -> Part:
    """Return the nodes that make the picture. Where it is one tracker's fused with others', that tracker's is a source of it."""
    sets, remaps = [], []
    if "fusion" in names:
        alone = _TRACKER in names
        sets += _fusion_sets(radars, parameters, alone=alone) if radars or alone else []
        sets += _site_sets(parameters)
        if alone:
            to = _absolute(parameters.namespace, _SOURCE_TRACKS)
            remaps = ["-r", f"{_TRACKER}:tracks:={to}"]
    if "sapient" in names:
        sets += _sapient_sets(radars, parameters)
    if "asterix_tracks" in names:
        sets += _asterix_sets(parameters)
    if "foxglove" in names:
        sets += _foxglove_sets(radars, parameters)
    if "ew" in names:
        sets += _place_sets("ew", radars, parameters)
    given = replace(parameters, explicit=[*parse_sets(sets), *parameters.explicit])
    return Part(names, given, sets=sets, remaps=remaps)


def with_bridge(parts: list[Part], parameters: Parameters) -> list[Part]:
    """Return the parts with the bridge in the last, which knows the nodes that run where these are not one of each.

    It waits for the stages that run here.
    """
    last = parts[-1]
    sets = _place_sets(BRIDGE, [part.radar for part in parts if part.radar], parameters)
    if len(parts) > 1 or _FUSION in last.nodes:
        every = [part.process(name) for part in parts for name in part.nodes]
        sets.append(f"bridge.nodes=[{', '.join(every)}]")
        if not parameters.gives(BRIDGE, "ready.stages"):
            needed = [
                name for name in every if name.rpartition("/")[2] in ("detection", "tracking", "fusion", "threat", "ew")
            ]
            sets.append(f"bridge.ready.stages=[{', '.join(needed)}]")
        if not parameters.gives(BRIDGE, "ready.sensors"):
            found = [part.parameters.settings_as(DetectionSettings, "detection") for part in parts[:-1] if part.radar]
            sets.append(f"bridge.ready.sensors=[{', '.join(one.sensor_id for one in found)}]")
    elif not parameters.gives(BRIDGE, "ready.stages"):
        waited = parameters.settings_as(BridgeSettings, BRIDGE).ready.stages
        # Of a part of the graph (`--node`), that part; one that has none of them is for watching another's.
        here = [name for name in waited if name in last.nodes]
        if here and len(here) < len(waited):
            sets.append(f"bridge.ready.stages=[{', '.join(here)}]")
    given = replace(last.parameters, explicit=[*parse_sets(sets), *last.parameters.explicit])
    return [*parts[:-1], replace(last, nodes=[*last.nodes, BRIDGE], parameters=given, sets=[*last.sets, *sets])]


def _sets(
    radar: str, number: int, own: Sequence[str], within: Parameters, rig: Parameters, begins_at_s: int
) -> list[str]:
    """Return what a radar's nodes are told where nobody has said otherwise: its name, its place, and a seed of its own.

    Simulated radars look at one scenario, which begins at one time.
    """
    tracking = rig.settings_as(TrackingSettings, "tracking")
    place = tracking.sensors.get(radar)
    found: list[tuple[str, str, object]] = []
    for node in own:
        if node == _TRACKER:  # it has a place for each sensor, and its frame is the picture's
            continue
        found += [(node, "sensor_id", radar), (node, "seed", number), (node, "begins_at_s", begins_at_s)]
        if {"simulator", "driver"} & set(own):  # else a driver of somebody's says what its frame is
            found.append((node, "frame_id", radar))
        if place is not None:
            found += [(node, name, getattr(place, name)) for name in _PLACE]
        if delay_s := (place or tracking.sensor).delay_s:
            found.append((node, "odometry.delay_s", delay_s))
    return [
        f"{node}.{name}={value}"
        for node, name, value in found
        if within.kind(node).knows(name) and not within.gives(node, name)
    ]


def _sensor_id(radar: str, within: Parameters) -> str:
    """Return what a radar's detections say they are of."""
    if within.gives("detection", "sensor_id"):
        return within.settings_as(DetectionSettings, "detection").sensor_id
    return radar


def _fusion_sets(radars: Sequence[str], rig: Parameters, *, alone: bool) -> list[str]:
    """Return what the fusion is told where nobody has said otherwise: whose tracks they are, where the radars stand, and how
    objects move, as the trackers have it. `alone`: one tracker has all radars.
    """
    tracking = rig.settings_as(TrackingSettings, _TRACKER)
    found: dict[str, object] = {
        name: getattr(tracking.motion, name) for name in ("acceleration_sigma_mps2", "vertical_acceleration_sigma_mps2")
    }
    if alone and len(radars) > 1:
        own = [_sensor_id(radar, _within(radar, rig)) for radar in radars]
        found[f"sources.{_TRACKER}.sensors"] = f"[{', '.join(own)}]"
    for radar in () if alone else radars:
        sensor_id = _sensor_id(radar, _within(radar, rig))
        if sensor_id != radar:
            found[f"sources.{radar}.sensors"] = f"[{sensor_id}]"
        if place := tracking.sensors.get(radar):
            found |= {f"sources.{radar}.{name}": getattr(place, name) for name in ("sensor_x", "sensor_y", "sensor_z")}
    if radars and not alone and all(radar in tracking.sensors for radar in radars):
        found["bias.range_sigma_m"] = _RANGE_BIAS_SIGMA_M
    if len(radars) > 1 and not alone:
        # As with one radar, whose place is taken as stated: else what all have in common, which no track shows, is in every error.
        found["bias.reference"] = radars[0]
    return [f"fusion.{name}={value}" for name, value in found.items() if not rig.gives("fusion", name)]


def _sapient_sets(radars: Sequence[str], rig: Parameters) -> list[str]:
    """Return what the node of SAPIENT is told where nobody has said otherwise: where `map` is, and where one radar stands."""
    found: dict[str, object] = {}
    if site := rig.settings_as(BridgeSettings, BRIDGE).outputs.site:
        found["site"] = f"[{', '.join(map(str, site))}]"
    if not radars:
        tracking = rig.settings_as(TrackingSettings, _TRACKER)
        found |= {name: getattr(tracking, name) for name in ("sensor_x", "sensor_y", "sensor_z")}
    return [f"sapient.{name}={value}" for name, value in found.items() if not rig.gives("sapient", name)]


def _asterix_sets(rig: Parameters) -> list[str]:
    """Return what the node of ASTERIX tracks is told where nobody has said otherwise: where `map` is, and which output is ours."""
    outputs = rig.settings_as(BridgeSettings, BRIDGE).outputs
    found: dict[str, object] = {}
    if outputs.site:
        found["site"] = f"[{', '.join(map(str, outputs.site))}]"
    if outputs.cat062.address:
        found["never"] = f"[{outputs.cat062.sac}/{outputs.cat062.sic}]"
    return [f"asterix_tracks.{name}={value}" for name, value in found.items() if not rig.gives("asterix_tracks", name)]


def _within(radar: str, rig: Parameters) -> Parameters:
    """Return the parameters of a radar's own nodes."""
    return replace(rig, namespace=f"{rig.namespace}/{radar}".strip("/"))


def _absolute(namespace: str, topic: str) -> str:
    return "/".join(("", *filter(None, namespace.split("/")), topic))


def _site_sets(rig: Parameters) -> list[str]:
    """Return what the fusion is told where nobody has said otherwise: that each site which is received by name is a source."""
    found = {
        f"sources.{site}.topic": f"{site}/tracks"
        for site in rig.settings_as(UplinkSettings, UPLINK).receive
        if site != ALL_SITES
    }
    return [f"{_FUSION}.{name}={value}" for name, value in found.items() if not rig.gives(_FUSION, name)]


def _foxglove_sets(radars: Sequence[str], rig: Parameters) -> list[str]:
    """Return what Foxglove is told where nobody has said otherwise: whose points it draws, and where the radars stand."""
    tracking = rig.settings_as(TrackingSettings, _TRACKER)
    found = {
        f"radars.{radar}.{name}": getattr(tracking.sensors.get(radar, tracking), name)
        for radar in radars
        for name in _PLACE
    }
    return [f"foxglove.{name}={value}" for name, value in found.items() if not rig.gives("foxglove", name)]


def _place_sets(node: str, radars: Sequence[str], rig: Parameters) -> list[str]:
    """Return what a node is told of where each of the radars stands, where nobody has said otherwise."""
    places = rig.settings_as(TrackingSettings, _TRACKER).sensors
    found = {
        f"sensors.{_sensor_id(radar, _within(radar, rig))}.{name}": getattr(places[radar], name)
        for radar in radars
        if radar in places
        for name in _PLACE
    }
    return [f"{node}.{name}={value}" for name, value in found.items() if not rig.gives(node, name)]


def _remaps(own: Sequence[str], rest: Sequence[str], namespace: str, *, first: bool) -> list[str]:
    """Return the rules by which a radar's nodes speak to those of the rig.

    What classes mean, the first radar's tracker says for all.
    """
    read = {topic for name in (*rest, BRIDGE) if name != "foxglove" for topic in ALL_NODES[name].subscribes}
    shared = {*_ONE_FOR_ALL, *(topic for topic in COMMON_PUBLISHES if not topic.startswith("/"))}
    topics = {topic for name in own for topic in (*NODES[name].publishes, *NODES[name].subscribes)}
    out = []
    for topic in sorted((topics & read) | (shared & {*topics, *COMMON_PUBLISHES})):
        if topic == "class_info" and not first:
            continue
        to = _SOURCE_TRACKS if topic == "tracks" and _TRACKER in own else topic
        out += ["-r", f"{topic}:={_absolute(namespace, to)}"]
    return out
