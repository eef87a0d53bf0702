"""A scenario: what there is to see, as a YAML file. Positions in `map` (x east, y north, z up), metres, m/s, degrees.

Motion is closed form, so that any time can be asked for, in any order, without integration errors.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from aegis.core.params import ConfigError
from aegis.core.types import ClassId, Floats
from aegis.resources import share_dir

Vector = tuple[float, float, float]
_SUFFIXES = (".yaml", ".yml")


class _Model(BaseModel):
    """Immutable; unknown keys and non-finite numbers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Straight(_Model):
    """Constant velocity."""

    kind: Literal["straight"]
    position_m: Vector = Field(description="where it appears")
    speed_mps: float = Field(ge=0, le=3000, description="over ground")
    course_deg: float = Field(ge=-360, le=360, description="clockwise from north, as on a compass")
    climb_mps: float = Field(0.0, ge=-3000, le=3000, description="vertical speed, up")


class Turning(_Model):
    """Constant speed on a circle (a helix, with `climb_mps`)."""

    kind: Literal["turning"]
    position_m: Vector = Field(description="where it appears")
    speed_mps: float = Field(gt=0, le=3000, description="over ground")
    course_deg: float = Field(ge=-360, le=360, description="where it appears, clockwise from north")
    turn_rate_deg_s: float = Field(ge=-90, le=90, description="positive turns right")
    climb_mps: float = Field(0.0, ge=-3000, le=3000, description="vertical speed, up")


class Hovering(_Model):
    """At a place, swaying about it."""

    kind: Literal["hovering"]
    position_m: Vector = Field(description="the middle of the sway")
    course_deg: float = Field(0.0, ge=-360, le=360, description="where its nose points and the sway goes")
    sway_m: float = Field(0.0, ge=0, le=1000, description="amplitude of the sway")
    sway_period_s: float = Field(10.0, ge=0.1, le=3600)


class Climbing(_Model):
    """Straight over ground, climbing (or descending) to an altitude and level from there."""

    kind: Literal["climbing"]
    position_m: Vector = Field(description="where it appears")
    speed_mps: float = Field(ge=0, le=3000, description="over ground")
    course_deg: float = Field(ge=-360, le=360, description="clockwise from north")
    climb_mps: float = Field(ge=-3000, le=3000, description="vertical speed, up")
    level_m: float = Field(description="the altitude (z) at which it goes on level")

    @model_validator(mode="after")
    def _reaches_level(self) -> Self:
        if (self.level_m - self.position_m[2]) * self.climb_mps <= 0:
            raise ValueError(
                f"level_m {self.level_m:g} is not reached from z = {self.position_m[2]:g} with climb_mps"
                f" {self.climb_mps:g}; the sign of climb_mps must lead there"
            )
        return self


Motion = Annotated[Straight | Turning | Hovering | Climbing, Field(discriminator="kind")]
_MOTION_KINDS = ("straight", "turning", "hovering", "climbing")


def _class_by_name(value: Any) -> ClassId:
    if not isinstance(value, str) or value not in ClassId.__members__:
        raise ValueError(f"a class is one of {', '.join(ClassId.__members__)}")
    return ClassId[value]


class _Timed(_Model):
    """Something that is there from `appears_s` until just before `disappears_s`."""

    name: str = Field(min_length=1)
    appears_s: float = Field(0.0, ge=0)
    disappears_s: float | None = Field(None, description="None for the scenario's end")

    @model_validator(mode="after")
    def _appears_first(self) -> Self:
        if self.disappears_s is not None and self.disappears_s <= self.appears_s:
            raise ValueError(f"disappears_s {self.disappears_s:g} must be after appears_s {self.appears_s:g}")
        return self


class Target(_Timed):
    """Something that reflects."""

    class_id: Annotated[ClassId, BeforeValidator(_class_by_name)] = Field(alias="class")
    rcs_dbsm: float = Field(ge=-80, le=80, description="mean RCS of the whole target")
    swerling: Literal[0, 1] = Field(1, description="0 steady; 1 exponential RCS, new with every scan")
    scatterers: int = Field(1, ge=1, le=1000, description="points that share the RCS equally")
    extent_m: Annotated[tuple[float, ...], Field(min_length=3, max_length=3)] = Field(
        (0.0, 0.0, 0.0), description="length (along the course), width, height of the box of the scatterers"
    )
    motion: Motion

    @model_validator(mode="after")
    def _has_extent(self) -> Self:
        if any(not 0 <= side <= 1000 for side in self.extent_m):
            raise ValueError("extent_m holds length, width and height from 0 to 1000 m")
        if self.scatterers > 1 and not any(self.extent_m):
            raise ValueError(f"{self.scatterers} scatterers need an extent_m that is not all zero")
        return self


class Jammer(_Timed):
    """A noise jammer, at a place or carried by a target; flat noise over its band, alike in all directions."""

    eirp_w: float = Field(gt=0, le=1e9, description="power times antenna gain, over the whole band")
    frequency_hz: float = Field(gt=0, le=1e12, description="centre of its band")
    bandwidth_hz: float = Field(gt=0, le=1e12)
    position_m: Vector | None = None
    attached_to: str | None = Field(None, description="name of the target that carries it")

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if (self.position_m is None) == (self.attached_to is None):
            raise ValueError("exactly one of position_m and attached_to is expected")
        return self


class Scenario(_Model):
    """What there is to see, and when."""

    name: str = Field(min_length=1)
    description: str = ""
    duration_s: float = Field(gt=0, le=1e6, description="then it starts again")
    targets: tuple[Target, ...] = ()
    jammers: tuple[Jammer, ...] = ()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        names = [item.name for item in (*self.targets, *self.jammers)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"names must differ; used twice: {', '.join(twice)}")
        targets = {target.name for target in self.targets}
        for jammer in self.jammers:
            if jammer.attached_to is not None and jammer.attached_to not in targets:
                raise ValueError(f"jammer '{jammer.name}' is attached to '{jammer.attached_to}', which is no target")
        for item in (*self.targets, *self.jammers):
            if item.appears_s >= self.duration_s:
                raise ValueError(
                    f"'{item.name}' appears at {item.appears_s:g} s; the scenario ends at {self.duration_s:g} s"
                )
        return self

    @cached_property
    def _motion(self) -> _MotionArrays:
        return _MotionArrays.of(self.targets)

    @cached_property
    def _target_times(self) -> Floats:
        return self._times(self.targets)

    @cached_property
    def _jammer_times(self) -> Floats:
        return self._times(self.jammers)

    def _times(self, items: tuple[_Timed, ...]) -> Floats:
        ends = [self.duration_s if item.disappears_s is None else item.disappears_s for item in items]
        return np.array([[item.appears_s for item in items], ends], dtype=np.float64)

    def position_velocity(self, t_s: float) -> tuple[Floats, Floats]:
        """Return the targets' positions (N, 3) [m] and velocities (N, 3) [m/s] in `map`.

        Targets that are not there at `t_s` have what their motion gives; see `present`.
        """
        return self._motion.position_velocity(t_s - self._target_times[0])

    def course_and_turn_rate(self, t_s: float) -> tuple[Floats, Floats]:
        """Return where the targets' noses point, clockwise from north, (N,) [rad], and its change (N,) [rad/s]."""
        motion = self._motion
        return motion.course + motion.turn_rate * (t_s - self._target_times[0]), motion.turn_rate

    def present(self, t_s: float) -> NDArray[np.bool_]:
        """Tell which targets are there, (N,)."""
        return _within(self._target_times, t_s)

    def jamming(self, t_s: float) -> NDArray[np.bool_]:
        """Tell which jammers are on, (M,); one that is carried goes with its carrier."""
        there = np.append(self.present(t_s), True)  # carrier -1 takes the last entry: a place is always there
        return np.asarray(_within(self._jammer_times, t_s) & there[self._carrier])

    def jammer_positions(self, t_s: float) -> Floats:
        """Return the jammers' positions in `map`, (M, 3) [m]."""
        if not self.jammers:
            return np.empty((0, 3))
        fixed = np.array([jammer.position_m or (0.0, 0.0, 0.0) for jammer in self.jammers])
        carried, _ = self.position_velocity(t_s)
        where = np.vstack([carried, np.zeros((1, 3))])[self._carrier]
        return np.where(self._carrier[:, None] >= 0, where, fixed)

    @cached_property
    def _carrier(self) -> NDArray[np.int64]:
        """Index of the target that carries each jammer, -1 for a place."""
        index = {target.name: i for i, target in enumerate(self.targets)}
        return np.array([index.get(jammer.attached_to or "", -1) for jammer in self.jammers], dtype=np.int64)


class _MotionArrays:
    """All motions as arrays over the targets: one closed form, of which each kind uses a part.

    Turn at constant speed: the chord after t is v t sinc(w t / 2), in the direction course + w t / 2; a straight line
    is w = 0. Added to it: a vertical speed until `climb_time`, and a sway.
    """

    def __init__(self, n: int) -> None:
        self.start = np.zeros((n, 3))
        self.speed = np.zeros(n)
        self.course = np.zeros(n)  # [rad] clockwise from north
        self.turn_rate = np.zeros(n)  # [rad/s] clockwise
        self.climb = np.zeros(n)
        self.climb_time = np.full(n, np.inf)
        self.sway = np.zeros(n)
        self.sway_rate = np.ones(n)  # [rad/s]

    @classmethod
    def of(cls, targets: tuple[Target, ...]) -> Self:
        """Take the motions out of the targets."""
        out = cls(len(targets))
        for i, target in enumerate(targets):
            motion = target.motion
            out.start[i] = motion.position_m
            out.course[i] = np.radians(motion.course_deg)
            if isinstance(motion, Hovering):
                out.sway[i] = motion.sway_m
                out.sway_rate[i] = 2 * np.pi / motion.sway_period_s
                continue
            out.speed[i] = motion.speed_mps
            out.climb[i] = motion.climb_mps
            if isinstance(motion, Turning):
                out.turn_rate[i] = np.radians(motion.turn_rate_deg_s)
            elif isinstance(motion, Climbing):
                out.climb_time[i] = (motion.level_m - motion.position_m[2]) / motion.climb_mps
        return out

    def position_velocity(self, dt: Floats) -> tuple[Floats, Floats]:
        """Return positions and velocities, each (N, 3), a time `dt` (N,) [s] after each one's start."""
        half_turn = self.turn_rate * dt / 2
        chord = self.speed * dt * np.sinc(half_turn / np.pi)
        sway = self.sway * np.sin(self.sway_rate * dt)
        sway_speed = self.sway * self.sway_rate * np.cos(self.sway_rate * dt)
        east, north = np.sin(self.course), np.cos(self.course)
        position = self.start.copy()
        position[:, 0] += chord * np.sin(self.course + half_turn) + sway * east
        position[:, 1] += chord * np.cos(self.course + half_turn) + sway * north
        position[:, 2] += self.climb * np.minimum(dt, self.climb_time)
        now = self.course + 2 * half_turn
        velocity = np.empty_like(position)
        velocity[:, 0] = self.speed * np.sin(now) + sway_speed * east
        velocity[:, 1] = self.speed * np.cos(now) + sway_speed * north
        velocity[:, 2] = np.where(dt < self.climb_time, self.climb, 0.0)
        return position, velocity


def _within(times: Floats, t_s: float) -> NDArray[np.bool_]:
    """Tell between which of the begins and ends (2, N) a time lies, (N,)."""
    return np.asarray((times[0] <= t_s) & (t_s < times[1]))


def scenarios_dir() -> Path:
    """Return where the scenarios that ship are."""
    return share_dir() / "config" / "scenarios"


def scenario_names() -> list[str]:
    """Return the names of the scenarios that ship."""
    return sorted(path.stem for path in scenarios_dir().glob("*.yaml"))


def load_scenario(path_or_name: str | Path) -> Scenario:
    """Read a scenario.

    Args:
        path_or_name: a path (a `Path`, or text with a directory or ending in .yaml), or the name of one that ships.

    Raises:
        ConfigError: there is no such scenario, or it is wrong: the message names the file, the key, what was found and
            what is allowed.
    """
    text = str(path_or_name)
    if isinstance(path_or_name, Path) or "/" in text or text.endswith(_SUFFIXES):
        path = Path(path_or_name)
    elif text in scenario_names():
        path = scenarios_dir() / f"{text}.yaml"
    else:
        raise ConfigError(
            f"no scenario '{text}'; a path to a .yaml file is expected, or one of {', '.join(scenario_names())}"
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: what looks like a date and is none
        raise ConfigError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: a mapping is expected, with the keys {', '.join(Scenario.model_fields)}")
    try:
        return Scenario.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(path, item) for item in error.errors())) from None


def _explain(path: Path, item: Any) -> str:
    """Return one validation error as a sentence; the union's tag is no key of the file and is left out."""
    parts = [
        str(part)
        for i, part in enumerate(item["loc"])
        if not (i and item["loc"][i - 1] == "motion" and part in _MOTION_KINDS)
    ]
    key = ".".join(parts) or "(whole)"
    if item["type"] == "extra_forbidden":
        return f"{path}: unknown key '{key}'"
    if item["type"] == "missing":
        return f"{path}: key '{key}' is missing"
    found = "" if isinstance(item["input"], dict) else f" = {item['input']!r}"
    return f"{path}: '{key}'{found}: {item['msg']}"
