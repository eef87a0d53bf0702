# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fusion's stage: pictures, events, status, and what it says of sources that are lost."""

import json

import numpy as np
from fused_tracks import report, transition

from aegis.core.fusion.settings import FusionSettings
from aegis.core.health import Level
from aegis.ros.messages.picture import tracks_from_msg, tracks_to_msg
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.fusion import FusionStage

START = np.array([1000.0, 2000.0, 300.0, 50.0, -20.0, 1.0])
P0 = np.diag([400.0, 400.0, 400.0, 25.0, 25.0, 25.0])


def said(name: str, at: float):
    return tracks_to_msg(report(name, at, (1, transition(at) @ START, P0), age=at))


def test_pictures_events_and_status(tmp_path):
    stage = FusionStage(FusionSettings.load({"period_s": 0.0}), StageContext(state_dir=tmp_path))
    outputs = []
    for k in range(40):
        for name, last in (("a", 10), ("b", 40)):
            if k < last or k == 30:
                stage.counters.received += 1
                outputs += stage.on_message("source_tracks", said(name, k * 0.5 + 0.1 * (name == "b")))
    pictures = [tracks_from_msg(m) for topic, m in outputs if topic == "tracks"]
    assert {tuple(p.track_id.tolist()) for p in pictures} == {(1,)}
    assert [p.sources for p in (pictures[0], pictures[10], pictures[-1])] == [["a"], ["a,b"], ["b"]]
    events = [(m.name, json.loads(m.data)) for topic, m in outputs if topic == "events"]
    assert [name for name, _ in events] == ["SOURCE_SILENT", "SOURCE_BACK", "SOURCE_SILENT"]
    assert (events[0][1]["topic"], events[0][1]["sensor_id"]) == ("source_tracks", "a")
    assert 3.0 < events[0][1]["for_s"] < 4.0
    assert events[1][1]["for_s"] == 10.5
    detail = stage.detail()
    assert detail["sources"]["a"]["lost"]
    assert detail["sources"]["b"]["period_s"] == 0.5
    assert set(detail["biases"]) == {"a", "b"}
    assert stage.health().level is Level.WARN
    assert "no reports of a" in stage.health().text
    again = FusionStage(FusionSettings(), StageContext(state_dir=tmp_path))
    (picture,) = (m for topic, m in again.on_message("source_tracks", said("a", 0.0)) if topic == "tracks")
    assert picture.track_id[0] > 1  # no id is used twice


def test_stamps_that_go_back_begin_anew():
    stage = FusionStage(FusionSettings(), StageContext())
    list(stage.on_message("source_tracks", said("a", 100.0)))
    outputs = list(stage.on_message("source_tracks", said("a", 0.0)))
    assert [m.name for topic, m in outputs if topic == "events"] == ["TRACKING_UPDATED", "TRACKING_LOST"]
    assert len([m for topic, m in outputs if topic == "tracks"]) == 1


def test_what_comes_on_a_sources_own_topic_is_that_sources():
    """Another site's tracker is one source, whatever radar of it a picture follows."""
    settings = FusionSettings.load({"period_s": 0.0, "sources.north.topic": "north/tracks"})
    assert settings.heard_at("source_tracks") == ("source_tracks", "north/tracks")
    stage = FusionStage(settings, StageContext())
    outputs = []
    for k in range(4):
        outputs += stage.on_message("north/tracks", said(("front", "left")[k % 2], k * 0.5))
        outputs += stage.on_message("source_tracks", said("ours", k * 0.5 + 0.1))
    assert tracks_from_msg([m for topic, m in outputs if topic == "tracks"][-1]).sources == ["north,ours"]
    assert set(stage.detail()["sources"]) == {"north", "ours"}
