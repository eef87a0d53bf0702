# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Events and frames as the bridge has them, for the tests of the history."""

import time
from typing import Any

from aegis.bridge.history.records import json_text
from aegis.bridge.live.encoded import EncodedRows
from aegis.bridge.live.frames import Frame
from aegis.core.events import Severity
from aegis.ros.messages.reports import ReceivedEvent


def an_event(sequence: int, **changes: Any) -> ReceivedEvent:
    """Return an event of stage tracking, now; `changes` replace fields, `data` the JSON."""
    data = changes.pop("data", {"n": sequence})
    values = {
        "stamp_ns": time.time_ns(),
        "run_id": "run",
        "epoch": 0,
        "sequence": sequence,
        "name": "TRACKING_UPDATED",
        "stage": "tracking",
        "severity": Severity.INFO,
        "data": data,
        "data_json": json_text(data),
    }
    return ReceivedEvent(**values | changes)


def a_frame(data: Any) -> Frame[Any]:
    """Return tracks or threats as they come to the bridge."""
    return Frame(data, 0.0, time.monotonic(), lambda _: EncodedRows(list))
