# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tasks that others give this node: what it can do it does, all else it rejects and says why."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sapient_msg.bsi_flex_335_v2_0.task_ack_pb2 import TaskAck
from sapient_msg.bsi_flex_335_v2_0.task_pb2 import Task

from aegis.core.site import Site
from aegis.core.types import Floats, Tracks, TrackStatus
from aegis.sapient.ids import is_ulid
from aegis.sapient.messages import MessageError, stamp_ns
from aegis.sapient.places import PlaceError, position_of
from aegis.sapient.registration import DEFAULT_MODE, REQUESTS
from aegis.sapient.settings import FusionSideSettings

LOW, MEDIUM, HIGH = Task.DISCRETE_THRESHOLD_LOW, Task.DISCRETE_THRESHOLD_MEDIUM, Task.DISCRETE_THRESHOLD_HIGH
LOW_RATE = 5.0  # times the usual period
FASTEST_S = 0.1  # a period, however high the rate
HIGH_EXISTENCE = 0.95
EARLY_NS = 1_000_000_000  # a start so much ahead is now
MOST_CORNERS = 1000
_NOT_OFFERED = {
    "look_at": "the radar cannot be pointed from here",
    "move_to": "this node does not move",
    "patrol": "this node does not move",
    "follow": "this node does not move",
    "classification_threshold": "probabilities of all classes are reported; no threshold is offered",
}


class RefusedError(ValueError):
    """A task is rejected; the text is the reason that the other side is told."""


@dataclass(frozen=True)
class Running:
    """A task that is in force."""

    task_id: str
    end_ns: int | None = None
    level: Task.DiscreteThreshold = MEDIUM
    wanted: tuple[Floats, ...] = ()  # polygons (N, 2) in `map`; of none, all
    ignored: tuple[Floats, ...] = ()


@dataclass
class Answer:
    """What a task leads to."""

    acks: list[TaskAck] = field(default_factory=list)
    register: bool = False  # the registration is to be sent
    status: bool = False  # and a status report


class Tasks:
    """The tasks in force: one of each kind; a new one takes the place of the last."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.forget()

    def forget(self) -> None:
        """End all tasks."""
        self.reporting = True
        self._running: dict[str, Running] = {}

    @property
    def active_id(self) -> str:
        """The task that a report is made under: that of a region, else the last one; empty: none."""
        chosen = self._running.get("region") or next(reversed(self._running.values()), None)
        return "" if chosen is None else chosen.task_id

    def period_s(self, usual_s: float) -> float:
        """Return how often tracks are to be reported."""
        level = self._running["rate"].level if "rate" in self._running else MEDIUM
        if level == LOW:
            return LOW_RATE * usual_s
        return FASTEST_S if level == HIGH else usual_s

    def chosen(self, tracks: Tracks) -> NDArray[np.bool_]:
        """Return (N,) which tracks are to be reported."""
        level = self._running["threshold"].level if "threshold" in self._running else MEDIUM
        out = np.ones(len(tracks), np.bool_)
        if level == MEDIUM:
            out = np.isin(tracks.status, (int(TrackStatus.CONFIRMED), int(TrackStatus.COASTING)))
        elif level == HIGH:
            out = (tracks.status == int(TrackStatus.CONFIRMED)) & (tracks.existence_probability >= HIGH_EXISTENCE)
        region = self._running.get("region")
        if region is not None and len(tracks):
            at = tracks.state[:, :2]
            if region.wanted:
                out = out & np.any([inside(at, one) for one in region.wanted], axis=0)
            for one in region.ignored:
                out = out & ~inside(at, one)
        return np.asarray(out)

    def take(self, task: Task, now_ns: int) -> Answer:
        """Take a task."""
        answer = Answer()
        status, reasons = TaskAck.TASK_STATUS_ACCEPTED, []
        try:
            self._take(task, now_ns, answer)
        except (RefusedError, PlaceError, MessageError) as error:
            status, reasons = TaskAck.TASK_STATUS_REJECTED, [str(error)]
        answer.acks.append(TaskAck(task_id=task.task_id, task_status=status, reason=reasons))
        return answer

    def ended(self, now_ns: int) -> list[TaskAck]:
        """Return the ends of tasks whose time is over."""
        over = [kind for kind, one in self._running.items() if one.end_ns is not None and now_ns >= one.end_ns]
        return [_completed(self._running.pop(kind).task_id, "its time is over") for kind in over]

    def _take(self, task: Task, now_ns: int, answer: Answer) -> None:
        if not is_ulid(task.task_id):
            raise RefusedError(f"task_id '{task.task_id}' is no ULID")
        if task.control == Task.CONTROL_STOP:
            self._stop(task.task_id)
            return
        if task.control != Task.CONTROL_START:
            raise RefusedError("only the controls start and stop are offered")
        command = task.command.WhichOneof("command") if task.HasField("command") else None
        if command == "request":
            if self._request(task.command.request, answer):
                return
        elif command in _NOT_OFFERED:
            raise RefusedError(_NOT_OFFERED[command])
        elif command == "mode_change":
            if task.command.mode_change != DEFAULT_MODE:
                raise RefusedError(f"mode '{task.command.mode_change}' is not offered; there is '{DEFAULT_MODE}'")
            return
        end_ns = _end_ns(task, now_ns)
        if command is None:
            self._start("region", self._region(task, end_ns), answer)
            return
        if len(task.region):
            raise RefusedError("a command for a region alone is not offered")
        if command == "request":
            self.reporting = task.command.request.lower() == "start"
            return
        level = getattr(task.command, command)
        if level not in (LOW, MEDIUM, HIGH):
            raise RefusedError(f"{command} without a level")
        kind = "rate" if command == "detection_report_rate" else "threshold"
        self._start(kind, Running(task.task_id, end_ns, level), answer)

    def _request(self, request: str, answer: Answer) -> bool:
        """Take a request; return whether that was all."""
        name = request.strip().lower()
        if name not in (one.lower() for one in REQUESTS):
            raise RefusedError(f"request '{request}' is not offered; there are {', '.join(REQUESTS)}")
        answer.register, answer.status = name == "registration", name == "status"
        return answer.register or answer.status

    def _start(self, kind: str, running: Running, answer: Answer) -> None:
        before = self._running.pop(kind, None)
        if before is not None and before.task_id != running.task_id:
            answer.acks.append(_completed(before.task_id, f"task {running.task_id} takes its place"))
        self._running[kind] = running

    def _stop(self, task_id: str) -> None:
        found = [kind for kind, one in self._running.items() if one.task_id == task_id]
        if not found:
            raise RefusedError("no such task runs")
        for kind in found:
            del self._running[kind]

    def _region(self, task: Task, end_ns: int | None) -> Running:
        if not len(task.region):
            raise RefusedError("a task without command and without region")
        areas: dict[int, list[Floats]] = {Task.REGION_TYPE_AREA_OF_INTEREST: [], Task.REGION_TYPE_IGNORE: []}
        for region in task.region:
            if region.type not in areas:
                raise RefusedError("of regions, areas of interest and areas to ignore are offered")
            if len(region.class_filter) or len(region.behaviour_filter):
                raise RefusedError("filters by class or behaviour are not offered")
            corners = region.region_area.location_list.locations
            if not 3 <= len(corners) <= MOST_CORNERS:
                raise RefusedError(f"an area is a list of 3 to {MOST_CORNERS} places, its corners")
            s = FusionSideSettings()  # errors of corners do not matter
            areas[region.type].append(np.array([position_of(corner, self._site, s).x[:2] for corner in corners]))
        wanted, ignored = areas.values()
        return Running(task.task_id, end_ns, wanted=tuple(wanted), ignored=tuple(ignored))


def _end_ns(task: Task, now_ns: int) -> int | None:
    """Return when a task ends, where it does.

    Raises:
        RefusedError: it begins later, or has ended.
    """
    if task.HasField("task_start_time") and stamp_ns(task.task_start_time) > now_ns + EARLY_NS:
        raise RefusedError("a later start is not offered")
    if not task.HasField("task_end_time"):
        return None
    end_ns = stamp_ns(task.task_end_time)
    if end_ns <= now_ns:
        raise RefusedError("its end has passed")
    return end_ns


def _completed(task_id: str, reason: str) -> TaskAck:
    return TaskAck(task_id=task_id, task_status=TaskAck.TASK_STATUS_COMPLETED, reason=[reason])


def inside(points: Floats, polygon: Floats) -> NDArray[np.bool_]:
    """Return (N,) which points (N, 2) are inside a polygon (M, 2): a ray to the east crosses its sides an odd number of times."""
    x, y = points[:, :1], points[:, 1:2]
    (x1, y1), (x2, y2) = polygon.T, np.roll(polygon, -1, axis=0).T
    spans = (y1 > y) != (y2 > y)
    rise = np.where(y2 == y1, 1.0, y2 - y1)
    crossing = x1 + (y - y1) / rise * (x2 - x1)
    return np.asarray((spans & (x < crossing)).sum(axis=1) % 2 == 1)
