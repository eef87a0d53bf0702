# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tracking stage: what it says of itself, and that its tracks outlive the process."""

import json
import re
import resource
import shutil
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from aegis_msgs.msg import DetectionArray, TrackArray
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.serialization import deserialize_message, serialize_message
from scenes import SECOND, approach, crossing, detections_of, polar_of
from settings_of import settings_of

from aegis.core.tracking.settings import TrackingSettings
from aegis.core.types import N_CLASSES, ClassId, TrackStatus
from aegis.ros.messages.fields import stamp_of
from aegis.ros.messages.picture import detections_to_msg
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.tracking import NO_CLASSES, SCALED, TrackingStage

NOTHING = np.empty((0, 4))


def stage_in(folder: Path | None, **settings) -> TrackingStage:
    return TrackingStage(
        settings_of(TrackingSettings, **settings), StageContext(run_id="run", state_dir=folder, live=True)
    )


def scan(polar, stamp_s: float, **options) -> DetectionArray:
    return detections_to_msg(detections_of(polar, stamp_s, **options))


def push(stage: TrackingStage, message: DetectionArray) -> tuple[TrackArray | None, dict]:
    """Return the picture after a scan, and the event that tells of it."""
    out = list(stage.on_message("detections", message))
    pictures = [o.message for o in out if o.topic == "tracks"]
    updates = [o.message for o in out if o.topic == "events" and o.message.name == "TRACKING_UPDATED"]
    assert len(pictures) == len(updates) <= 1
    return (pictures[0], {"severity": updates[0].severity, **json.loads(updates[0].data)}) if pictures else (None, {})


def follow(stage: TrackingStage, seconds, target=approach) -> TrackArray | None:
    picture = None
    for k in seconds:
        picture, _ = push(stage, scan(target(k), float(k)))
    return picture


def reported(stage: TrackingStage) -> tuple[dict, DiagnosticStatus]:
    """Return the detail of the status row and the diagnostics; a number that is not finite fails."""
    stage.counters.received += 1  # as the host does for each input
    row, diagnostics = (o.message for o in stage.status(0))

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} in {row.detail[0]}")

    return json.loads(row.detail[0], parse_constant=refuse), diagnostics.status[0]


@contextmanager
def full_disk() -> Iterator[None]:
    """Let every file end after a kilobyte: a write fails in its middle, as on a full disk, also for root."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_tracks_outlive_the_process_that_followed_them(tmp_path):
    first = stage_in(tmp_path)
    before = follow(first, range(10))
    first.on_timer(0)
    follow(first, [10])  # is not kept: the process is killed, without a close()
    second = stage_in(tmp_path)
    picture, event = push(second, scan(crossing(0)[:1], 11.0))  # only another object is seen
    assert event["resumed"]
    old = int(before.track_id[0])
    assert old in picture.track_id
    assert picture.age[list(picture.track_id).index(old)] == pytest.approx(11.0)  # since second 0, by the closed form
    for k in (12, 13):
        picture, _ = push(second, scan(np.vstack([approach(k), crossing(k - 11)[0]]), float(k)))
    of = {i: (status, hits) for i, status, hits in zip(picture.track_id, picture.status, picture.hits, strict=True)}
    assert of[old] == (TrackStatus.CONFIRMED, 12)  # ten of the first process, two of the second
    assert len(of) == 2
    assert max(of) > old  # the other object has an id that was never used


@pytest.mark.parametrize(("first_s", "kept"), [(19.0, True), (19.1, False), (9.0, False), (-500.0, False)])
def test_an_old_picture_is_not_brought_back(tmp_path, first_s, kept):
    first = stage_in(tmp_path, max_age_s=10.0)
    old = set(follow(first, range(10)).track_id)
    first.on_timer(0)
    second = stage_in(tmp_path, max_age_s=10.0)
    picture, _ = push(second, scan(NOTHING, first_s))
    assert set(picture.track_id) == (old if kept else set())
    detail, _ = reported(second)
    assert detail["dropped_by_reason"] == ({} if kept else {"kept picture too old": 1})


def test_a_clean_stop_keeps_the_last_scan(tmp_path):
    first = stage_in(tmp_path)
    follow(first, range(10))
    first.close()
    assert list(follow(stage_in(tmp_path), [10]).hits) == [11]


def test_what_the_restart_service_has_forgotten_does_not_come_back(tmp_path):
    first = stage_in(tmp_path)
    follow(first, range(10))
    first.on_timer(0)
    first.reset()
    first.on_timer(0)
    first.close()
    picture, event = push(stage_in(tmp_path), scan(NOTHING, 10.0))
    assert list(picture.track_id) == []
    assert "resumed" not in event


def encrypted(data: bytes) -> bytes:
    """Return a zip archive whose members say that they are encrypted."""
    out = bytearray(data)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = out.find(signature)
        while at >= 0:
            out[at + flags] |= 1
            at = out.find(signature, at + 4)
    return bytes(out)


BROKEN = {
    "empty": lambda good: b"",
    "foreign": lambda good: b"not a picture at all",
    "cut short": lambda good: good[: len(good) // 2],
    "a bit flipped": lambda good: good[:500] + bytes([good[500] ^ 1]) + good[501:],
    "encrypted": encrypted,
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=list(BROKEN))
def test_a_broken_picture_on_disk_is_reported_and_replaced(tmp_path, damage):
    first = stage_in(tmp_path)
    follow(first, range(10))
    first.on_timer(0)
    kept = tmp_path / "tracks.npz"
    kept.write_bytes(damage(kept.read_bytes()))
    second = stage_in(tmp_path)
    detail, diagnosis = reported(second)
    assert detail["dropped_by_reason"] == {"kept picture unreadable": 1}
    assert diagnosis.level == DiagnosticStatus.WARN
    assert str(kept) in diagnosis.message
    new = follow(second, range(10, 15))
    second.on_timer(0)
    detail, diagnosis = reported(second)
    assert (diagnosis.level, detail["not_kept"]) == (DiagnosticStatus.OK, "")
    assert list(follow(stage_in(tmp_path), [15]).track_id) == list(new.track_id)


def test_a_picture_of_another_motion_model_is_not_taken(tmp_path):
    first = stage_in(tmp_path, model="cv")
    follow(first, range(10))
    first.on_timer(0)
    detail, diagnosis = reported(stage_in(tmp_path, model="imm"))
    assert detail["dropped_by_reason"] == {"kept picture unreadable": 1}
    assert "motion 'cv', not of 'imm'" in diagnosis.message


def test_where_ids_begin_anew_a_kept_picture_with_the_old_ones_is_not_taken(tmp_path):
    first = stage_in(tmp_path)
    old = follow(first, range(10))
    first.on_timer(0)
    (tmp_path / "track_ids.json").unlink()  # as the message about a broken one advises
    second = stage_in(tmp_path)
    picture = follow(second, range(10, 15), target=lambda k: np.vstack([approach(k), crossing(k)]))
    assert list(picture.track_id) == [1, 2, 3]
    assert list(old.track_id) == [1]
    assert reported(second)[0]["dropped_by_reason"] == {"kept picture without its ids": 1}


def test_on_a_full_disk_tracking_goes_on_and_says_so(tmp_path):
    stage = stage_in(tmp_path)
    follow(stage, range(10))
    stage.on_timer(0)
    files = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    picture = follow(stage, [10])
    with full_disk():
        stage.on_timer(0)
        stage.on_timer(0)
    detail, diagnosis = reported(stage)
    assert detail["dropped_by_reason"] == {"picture not kept": 2}
    assert diagnosis.level == DiagnosticStatus.WARN
    assert "File too large" in diagnosis.message
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == files  # no half file, and the last whole one stays
    assert list(follow(stage, [11]).track_id) == list(picture.track_id)
    stage.on_timer(0)
    detail, diagnosis = reported(stage)
    assert (diagnosis.level, detail["not_kept"]) == (DiagnosticStatus.OK, "")


def test_a_missing_state_directory_does_not_stop_tracking_either(tmp_path):
    stage = stage_in(tmp_path / "state")
    (tmp_path / "state").mkdir()
    follow(stage, range(10))
    shutil.rmtree(tmp_path / "state")
    stage.on_timer(0)
    stage.close()
    assert len(follow(stage, [10]).track_id) == 1
    assert reported(stage)[1].level == DiagnosticStatus.WARN


def test_the_leftover_of_a_killed_write_is_removed(tmp_path):
    first = stage_in(tmp_path)
    follow(first, range(10))
    first.on_timer(0)
    (tmp_path / ".tracks.npz.a1b2c3").write_bytes(b"half a pic")
    second = stage_in(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["track_ids.json", "tracks.npz"]
    assert len(follow(second, [10]).track_id) == 1


def test_without_a_new_scan_nothing_is_written(tmp_path):
    stage = stage_in(tmp_path)
    stage.on_timer(0)
    assert not (tmp_path / "tracks.npz").exists()
    follow(stage, range(3))
    stage.on_timer(0)
    before = (tmp_path / "tracks.npz").stat().st_ino
    stage.on_timer(0)
    assert (tmp_path / "tracks.npz").stat().st_ino == before
    follow(stage, [3])
    stage.on_timer(0)
    assert (tmp_path / "tracks.npz").stat().st_ino != before


def test_the_picture_is_kept_as_often_as_the_parameter_says(tmp_path):
    assert stage_in(tmp_path, period_s=2.5).period_s == 2.5
    assert stage_in(None).period_s is None  # offline
    never = stage_in(tmp_path, period_s=0.0)
    assert never.period_s is None
    follow(never, range(5))
    never.on_timer(0)
    never.close()
    assert [p.name for p in tmp_path.iterdir()] == ["track_ids.json"]


def two_sensors(stage: TrackingStage, scans: int, bias_m: float = 0.0) -> None:
    """Let two radars look in turn at five objects that go straight; the second measures `bias_m` too much."""
    rng = np.random.default_rng(1)
    sigma = np.array([8.0, 0.003, np.nan, np.nan])
    sites = {"north": (0.0, 2000.0, 0.0), "south": (0.0, -2000.0, 0.0)}
    start = np.column_stack([np.linspace(3000, 9000, 5), np.linspace(-6000, 6000, 5), np.zeros(5)])
    velocity = np.column_stack([rng.uniform(-60, 60, (5, 2)), np.zeros(5)])
    for k in range(scans):
        name = list(sites)[k % 2]
        position = start + velocity * k
        polar = np.array(
            [polar_of(np.concatenate([p, v]), sites[name]) for p, v in zip(position, velocity, strict=True)]
        )
        polar[:, :2] += rng.normal(0.0, sigma[:2], (5, 2))
        polar[:, 0] += bias_m * (name == "south")
        polar[:, 2:] = np.nan
        push(stage, scan(polar, float(k), sigma=sigma, sensor=name))


def of_two_sensors() -> TrackingStage:
    places = {"north": {"sensor_y": 2000.0}, "south": {"sensor_y": -2000.0}}
    return stage_in(
        None, sensors=places, reference="north", max_range_m=20_000.0, model="cv", acceleration_sigma_mps2=0.5,
        clutter_per_scan=0.5,
    )  # fmt: skip


def test_the_status_tells_how_consistent_each_sensor_is_and_its_bias():
    stage = of_two_sensors()
    two_sensors(stage, 100, bias_m=15.0)
    detail, diagnosis = reported(stage)
    assert set(detail["nis"]) == set(detail["registration"]) == {"north", "south"}
    for nis in detail["nis"].values():
        assert set(nis) == {"mean", "low", "high", "components", "consistent"}
        assert nis["components"] > 200
        assert nis["consistent"] == (nis["low"] <= nis["mean"] <= nis["high"])
    south, north = detail["registration"]["south"], detail["registration"]["north"]
    assert (north["range_m"], north["azimuth_deg"]) == (0.0, 0.0)
    assert abs(south["range_m"] - 15.0) < 4.0 * south["range_sigma_m"] < 12.0
    assert abs(south["azimuth_deg"]) < 4.0 * south["azimuth_sigma_deg"] < 0.2
    assert south["pairs"] > 100
    assert diagnosis.level == DiagnosticStatus.OK


def test_errors_larger_than_stated_are_called_inconsistent_and_warned_of():
    rng = np.random.default_rng(2)
    stage = stage_in(
        None, model="cv", acceleration_sigma_mps2=0.5, clutter_per_scan=0.1, **{"consistency.mode": "warn"}
    )
    for k in range(60):  # twice the stated errors: a mean near 4, less what falls out of the gate
        wrong = rng.normal(0.0, [10.0, 0.01, 0.01, 0.4])
        push(stage, scan(approach(k) + wrong, float(k)))
    detail, diagnosis = reported(stage)
    assert detail["nis"]["test"]["mean"] > 1.5
    assert detail["nis"]["test"]["consistent"] is False
    assert diagnosis.level == DiagnosticStatus.WARN
    assert re.search(r"the errors of 'test' are (1\.[5-9]|2|2\.[0-2]) times those stated", diagnosis.message)
    assert detail["error_scale"] == {}


def test_errors_that_are_not_judged_are_not_warned_of_and_scaled_ones_are_shown():
    rng = np.random.default_rng(2)
    off, apply = (
        stage_in(None, model="cv", acceleration_sigma_mps2=0.5, **{"consistency.mode": m}) for m in ("off", "apply")
    )
    for k in range(120):
        wrong = scan(approach(k) + rng.normal(0.0, [10.0, 0.01, 0.01, 0.4]), float(k))
        for stage in (off, apply):
            push(stage, wrong)
    (untold, calm), (told, calmed) = reported(off), reported(apply)
    assert (untold["nis"], untold["error_scale"]) == ({}, {})
    assert told["error_scale"]["test"] == pytest.approx(4.0, rel=0.4)
    assert calm.level == DiagnosticStatus.OK
    assert calmed.level == DiagnosticStatus.WARN
    assert re.search(
        r"the errors of 'test' are (1\.[7-9]|2|2\.[0-3]) times those stated .* they are scaled", calmed.message
    )


def test_plots_outside_the_stated_view_are_counted_and_warned_of():
    """At 30 km, where max_range_m was left at 10 km; one now and then, as a false alarm at the edge, is no trouble."""
    stage = stage_in(None, **{"consistency.mode": "off"})  # these plots have no errors
    far = polar_of(np.array([30_000.0, 500.0, 200.0, -50.0, 0.0, 0.0]))
    for k in range(5):
        push(stage, scan([approach(k), far], float(k)))
    detail, diagnosis = reported(stage)
    assert detail["outside_view"] == detail["dropped_by_reason"]["plot outside the stated view"] == 5
    assert diagnosis.level == DiagnosticStatus.WARN
    assert "5 of 10 plots outside the stated view (test out to 30005 m)" in diagnosis.message
    assert "max_range_m" in diagnosis.message
    for k in range(5, 35):
        push(stage, scan([approach(k), far] if k == 20 else [approach(k)], float(k)))
    detail, diagnosis = reported(stage)
    assert detail["outside_view"] == 6
    assert diagnosis.level == DiagnosticStatus.OK


def test_before_any_scan_there_is_nothing_to_say():
    detail, _ = reported(stage_in(None))
    assert (detail["nis"], detail["registration"], detail["tracks"], detail["reordered"]) == ({}, {}, 0, 0)


def test_late_scans_are_counted_and_only_those_too_late_are_dropped():
    stage = stage_in(None, reorder_window_s=1.5)
    for k in range(10):
        push(stage, scan(approach(k), float(k), sequence=k + 1))
    late, event = push(stage, scan(approach(8.5), 8.5, sensor="other"))
    assert event["reordered"]
    assert event["severity"] == 1
    assert stamp_of(late) == 9 * SECOND  # the picture is still that of the latest scan
    assert list(late.hits) == [11]
    assert push(stage, scan(approach(8.5), 8.5, sensor="other"))[0] is None
    assert push(stage, scan(approach(5.0), 5.0, sensor="other"))[0] is None
    detail, diagnosis = reported(stage)
    assert detail["reordered"] == 1
    assert detail["dropped_by_reason"] == {
        "duplicate scan": 1,
        "late scan put in its place": 1,
        "scan older than the reorder window": 1,
    }
    assert stage.counters.dropped == 2
    assert diagnosis.level == DiagnosticStatus.WARN


@pytest.mark.parametrize("odd", [np.inf, -np.inf])
def test_what_is_infinite_in_a_strangers_detections_is_unknown_and_loses_no_object(odd):
    at, unknown = stage_in(None), stage_in(None)
    for k in range(8):
        pictures = []
        for stage, value in ((at, odd), (unknown, np.nan)):
            d = detections_of(approach(k), float(k), rcs=[value])
            d.elevation[0], d.range_rate[0], d.variance[0, 2:] = value, value, value
            pictures.append(push(stage, detections_to_msg(d))[0])
        assert repr(pictures[0]) == repr(pictures[1])  # in which NaN is equal to NaN
    assert at.counters.objects_dropped == 0
    assert pictures[0].status[0] == TrackStatus.CONFIRMED


def test_detections_that_are_never_stamped_are_refused_for_that():
    stage = stage_in(None)
    for _ in range(3):
        push(stage, scan(approach(0), 0.0))
    assert stage.counters.reasons == {"header.stamp is zero, and the driver has to set it": 2}


def test_when_time_goes_backwards_a_warning_says_so():
    stage = stage_in(None)
    follow(stage, range(100, 110))
    _, event = push(stage, scan(approach(0), 0.0))
    assert (event["severity"], event["reset"], event["reason"]) == (2, True, "time went backwards")
    _, event = push(stage, scan(approach(1), 1.0))
    assert (event["severity"], event["reset"]) == (1, False)
    assert "reason" not in event
    detail, _ = reported(stage)
    assert detail["dropped_by_reason"] == {"time went backwards: reset": 1}
    assert stage.counters.dropped == 0


@pytest.mark.parametrize(("stated", "called"), [(None, ClassId.DRONE), (ClassId.BIRD, ClassId.BIRD)])
def test_a_publisher_that_states_classes_decides_what_a_track_is_called(stated, called):
    """By a driver of somebody else, which fills class_probability and knows of no class_basis; by its motion it is a drone."""
    row = np.zeros(N_CLASSES if stated else 0)
    row[slice(stated, stated and stated + 1)] = 0.8
    stage = stage_in(None)
    for k in range(16):
        message = scan(polar_of(np.array([600.0 - 12.0 * k, 100.0, 80.0, -12.0, 0.0, 0.0])), float(k))
        message.class_probability, message.class_basis = array("f", row), array("B")
        picture, _ = push(stage, deserialize_message(serialize_message(message), DetectionArray))
    probability = np.array(picture.class_probability)
    assert list(picture.class_id) == [int(called)]
    assert probability.argmax() == called
    assert probability.sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("drone", "bird", "counted"),
    [
        (7.0, 0.0, {NO_CLASSES: 6}),
        (0.9, 0.9, {SCALED: 6}),
        (0.5, 0.5, {}),
        (np.nan, 1.0, {}),
        (7.0, 0.9, {NO_CLASSES: 6}),
    ],
)
def test_class_probabilities_that_are_none_or_too_many_are_counted(drone, bird, counted):
    stage = stage_in(None)
    for k in range(6):
        message = scan(approach(k), float(k))
        message.class_probability = array("f", [0.0, drone, bird] + [0.0] * (N_CLASSES - 3))
        push(stage, message)
    assert {
        name: stage.counters.reasons[name] for name in (NO_CLASSES, SCALED) if stage.counters.reasons[name]
    } == counted
