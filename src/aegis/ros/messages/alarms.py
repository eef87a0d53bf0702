# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Alarms of zone rules."""

from __future__ import annotations

from aegis_msgs.msg import AlarmArray

from aegis.core.types import Alarm
from aegis.ros.messages.columns import RecordConverter, read_from_msg
from aegis.ros.messages.fields import make_header

_ALARMS = RecordConverter(Alarm, AlarmArray)


def alarms_to_msg(alarms: list[Alarm], *, stamp_ns: int) -> AlarmArray:
    """Return the message of all alarms."""
    m = AlarmArray()
    m.header = make_header(stamp_ns, "")
    _ALARMS.fill(m, alarms)
    return m


@read_from_msg
def alarms_from_msg(m: AlarmArray) -> list[Alarm]:
    """Return the alarms of a message.

    Raises:
        MalformedError: arrays of different lengths, or a state that does not exist.
    """
    return _ALARMS.read(m)
