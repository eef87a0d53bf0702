# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The node of ASTERIX tracks: datagrams on a real port to `source_tracks`, which the fusion takes as somebody else's."""

import socket
import struct
import time

import pytest
from asterix_bytes import datablock, record, time_of_day

from aegis.core.fusion.settings import FusionSettings
from aegis.core.health import Level
from aegis.core.params import ConfigError
from aegis.drivers.asterix_foreign_settings import AsterixTracksSettings
from aegis.ros.messages.picture import tracks_from_msg
from aegis.ros.stages.asterix_tracks import AsterixTracksStage
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.fusion import FusionStage

SETTINGS = {"site": [0.0, 45.0, 0.0], "udp.port": 0, "period_s": 0.05}


def track(number: int) -> bytes:
    """Return a record of CAT062 of now, straight above the site, with a velocity of 100 m/s east."""
    now_s = time.time() % 86_400
    items = {"010": bytes([25, 201]), "070": time_of_day(now_s), "040": struct.pack(">H", number), "080": b"\x00"}
    items |= {
        "105": struct.pack(">ii", 0, 2**25 // 4),
        "185": struct.pack(">hh", 400, 0),
        "130": struct.pack(">h", 1000),
    }
    return record(62, items)


def test_datagrams_become_tracks_that_the_fusion_takes_as_foreign(tmp_path, wait_for):
    stage = AsterixTracksStage(AsterixTracksSettings.load(SETTINGS), StageContext(state_dir=tmp_path))
    fusion = FusionStage(FusionSettings.load({"period_s": 0.0}), StageContext())
    assert list(stage.on_timer(time.time_ns())) == []  # opens the port
    fused = []

    def sent_and_fused() -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as centre:
            centre.sendto(
                datablock(62, track(7)) + datablock(65, b"\x80\x19\xc9"), ("127.0.0.1", stage.transport.bound_port)
            )
        for topic, message in stage.on_timer(time.time_ns()):
            assert topic == "source_tracks"
            fused.extend(tracks_from_msg(m) for t, m in fusion.on_message(topic, message) if t == "tracks")
        return len(fused) > 2

    try:
        wait_for(sent_and_fused, "the fusion has pictures", 20.0)
        assert fused[-1].sources == ["foreign/asterix/25/201"]
        assert fused[-1].state[0, 2:4].tolist() == pytest.approx([1905.0, 100.0], abs=1.0)
        assert stage.counters.reasons["CAT065"] > 0
        assert stage.detail()["sources"]["25/201"]["tracks"] == 1
        assert stage.health().level is Level.OK
        assert list(stage.on_timer(time.time_ns() + 40 * 10**9)) == []
        assert (stage.health().level, "nothing is heard of 25/201" in stage.health().text) == (Level.WARN, True)
    finally:
        stage.close()


def test_a_port_that_is_taken_is_said_and_tried_again():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        stage = AsterixTracksStage(AsterixTracksSettings.load({**SETTINGS, "udp.port": port}), StageContext())
        list(stage.on_timer(1))
        assert stage.health().level is Level.ERROR
        assert f"UDP 127.0.0.1:{port} cannot be opened" in stage.health().text
    list(stage.on_timer(2))
    assert stage.health().level is Level.ERROR  # not yet tried again
    list(stage.on_timer(2 * 10**9))
    assert stage.health().level is not Level.ERROR
    stage.close()


def test_without_a_site_it_does_not_start():
    with pytest.raises(ConfigError, match=r"bridge\.outputs\.site"):
        AsterixTracksStage(AsterixTracksSettings.load({}), StageContext())
