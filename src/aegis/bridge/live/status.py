# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The body of a system_status message: the graph and the bridge."""

from __future__ import annotations

import time
from collections.abc import Mapping

from aegis.bridge.live.encoded import Body
from aegis.bridge.live.state import LiveState


def system_status(state: LiveState, stream: Mapping[str, int]) -> Body:
    """Return the body of a system_status message.

    Args:
        state: of the graph.
        stream: the counters of the live stream.
    """
    missing, troubles = state.missing(), state.troubles()
    newest = {"detections": state.detections, "tracks": state.tracks, "threats": state.threats}
    return {
        "time_s": time.time(),
        "ready": not missing and not troubles,
        "missing_stages": missing,
        "troubles": troubles,
        "stages": state.stage_rows(),
        "data": {name: {**frame.head(), "count": len(frame.data)} if frame else None for name, frame in newest.items()},
        "scan_rate_hz": state.scan_rate_hz(),
        "scans_lost": state.scans_lost,
        "ew": state.ew(),
        "events": {"received": state.events, "lost": state.events_lost},
        "alerts": list(state.alerts),
        "stream": stream,
    }
