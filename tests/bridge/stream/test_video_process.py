# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Video on the graph: the bridge hears it while a client wants it, and not a message of it else."""

import json

import numpy as np
import pytest

from aegis.core.video.spokes import Spokes
from aegis.ros.messages.video import video_to_msg
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS

TOPIC = TOPICS["radar/video"]


@pytest.fixture
def video(publisher):
    return publisher.node.create_publisher(message_class(TOPIC.type), TOPIC.name, qos_profile(TOPIC))


def test_the_bridge_listens_only_while_somebody_watches(start_bridge, publisher, video, wait_for):
    bridge = start_bridge()
    wait_for(publisher.matched, "the bridge listens")
    assert video.get_subscription_count() == 0
    spokes = Spokes(
        1, "radar", 1, "test-radar", np.array([0.5]), np.array([np.nan]), np.zeros(1), 0.0, 50.0, 255,
        np.full((1, 40), 200, np.uint8),
    )  # fmt: skip
    with bridge.stream() as socket:
        socket.send(json.dumps({"type": "subscribe", "channels": ["video"], "format": "delta"}))
        wait_for(lambda: video.get_subscription_count() == 1, "the bridge hears the video")
        stamp_ns = publisher.send_scan(1)
        spokes.stamp_ns = stamp_ns
        video.publish(video_to_msg(spokes))
        message = socket.recv(10)
        while isinstance(message, str):
            message = socket.recv(10)
        assert (message[0], message[54:64], message[64:]) == (2, b"test-radar", bytes([200] * 40))
        socket.send(json.dumps({"type": "subscribe", "channels": ["heartbeat"], "format": "delta"}))
        wait_for(lambda: video.get_subscription_count() == 0, "nobody watches any more")
