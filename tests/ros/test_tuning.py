# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters that are set while a stage runs: what they do, in each stage that has such."""

import numpy as np
import pytest
from threat_tracks import tracks_of

from aegis.core.detection.settings import DetectionSettings
from aegis.core.params import ConfigError, Settings
from aegis.core.picture import PictureSettings
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.threat.assessor import Assessor
from aegis.core.threat.settings import ThreatSettings
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.types import ClassId, ThreatLevel
from aegis.graph.nodes import NODES
from aegis.ros.parameters import is_tunable
from aegis.ros.stages.base import Stage, StageContext
from aegis.ros.stages.threat import ThreatStage

TUNABLE = [spec for spec in NODES.values() if spec.name != "foxglove" and spec.load_stage().tunable]


@pytest.mark.parametrize("spec", TUNABLE, ids=lambda spec: spec.name)
def test_every_pattern_is_of_a_parameter_and_a_stage_takes_the_settings(spec):
    kind: type[Stage] = spec.load_stage()
    names = [info.name for info in kind.settings_type.params()]
    for pattern in kind.tunable:
        assert any(
            is_tunable(name.replace("<sensor_id>", "x").replace("<CLASS>", "BIRD"), [pattern]) for name in names
        ), pattern
    stage = kind(kind.settings_type(), StageContext())
    other = kind.settings_type.load({})
    stage.tune(other)
    assert stage.settings is other


def test_the_settings_that_are_tuned_are_those_of_the_docs():
    assert {spec.name for spec in TUNABLE} == {"frontend", "detection", "tracking", "threat", "markers"}
    kinds: list[type[Settings]] = [
        DetectionSettings,
        FrontEndSettings,
        TrackingSettings,
        ThreatSettings,
        PictureSettings,
    ]
    assert {spec.load_stage().settings_type for spec in TUNABLE} == set(kinds)


def test_levels_follow_new_thresholds_at_once_and_what_was_seen_stays():
    drone = tracks_of((7, ClassId.DRONE, (0.0, 700.0, 40.0), (0.0, -14.0, -0.5)))
    tuned, made = Assessor(ThreatSettings()), Assessor(ThreatSettings())
    for k in range(20):
        drone.stamp_ns = k * 10**9
        drone.state[0, 1] -= 14.0
        tuned.step(drone)
        made.step(drone)
    before, _ = made.step(drone)
    score = float(before.score[0])
    low = ThreatSettings.load({"levels.medium": score / 4, "levels.high": score / 3, "levels.critical": score / 2})
    tuned.tune(low)
    drone.stamp_ns += 10**9
    after, changes = tuned.step(drone)
    assert ThreatLevel(int(after.level[0])) is ThreatLevel.CRITICAL
    assert [(c.before, c.after) for c in changes] == [(ThreatLevel(int(before.level[0])), ThreatLevel.CRITICAL)]
    np.testing.assert_allclose(after.score, made.step(drone)[0].score)  # how long it comes nearer is remembered


def test_thresholds_that_cross_are_refused():
    with pytest.raises(ConfigError, match="medium < high < critical"):
        ThreatSettings.load({"levels.medium": 0.8})


def test_zones_are_watched_with_the_manoeuvres_that_were_set():
    other = ThreatSettings.load({"manoeuvre.acceleration_sigma_mps2": 7.0})
    stage = ThreatStage(ThreatSettings(), StageContext())
    stage.tune(other)
    np.testing.assert_array_equal(stage.watch._noise, ThreatStage(other, StageContext()).watch._noise)
    assert stage.watch._noise[0] == 49.0
