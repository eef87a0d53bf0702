# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Events as anybody may send them, of whatever name and data."""

import json

from aegis_msgs.msg import Event

from aegis.core.events import Severity
from aegis.ros.messages.fields import make_header


def event_message(
    name: str, severity=Severity.INFO, data=None, *, stage, stamp_ns=1, run_id="run", epoch=0, sequence=1
) -> Event:
    return Event(
        header=make_header(stamp_ns, ""),
        run_id=run_id,
        epoch=epoch,
        sequence=sequence,
        name=name,
        stage=stage,
        severity=int(severity),
        data=json.dumps({} if data is None else data),
    )
