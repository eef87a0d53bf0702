# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A real radar's driver as a node: its line kept open, its frames stamped and published: points, cubes or video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from aegis.core.clock import SensorClock
from aegis.core.events import DriverFailed, ScanStarted
from aegis.core.finite import finite_or_none
from aegis.core.health import Health, Level
from aegis.core.params import ConfigError
from aegis.core.signal.cube import Cube, CubeError
from aegis.core.video.spokes import Spokes, VideoError
from aegis.drivers.contract import Driver, DriverSettings
from aegis.drivers.frames import Frame, PointFrame, VideoFrame, with_beams
from aegis.drivers.recording import Recording
from aegis.drivers.registry import driver_class, driver_names
from aegis.ros.messages.clouds import cloud_to_msg
from aegis.ros.messages.cubes import cube_to_msg
from aegis.ros.messages.fields import StampedMessage
from aegis.ros.messages.odometry import odometry_to_msg
from aegis.ros.messages.video import video_to_msg
from aegis.ros.stages.base import MOST_REASONS, Output, Stage, StageContext

REOPEN_AFTER_NS = 1_000_000_000


class DriverStage(Stage[DriverSettings]):
    """Polls the driver; opens its line again where it is lost; tells the sensor's clock and health in diagnostics.

    Raises:
        ConfigError: on making, where no driver is named, or its settings are wrong.
    """

    name = "driver"
    settings_type = DriverSettings

    def __init__(self, settings: DriverSettings, context: StageContext, recording: Recording | None = None) -> None:
        super().__init__(settings, context)
        if not settings.driver:
            raise ConfigError(f"driver.driver names no driver; known are: {', '.join(driver_names())}")
        kind = driver_class(settings.driver)
        self.driver: Driver = kind(settings) if recording is None else kind.of_recording(settings, recording)
        self._recording = recording
        self._platform_ns = 0  # stamp of the last odometry
        self._zero_ns: int | None = None  # Unix time of the sensor's zero, of a recording without times
        self._clock = SensorClock(settings.delay_s)
        self._sequence = 0
        self._refused: Counter[str] = Counter()  # of the driver, as far as it is counted here
        self._open = self._ended = False
        self._trouble = ""  # why the line is not open
        self._open_at_ns = 0  # when to try next
        self._frame_at_ns: int | None = None
        self._opened_at_ns = self._now_ns = 0

    @property
    def period_s(self) -> float:
        """Time between looks at the line."""
        return self.settings.poll_period_s

    def on_message(self, topic: str, message: StampedMessage) -> Iterable[Output]:
        """Refuse: a radar driver is where the graph begins.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"the driver reads no topic, got a message on '{topic}'")

    def on_timer(self, now_ns: int) -> Iterator[Output]:
        """Publish what has come; bring the line back where it is gone."""
        try:
            if not self._open:
                if self._ended or now_ns < self._open_at_ns:
                    return
                self.driver.start()
                self._open, self._opened_at_ns, self._trouble = True, now_ns, ""
            frames = self.driver.poll(0.0)
        except EOFError as error:
            self._close()
            self._ended, self._trouble = True, str(error)
            return
        except OSError as error:
            self._close()
            self._open_at_ns = now_ns + REOPEN_AFTER_NS
            if str(error) != self._trouble:  # told once, however often it is tried
                self._trouble = str(error)
                yield self.event(DriverFailed(self.driver.name, self._trouble), now_ns)
            return
        finally:
            self._count_refused()
        for frame in frames:
            yield from self._outputs(frame, now_ns)

    def _close(self) -> None:
        self.driver.stop()
        self._open = False

    def _count_refused(self) -> None:
        for reason, total in self.driver.refused.items():
            new = total - self._refused[reason]
            if new > 0 and reason in self.driver.chosen:
                self.counters.note(reason, new)
            elif new > 0:
                self.counters.drop(reason, inputs=new)
        self._refused = Counter(self.driver.refused)

    def _outputs(self, frame: Frame, now_ns: int) -> Iterator[Output]:
        self._sequence += 1
        self._frame_at_ns = now_ns
        stamp_ns = self._stamp(frame)
        frame_id = self.settings.frame_id
        if isinstance(frame, VideoFrame):
            yield from self._video(frame, stamp_ns)
            return
        if isinstance(frame, PointFrame):
            columns = frame.columns if frame.sector is None else with_beams(frame.columns, frame.sector)
            message = cloud_to_msg(columns, frame_id=frame_id, stamp_ns=stamp_ns)
            output = Output("radar/points", message)
        else:
            try:
                sensor_id = self.settings.sensor_id
                cube = Cube(stamp_ns, frame_id, self._sequence, sensor_id, frame.waveform, frame.data)
            except CubeError as error:
                self.counters.drop(error.reason)
                yield self.event(DriverFailed(self.driver.name, str(error), self._sequence), stamp_ns)
                return
            output = Output("radar/cube", cube_to_msg(cube))
        yield self.event(ScanStarted(self._sequence, driver=self.driver.name), stamp_ns)
        yield output

    def _video(self, frame: VideoFrame, stamp_ns: int) -> Iterator[Output]:
        """Publish spokes, and where the platform is; the node `video` tells the scans."""
        middle_s = float(frame.time_offset[len(frame) // 2]) if len(frame) else 0.0
        at_ns = stamp_ns + round(middle_s * 1e9)
        try:
            video = Spokes(
                at_ns,
                self.settings.frame_id,
                self._sequence,
                self.settings.sensor_id,
                frame.azimuth,
                frame.heading,
                frame.time_offset - middle_s,
                frame.first_range_m,
                frame.cell_m,
                frame.full_scale,
                frame.codes,
                frame.approaching,
                frame.receding,
            )
        except VideoError as error:
            self.counters.drop(error.reason)
            yield self.event(DriverFailed(self.driver.name, str(error), self._sequence), stamp_ns)
            return
        yield Output("radar/video", video_to_msg(video))
        if frame.platform is not None and at_ns > self._platform_ns:
            self._platform_ns = at_ns
            fix = frame.platform
            yield Output("odometry", odometry_to_msg(fix.east_m, fix.north_m, fix.east_mps, fix.north_mps, at_ns))

    def _stamp(self, frame: Frame) -> int:
        """Return when a frame was measured [ns]."""
        recording = self._recording
        if recording is None or recording.timed or frame.sensor_time_ns is None:
            return self._clock.stamp(frame.sensor_time_ns, frame.received_ns)
        if self._zero_ns is None:
            self._zero_ns = recording.start_ns - frame.sensor_time_ns
        recording.now_ns = max(recording.now_ns, frame.sensor_time_ns + self._zero_ns)
        return frame.sensor_time_ns + self._zero_ns

    def reset(self) -> None:
        """Close the line, to open it anew; forget the sensor's clock."""
        self._close()
        self._ended, self._trouble, self._open_at_ns = False, "", 0
        self._clock = SensorClock(self.settings.delay_s)

    def pause(self) -> None:
        """Close the line; `on_timer` opens it again."""
        self._close()

    @property
    def is_open(self) -> bool:
        """Tell whether the line is open."""
        return self._open

    @property
    def ended(self) -> bool:
        """Tell whether a recording is at its end."""
        return self._ended

    def close(self) -> None:
        """Close the line."""
        self.driver.stop()

    def detail(self) -> dict[str, object]:
        """Return how the line and the sensor's clock are doing, and what the radar says of itself."""
        clock = self._clock
        return {
            "driver": self.driver.name,
            "frames": self._sequence,
            "packets": self.driver.packets,
            "clock_offset_s": finite_or_none(clock.offset_s, 9),
            "clock_drift_ppm": finite_or_none(clock.drift_ppm, 2),
            "clock_jitter_s": finite_or_none(clock.jitter_s, 9),
            "clock_steps": clock.steps,
            **self.driver.health().values,
        }

    def status(self, now_ns: int) -> list[Output]:
        """Remember the time, by which silence is told."""
        self._now_ns = now_ns
        return super().status(now_ns)

    def health(self) -> Health:
        """Return a lost line, a silent sensor or what the radar says of itself, besides what every stage tells."""
        if self._ended:
            return Health(Level.STALE, f"no more data: {self._trouble}")
        if not self._open:
            return Health(Level.ERROR, self._trouble or "the line is not open yet")
        last_ns = max(self._opened_at_ns, self._frame_at_ns or 0)
        if self._now_ns - last_ns > self.settings.silent_after_s * 1e9:
            reasons = self.counters.since(self._reported).reasons.most_common(MOST_REASONS)
            refused = ", ".join(f"{reason} ({n})" for reason, n in reasons)
            meanwhile = f"; refused since the last status: {refused}" if refused else ""
            return Health(Level.STALE, f"no data: no frame for {(self._now_ns - last_ns) * 1e-9:.1f} s{meanwhile}")
        own, health = self.driver.health(), super().health()
        return own if own.level > health.level else health

    def _input_expected(self) -> bool:
        return False
