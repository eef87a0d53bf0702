# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Continental ARS548 RDI: detections or objects over UDP."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from aegis.core.health import Level
from aegis.core.params import group, param
from aegis.core.types import ClassId, Floats
from aegis.drivers.ars548_format import (
    DETECTION_FLAGS,
    DETECTION_LIST,
    OBJECT_LIST,
    SENSOR_STATUS,
    decode_detections,
    decode_objects,
    decode_status,
    method_of,
)
from aegis.drivers.contract import NOT_PUBLISHED, DriverSettings, Parser
from aegis.drivers.frames import DriverHealth, Fields, FormatError, Frame, PointFrame, Reading, finite_or_nan
from aegis.drivers.packet_driver import UdpDriver, UdpSettings

_MAX_COUNTER_STEP = 1000  # a larger step of the list's counter is a restart, no loss
# Our name of a column: the detection's field, the flag that makes it invalid.
_DETECTION_COLUMNS = {
    "range": ("range", "distance"),
    "azimuth": ("azimuth_angle", "azimuth"),
    "elevation": ("elevation_angle", "elevation"),
    "range_rate": ("range_rate", "range_rate"),
    "range_sigma": ("range_std", "distance_std"),
    "azimuth_sigma": ("azimuth_angle_std", "azimuth_std"),
    "elevation_sigma": ("elevation_angle_std", "elevation_std"),
    "range_rate_sigma": ("range_rate_std", "range_rate_std"),
    "rcs": ("rcs", ""),
    "measurement_id": ("measurement_id", ""),
    "object_id": ("object_id", ""),
    "classification": ("classification", ""),
    "positive_predictive_value": ("raw_positive_predictive_value", ""),
    "multi_target_probability": ("raw_multi_target_probability", ""),
    "ambiguity_flag": ("raw_ambiguity_flag", ""),
}
_OBJECT_COLUMNS = {
    "x": "position_x",
    "y": "position_y",
    "z": "position_z",
    "x_sigma": "position_x_std",
    "y_sigma": "position_y_std",
    "z_sigma": "position_z_std",
    "velocity_x": "absolute_velocity_x",
    "velocity_y": "absolute_velocity_y",
    "relative_velocity_x": "relative_velocity_x",
    "relative_velocity_y": "relative_velocity_y",
    "orientation": "orientation",
    "length": "shape_length_edge_mean",
    "width": "shape_width_edge_mean",
    "object_id": "object_id",
    "age": "age",
    "position_reference": "position_reference",
    "status_measurement": "status_measurement",
    "status_movement": "status_movement",
    "existence_probability": "raw_existence_probability",
    "classification_car": "raw_classification_car",
    "classification_truck": "raw_classification_truck",
    "classification_motorcycle": "raw_classification_motorcycle",
    "classification_bicycle": "raw_classification_bicycle",
    "classification_pedestrian": "raw_classification_pedestrian",
    "classification_animal": "raw_classification_animal",
    "classification_hazard": "raw_classification_hazard",
    "classification_unknown": "raw_classification_unknown",
}
# The radar's shares [%] of each of our classes. Of what we have no class for, an animal for instance, it says nothing to us.
_OBJECT_CLASSES = {
    ClassId.VEHICLE: ("car", "truck", "motorcycle", "bicycle"),
    ClassId.PERSON: ("pedestrian",),
    ClassId.UNKNOWN: ("animal", "hazard", "unknown"),
}
# The flags of a group of fields, our columns of it.
_OBJECT_FLAGS = {
    "position_invalid_flags": ("x", "y", "z", "x_sigma", "y_sigma", "z_sigma", "orientation"),
    "existence_invalid_flags": ("existence_probability",),
    "absolute_velocity_invalid_flags": ("velocity_x", "velocity_y"),
    "relative_velocity_invalid_flags": ("relative_velocity_x", "relative_velocity_y"),
    "shape_length_edge_invalid_flags": ("length",),
    "shape_width_edge_invalid_flags": ("width",),
}
_SYNC = {1: "synchronised", 2: "never synchronised", 3: "synchronisation lost"}
_STATE = {0: "starting", 1: "ok", 2: "invalid"}
_BLOCKAGE = {0: "blind", 1: "high", 2: "mid", 3: "low", 4: "none"}
_SELF_TEST = {0: "failed", 1: "passed", 2: "ongoing"}
_VEHICLE_INPUTS = (
    "longitudinal_velocity", "longitudinal_acceleration", "lateral_acceleration", "yaw_rate", "steering_angle",
    "driving_direction",
)  # fmt: skip


class Ars548Settings(DriverSettings):
    """Parameters of a Continental ARS548."""

    udp: UdpSettings = group(UdpSettings(port=42_102, multicast_group="224.0.2.2"))
    publish: Literal["detections", "objects"] = param(
        "detections",
        "What goes out: detections (in the sensor's frame) or the radar's own objects (in the vehicle's: name that in"
        " frame_id).",
    )


class Ars548Parser(Parser):
    """Messages to frames of detections or of objects."""

    def __init__(self, publish: str = "detections") -> None:
        super().__init__()
        self.publish = publish
        self.lost_frames = 0
        self.sync = 0
        self.status: Fields | None = None
        self._counter = 0  # of the end-to-end header of the last list; 0: it has none

    def feed(self, packet: bytes, received_ns: int) -> list[Frame]:
        """Take a datagram."""
        try:
            method = method_of(packet)
            if method == SENSOR_STATUS:
                self.status = decode_status(packet)
                self.sync = self.status.integer("stamp_sync_status")
                return []
            if method not in (DETECTION_LIST, OBJECT_LIST):
                raise FormatError("another method")
            if (method == DETECTION_LIST) != (self.publish == "detections"):
                raise FormatError(NOT_PUBLISHED)
            if method == DETECTION_LIST:
                header, detections = decode_detections(packet)
                columns = _detection_columns(detections)
            else:
                header, objects = decode_objects(packet)
                columns = _object_columns(objects)
        except FormatError as error:
            self.refused[str(error)] += 1
            return []
        self.sync = header.integer("stamp_sync_status")
        self._count(header.integer("e2e_counter"))
        time_ns = header.integer("stamp_seconds") * 1_000_000_000 + header.integer("stamp_nanoseconds")
        return [PointFrame(columns, time_ns or None, received_ns)]

    def reset(self) -> None:
        """Forget the counter of lists."""
        self._counter = 0

    def health(self) -> DriverHealth:
        """Return what the radar says of itself: state, supply, temperature, blockage, synchronisation."""
        found: list[tuple[Level, str]] = []
        values: dict[str, Reading] = {"lost_frames": self.lost_frames, "sync": _SYNC.get(self.sync, "unknown")}
        if self.sync in (2, 3):
            found.append((Level.WARN, f"clock {values['sync']}"))
        if self.status is not None:
            values |= _told(self.status)
            found += _faults(self.status)
        level = max((level for level, _ in found), default=Level.OK)
        return DriverHealth(level, "; ".join(text for _, text in found) or "running", values)

    def _count(self, counter: int) -> None:
        step = (counter - self._counter) % (1 << 32)
        if self._counter and 1 < step < _MAX_COUNTER_STEP:
            self.lost_frames += step - 1
        self._counter = counter


class Ars548(UdpDriver):
    """Continental ARS548 RDI: detection list, object list and sensor status, UDP multicast 224.0.2.2 port 42102.

    `publish: detections` gives points in the sensor's frame, with what the sensor states as their sigmas; what it flags as invalid
    is NaN. `publish: objects` gives the radar's own tracked objects, x y z of their reference point in the vehicle's frame; their
    velocities are right only where the vehicle tells the radar its motion. Probabilities are in percent; those of vehicles, of
    people and of what is neither are stated as class probabilities too, and reach the track's class.

    Sensor time is the list's time stamp, taken as the time of measurement; no public document says to which moment of the cycle it
    belongs. It is a common time only where the radar is synchronised (gPTP), which the health says.
    """

    name: ClassVar[str] = "ars548"
    output: ClassVar[Literal["points", "cube"]] = "points"
    one_sender: ClassVar[bool] = True
    chosen: ClassVar[frozenset[str]] = UdpDriver.chosen | {NOT_PUBLISHED}
    settings_type = Ars548Settings
    settings: Ars548Settings

    def make_parser(self) -> Ars548Parser:
        """Return the parser."""
        return Ars548Parser(self.settings.publish)


def _detection_columns(detections: NDArray[Any]) -> dict[str, Floats]:
    columns = {ours: finite_or_nan(detections[theirs]) for ours, (theirs, _) in _DETECTION_COLUMNS.items()}
    flags = detections["invalid_flags"]
    if flags.any():
        for ours, (_, flag) in _DETECTION_COLUMNS.items():
            if flag:
                columns[ours][(flags >> DETECTION_FLAGS.index(flag)) & 1 == 1] = np.nan
    return columns


def _object_columns(objects: NDArray[Any]) -> dict[str, Floats]:
    """Return the columns; no public document says which bit of a group's flags is which field's, so any makes all NaN."""
    columns = {ours: finite_or_nan(objects[theirs]) for ours, theirs in _OBJECT_COLUMNS.items()}
    for flags, names in _OBJECT_FLAGS.items():
        invalid = objects[flags] != 0
        if invalid.any():
            for name in names:
                columns[name][invalid] = np.nan
    shares = {
        c: np.sum([columns[f"classification_{one}"] for one in names], axis=0) for c, names in _OBJECT_CLASSES.items()
    }
    total = np.sum(list(shares.values()), axis=0)
    for class_id, share in shares.items():  # rounded to whole percent each
        columns[f"class_{class_id.name.lower()}"] = share / np.where(total > 0.0, total, 1.0)
    return columns


def _told(status: Fields) -> dict[str, Reading]:
    """Return a status in words."""
    blockage = status.integer("blockage_status")
    return {
        "firmware": ".".join(str(status[f"sw_version_{part}"]) for part in ("major", "minor", "patch")),
        "state": _STATE.get(status.integer("radar_status"), "unknown"),
        "voltage_status": status["voltage_status"],
        "temperature_status": status["temperature_status"],
        "blockage": _BLOCKAGE.get(blockage & 15, "unknown"),
        "blockage_self_test": _SELF_TEST.get(blockage >> 4, "unknown"),
        "cycle_time_ms": status["cycle_time"],
        "maximum_distance_m": status["maximum_distance"],
        "vehicle_inputs_missing": ", ".join(name for name in _VEHICLE_INPUTS if status[f"{name}_status"] != 0),
    }


def _faults(status: Fields) -> list[tuple[Level, str]]:
    """Return what is wrong now; bits of the past are in the values only."""
    found = []
    if status.integer("radar_status") != 1:
        found.append((Level.ERROR, f"radar {_STATE.get(status.integer('radar_status'), 'state unknown')}"))
    for what in ("voltage", "temperature"):
        bits = status.integer(f"{what}_status")
        if bits & 0b0001:
            found.append((Level.ERROR, f"{what} too low"))
        if bits & 0b0100:
            found.append((Level.ERROR, f"{what} too high"))
    blockage, test = status.integer("blockage_status") & 15, status.integer("blockage_status") >> 4
    if blockage not in (2, 3, 4):
        found.append((Level.WARN if blockage == 1 else Level.ERROR, f"blockage {_BLOCKAGE.get(blockage, 'unknown')}"))
    if test not in (1, 2):
        found.append((Level.ERROR, f"blockage self test {_SELF_TEST.get(test, 'unknown')}"))
    return found
