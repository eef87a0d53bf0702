"""When the detections of a scan were measured, as far as that can be: what a plot says of its own time is not believed blindly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aegis.core.types import Detections

FIRST_INTERVAL_S = 1.0  # of a sensor's scans, before two have come


def in_time(detections: Detections, interval_s: float | None) -> tuple[Detections, int, int]:
    """Return the detections with times that can be, the time of the latest [ns], and of how many it was none.

    Time must not run ahead of the scans: a single plot that is stamped a minute late would have all scans of that minute refused as
    late ones. No plot is later than its sector, or than the stamp by the time from scan to scan.

    Args:
        detections: of a scan.
        interval_s: from the sensor's last scan to this one; None: it is the first.
    """
    offset = detections.time_offset
    if not offset.any() and detections.sector is None:
        return detections, detections.stamp_ns, 0
    limit = FIRST_INTERVAL_S if interval_s is None else max(interval_s, 0.0)
    end = limit if detections.sector is None else max(detections.sector.end_s, 0.0)
    unknown = ~np.isfinite(offset)
    wrong = unknown | (offset > end)
    if wrong.any():
        offset = np.where(unknown, 0.0, np.minimum(offset, end))
        detections = replace(detections, time_offset=offset)
    latest = end if detections.sector is not None else max(float(offset.max(initial=0.0)), 0.0)
    return detections, detections.stamp_ns + round(latest * 1e9), int(wrong.sum())
