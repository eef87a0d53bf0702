# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""EW: false alarms in hours of calm, detection ranges against their closed forms, and what protection does for the picture.

No benchmark of time: it has closed forms, and the same scenario without protection, beside it. Rows:

- `calm`: signals of any kind in simulated hours without an emitter, at point level through the whole graph (`calm_traffic`), and at
  signal level (a small staring FMCW array, the front end and EW, vehicles and persons in its view). Signals an hour, and its 95 %
  bound of Poisson.
- `range`: how far each jammer is first heard, beside the range at which the one-way link gives the test's threshold.
- `protection`: `aegis evaluate` of `jamming` as it is, and with a person who does what is advised as soon as it is proposed: who
  hops, and who blanks the sector of the strobe.
- `pull_off`: a pulled-off echo in raw samples, through all stages (`ew_pull_off.py`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
from aegis_msgs.srv import SetMode
from scipy.stats import chi2
from tqdm import tqdm

from aegis.bench import BenchmarkError, Row, ew_pull_off, three_digits
from aegis.core.evaluation.evaluate import evaluate
from aegis.core.ew.protection import AGILITY, BLANKING
from aegis.core.ew.receiver import ReceiverMonitor
from aegis.core.ew.settings import EwSettings, NoiseSettings
from aegis.core.ew.statistics import rise_threshold
from aegis.core.ew.watch import Watch
from aegis.core.signal import equation
from aegis.core.signal.front_end import FrontEnd
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.types import AdviceState
from aegis.graph.config import Parameters
from aegis.graph.evaluation.recording import options_of, simulate
from aegis.graph.offline import SIMULATION_EPOCH_NS, Pipeline
from aegis.ros.messages.ew import advice_from_msg, signals_from_msg
from aegis.ros.stages.base import Output, Stage, StageContext
from aegis.ros.stages.simulator import SimulatorStage
from aegis.simulation.points import Simulator
from aegis.simulation.scenario import Scenario
from aegis.simulation.settings import SimulatorSettings
from aegis.simulation.signal import SignalSimulator

HOURS = 10.0
SIGNAL_PERIOD_S = (
    1.0  # between frames at signal level: they are independent, so that a frame a second tests as many as it counts
)
SMALL_FMCW: dict[str, object] = {
    "level": "signal",
    "waveform": {"kind": "fmcw", "frequency_hz": 77e9, "bandwidth_hz": 150e6, "prf_hz": 10e3, "coherent_dwell_s": 3.2e-3,
                 "peak_power_w": 0.016},
    "antenna": {"gain_db": 14.0, "azimuth_beamwidth_deg": 90.0, "elevation_beamwidth_deg": 25.0, "sidelobe_db": -25.0,
                "receivers_azimuth": 4},
    "receiver": {"samples": 128, "sample_rate_hz": 10e6, "system_temperature_k": 4600.0, "losses_db": 3.0},
    "coverage": {"max_range_m": 100.0},
}  # fmt: skip


def run(runs: int, *, hours: float | None = None) -> Iterator[Row]:
    """Yield the rows.

    Args:
        runs: seeds of the comparison of protections, of the ranges, and of the pull-offs.
        hours: simulated, of calm at each level; None: 10.

    Raises:
        BenchmarkError: the hours are none.
    """
    length = HOURS if hours is None else hours
    if not length > 0.0:
        raise BenchmarkError(f"hours {length:g}; a positive number is expected")
    for name, counted in (("point", _calm_points), ("signal", _calm_signal)):
        found: Counter[str] = Counter()
        scans, interval = 0, 0.0
        parts = max(1, math.ceil(length))  # an hour each, with a seed of its own
        for seed in tqdm(range(1, parts + 1), unit="hour", disable=None):
            some, count, interval = counted(length / parts, seed)
            found, scans = found + some, scans + count
        total = sum(found.values())
        yield {
            "bench": "ew", "row": "calm", "level": name, "hours": length, "scans": scans, "interval_s": interval,
            "signals": total, "by_kind": dict(found), "per_hour": three_digits(total / length),
            "per_hour_below_95": three_digits(float(chi2.ppf(0.95, 2 * total + 2)) / 2.0 / length),
        }  # fmt: skip
    yield from _ranges(runs)
    for seed in range(1, runs + 1):
        yield _protection(seed)
    yield from ew_pull_off.rows(runs)


def _calm_points(hours: float, seed: int) -> tuple[Counter[str], int, float]:
    """Return the signals in hours of calm traffic, by kind, and the scans."""
    stage = SimulatorStage(SimulatorSettings(scenario="calm_traffic", seed=seed), StageContext(run_id="bench"))
    found: Counter[str] = Counter()
    seen: set[int] = set()
    period = stage.period_s
    scans = round(hours * 3600.0 / period)
    with closing(Pipeline(None, [])) as pipeline:
        for k in range(scans):
            for made in stage.on_timer(SIMULATION_EPOCH_NS + round(k * period * 1e9)):
                if made.topic == "truth":
                    continue
                for output in pipeline.push(made.topic, made.message):
                    if output.topic == "ew/signals" and len(output.message.id):  # type: ignore[attr-defined]
                        for signal in signals_from_msg(output.message):  # type: ignore[arg-type]
                            found[signal.kind.name] += signal.id not in seen
                            seen.add(signal.id)
    return +found, scans, period


def _calm_signal(hours: float, seed: int) -> tuple[Counter[str], int, float]:
    """Return the signals in hours of calm at signal level, by kind, and the frames."""
    settings = SimulatorSettings.model_validate({**SMALL_FMCW, "seed": seed})
    radar = SignalSimulator(settings, _street())
    front, watch = FrontEnd(FrontEndSettings()), Watch(EwSettings())
    found: Counter[str] = Counter()
    frames = round(hours * 3600.0 / SIGNAL_PERIOD_S)
    for k in range(frames):
        cube = radar.step(k * SIGNAL_PERIOD_S, round(k * SIGNAL_PERIOD_S * 1e9))
        front.step(cube)
        report = front.receiver_noise(cube)
        assert report is not None  # there was a cube
        found.update(signal.kind.name for signal in watch.take_noise(report))
    return found, frames, SIGNAL_PERIOD_S


def _street() -> Scenario:
    def target(name: str, what: str, rcs_dbsm: float, swerling: int, **motion: object) -> dict[str, object]:
        return {"name": name, "class": what, "rcs_dbsm": rcs_dbsm, "swerling": swerling, "motion": motion}

    return Scenario.model_validate(
        {
            "name": "calm street",
            "duration_s": 30.0,
            "targets": [
                target("car", "VEHICLE", 10.0, 1, kind="straight", position_m=(120.0, 4.0, 0.5), speed_mps=9.0, course_deg=270.0),
                target("truck", "VEHICLE", 25.0, 1, kind="straight", position_m=(5.0, -5.0, 1.0), speed_mps=6.0, course_deg=90.0),
                target("walker", "PERSON", 0.0, 2, kind="straight", position_m=(12.0, 8.0, 1.0), speed_mps=1.4, course_deg=170.0),
                target("drone", "DRONE", -15.0, 1, kind="hovering", position_m=(40.0, -10.0, 8.0), course_deg=10.0, sway_m=1.0,
                       sway_period_s=9.0),
            ],
        }
    )  # fmt: skip


def _ranges(runs: int) -> Iterator[Row]:
    """Yield how far a jammer is heard that comes nearer, beside the closed form."""
    quiet = NoiseSettings()
    point, raw = SimulatorSettings(), SimulatorSettings.model_validate(SMALL_FMCW)
    for name, settings, eirp_w, bandwidth_hz, frequency_hz in (
        ("spot noise, strobe", point, 1e-3, 20e6, 9.4e9),
        ("barrage noise, strobe", point, 1e-2, 500e6, 9.4e9),
        ("noise at a raw FMCW radar", raw, 10.0, 1e9, 77e9),
    ):
        found = [_heard_from(settings, eirp_w, bandwidth_hz, frequency_hz, seed) for seed in range(1, runs + 1)]
        expected = _closed_form(settings, eirp_w, bandwidth_hz, quiet)
        yield {
            "bench": "ew", "row": "range", "jammer": name, "eirp_w": eirp_w, "runs": runs,
            "heard_m": three_digits(float(np.median(found))), "closed_form_m": three_digits(expected),
            "ratio": three_digits(float(np.median(found)) / expected),
        }  # fmt: skip


def _closed_form(settings: SimulatorSettings, eirp_w: float, bandwidth_hz: float, quiet: NoiseSettings) -> float:
    """Return where the one-way link gives a beam the least rise that the test believes [m].

    That is `min_rise_db` or the F-test's threshold, whichever is more. Of formed beams the gain is the element's times their
    number.
    """
    radar = settings.radar(settings.waveform.frequency_hz)
    gain, share = radar.gain, min(1.0, settings.waveform.bandwidth_hz / bandwidth_hz)
    if settings.gives_cubes:
        front = FrontEnd(FrontEndSettings())
        cube = SignalSimulator(settings, _street()).step(0.0, 0)
        front.step(cube)
        report = front.receiver_noise(cube)
        assert report is not None
        gain *= settings.antenna.receivers
        share = min(1.0, settings.receiver.sample_rate_hz / bandwidth_hz)
        band = settings.receiver.sample_rate_hz
    else:
        simulator = Simulator(settings, _nobody([]))
        report = simulator.receiver_noise(0.0, 0)
        band = settings.waveform.bandwidth_hz
        # A fan of rows: the mean gain over them, where the jammer is at height 0.
        limits = np.radians([settings.coverage.elevation_min_deg, settings.coverage.elevation_max_deg])
        width = np.radians(settings.antenna.elevation_beamwidth_deg)
        n = max(1, round(float(limits[1] - limits[0]) / float(width)))
        rows = limits[0] + (limits[1] - limits[0]) * (np.arange(n) + 0.5) / n
        widths = np.array([np.radians(settings.antenna.azimuth_beamwidth_deg), width])
        gain *= float(
            equation.beam_gain(0.0, rows, widths, float(equation.from_db(settings.antenna.sidelobe_db))).mean()
        )
    n = len(report)
    cells = report.beam_cells
    test = rise_threshold(cells, cells * quiet.baseline_scans, quiet.false_alarm_probability / n)
    rise = max(test, 10.0 ** (quiet.min_rise_db / 10.0)) - 1.0
    noise_w = equation.BOLTZMANN * settings.receiver.system_temperature_k * band
    received = eirp_w * share * gain * radar.wavelength_m**2 / ((4.0 * np.pi) ** 2 * np.sqrt(radar.loss))
    return float(np.sqrt(received / (rise * noise_w)))


def _nobody(jammers: list[dict[str, object]]) -> Scenario:
    return Scenario.model_validate({"name": "nobody", "duration_s": 1e6, "jammers": jammers})


def _heard_from(
    settings: SimulatorSettings, eirp_w: float, bandwidth_hz: float, frequency_hz: float, seed: int
) -> float:
    """Return the range [m] at which a jammer, by steps of 2 %, is first heard."""
    expected = _closed_form(settings, eirp_w, bandwidth_hz, NoiseSettings())
    azimuth = 0.0 if settings.gives_cubes else np.radians(1.0)  # in the middle of a beam
    monitor = ReceiverMonitor(NoiseSettings())
    settings = settings.model_copy(update={"seed": seed})
    distances = expected * 1.6 * 0.98 ** np.arange(60.0)

    def radar_at(distance: float | None) -> Any:
        place = None if distance is None else (distance * np.cos(azimuth), distance * np.sin(azimuth), 0.0)
        item: dict[str, object] = {
            "name": "jammer",
            "position_m": place,
            "eirp_w": eirp_w,
            "frequency_hz": frequency_hz,
            "bandwidth_hz": bandwidth_hz,
        }
        rng = np.random.default_rng([seed, 0 if distance is None else round(distance * 1e3)])
        scenario = _nobody([] if distance is None else [item])
        chosen = settings.model_copy(update={"seed": int(rng.integers(2**31))})
        return (SignalSimulator if settings.gives_cubes else Simulator)(chosen, scenario, rng)

    front = FrontEnd(FrontEndSettings())

    def listen(radar: Any, k: int) -> None:
        if settings.gives_cubes:
            cube = radar.step(0.0, k)
            front.step(cube)
            report = front.receiver_noise(cube)
            assert report is not None
        else:
            radar.sequence = k
            report = radar.receiver_noise(0.0, k)
        monitor.step(report)

    quiet = radar_at(None)
    for k in range(NoiseSettings().baseline_scans):
        listen(quiet, k)
    for k, distance in enumerate(distances.tolist()):
        radar = radar_at(distance)
        for again in range(2):
            listen(radar, 100 + 2 * k + again)
        if monitor.signal is not None:
            return float(distance)
    return float("nan")


def _protection(seed: int) -> Row:
    """Return the picture of `jamming`: as it is, with agility, and with blanking, each from the first advice on.

    All are held against what an unblanked radar has in view: what is behind a blanked sector is missed.
    """
    parameters = Parameters.read(None, [])
    row: dict[str, object] = {"bench": "ew", "row": "protection", "scenario": "jamming", "seed": seed}
    plain = simulate("jamming", seed=seed)
    for name, obey in (("as_it_is", None), ("agile", hop), ("blanked", Blanker())):
        seen = plain if obey is None else simulate("jamming", seed=seed, advised=obey)
        found = evaluate(replace(seen, objects=plain.objects), options_of(parameters))
        row[name] = {
            measure: three_digits(found.measures[measure].value)
            for measure in ("coverage", "update_probability", "longest_gap_s", "gospa_m", "idf1", "ew_signalled")
        }
    return row


def _advised(output: Output, technique: str) -> bool:
    if output.topic != "ew/advice":
        return False
    return any(
        advice.technique == technique and advice.state is AdviceState.PROPOSED
        for advice in advice_from_msg(output.message)  # type: ignore[arg-type]
    )


def hop(radar: Stage[Any], output: Output, now_ns: int) -> None:
    """Do as a person does who takes the advice to hop: through `set_mode`."""
    if _advised(output, AGILITY):
        _set_mode(radar, SetMode.Request(frequency=float("nan"), set_agility=True, agility=1e9), now_ns)


class Blanker:
    """A person who takes the advice to blank the strobe's sector, and follows the strobe while it is heard."""

    def __init__(self) -> None:
        self._bearing = math.nan
        self.blanked = 0  # times

    def __call__(self, radar: Stage[Any], output: Output, now_ns: int) -> None:
        """Do what is advised."""
        if output.topic == "ew/signals":
            strobes = [s.bearing for s in signals_from_msg(output.message) if math.isfinite(s.bearing)]  # type: ignore[arg-type]
            self._bearing = strobes[0] if strobes else math.nan
        elif _advised(output, BLANKING) and math.isfinite(self._bearing):
            wide = math.radians(radar.settings.antenna.azimuth_beamwidth_deg)
            sector = {"blank_from": [self._bearing - wide], "blank_to": [self._bearing + wide]}
            _set_mode(radar, SetMode.Request(frequency=float("nan"), set_blanking=True, **sector), now_ns)
            self.blanked += 1


def _set_mode(radar: Stage[Any], request: SetMode.Request, now_ns: int) -> None:
    response = SetMode.Response()
    list(radar.on_service("set_mode", request, response, now_ns))
    if not response.success:
        raise BenchmarkError(f"set_mode: {response.message}")
