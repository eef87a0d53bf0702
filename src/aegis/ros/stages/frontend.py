# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`radar/cube` to `radar/points`: the signal front end as a node; what it hears without echoes, and the range-Doppler map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from aegis.core.detection.settings import CLASS_FIELDS
from aegis.core.finite import finite_or_none
from aegis.core.health import Health, Level
from aegis.core.params import Settings
from aegis.core.signal.cube import CubeError
from aegis.core.signal.front_end import FrontEnd
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.types import NOT_STAMPED, Floats, Scan
from aegis.models.store import ModelError, dwell_model
from aegis.ros.messages.clouds import cloud_to_msg
from aegis.ros.messages.cubes import cube_from_msg, range_doppler_to_msg
from aegis.ros.messages.ew import noise_to_msg
from aegis.ros.messages.fields import StampedMessage, stamp_of, unstamped
from aegis.ros.stages.base import Output, Stage, StageContext

# Of a point's errors on `radar/points`, in the order of `Scan.variance`; the detection stage takes them.
SIGMA_COLUMNS = ("range_sigma", "azimuth_sigma", "elevation_sigma", "range_rate_sigma")


class FrontEndStage(Stage[FrontEndSettings]):
    """Refuses a cube that it cannot process, counts it by reason, and says so in an event."""

    name = "frontend"
    settings_type = FrontEndSettings
    tunable = ("cfar.pfa", "points.max_points", "coverage.*", "doppler.ground_*", "map_rate_hz")

    def __init__(self, settings: FrontEndSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        self._model = "none"
        self._model_trouble = ""  # why points state no classes, though they are to
        self.front_end = self._made()
        self._notes: Counter[str] = Counter()
        self._map_due_ns = 0

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Make the points of one cube."""
        stamp_ns = stamp_of(message)
        try:
            if stamp_ns == 0:
                raise CubeError(NOT_STAMPED, unstamped("cube"))
            cube = cube_from_msg(message)
            self.note_sequence(topic, cube.sequence, cube.sensor_id)
            scan, dropped = self.front_end.step(cube)
        except CubeError as error:
            yield from self._refuse_input(error.reason, str(error), stamp_ns)
            return
        self._notes += self.front_end.notes
        for reason, objects in dropped.items():
            self.counters.drop(reason, objects)
        yield Output("radar/points", cloud_to_msg(_columns(scan), frame_id=scan.frame_id, stamp_ns=stamp_ns))
        if self.has_listeners("radar/noise"):
            heard = self.front_end.receiver_noise(cube)
            assert heard is not None  # there was a cube
            yield Output("radar/noise", noise_to_msg(heard))
        if self._map_wanted(stamp_ns):
            found = self.front_end.range_doppler_map()
            assert found is not None  # there was a cube
            yield Output("radar/range_doppler", range_doppler_to_msg(found, cube))

    def _made(self) -> FrontEnd:
        """Return a front end, with the model of dwells where its points are to state classes."""
        if not self.settings.classify_points:
            return FrontEnd(self.settings)
        try:
            network, card = dwell_model()
        except ModelError as error:
            self._model_trouble = f"points state no classes: {error}"
            return FrontEnd(self.settings)
        self._model_trouble, self._model = "", card.name
        return FrontEnd(self.settings, network)

    def health(self) -> Health:
        """Tell also where the model of dwells is refused."""
        health = super().health()
        if self._model_trouble and health.level is Level.OK:
            return Health(Level.WARN, self._model_trouble)
        return health

    def tune(self, settings: Settings) -> None:
        """Process cubes with these settings from now on; for each waveform a plan is made anew."""
        assert isinstance(settings, FrontEndSettings)
        self.settings = settings
        self.front_end = self._made()

    def _map_wanted(self, stamp_ns: int) -> bool:
        """Tell whether a map is due, and anybody looks at it."""
        rate_hz = self.settings.map_rate_hz
        if rate_hz == 0.0 or not self.has_listeners("radar/range_doppler"):
            return False
        period_ns = round(1e9 / rate_hz)
        if 0 <= self._map_due_ns - stamp_ns <= period_ns:  # a due time farther off is of another recording
            return False
        self._map_due_ns = stamp_ns + period_ns
        return True

    def reset(self) -> None:
        """Plan anew for the next cube."""
        self.front_end = self._made()
        self._map_due_ns = 0

    def detail(self) -> dict[str, object]:
        """Return what the cubes are, and what the last refused one was refused for."""
        span = self.front_end.range_rate_span_mps
        return {
            "last_refusal": self._last_refusal,
            "class_model": self._model_trouble or self._model,
            "range_rate_span_mps": finite_or_none(span, 3),  # what is faster is folded into it
            **dict(sorted(self._notes.items())),
        }


def _columns(scan: Scan) -> dict[str, Floats]:
    """Return the columns of a scan's cloud. An array that measures no elevation puts its points at z = 0, as 2D radars do."""
    elevation = np.nan_to_num(scan.elevation)
    ground = scan.range * np.cos(elevation)
    columns = {
        "x": ground * np.cos(scan.azimuth),
        "y": ground * np.sin(scan.azimuth),
        "z": scan.range * np.sin(elevation),
        "range_rate": scan.range_rate,
        "snr": scan.snr_db,
        "rcs": scan.rcs_dbsm,
        "noise": scan.noise_db,
    }
    if scan.variance is not None:
        columns.update(zip(SIGMA_COLUMNS, np.sqrt(scan.variance).T, strict=True))
    if scan.class_probability is not None:
        columns.update(zip(CLASS_FIELDS, scan.class_probability.T, strict=True))
    return columns
