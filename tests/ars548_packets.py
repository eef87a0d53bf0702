# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Packets as a Continental ARS548 sends them, put together field by field after the layout."""

import struct
from typing import Any

# Field, struct code; in the order of the wire. Absent values are 0.
DETECTION = (
    "azimuth_angle f azimuth_angle_std f invalid_flags B elevation_angle f elevation_angle_std f range f range_std f"
    " range_rate f range_rate_std f rcs b measurement_id H raw_positive_predictive_value B classification B"
    " raw_multi_target_probability B object_id H raw_ambiguity_flag B sort_index H"
)
MOTION = " f ".join(("{0}_x", "{0}_x_std", "{0}_y", "{0}_y_std", "{0}_covariance_xy")) + " f"
OBJECT = (
    "status_sensor H object_id I age H status_measurement B status_movement B position_invalid_flags H"
    " position_reference B position_x f position_x_std f position_y f position_y_std f position_z f position_z_std f"
    " position_covariance_xy f orientation f orientation_std f existence_invalid_flags B raw_existence_probability f"
    " existence_positive_predictive_value f raw_classification_car B raw_classification_truck B"
    " raw_classification_motorcycle B raw_classification_bicycle B raw_classification_pedestrian B"
    " raw_classification_animal B raw_classification_hazard B raw_classification_unknown B"
    " classification_overdrivable B classification_underdrivable B"
    f" absolute_velocity_invalid_flags B {MOTION.format('absolute_velocity')}"
    f" relative_velocity_invalid_flags B {MOTION.format('relative_velocity')}"
    f" absolute_acceleration_invalid_flags B {MOTION.format('absolute_acceleration')}"
    f" relative_acceleration_invalid_flags B {MOTION.format('relative_acceleration')}"
    " orientation_rate_invalid_flags B orientation_rate_mean f orientation_rate_std f"
    " shape_length_status I shape_length_edge_invalid_flags B shape_length_edge_mean f shape_length_edge_std f"
    " shape_width_status I shape_width_edge_invalid_flags B shape_width_edge_mean f shape_width_edge_std f"
)
STATUS = (
    "sw_version_major B sw_version_minor B sw_version_patch B longitudinal f lateral f vertical f yaw f pitch f"
    " plug_orientation B length_of_vehicle f width_of_vehicle f height_of_vehicle f wheelbase f maximum_distance H"
    " frequency_slot B cycle_time B time_slot B hcc B powersave_standstill B sensor_ip_address_0 I sensor_ip_address_1 I"
    " configuration_counter B longitudinal_velocity_status B longitudinal_acceleration_status B"
    " lateral_acceleration_status B yaw_rate_status B steering_angle_status B driving_direction_status B"
    " characteristic_speed_status B radar_status B voltage_status B temperature_status B blockage_status B"
)
WELL = {"radar_status": 1, "blockage_status": 0x14, "cycle_time": 50}


def record(layout: str, values: dict[str, Any]) -> bytes:
    words = layout.split()
    names = words[::2]
    assert set(values) <= set(names), set(values) - set(names)
    return b"".join(struct.pack(">" + code, values.get(n, 0)) for n, code in zip(names, words[1::2], strict=True))


def names(layout: str) -> list[str]:
    return layout.split()[::2]


def message(method: int, body: bytes) -> bytes:
    return struct.pack(">HHI", 0, method, len(body)) + body


def stamp(seconds: int, nanoseconds: int, sync: int = 1) -> bytes:
    return struct.pack(">IIB", nanoseconds, seconds, sync)


def list_head(seconds: int, nanoseconds: int, sync: int, counter: int) -> bytes:
    some_ip = struct.pack(">HHBBBB", 0, 0, 1, 1, 2, 0)
    end_to_end = struct.pack(">QIII", 0, 0, counter, 0)
    return some_ip + end_to_end + stamp(seconds, nanoseconds, sync) + struct.pack(">IB", 1, 2)


def detections(
    entries: list[dict[str, Any]],
    *,
    seconds: int = 1000,
    nanoseconds: int = 500_000_000,
    sync: int = 1,
    counter: int = 0,
    count: int | None = None,
) -> bytes:
    """Return a detection list; `count` is what it says instead of the number of its entries."""
    body = list_head(seconds, nanoseconds, sync, counter)
    body += struct.pack(">H12fB", 0, 3.5, 0, -0.5, 0, 0.75, 0, 0, 0, 0.125, 0, 0.25, 0, 0)
    body += b"".join(record(DETECTION, entry) for entry in entries).ljust(800 * 44, b"\0")
    n = len(entries) if count is None else count
    return message(336, body + struct.pack(">ffIffB", -22.5, 22.5, n, 0.0625, 0.03125, 1) + bytes(14))


def objects(
    entries: list[dict[str, Any]],
    *,
    seconds: int = 1000,
    nanoseconds: int = 500_000_000,
    sync: int = 1,
    counter: int = 0,
    count: int | None = None,
    capacity: int = 50,
) -> bytes:
    """Return an object list; 200 objects fit with firmware 40."""
    body = list_head(seconds, nanoseconds, sync, counter)
    body += bytes([len(entries) if count is None else count])
    return message(329, body + b"".join(record(OBJECT, entry) for entry in entries).ljust(capacity * 187, b"\0"))


def status(sync: int = 1, **values: Any) -> bytes:
    return message(380, stamp(1000, 0, sync) + record(STATUS, WELL | values))
