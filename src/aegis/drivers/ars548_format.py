# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Continental ARS548 packets: bytes to arrays, all fields.

SOME/IP-like messages in UDP datagrams, big endian. Source of the layout: Continental's interface as nebula has it (tier4/nebula,
nebula_continental_common). The end-to-end header (AUTOSAR profile 7) is all zero in the recording at hand, so its CRC-64 is not
checked.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aegis.drivers.frames import Fields, FormatError

DETECTION_LIST, OBJECT_LIST, SENSOR_STATUS = 336, 329, 380  # method numbers
MAX_DETECTIONS = 800

_MESSAGE = struct.Struct(">HHI")  # service, method, length of what follows
_INTERFACE = (1, 1, 2)  # SOME/IP protocol version, interface version, message type (notification)


def _packed(text: str) -> np.dtype[Any]:
    """Return the dtype of fields that follow one another without gaps: "type name name ..." a line, big endian."""
    fields = []
    for line in filter(str.strip, text.splitlines()):
        code, *names = line.split()
        fields += [(name, ">" + code) for name in names]
    return np.dtype(fields)


# Bits of `invalid_flags`, from the lowest.
DETECTION_FLAGS = (
    "distance", "distance_std", "azimuth", "azimuth_std", "elevation", "elevation_std", "range_rate", "range_rate_std",
)  # fmt: skip
DETECTION = _packed("""
    f4 azimuth_angle azimuth_angle_std
    u1 invalid_flags
    f4 elevation_angle elevation_angle_std range range_std range_rate range_rate_std
    i1 rcs
    u2 measurement_id
    u1 raw_positive_predictive_value classification raw_multi_target_probability
    u2 object_id
    u1 raw_ambiguity_flag
    u2 sort_index
""")
OBJECT = _packed("""
    u2 status_sensor
    u4 object_id
    u2 age
    u1 status_measurement status_movement
    u2 position_invalid_flags
    u1 position_reference
    f4 position_x position_x_std position_y position_y_std position_z position_z_std position_covariance_xy
    f4 orientation orientation_std
    u1 existence_invalid_flags
    f4 raw_existence_probability existence_positive_predictive_value
    u1 raw_classification_car raw_classification_truck raw_classification_motorcycle raw_classification_bicycle
    u1 raw_classification_pedestrian raw_classification_animal raw_classification_hazard raw_classification_unknown
    u1 classification_overdrivable classification_underdrivable
    u1 absolute_velocity_invalid_flags
    f4 absolute_velocity_x absolute_velocity_x_std absolute_velocity_y absolute_velocity_y_std absolute_velocity_covariance_xy
    u1 relative_velocity_invalid_flags
    f4 relative_velocity_x relative_velocity_x_std relative_velocity_y relative_velocity_y_std relative_velocity_covariance_xy
    u1 absolute_acceleration_invalid_flags
    f4 absolute_acceleration_x absolute_acceleration_x_std absolute_acceleration_y absolute_acceleration_y_std
    f4 absolute_acceleration_covariance_xy
    u1 relative_acceleration_invalid_flags
    f4 relative_acceleration_x relative_acceleration_x_std relative_acceleration_y relative_acceleration_y_std
    f4 relative_acceleration_covariance_xy
    u1 orientation_rate_invalid_flags
    f4 orientation_rate_mean orientation_rate_std
    u4 shape_length_status
    u1 shape_length_edge_invalid_flags
    f4 shape_length_edge_mean shape_length_edge_std
    u4 shape_width_status
    u1 shape_width_edge_invalid_flags
    f4 shape_width_edge_mean shape_width_edge_std
""")
_LIST_HEADER = """
    u2 service method
    u4 length
    u2 client session
    u1 protocol_version interface_version message_type return_code
    u8 crc
    u4 e2e_length e2e_counter e2e_data_id
    u4 stamp_nanoseconds stamp_seconds
    u1 stamp_sync_status
    u4 event_data_qualifier
    u1 extended_qualifier
"""
_DETECTIONS_BEFORE = _packed(
    _LIST_HEADER
    + """
    u2 origin_invalid_flags
    f4 origin_x origin_x_std origin_y origin_y_std origin_z origin_z_std
    f4 origin_roll origin_roll_std origin_pitch origin_pitch_std origin_yaw origin_yaw_std
    u1 list_invalid_flags
"""
)
_DETECTIONS_AFTER = _packed("""
    f4 ambiguity_free_velocity_min ambiguity_free_velocity_max
    u4 number_of_detections
    f4 alignment_azimuth_correction alignment_elevation_correction
    u1 alignment_status
""")  # 14 reserved bytes follow
_OBJECTS_BEFORE = _packed(_LIST_HEADER + "    u1 number_of_objects")
_STATUS = _packed("""
    u2 service method
    u4 length stamp_nanoseconds stamp_seconds
    u1 stamp_sync_status sw_version_major sw_version_minor sw_version_patch
    f4 longitudinal lateral vertical yaw pitch
    u1 plug_orientation
    f4 length_of_vehicle width_of_vehicle height_of_vehicle wheelbase
    u2 maximum_distance
    u1 frequency_slot cycle_time time_slot hcc powersave_standstill
    u4 sensor_ip_address_0 sensor_ip_address_1
    u1 configuration_counter longitudinal_velocity_status longitudinal_acceleration_status lateral_acceleration_status
    u1 yaw_rate_status steering_angle_status driving_direction_status characteristic_speed_status
    u1 radar_status voltage_status temperature_status blockage_status
""")
_DETECTIONS_SIZE = _DETECTIONS_BEFORE.itemsize + MAX_DETECTIONS * DETECTION.itemsize + _DETECTIONS_AFTER.itemsize + 14
_OBJECTS_SIZES = {_OBJECTS_BEFORE.itemsize + n * OBJECT.itemsize: n for n in (50, 200)}  # 200 with firmware 40


def method_of(packet: bytes) -> int:
    """Return the method number of a message.

    Raises:
        FormatError: it is no message of the radar, or longer or shorter than it says.
    """
    if len(packet) < _MESSAGE.size:
        raise FormatError("no message header")
    service, method, length = _MESSAGE.unpack_from(packet)
    if service != 0:
        raise FormatError("another service")
    if length != len(packet) - _MESSAGE.size:
        raise FormatError("wrong length")
    return int(method)


def decode_detections(packet: bytes) -> tuple[Fields, NDArray[Any]]:
    """Return the list's header and its detections, (N,) of dtype DETECTION; units as sent: m, rad, m/s, dBsm, percent.

    Raises:
        FormatError: the packet is of another size or version, or counts more detections than it has.
    """
    if len(packet) != _DETECTIONS_SIZE:
        raise FormatError("wrong length")
    header = _fields(packet, _DETECTIONS_BEFORE, 0)
    _check_interface(header)
    begin = _DETECTIONS_BEFORE.itemsize
    header |= _fields(packet, _DETECTIONS_AFTER, begin + MAX_DETECTIONS * DETECTION.itemsize)
    if header["number_of_detections"] > MAX_DETECTIONS:
        raise FormatError("more entries than the list has")
    return header, np.frombuffer(packet, DETECTION, header.integer("number_of_detections"), begin)


def decode_objects(packet: bytes) -> tuple[Fields, NDArray[Any]]:
    """Return the list's header and its objects, (N,) of dtype OBJECT; units as sent: m, rad, m/s, m/s2, percent.

    Raises:
        FormatError: the packet is of another size or version, or counts more objects than it has.
    """
    capacity = _OBJECTS_SIZES.get(len(packet))
    if capacity is None:
        raise FormatError("wrong length")
    header = _fields(packet, _OBJECTS_BEFORE, 0)
    _check_interface(header)
    if header["number_of_objects"] > capacity:
        raise FormatError("more entries than the list has")
    return header, np.frombuffer(packet, OBJECT, header.integer("number_of_objects"), _OBJECTS_BEFORE.itemsize)


def decode_status(packet: bytes) -> Fields:
    """Return the sensor's status; lengths in m, angles in rad, times in ms, addresses as integers.

    Raises:
        FormatError: the packet is of another size.
    """
    if len(packet) != _STATUS.itemsize:
        raise FormatError("wrong length")
    return _fields(packet, _STATUS, 0)


def _check_interface(header: Fields) -> None:
    if (header["protocol_version"], header["interface_version"], header["message_type"]) != _INTERFACE:
        raise FormatError("unknown version")


def _fields(packet: bytes, layout: np.dtype[Any], offset: int) -> Fields:
    """Return one record as Python values."""
    return Fields(zip(layout.names or (), np.frombuffer(packet, layout, 1, offset)[0].item(), strict=True))
