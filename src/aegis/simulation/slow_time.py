# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The slow-time signal of one object, as a radar or a CW sensor has it after range processing: for classification to learn from.

Parts move as `core.signal.micro_doppler` says; the far field holds, so that a part's phase is that of its displacement along the
line of sight. What a site adds is drawn too: still clutter and its sway, hum of the mains, a path by the ground, noise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.signal import equation, micro_doppler
from aegis.core.types import ClassId, Floats

Signal = NDArray[np.complex128]
Range = tuple[float, float]


class Sent(NamedTuple):
    """What a sensor sends, and for how long it listens."""

    wavelength_m: float
    prf_hz: float
    samples: int

    @property
    def times(self) -> Floats:
        """Return (S,) times about the middle [s]."""
        return np.asarray((np.arange(self.samples) - 0.5 * (self.samples - 1)) / self.prf_hz, np.float64)


class Later(NamedTuple):
    """The same, some seconds later."""

    sent: Sent
    since_s: float

    @property
    def wavelength_m(self) -> float:
        """Return the wavelength [m]."""
        return self.sent.wavelength_m

    @property
    def prf_hz(self) -> float:
        """Return the samples a second."""
        return self.sent.prf_hz

    @property
    def samples(self) -> int:
        """Return how many there are."""
        return self.sent.samples

    @property
    def times(self) -> Floats:
        """Return (S,) times [s]."""
        return self.sent.times + self.since_s


class Object(NamedTuple):
    """An object as it is looked at."""

    sent: Sent | Later
    sight: Floats  # (3,) unit vector of the line of sight in its axes: forward, left, up
    rng: np.random.Generator

    def echo(self, place: Floats, amplitude: Floats | float) -> Signal:
        """Return (S,) the echo of parts displaced by (K, S, 3) [m], of amplitudes (K, S) or one."""
        phase = 4.0 * np.pi / self.sent.wavelength_m * (place @ self.sight)
        return np.asarray((amplitude * np.exp(-1j * phase)).sum(axis=0))

    def body(self, speed_mps: float, acceleration_mps2: float = 0.0, points: int = 1, length_m: float = 0.0) -> Signal:
        """Return (S,) the echo of a body of one square metre whose points lie along its length, some of them turning with it."""
        t = self.sent.times
        along = self.rng.uniform(-0.5, 0.5, points) * length_m
        across = self.rng.uniform(-0.2, 0.2, points) * length_m
        turn = self.rng.normal(0.0, 0.15) * (length_m > 0.0)
        way = (speed_mps * t + 0.5 * acceleration_mps2 * t**2) * self.sight[0]
        swing = (along[:, None] * self.sight[1] - across[:, None] * self.sight[0]) * turn * t
        weight = self.rng.exponential(1.0, points)
        weight /= weight.sum()
        phase = 4.0 * np.pi / self.sent.wavelength_m * (way + swing) + self.rng.uniform(0, 2 * np.pi, (points, 1))
        return np.asarray((np.sqrt(weight)[:, None] * np.exp(-1j * phase)).sum(axis=0))

    def rotors(
        self,
        count: int,
        blades: int,
        radius_m: float,
        rate_hz: float,
        blade_db: float,
        spread: float,
        tilt: float = 0.0,
    ) -> Signal:
        """Return (S,) the echo of rotors whose rates differ by a share; `tilt` 0 is a horizontal rotor, pi / 2 a propeller."""
        sight = self.sight
        turned = np.array(
            [
                sight[0] * np.cos(tilt) - sight[2] * np.sin(tilt),
                sight[1],
                sight[0] * np.sin(tilt) + sight[2] * np.cos(tilt),
            ]
        )
        out = np.zeros(self.sent.samples, np.complex128)
        for _ in range(count):
            rate = rate_hz * (1.0 + spread * self.rng.uniform(-1.0, 1.0))
            place, _ = micro_doppler.rotor(self.sent.times, blades, radius_m, rate, self.rng.uniform(0, 2 * np.pi))
            pattern = micro_doppler.blade_pattern(place, turned, self.sent.wavelength_m)
            pattern = np.sign(pattern) * np.maximum(np.abs(pattern), 0.03)  # tips and edges scatter into all directions
            phase = 4.0 * np.pi / self.sent.wavelength_m * (place @ turned) + self.rng.uniform(0, 2 * np.pi)
            out += (pattern * np.exp(-1j * phase)).sum(axis=0)
        return np.asarray(out * np.sqrt(equation.from_db(blade_db)))

    def moved(self, signal: Signal, speed_mps: float, acceleration_mps2: float = 0.0) -> Signal:
        """Return a signal of something that is carried along."""
        t = self.sent.times
        way = (speed_mps * t + 0.5 * acceleration_mps2 * t**2) * self.sight[0]
        return np.asarray(signal * np.exp(-4j * np.pi / self.sent.wavelength_m * way))


def _drone(o: Object) -> Signal:
    u = o.rng.uniform
    count, blades = int(o.rng.choice((1, 3, 4, 4, 4, 6, 8))), int(o.rng.choice((2, 2, 2, 3)))
    radius = float(np.exp(u(np.log(0.05), np.log(0.4))))
    rate = min(u(60.0, 160.0) * np.sqrt(0.13 / radius), 0.55 * 343.0 / (2 * np.pi * radius))
    speed = 0.0 if u() < 0.4 else u(1.0, 20.0)
    speed += o.rng.normal(0.0, 0.1)
    return o.moved(
        o.body(0.0) + o.rotors(count, blades, radius, rate, u(-22.0, 2.0), u(0.005, 0.08)), speed, o.rng.normal(0, 0.5)
    )


def _bird(o: Object) -> Signal:
    u = o.rng.uniform
    span = float(np.exp(u(np.log(0.2), np.log(1.8))))
    rate = np.clip(2.8 * span**-0.7 * u(0.8, 1.3), 2.0, 18.0)
    flaps = u() < 0.8
    place, _ = micro_doppler.wings(o.sent.times + u(0.0, 1.0), span, rate, np.radians(u(15.0, 50.0)) if flaps else 1e-3)
    return o.moved(
        o.body(0.0) + o.echo(place, float(np.sqrt(equation.from_db(u(-12.0, 2.0)) / 2))),
        u(5.0, 20.0),
        o.rng.normal(0, 1),
    )


def _aircraft(o: Object) -> Signal:
    u = o.rng.uniform
    speed = u(28.0, 280.0)
    out = o.body(0.0, points=int(o.rng.integers(1, 6)), length_m=u(6.0, 30.0))
    if speed < 170.0:  # propellers, for which the sight is along the shaft from ahead
        out = out + o.rotors(
            int(o.rng.choice((1, 1, 2, 4))),
            int(o.rng.integers(2, 7)),
            u(0.8, 2.0),
            u(14.0, 42.0),
            u(-25.0, -5.0),
            0.01,
            np.pi / 2,
        )
    elif u() < 0.6:  # the compressor of a jet, seen into its intake
        out = out + o.rotors(
            1, int(o.rng.integers(18, 38)), u(0.3, 0.9), u(40.0, 150.0), u(-30.0, -12.0), 0.01, np.pi / 2
        )
    return o.moved(out, speed, o.rng.normal(0.0, 2.0))


def _helicopter(o: Object) -> Signal:
    u = o.rng.uniform
    radius = u(3.5, 10.0)
    rate = u(195.0, 225.0) / (2 * np.pi * radius)
    speed = u(0.0, 0.3) if u() < 0.3 else u(3.0, 80.0)
    out = o.body(0.0, points=int(o.rng.integers(1, 5)), length_m=u(5.0, 18.0))
    out = out + o.rotors(1, int(o.rng.integers(2, 8)), radius, rate, u(-15.0, 5.0), 0.0, u(-0.1, 0.1))
    out = out + o.rotors(1, int(o.rng.integers(2, 6)), u(0.6, 1.6), u(20.0, 45.0), u(-20.0, -3.0), 0.0, np.pi / 2)
    return o.moved(out, speed, o.rng.normal(0.0, 1.0))


def _missile(o: Object) -> Signal:
    return o.body(
        o.rng.uniform(180.0, 1000.0),
        o.rng.normal(0.0, 15.0),
        points=int(o.rng.integers(1, 3)),
        length_m=o.rng.uniform(1.0, 6.0),
    )


def _vehicle(o: Object) -> Signal:
    u = o.rng.uniform
    speed = float(np.exp(u(np.log(1.5), np.log(42.0))))
    length = u(1.5, 14.0)
    out = o.body(0.0, points=int(o.rng.integers(2, 14)), length_m=length)
    t = o.sent.times
    for _ in range(
        int(o.rng.choice((2, 4, 4, 6)))
    ):  # wheels: spokes and tread, from at rest on the road to twice the speed on top
        radius, parts = u(0.25, 0.5), int(o.rng.integers(2, 9))
        angle = speed / radius * t + 2 * np.pi * (np.arange(parts)[:, None] / parts + u())
        place = radius * u(0.6, 1.0) * np.stack([np.cos(angle), np.zeros_like(angle), -np.sin(angle)], axis=-1)
        out = out + o.echo(place, float(np.sqrt(equation.from_db(u(-34.0, -12.0)) / parts)))
    vibration = u(0.0, 0.3) * o.sent.wavelength_m * np.sin(2 * np.pi * u(10.0, 60.0) * t)
    shake = np.exp(-4j * np.pi / o.sent.wavelength_m * np.minimum(np.abs(vibration), 5e-4) * np.sign(vibration))
    return o.moved(out * shake, speed, o.rng.normal(0.0, 1.5))


def _person(o: Object) -> Signal:
    u = o.rng.uniform
    out = np.zeros(o.sent.samples, np.complex128)
    for _ in range(int(o.rng.choice((1, 1, 1, 2, 3)))):
        speed, height = u(0.5, 3.5) * (1.0 if u() < 0.85 else 1.8), u(1.4, 2.0)
        place, _ = micro_doppler.gait(o.sent.times + u(0.0, 2.0), speed, height)
        parts = np.sqrt(micro_doppler.GAIT_SHARES * np.exp(o.rng.normal(0.0, 0.5, len(micro_doppler.GAIT_SHARES))))
        phase = np.exp(2j * np.pi * u(size=(len(parts), 1)))
        out += o.moved(o.echo(place, parts[:, None] * phase), speed)
    return out


def _vessel(o: Object) -> Signal:
    u = o.rng.uniform
    t, points, length = o.sent.times, int(o.rng.integers(2, 12)), float(np.exp(u(np.log(3.0), np.log(200.0))))
    speed = u(0.3, 5.0) if u() < 0.6 else u(3.0, 20.0)
    roll = np.radians(u(0.5, 12.0)) * np.sin(2 * np.pi * u(0.07, 0.5) * t + u(0, 2 * np.pi))
    up = u(0.0, 0.15, points) * length
    phase = 4 * np.pi / o.sent.wavelength_m * up[:, None] * roll * o.sight[1] + u(0, 2 * np.pi, (points, 1))
    weight = o.rng.exponential(1.0, points)
    return o.moved(
        (np.sqrt(weight / weight.sum())[:, None] * np.exp(-1j * phase)).sum(axis=0), speed, o.rng.normal(0.0, 0.1)
    )


def _clutter(o: Object) -> Signal:
    """Something that sways: trees, grass, waves. Each part drifts by itself."""
    u = o.rng.uniform
    t, points = o.sent.times, int(o.rng.integers(3, 25))
    speed = o.rng.normal(0.0, u(0.02, 0.5), (points, 1))
    sway = speed * t + u(0.0, 0.1, (points, 1)) * np.sin(
        2 * np.pi * u(0.2, 2.0, (points, 1)) * t + u(0, 2 * np.pi, (points, 1))
    )
    return np.asarray(
        np.exp(-4j * np.pi / o.sent.wavelength_m * sway + 2j * np.pi * u(size=(points, 1))).sum(axis=0)
        / np.sqrt(points)
    )


def _anything(o: Object) -> Signal:
    """Something of no class: a few lines at any speeds, of any modulation."""
    u = o.rng.uniform
    out = np.zeros(o.sent.samples, np.complex128)
    for _ in range(int(o.rng.integers(1, 6))):
        top = o.sent.prf_hz * o.sent.wavelength_m / 4.0
        rate = np.exp(u(np.log(0.5), np.log(2000.0)))
        depth = np.exp(u(np.log(0.01), np.log(50.0)))
        phase = 2 * np.pi * rate * o.sent.times
        mark = np.exp(1j * depth * np.sin(phase)) if u() < 0.5 else (np.sin(phase) > u(-0.9, 0.9)).astype(np.complex128)
        speed = u(-1.0, 1.0) * top
        out += np.exp(o.rng.normal()) * mark * np.exp(-4j * np.pi / o.sent.wavelength_m * (speed * o.sent.times))
    return out


def _bare(o: Object) -> Signal:
    """A body of any kind, and nothing that moves beside it."""
    u = o.rng.uniform
    body = o.body(0.0, points=int(o.rng.integers(1, 7)), length_m=u(0.1, 8.0))
    return o.moved(body, u(-25.0, 25.0), o.rng.normal(0.0, 1.0))


MAKERS: dict[ClassId, Callable[[Object], Signal]] = {
    ClassId.UNKNOWN: _anything, ClassId.DRONE: _drone, ClassId.BIRD: _bird, ClassId.AIRCRAFT: _aircraft,
    ClassId.HELICOPTER: _helicopter, ClassId.MISSILE: _missile, ClassId.VEHICLE: _vehicle, ClassId.PERSON: _person,
    ClassId.VESSEL: _vessel, ClassId.CLUTTER: _clutter,
}  # fmt: skip


def drawn_sensor(rng: np.random.Generator, cw: bool) -> Sent:
    """Draw a sensor: a radar's dwell, or a CW sensor's longer look."""
    wavelength = equation.SPEED_OF_LIGHT / np.exp(rng.uniform(np.log(1.2e9), np.log(80e9)))
    if cw:
        prf, length = np.exp(rng.uniform(np.log(2e3), np.log(5e4))), 0.5
    else:
        prf, length = np.exp(rng.uniform(np.log(1.5e3), np.log(2.5e4))), np.exp(rng.uniform(np.log(4e-3), np.log(0.12)))
    return Sent(float(wavelength), float(prf), int(np.clip(prf * length, 32, 25_000)))


def drawn_signal(
    class_id: ClassId, sent: Sent, rng: np.random.Generator, *, real: bool = False
) -> NDArray[np.complex128] | Floats:
    """Return (S,) what a sensor hears of a random object of a class, with what the site adds; `real` keeps one channel."""
    azimuth, elevation = rng.uniform(0.0, 2 * np.pi), np.abs(rng.normal(0.0, 0.25))
    if class_id in (ClassId.VEHICLE, ClassId.PERSON) and rng.random() < 0.7:  # along the road, rather
        azimuth = rng.choice((0.0, np.pi)) + rng.normal(0.0, 0.4)
    sight = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), -np.sin(elevation)])
    signal = MAKERS[class_id](Object(sent, sight, rng))
    signal = signal / np.sqrt(np.mean(np.abs(signal) ** 2) + 1e-300)
    t = sent.times
    signal = signal * (1.0 + rng.uniform(-0.8, 0.8) * t / (t[-1] - t[0]))  # it comes nearer, or goes
    if rng.random() < 0.3:  # a path by the ground fades it
        signal = signal * (
            1.0 + rng.uniform(0.0, 0.9) * np.exp(2j * np.pi * (rng.uniform(-8.0, 8.0) * t + rng.random()))
        )
    noise = np.exp(1j * 0.0) * (rng.normal(size=len(t)) + 1j * rng.normal(size=len(t))) / np.sqrt(2.0)
    # SNR of the whole look, all samples added up.
    snr = equation.from_db(rng.uniform(14.0, 50.0)) / len(t)
    out = signal * np.sqrt(snr) + noise
    if rng.random() < 0.6:  # what stands still, and sways
        still = equation.from_db(rng.uniform(-10.0, 40.0)) * snr
        sway = rng.normal(0.0, 0.02) * t + 1e-4 * rng.normal() * np.sin(2 * np.pi * rng.uniform(0.3, 3.0) * t)
        out = out + np.sqrt(still) * np.exp(-4j * np.pi / sent.wavelength_m * sway + 2j * np.pi * rng.random())
    if rng.random() < 0.25:  # hum of the mains
        for k in range(1, int(rng.integers(2, 6))):
            level = np.sqrt(snr * equation.from_db(rng.uniform(-30.0, -3.0)))
            out = out + level * np.cos(2 * np.pi * k * rng.choice((50.0, 60.0, 100.0)) * t + rng.uniform(0, 2 * np.pi))
    return np.asarray(out.real if real else out)


class Dwells:
    """One random object, as dwells of one radar see it one after another: its parts go on as they go, its aspect turns slowly."""

    def __init__(self, class_id: ClassId, sent: Sent, rng: np.random.Generator, *, bare: bool = False) -> None:
        """Draw it; `bare`: of what can have moving parts nothing is seen but the body."""
        self._sent, self._rng = sent, rng
        self._make = _bare if bare and class_id not in (ClassId.UNKNOWN, ClassId.CLUTTER) else MAKERS[class_id]
        self._seed = int(rng.integers(2**31))  # of what is drawn of the object: the same in each dwell
        self._azimuth, self._elevation = rng.uniform(0.0, 2 * np.pi), float(np.abs(rng.normal(0.0, 0.25)))
        if class_id in (ClassId.VEHICLE, ClassId.PERSON) and rng.random() < 0.7:  # along the road, rather
            self._azimuth = rng.choice((0.0, np.pi)) + rng.normal(0.0, 0.4)
        self._snr_db = rng.uniform(16.0, 50.0)
        self._ground, self._is_still = rng.random() < 0.3, rng.random() < 0.6
        self._still_db = rng.uniform(-10.0, 40.0)
        self._turn = rng.normal(0.0, 0.1)  # [rad/s]

    def signal(self, since_s: float) -> Signal:
        """Return (S,) one dwell's slow time, some seconds after the first, with noise of power 1 in a sample."""
        rng, sent = self._rng, self._sent
        a, e = self._azimuth + self._turn * since_s, self._elevation
        sight = np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), -np.sin(e)])
        signal = self._make(Object(Later(sent, since_s), sight, np.random.default_rng(self._seed)))
        signal = signal / np.sqrt(np.mean(np.abs(signal) ** 2) + 1e-300)
        t, n = sent.times, sent.samples
        if self._ground:
            signal = signal * (
                1.0 + rng.uniform(0.0, 0.9) * np.exp(2j * np.pi * (rng.uniform(-8.0, 8.0) * t + rng.random()))
            )
        snr = equation.from_db(self._snr_db + rng.normal(0.0, 3.0)) / n
        out = signal * np.sqrt(snr) + (rng.normal(size=n) + 1j * rng.normal(size=n)) / np.sqrt(2.0)
        if self._is_still:
            sway = rng.normal(0.0, 0.02) * t
            phase = np.exp(-4j * np.pi / sent.wavelength_m * sway + 2j * np.pi * rng.random())
            out = out + np.sqrt(equation.from_db(self._still_db) * snr) * phase
        return np.asarray(out)
