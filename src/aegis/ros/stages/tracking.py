# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`detections` to `tracks`; the picture is kept on disk, so that tracks outlive the process."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aegis.core.classification import stated
from aegis.core.events import TrackingReset, TrackingRunning, TrackingUpdated, TrackLost
from aegis.core.health import Health, Level
from aegis.core.params import Settings
from aegis.core.tracking.measurement import infinite_as_unknown
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import StepResult, Tracker
from aegis.core.types import Detections
from aegis.models.store import track_model
from aegis.ros.messages.fields import StampedMessage
from aegis.ros.messages.picture import class_info_to_msg, detections_from_msg, tracks_to_msg
from aegis.ros.stages.base import Counters, Output, Stage, StageContext
from aegis.state import kept_ids, remove_leftovers, write_atomically

# Noted beside what is dropped and refused.
RESET = "time went backwards: reset"
REORDERED = "late scan put in its place"
MISTIMED = "detection later than its scan: the latest time taken"
TOO_OLD = "kept picture too old"
UNREADABLE = "kept picture unreadable"
WITHOUT_IDS = "kept picture without its ids"
NOT_KEPT = "picture not kept"
NO_CLASSES = "class probabilities below 0 or above 1, or of an unknown class_basis: they say nothing"
SCALED = "class probabilities of more than 1 together: scaled to 1"
OUTSIDE = "plot outside the stated view"

MUCH_OUTSIDE = 0.05  # share of the plots outside the stated view from which it is taken to be stated wrongly


@dataclass
class TrackingCounters(Counters):
    """Besides: the plots, and those outside the stated view."""

    plots: int = 0
    outside: int = 0


class TrackingStage(Stage[TrackingSettings]):
    """One picture a scan. Live, a timer keeps it on disk, and the next process goes on from there."""

    name = "tracking"
    settings_type = TrackingSettings
    counters_type = TrackingCounters
    counters: TrackingCounters
    tunable = (
        "max_tracks", "max_extent_m",
        *(f"{of}.{name}" for of in ("sensor", "sensors.*")
          for name in ("detection_probability", "clutter_per_scan", "births_per_scan", "min_range_m", "max_range_m")),
        "motion.acceleration*", "motion.vertical_*", "motion.turn_*", "motion.mean_*", "association.sharpness",
        "existence.*", "birth.initial_*", "classification.confidence_threshold", "classification.keep_threshold",
        "classification.min_snr_db", "classification.max_noise_rise_db", "classification.stated.*",
    )  # fmt: skip

    def __init__(self, settings: TrackingSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        folder = context.state_dir
        ids = folder / "track_ids.json" if folder is not None else None
        self._kept = folder / "tracks.npz" if folder is not None and settings.snapshot.period_s > 0.0 else None
        self._trouble = ""  # why the picture of the last process, or this one's, is not on disk
        self._changed = False  # since it was kept
        self._tracks = 0
        self._farthest_m: dict[str, float] = {}  # of the plots outside the stated view, by sensor
        known = ids is not None and ids.exists()
        found = track_model(settings.classification)
        self._model_trouble = found.trouble  # why tracks get their classes from another model than was asked for
        self.tracker = Tracker(settings, kept_ids(ids), found.model)
        if self._kept is not None and self._kept.exists():
            if known:
                self._resume()
            else:  # begun again at 1: what the last picture has could be given out once more
                self.counters.note(WITHOUT_IDS)

    @property
    def period_s(self) -> float | None:
        """How often the picture is kept."""
        return self.settings.snapshot.period_s if self._kept is not None else None

    def tune(self, settings: Settings) -> None:
        """Track with these settings from the next scan on; the tracks stay."""
        assert isinstance(settings, TrackingSettings)
        self.settings = settings
        self.tracker.tune(settings)

    def reset(self) -> None:
        """Drop all tracks, those kept on disk too; ids go on."""
        self.tracker.reset()
        self._farthest_m.clear()
        self._tracks, self._changed = 0, False
        if self._kept is not None:
            self._kept.unlink(missing_ok=True)

    def start(self, now_ns: int) -> Iterable[Output]:
        """Say what the class numbers mean, and what gives tracks their classes."""
        model = self.tracker.model
        basis = f"{model.basis}; {self._model_trouble}" if self._model_trouble else model.basis
        info = class_info_to_msg(model.prior / model.prior.sum(), model=model.name, basis=basis, stamp_ns=now_ns)
        return [Output("class_info", info)]

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Track one scan."""
        wanted = self.settings.sensor_ids
        if wanted and str(getattr(message, "sensor_id", "")) not in wanted:
            self.counters.received -= 1  # it is another tracker's
            return
        detections = detections_from_msg(message)
        self.note_sequence(topic, detections.sequence, detections.sensor_id)
        stamp_ns = detections.stamp_ns
        yield self.event(TrackingRunning(detections.sequence), stamp_ns)
        result = self.tracker.step(infinite_as_unknown(detections))
        if result.resumed is False:
            self.counters.note(TOO_OLD)
        if result.tracks is None:
            self.counters.drop(result.dropped or "")
            return
        self._changed = True
        self.counters.drop("detection not finite, or out of bounds", result.refused)
        self.counters.note(MISTIMED, result.mistimed)
        self.counters.note(NO_CLASSES, stated.refused(detections))
        self.counters.note(SCALED, stated.scaled(detections))
        self.counters.drop("detection of a scan before", result.copies)
        self.counters.drop("over max_tracks", result.over_capacity)
        self._note_outside(detections, result)
        self._tracks = len(result.tracks)
        yield Output("tracks", tracks_to_msg(result.tracks))
        if result.reset:
            self.counters.note(RESET)
        if result.reordered:
            self.counters.note(REORDERED)
        updated = (TrackingReset if result.reset else TrackingUpdated)(
            detections.sequence,
            tracks=self._tracks,
            confirmed=result.confirmed.tolist(),
            reordered=result.reordered or None,
            resumed=result.resumed or None,
        )
        yield self.event(updated, stamp_ns)
        for track_id in result.lost.tolist():
            yield self.event(TrackLost(track_id), stamp_ns)

    def on_timer(self, now_ns: int) -> Iterable[Output]:
        """Keep the picture, if there is a new one."""
        self._keep()
        return ()

    def close(self) -> None:
        """Keep the last picture."""
        self._keep()

    def detail(self) -> dict[str, object]:
        """Add the size of the picture, and what its errors say of the sensors."""
        nis = {
            sensor_id: {
                "mean": round(n.mean, 3),
                "low": round(n.low, 3),
                "high": round(n.high, 3),
                "components": n.components,
                "consistent": n.low <= n.mean <= n.high,
            }
            for sensor_id, n in self.tracker.nis().items()
        }
        registration = {
            sensor_id: {
                "range_m": round(b.range_m, 2),
                "range_sigma_m": round(b.range_sigma_m, 2),
                "azimuth_deg": round(math.degrees(b.azimuth_rad), 4),
                "azimuth_sigma_deg": round(math.degrees(b.azimuth_sigma_rad), 4),
                "pairs": b.pairs,
            }
            for sensor_id, b in self.tracker.biases().items()
        }
        return {
            "tracks": self._tracks,
            "reordered": self.counters.reasons[REORDERED],
            "outside_view": self.counters.outside,
            "turns_s": {sensor_id: round(abs(s), 3) for sensor_id, s in self.tracker.turns_s().items()},
            "nis": nis,
            "error_scale": {name: round(scale, 3) for name, scale in self.tracker.error_scales().items()},
            "registration": registration,
            "not_kept": self._trouble,
            "class_model": {"name": self.tracker.model.name, "trouble": self._model_trouble},
        }

    def health(self) -> Health:
        """Tell also where a restart would begin, or has begun, with an empty picture."""
        health = super().health()
        warnings = [
            text for text in (self._trouble, self._model_trouble, self._view_trouble(), self._error_trouble()) if text
        ]
        if not warnings or health.level not in (Level.OK, Level.WARN):
            return Health(health.level, f"{health.text}; {self._model_trouble}") if self._model_trouble else health
        refused = [health.text] if health.level is Level.WARN else []
        return Health(Level.WARN, "; ".join([*refused, *warnings]))

    def _note_outside(self, detections: Detections, result: StepResult) -> None:
        """Count the plots outside the stated view."""
        outside = len(result.outside)
        self.counters.plots += len(detections)
        self.counters.outside += outside
        if outside:
            self.counters.reasons[OUTSIDE] += outside
            farthest = max(self._farthest_m.get(detections.sensor_id, 0.0), float(result.outside.max()))
            self._farthest_m[detections.sensor_id] = farthest

    def _error_trouble(self) -> str:
        """Return what to say where a sensor's errors are not as stated; else nothing."""
        scaled = {name: math.sqrt(scale) for name, scale in self.tracker.error_scales().items()}
        errors = {name: nis.errors() for name, nis in self.tracker.nis().items()} | scaled
        wrong = [f"'{name}' are {times:.2g} times those stated" for name, times in sorted(errors.items()) if times]
        if not wrong:
            return ""
        done = "they are scaled" if scaled else "tracking.consistency.mode 'apply' scales them"
        return (
            f"the errors of {', '.join(wrong)} (NIS): detection.accuracy states them, or the driver; or else"
            f" tracking.motion is not how objects move; {done}"
        )

    def _view_trouble(self) -> str:
        """Return what to say where many plots since the last status lie outside the stated view; else nothing."""
        new = self.counters.since(self._reported)
        if new.outside <= MUCH_OUTSIDE * new.plots:
            return ""
        where = ", ".join(f"{name} out to {far:.0f} m" for name, far in sorted(self._farthest_m.items()))
        return (
            f"{new.outside} of {new.plots} plots outside the stated view ({where}): no track is confirmed there;"
            " sensor.min_range_m, max_range_m, azimuth_fov_deg and elevation_fov_deg state the view"
        )

    def _resume(self) -> None:
        """Offer the tracker what the last process has kept; the first scan decides whether it is too old."""
        assert self._kept is not None
        try:
            remove_leftovers(self._kept)
            self.tracker.resume(self._kept.read_bytes())
        except Exception as error:  # noqa: BLE001 - whatever a broken file makes its reader raise, it must not stop the node
            self.counters.note(UNREADABLE)
            self._trouble = f"{UNREADABLE}: {self._kept}: {error}"

    def _keep(self) -> None:
        """Write the picture, unless it is there already. A power failure may cost it, so that no scan waits for the disk."""
        if self._kept is None or not self._changed:
            return
        snapshot = self.tracker.snapshot()
        if snapshot is None:
            return
        try:
            write_atomically(self._kept, snapshot, durable=False)
        except OSError as error:
            self.counters.note(NOT_KEPT)
            self._trouble = f"{NOT_KEPT}: {error}"
        else:
            self._trouble, self._changed = "", False
