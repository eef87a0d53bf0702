# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which drivers there are: those that ship, and those that other installed packages bring as entry points."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from aegis.core.params import ConfigError
from aegis.drivers.contract import Driver, DriverSettings

GROUP = "aegis.drivers"  # of entry points: name = "package.module:DriverClass"

BUILT_IN = {
    "ars548": "aegis.drivers.ars548:Ars548",
    "asterix": "aegis.drivers.asterix:Asterix",
    "asterix_video": "aegis.drivers.asterix_video:AsterixVideo",
    "garmin_xhd": "aegis.drivers.garmin_xhd:GarminXhd",
    "navico": "aegis.drivers.navico:Navico",
    "raymarine_quantum": "aegis.drivers.raymarine_quantum:RaymarineQuantum",
    "smartmicro_umrr": "aegis.drivers.smartmicro:SmartmicroUmrr",
    "srr520": "aegis.drivers.srr520:Srr520",
    "ti_raw": "aegis.drivers.ti_raw:TiRaw",
    "ti_uart": "aegis.drivers.ti_uart:TiUart",
}


def driver_names() -> list[str]:
    """Return the names of all drivers."""
    return sorted({*BUILT_IN, *_installed()})


def driver_class(name: str) -> type[Driver]:
    """Return the class of a driver.

    Raises:
        ConfigError: there is none of that name, or an installed one cannot be loaded or is none.
    """
    if name in BUILT_IN:
        module, attribute = BUILT_IN[name].split(":")
        built_in: type[Driver] = getattr(import_module(module), attribute)
        return built_in
    found = _installed().get(name)
    if found is None:
        raise ConfigError(f"no driver '{name}'; known are: {', '.join(driver_names())}")
    try:
        loaded = found.load()
    except Exception as error:
        raise ConfigError(
            f"driver '{name}' ({found.value}) cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, Driver)):
        raise ConfigError(f"driver '{name}' ({found.value}) is no subclass of aegis.drivers.contract.Driver")
    return loaded


def settings_for(values: Mapping[str, object]) -> type[DriverSettings]:
    """Return the settings of the driver that these parameters name; what all have where they name none.

    Raises:
        ConfigError: as `driver_class`.
    """
    name = values.get("driver", "")
    return driver_class(str(name)).settings_type if name else DriverSettings


def output_of(settings: DriverSettings) -> str:
    """Return what the driver that settings name gives: points, cube or video; empty where they name none.

    Raises:
        ConfigError: as `driver_class`.
    """
    return driver_class(settings.driver).output if settings.driver else ""


def gives_cubes(settings: DriverSettings) -> bool:
    """Tell whether the driver that settings name gives raw samples, for the front end.

    Raises:
        ConfigError: as `driver_class`.
    """
    return output_of(settings) == "cube"


def _installed() -> dict[str, EntryPoint]:
    """Return the entry points of other packages; a name of ours stays ours."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in BUILT_IN}
