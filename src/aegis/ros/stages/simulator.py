# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The simulated radar as a node: scans on `radar/points`, or raw on `radar/cube`, on its interval or on demand, and `truth`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from aegis_msgs import srv

from aegis.core.events import ScanStarted
from aegis.core.health import Health, Level
from aegis.core.signal.cube import Cube
from aegis.core.types import Scan
from aegis.ros.messages.clouds import cloud_to_msg
from aegis.ros.messages.cubes import cube_to_msg
from aegis.ros.messages.ew import noise_to_msg
from aegis.ros.messages.fields import Message, StampedMessage, time_from_ns
from aegis.ros.messages.picture import truth_to_msg
from aegis.ros.stages.base import Output, Stage, StageContext
from aegis.simulation.points import Simulator
from aegis.simulation.radar import Mode
from aegis.simulation.settings import SimulatorSettings

if TYPE_CHECKING:
    from aegis.simulation.signal import SignalSimulator


class SimulatorStage(Stage[SimulatorSettings]):
    """A radar that looks at a scenario; the scenario's time runs from the first scan, or from when the parameters say."""

    name = "simulator"
    settings_type = SimulatorSettings

    def __init__(self, settings: SimulatorSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        self.simulator: Simulator | SignalSimulator
        if settings.level == "signal":
            from aegis.simulation.signal import SignalSimulator  # half of it, which the other level needs not

            self.simulator = SignalSimulator(settings)
        else:
            self.simulator = Simulator(settings)
        self._begin_ns: int | None = round(settings.begins_at_s * 1e9) or None
        self._cube_bytes = 0
        self._sees_any: bool | None = None

    @property
    def period_s(self) -> float:
        """Scan interval."""
        return self.settings.interval_s

    def on_message(self, topic: str, message: StampedMessage) -> Iterable[Output]:
        """Refuse: a radar driver is where the graph begins.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"the simulator reads no topic, got a message on '{topic}'")

    def on_timer(self, now_ns: int) -> Iterable[Output]:
        """Make the scan that is due, where the mode has scans at an interval."""
        if self.simulator.mode is Mode.SEARCH:
            yield from self._outputs(self._scan(now_ns), now_ns)

    def on_service(self, service: str, request: Message, response: Message, now_ns: int) -> Iterable[Output]:
        """Answer `scan` and `set_mode`."""
        if service == "scan":
            return self._scan_now(response, now_ns)
        if service == "set_mode":
            self._set_mode(request, response)
            return ()
        return super().on_service(service, request, response, now_ns)

    def _scan_now(self, response: srv.Scan.Response, now_ns: int) -> Iterable[Output]:
        scan = self._scan(now_ns)
        points = 0 if isinstance(scan, Cube) else len(scan)
        what = "is raw, a cube" if isinstance(scan, Cube) else f"has {points} points"
        response.success, response.message = True, f"scan {scan.sequence} {what}"
        response.sequence, response.points = scan.sequence, points
        response.stamp = time_from_ns(scan.stamp_ns)
        return self._outputs(scan, now_ns)

    def _scan(self, now_ns: int) -> Scan | Cube:
        if self._begin_ns is None:
            self._begin_ns = now_ns
        return self.simulator.step(self._since_begin_s(now_ns), now_ns)

    def _since_begin_s(self, now_ns: int) -> float:
        return (now_ns - (now_ns if self._begin_ns is None else self._begin_ns)) * 1e-9

    def _outputs(self, scan: Scan | Cube, now_ns: int) -> Iterator[Output]:
        simulator = self.simulator
        started = ScanStarted(scan.sequence, scenario=simulator.scenario.name, frequency_hz=simulator.frequency_hz)
        yield self.event(started, now_ns)
        if self.has_listeners("truth"):
            yield Output("truth", truth_to_msg(simulator.truth(self._since_begin_s(now_ns), now_ns)))
        if isinstance(simulator, Simulator) and self.has_listeners("radar/noise"):
            yield Output("radar/noise", noise_to_msg(simulator.receiver_noise(self._since_begin_s(now_ns), now_ns)))
        if isinstance(scan, Cube):
            cube = cube_to_msg(scan)
            self._cube_bytes = len(cube.data)
            yield Output("radar/cube", cube)
            return
        # A sensor that measures no elevation puts its points at z = 0, as 2D radars do; the receiver is told so.
        elevation = scan.elevation if self.settings.points.has_elevation else np.zeros(len(scan))
        ground = scan.range * np.cos(elevation)
        columns = {
            "x": ground * np.cos(scan.azimuth),
            "y": ground * np.sin(scan.azimuth),
            "z": scan.range * np.sin(elevation),
        }
        if self.settings.points.has_doppler:
            columns["range_rate"] = scan.range_rate
        columns.update(snr=scan.snr_db, rcs=scan.rcs_dbsm, noise=scan.noise_db)
        message = cloud_to_msg(columns, frame_id=scan.frame_id, stamp_ns=scan.stamp_ns)
        yield Output("radar/points", message)

    def _set_mode(self, request: srv.SetMode.Request, response: srv.SetMode.Response) -> None:
        """Do all that is asked, or nothing and say why."""
        try:
            if len(request.blank_from) != len(request.blank_to):
                raise ValueError(
                    f"blank_from has {len(request.blank_from)} entries and blank_to {len(request.blank_to)};"
                    " one of each per sector is expected"
                )
            self.simulator.set_mode(
                mode=None if request.mode == request.UNCHANGED else _mode(request.mode),
                frequency_hz=None if math.isnan(request.frequency) else float(request.frequency),
                blanking=zip(request.blank_from, request.blank_to, strict=True) if request.set_blanking else None,
                agility_hz=float(request.agility) if request.set_agility else None,
                chirp_jitter_s=float(request.chirp_jitter) if request.set_chirp_jitter else None,
            )
        except ValueError as error:
            response.success, response.message = False, f"nothing changed: {error}"
            return
        simulator = self.simulator
        response.success = True
        response.message = (
            f"{simulator.mode.name}, {simulator.frequency_hz:.10g} Hz, {len(simulator.blanking)} blanked sectors"
            + (f", hops within {simulator.agility_hz:g} Hz" if simulator.agility_hz else "")
            + (f", chirps jitter by {simulator.chirp_jitter_s:g} s" if simulator.chirp_jitter_s else "")
        )

    def reset(self) -> None:
        """Begin the scenario anew, with the mode, carrier and random numbers of the start."""
        self.simulator.reset()
        self._begin_ns = round(self.settings.begins_at_s * 1e9) or None

    def detail(self) -> dict[str, object]:
        """Return what the radar is doing."""
        return {
            "level": self.settings.level,
            "cube_bytes": self._cube_bytes,
            "scenario": self.simulator.scenario.name,
            "mode": self.simulator.mode.name,
            "scans": self.simulator.sequence,
            "frequency_hz": self.simulator.frequency_hz,
            "blanked_sectors": len(self.simulator.blanking),
            "agility_hz": self.simulator.agility_hz,
            "chirp_jitter_s": self.simulator.chirp_jitter_s,
        }

    def health(self) -> Health:
        """Tell also where the radar will see nothing of its scenario."""
        if self._sees_any is None:
            self._sees_any = self.simulator.sees_any()
        health = super().health()
        if self._sees_any or health.level is not Level.OK:
            return health
        near_m, far_m = self.settings.blind_range_m, self.settings.farthest_m
        return Health(
            Level.WARN,
            f"no target of the scenario '{self.simulator.scenario.name}' is ever in view of this radar, which looks {near_m:.4g} to"
            f" {far_m:.4g} m far: another scenario, or the radar that it is for (its description names a profile)",
        )

    def _input_expected(self) -> bool:
        return False


def _mode(value: int) -> Mode:
    try:
        return Mode(value)
    except ValueError:
        names = ", ".join(f"{mode.value} {mode.name}" for mode in Mode)
        raise ValueError(f"mode {value} does not exist; 0 leaves it, {names}") from None
