# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A scenario: what there is to see, as a YAML file. Positions in `map` (x east, y north, z up), metres, m/s, degrees.

Any time can be asked for, in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from aegis.core.params import ConfigError
from aegis.core.types import ClassId, Floats
from aegis.core.yaml_text import parse_yaml
from aegis.resources import share_dir
from aegis.simulation.scenario_base import Emitter, Model, Timed
from aegis.simulation.scenario_effects import Clutter, Gait, Interferer, PullOff, Reflector, Rotors, Wings
from aegis.simulation.scenario_motion import MOTION_KINDS, Motion, MotionArrays

_SUFFIXES = (".yaml", ".yml")


def _class_by_name(value: object) -> ClassId:
    if not isinstance(value, str) or value not in ClassId.__members__:
        raise ValueError(f"a class is one of {', '.join(ClassId.__members__)}")
    return ClassId[value]


class Target(Timed):
    """Something that reflects."""

    class_id: Annotated[ClassId, BeforeValidator(_class_by_name)] = Field(alias="class")
    rcs_dbsm: float = Field(ge=-80, le=80, description="mean RCS of the whole target")
    swerling: Literal[0, 1, 2, 3, 4] = Field(
        1,
        description="0 steady; 1 exponential RCS, new with every scan, 2 with every pulse; 3 and 4 the same with less"
        " fluctuation (gamma of order 2). The phase holds for a scan",
    )
    scatterers: int = Field(1, ge=1, le=1000, description="points that share the RCS equally")
    extent_m: Annotated[tuple[float, ...], Field(min_length=3, max_length=3)] = Field(
        (0.0, 0.0, 0.0), description="length (along the course), width, height of the box of the scatterers"
    )
    motion: Motion
    rotors: Rotors | None = None
    wings: Wings | None = None
    gait: Gait | None = None

    @model_validator(mode="after")
    def _has_extent(self) -> Self:
        if any(not 0 <= side <= 1000 for side in self.extent_m):
            raise ValueError("extent_m holds length, width and height from 0 to 1000 m")
        if self.scatterers > 1 and not any(self.extent_m):
            raise ValueError(f"{self.scatterers} scatterers need an extent_m that is not all zero")
        if self.scatterers > 1 and self.gait is not None:
            raise ValueError("a gait brings its own scatterers; scatterers must be 1")
        return self


class Jammer(Emitter):
    """A noise jammer; flat noise over its band."""

    bandwidth_hz: float = Field(gt=0, le=1e12)


class Scenario(Model):
    """What there is to see, and when."""

    name: str = Field(min_length=1)
    description: str = ""
    duration_s: float = Field(gt=0, le=1e6, description="then it starts again")
    targets: tuple[Target, ...] = ()
    jammers: tuple[Jammer, ...] = ()
    # At signal level only:
    interferers: tuple[Interferer, ...] = ()
    pull_offs: tuple[PullOff, ...] = ()
    reflectors: tuple[Reflector, ...] = ()
    clutter: tuple[Clutter, ...] = ()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        riders: dict[str, Sequence[Emitter | PullOff]] = {
            "jammer": self.jammers,
            "interferer": self.interferers,
            "pull-off": self.pull_offs,
        }
        timed: list[Timed] = [*self.targets, *self.jammers, *self.interferers, *self.pull_offs]
        names = [item.name for item in timed] + [item.name for item in self.reflectors]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"names must differ; used twice: {', '.join(twice)}")
        targets = {target.name for target in self.targets}
        for kind, items in riders.items():
            for item in items:
                if item.attached_to is not None and item.attached_to not in targets:
                    raise ValueError(f"{kind} '{item.name}' is attached to '{item.attached_to}', which is no target")
        for there in timed:
            if there.appears_s >= self.duration_s:
                raise ValueError(
                    f"'{there.name}' appears at {there.appears_s:g} s; the scenario ends at {self.duration_s:g} s"
                )
        return self

    @cached_property
    def _motion(self) -> MotionArrays:
        return MotionArrays.of(target.motion for target in self.targets)

    @cached_property
    def _target_times(self) -> Floats:
        return _times(self.targets, self.duration_s)

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

    def since_appearance(self, t_s: float) -> Floats:
        """Return for how long each target has been there, (N,) [s]."""
        return np.asarray(t_s - self._target_times[0])

    def active(self, items: Sequence[Emitter | PullOff], t_s: float) -> NDArray[np.bool_]:
        """Tell which of this scenario's emitters or pull-offs are on, (M,); one that is carried goes with its carrier."""
        there = np.append(self.present(t_s), True)  # carrier -1 takes the last entry: a place is always there
        return np.asarray(_within(_times(items, self.duration_s), t_s) & there[self.carriers(items)])

    def positions(self, items: Sequence[Emitter], t_s: float) -> Floats:
        """Return the positions of this scenario's emitters in `map`, (M, 3) [m]."""
        if not items:
            return np.empty((0, 3))
        fixed = np.array([item.position_m or (0.0, 0.0, 0.0) for item in items])
        carried, _ = self.position_velocity(t_s)
        carrier = self.carriers(items)
        where = np.vstack([carried, np.zeros((1, 3))])[carrier]
        return np.where(carrier[:, None] >= 0, where, fixed)

    def carriers(self, items: Sequence[Emitter | PullOff]) -> NDArray[np.int64]:
        """Return the index of the target that carries each, -1 for a place, (M,)."""
        return np.array([self._index.get(item.attached_to or "", -1) for item in items], dtype=np.int64)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {target.name: i for i, target in enumerate(self.targets)}


def _times(items: Sequence[Timed], duration_s: float) -> Floats:
    """Return begins and ends, (2, N) [s]."""
    ends = [duration_s if item.disappears_s is None else item.disappears_s for item in items]
    return np.array([[item.appears_s for item in items], ends], dtype=np.float64)


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
        content = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: a mapping is expected, with the keys {', '.join(Scenario.model_fields)}")
    try:
        return Scenario.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(path, item) for item in error.errors())) from None


def _explain(path: Path, item: ErrorDetails) -> str:
    """Return one validation error as a sentence; the union's tag is no key of the file and is left out."""
    parts = [
        str(part)
        for i, part in enumerate(item["loc"])
        if not (i and item["loc"][i - 1] == "motion" and part in MOTION_KINDS)
    ]
    key = ".".join(parts) or "(whole)"
    if item["type"] == "extra_forbidden":
        return f"{path}: unknown key '{key}'"
    if item["type"] == "missing":
        return f"{path}: key '{key}' is missing"
    found = "" if isinstance(item["input"], dict) else f" = {item['input']!r}"
    return f"{path}: '{key}'{found}: {item['msg']}"
