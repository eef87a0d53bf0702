# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How severe an event is."""

from enum import IntEnum


class Severity(IntEnum):
    """As in aegis_msgs/Event."""

    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3
