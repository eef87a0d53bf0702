# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What this node says it is, and what it can do: only what it does."""

from __future__ import annotations

from google.protobuf.json_format import ParseDict
from sapient_msg.bsi_flex_335_v2_0.registration_pb2 import Registration

from aegis import __version__
from aegis.sapient.classes import OURS
from aegis.sapient.settings import SapientSettings

ICD_VERSION = "BSI Flex 335 v2.0"
DEFAULT_MODE = "Default"
REQUESTS = ("Registration", "Status", "Start", "Stop")
_PLACE = {"location_units": "LOCATION_COORDINATE_SYSTEM_LAT_LNG_DEG_M", "location_datum": "LOCATION_DATUM_WGS84_E"}
_LEVELS = "Low, Medium, High"


def registration_of(s: SapientSettings) -> Registration:
    """Return the registration of this node."""
    classes: dict[str, dict[str, object]] = {}
    for path in dict.fromkeys(OURS.values()):
        entry = classes.setdefault(path[0], {"type": path[0], "units": "probability", "sub_class": []})
        if len(path) > 1:
            deeper = [{"type": path[2], "units": "probability", "level": 2}] if len(path) > 2 else []
            subs = entry["sub_class"]
            assert isinstance(subs, list)
            subs.append({"type": path[1], "units": "probability", "level": 1, "sub_class": deeper})
    at_once = {"units": "TIME_UNITS_SECONDS", "value": 1.0}
    commands = {
        "COMMAND_TYPE_REQUEST": ", ".join(REQUESTS),
        "COMMAND_TYPE_DETECTION_REPORT_RATE": _LEVELS,
        "COMMAND_TYPE_DETECTION_THRESHOLD": _LEVELS,
        "COMMAND_TYPE_MODE_CHANGE": DEFAULT_MODE,
    }
    detection = {
        "location_type": _PLACE,
        "detection_report": [
            {"category": "DETECTION_REPORT_CATEGORY_TRACK", "type": "age", "units": "s"},
            {"category": "DETECTION_REPORT_CATEGORY_TRACK", "type": "time_since_update", "units": "s"},
            {"category": "DETECTION_REPORT_CATEGORY_TRACK", "type": "hits", "units": "detections"},
        ],
        "detection_class_definition": [
            {"confidence_definition": "CONFIDENCE_DEFINITION_MULTI_CLASS", "class_definition": list(classes.values())}
        ],
        "velocity_type": {
            "enu_velocity_units": {"east_north_rate_units": "SPEED_UNITS_MS", "up_rate_units": "SPEED_UNITS_MS"},
            "location_datum": "LOCATION_DATUM_WGS84_E",
        },
        "geometric_error": {
            "type": "Standard Deviation",
            "units": "degrees and metres, those of the coordinates",
            "variation_type": "stated in each report",
        },
    }
    mode = {
        "mode_name": DEFAULT_MODE,
        "mode_type": "MODE_TYPE_PERMANENT",
        "mode_description": "Detects, tracks and classifies.",
        "settle_time": at_once,
        "tracking_type": "TRACKING_TYPE_TRACKLET",
        "detection_definition": [detection],
        "task": {
            "concurrent_tasks": 1,
            "region_definition": {
                "region_type": ["REGION_TYPE_AREA_OF_INTEREST", "REGION_TYPE_IGNORE"],
                "settle_time": at_once,
                "region_area": [_PLACE],
            },
            "command": [{"type": kind, "units": units, "completion_time": at_once} for kind, units in commands.items()],
        },
    }
    return ParseDict(
        {
            "node_definition": [{"node_type": "NODE_TYPE_RADAR"}],
            "icd_version": ICD_VERSION,
            "name": s.node_name,
            "short_name": s.short_name,
            "capabilities": [{"category": "Radar", "type": "Detection, tracking and classification"}],
            "status_definition": {
                "status_interval": {"units": "TIME_UNITS_SECONDS", "value": s.edge.status_period_s},
                "location_definition": _PLACE,
            },
            "mode_definition": [mode],
            "config_data": [{"manufacturer": "Aegis", "model": "Aegis", "software_version": __version__}],
        },
        Registration(),
    )
