# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which topics have one publisher, or one for each sensor or stage, and how a message says for which it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

# Of these topics one node is the publisher. With whose data is in a message of the periodic ones is below: of each there is one
# publisher at a time, of those with a proof one of this graph. Of what is published when it changes a publisher's end is not to be
# told: nobody's is taken there without a proof, as with events, and decisions of the bridge.
OF_THE_BRIDGE = ("zones",)
OF_ONE_NODE = ("tracks", "threats", "alarms", "protected", "ew/signals", "ew/advice", "class_info")
OWNERS: dict[str, Callable[[Any], str]] = {
    "radar/points": lambda m: str(m.header.frame_id),
    "detections": lambda m: str(m.sensor_id),
    "tracks": lambda m: "",
    "source_tracks": lambda m: str(m.sensor_id),
    "threats": lambda m: "",
    "status": lambda m: str(m.stage[0]) if m.stage else "",
}
OF_NOBODY = ("tracks", "threats")  # of them, whose a message is need not be read in it


def whose(topic: str, message: Any) -> Sequence[str]:
    """Return all for which a message is: one, but for a status, whose rows may be of several stages."""
    return list(map(str, message.stage)) or [""] if topic == "status" else [OWNERS[topic](message)]
