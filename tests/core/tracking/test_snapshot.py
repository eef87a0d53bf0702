# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A picture kept over a restart."""

import io

import numpy as np
import pytest
from scenes import approach, detections_of
from settings_of import settings_of

from aegis.core.classification.track_model import TableModel
from aegis.core.ids import UniqueIds
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.state import kept_ids


def after(scans: int, ids: UniqueIds | None = None, classes: TableModel | None = None, **settings) -> Tracker:
    tracker = Tracker(settings_of(TrackingSettings, **settings), ids, classes)
    for k in range(scans):
        tracker.step(detections_of(approach(k), float(k)))
    return tracker


@pytest.mark.parametrize("motion", ["cv", "ct", "imm"])
def test_a_tracker_goes_on_where_another_stopped(motion):
    whole = after(12, model=motion)
    second = Tracker(settings_of(TrackingSettings, model=motion))
    second.resume(after(10, model=motion).snapshot())
    for k in (10, 11):
        tracks = second.step(detections_of(approach(k), float(k))).tracks
    expected = whole.step(detections_of(approach(12), 12.0)).tracks
    tracks = second.step(detections_of(approach(12), 12.0)).tracks
    assert tracks.track_id.tolist() == expected.track_id.tolist()
    np.testing.assert_allclose(tracks.state, expected.state, rtol=1e-6, atol=1e-6)
    assert tracks.age.tolist() == expected.age.tolist()


@pytest.mark.parametrize(("before", "now"), [(True, True), (True, False), (False, True)])
def test_looks_go_on_where_both_remember_them(before, now):
    """11 scans in all; a first detection is a look, too, and is noted when the track is first shown."""
    picture = after(10, classes=TableModel(remembers=True) if before else None).snapshot()
    second = Tracker(TrackingSettings(), model=TableModel(remembers=True) if now else None)
    second.resume(picture)
    assert len(second.step(detections_of(approach(10), 10.0)).tracks) == 1
    tracks = second.state.tracks
    assert tracks.memory.shape[1] == len(tracks)
    if not now:
        assert "class_looks" not in tracks.columns
    else:
        whole = after(11, classes=TableModel(remembers=True)).state.tracks["class_looks"]
        assert tracks["class_looks"].tolist() == (whole.tolist() if before else [1.0])


def test_looks_that_an_older_version_kept_in_part_begin_anew():
    with np.load(io.BytesIO(after(10, classes=TableModel(remembers=True)).snapshot())) as file:
        older = {name: file[name] for name in file.files if name != "class_slowest"}
    out = io.BytesIO()
    np.savez(out, **older)
    second = Tracker(TrackingSettings(), model=TableModel(remembers=True))
    second.resume(out.getvalue())
    tracks = second.step(detections_of(approach(10), 10.0)).tracks
    assert tracks.hits.tolist() == [11]
    assert second.state.tracks["class_looks"].tolist() == [1.0]


@pytest.mark.parametrize(("gap_s", "kept"), [(3.0, True), (11.0, False), (-2.0, False)])
def test_stale_tracks_are_not_resurrected(gap_s, kept):
    tracker = Tracker(TrackingSettings())
    tracker.resume(after(10).snapshot())
    tracks = tracker.step(detections_of(np.empty((0, 4)), 9.0 + gap_s)).tracks
    assert (len(tracks) == 1) == kept


def test_a_late_scan_after_a_restart_keeps_the_picture():
    tracker = Tracker(settings_of(TrackingSettings, reorder_window_s=1.5))
    tracker.resume(after(10).snapshot())
    tracker.step(detections_of(approach(10.5), 10.5))
    late = tracker.step(detections_of(approach(10.0), 10.0))
    assert late.reordered
    assert late.tracks.track_id.tolist() == [1]
    assert late.tracks.hits.tolist() == [12]


def test_no_picture_no_snapshot():
    assert Tracker(TrackingSettings()).snapshot() is None


def test_what_is_no_snapshot_is_refused_and_changes_nothing():
    good = after(5, model="cv").snapshot()
    tracker = after(5, model="imm")
    before = tracker.snapshot()
    other = io.BytesIO()
    np.savez(other, about=np.frombuffer(b'{"format": "other"}', dtype=np.uint8))
    for bad in (b"", b"nonsense", good[:-40], good, other.getvalue()):
        with pytest.raises(ValueError, match="snapshot"):
            tracker.resume(bad)
    assert tracker.snapshot() == before


def test_ids_are_not_used_twice_after_a_restart_without_a_snapshot(tmp_path):
    first = after(5, kept_ids(tmp_path / "ids.json")).state.tracks["id"].tolist()
    again = after(5, kept_ids(tmp_path / "ids.json")).state.tracks["id"].tolist()
    assert not set(first) & set(again)


def test_a_tracker_that_is_tuned_goes_on_as_one_made_so_would():
    other = settings_of(TrackingSettings, clutter_per_scan=50.0, acceleration_sigma_mps2=20.0, max_coast_s=2.0)
    tuned = after(10)
    tuned.tune(other)
    made = Tracker(other)
    made.resume(after(10).snapshot())
    for k in (10, 11, 12):
        found, expected = (t.step(detections_of(approach(k), float(k))).tracks for t in (tuned, made))
    assert found.track_id.tolist() == expected.track_id.tolist()
    np.testing.assert_allclose(found.state, expected.state, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.existence_probability, expected.existence_probability, rtol=1e-9)
    plain = after(13).step(detections_of(approach(13), 13.0)).tracks
    again = tuned.step(detections_of(approach(13), 13.0)).tracks
    assert np.abs(plain.state - again.state).max() > 1e-3  # it does something
