"""Which nodes of the graph run: by the radar that is in use. `aegis up` and the launch file ask here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from aegis.core.params import ConfigError
from aegis.drivers.registry import driver_class
from aegis.graph.config import load_settings
from aegis.graph.nodes import NODES


def select_nodes(
    config: Path | None,
    sets: Sequence[str],
    *,
    external_radar: bool = False,
    front_end: bool | None = None,
    radar_msgs: bool = False,
    without: Collection[str] = (),
) -> list[str]:
    """Return the names of the nodes to run, in the order of the graph table.

    The radar is a driver where the parameters name one, else the simulator; nothing of ours where it is external.

    Args:
        config, sets: parameters.
        external_radar: something else publishes the radar's topics.
        front_end: run the front end or not; None: where our radar gives cubes.
        radar_msgs: the external radar publishes messages of that package.
        without: nodes to leave out.

    Raises:
        ConfigError: a parameter of the simulator or driver is wrong, or two radars are asked for.
    """
    driver: Any = load_settings("driver", config, sets)
    external_radar = external_radar or radar_msgs
    radar = None if external_radar else "driver" if driver.driver else "simulator"
    if external_radar and driver.driver:
        raise ConfigError(
            f"an external radar and the driver '{driver.driver}' exclude each other: one radar, one source"
        )
    cubes = False
    if radar == "driver":
        cubes = driver_class(driver.driver).output == "cube"
    elif radar == "simulator":
        simulator: Any = load_settings("simulator", config, sets)
        cubes = simulator.level == "signal"
    requested = {radar}
    if cubes if front_end is None else front_end:
        requested.add("frontend")
    if radar_msgs:
        requested.add("radar_msgs")
    return [
        name
        for name, spec in NODES.items()
        if name not in without and (name in requested or (not spec.on_request and name != "simulator"))
    ]
