# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pictures of ours and messages as other nodes send them, for the tests of SAPIENT."""

import numpy as np
from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage

from aegis.core.site import Site
from aegis.core.types import N_CLASSES, ClassId, Tracks, TrackStatus, unknown

OURS = "0b7a2f3c-94c7-4a55-8f2f-6f16a2f1c0de"
THEIRS = "a8654cdf-4328-47de-81fa-c495589e30c9"
T0 = 1_700_000_000 * 10**9
SITE = Site(51.17, -1.82, 100.0)


def tracks(at_ns: int, *states, status=TrackStatus.CONFIRMED, existence=0.9, classes=None, ids=None) -> Tracks:
    """A picture of confirmed aircraft at these states."""
    n = len(states)
    probability = np.zeros((n, N_CLASSES))
    probability[:, ClassId.AIRCRAFT] = 1.0
    if classes is not None:
        probability = np.tile(classes, (n, 1))
    return Tracks(
        stamp_ns=at_ns,
        frame_id="map",
        sequence=1,
        sensor_id="radar",
        track_id=np.array(ids if ids is not None else range(1, n + 1), np.int64),
        status=np.full(n, int(status)),
        state=np.array(states, np.float64).reshape(n, 6),
        covariance=np.tile(np.diag([100.0, 100.0, 400.0, 1.0, 1.0, 1.0]), (n, 1, 1)),
        class_id=probability.argmax(axis=1),
        class_probability=probability,
        existence_probability=np.full(n, existence),
        rcs_dbsm=unknown(n),
        age=np.full(n, 12.0),
        time_since_update=np.zeros(n),
        hits=np.full(n, 9),
    )


def said(data: bytes) -> SapientMessage:
    return SapientMessage.FromString(data)


def message(node_id: str = THEIRS, at_ns: int = T0, **content) -> SapientMessage:
    out = SapientMessage(node_id=node_id, **content)
    out.timestamp.FromNanoseconds(at_ns)
    return out
