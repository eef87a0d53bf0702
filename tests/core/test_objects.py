# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which tracks other stacks get, by which identity and class."""

import uuid

import numpy as np
import pytest
from picture_data import make_tracks

from aegis.core.objects import ObjectsSettings, autoware_labels, identity, listed_classes, radar_class, to_publish
from aegis.core.params import ConfigError
from aegis.core.types import N_CLASSES, ClassId, TrackStatus


def test_an_identity_is_a_uuid_that_lasts():
    """By the standard library's reading: version 5, and equal for equal names only."""
    found = {identity(ns, n) for ns in ("", "/front", "front", "left") for n in (1, 2, 2**32 - 1)}
    assert len(found) == 9  # the slash is of how ROS writes it
    assert all(one.version == 5 and one.variant == uuid.RFC_4122 for one in found)
    assert identity("front", 7) == identity("/front/", 7)


def test_what_has_no_finite_state_is_left_out_and_counted():
    tracks = make_tracks([1, 2, 3, 4])
    tracks.state[1, 3] = np.nan
    tracks.covariance[2, 0, 0] = np.inf
    tracks.status[3] = TrackStatus.TENTATIVE
    rows, unusable = to_publish(tracks, ObjectsSettings())
    assert (rows.tolist(), unusable) == ([0], 2)
    rows, unusable = to_publish(tracks, ObjectsSettings(show_tentative=True))
    assert (rows.tolist(), unusable) == ([0, 3], 2)


def test_classes_in_the_words_of_others():
    assert radar_class(ClassId.UNKNOWN) == 0  # NO_CLASSIFICATION
    assert radar_class(ClassId.VEHICLE) == 32001  # of Autoware's radar_tracks_msgs_converter
    assert radar_class(ClassId.PERSON) == 32007
    others = {radar_class(c) for c in ClassId} - {0, 32001, 32007}
    assert len(others) == N_CLASSES - 3
    assert min(others) > 32007  # nobody takes a drone for a car
    probability = np.zeros(N_CLASSES)
    probability[[ClassId.VEHICLE, ClassId.DRONE, ClassId.BIRD, ClassId.UNKNOWN]] = 0.5, 0.25, 0.125, 0.125
    assert autoware_labels(probability) == {0: 0.375, 1: 0.5, 8: 0.125}
    assert listed_classes(probability, 0.2) == [ClassId.VEHICLE, ClassId.DRONE]
    assert listed_classes(probability, 1.0) == [ClassId.VEHICLE]
    assert set(listed_classes(probability, 0.0)) == set(np.flatnonzero(probability).tolist())


def test_a_package_that_nobody_has_is_refused():
    with pytest.raises(ConfigError, match="'derived_object_msgs' is none of radar_msgs, vision_msgs"):
        ObjectsSettings.load({"packages": ["derived_object_msgs"]})
    assert not ObjectsSettings().is_used
