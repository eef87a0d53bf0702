"""Events as the converter gives them, for the tests of the history."""

import time
from typing import Any


def an_event(sequence: int, **changes: Any) -> dict[str, Any]:
    """Return an event of stage tracking, now; `changes` replace fields."""
    stamp_ns = changes.pop("stamp_ns", time.time_ns())
    return {
        "stamp_s": stamp_ns / 1e9,
        "stamp_ns": stamp_ns,
        "run_id": "run",
        "epoch": 0,
        "sequence": sequence,
        "name": "TRACKING_UPDATED",
        "stage": "tracking",
        "severity": "INFO",
        "data": {"n": sequence},
        **changes,
    }
