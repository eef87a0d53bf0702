# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""This graph as an edge node: what is said when to the fusion node. No sockets, no clock: messages in, messages out."""

from __future__ import annotations

from collections import Counter

import numpy as np
from sapient_msg.bsi_flex_335_v2_0.alert_pb2 import Alert
from sapient_msg.bsi_flex_335_v2_0.detection_report_pb2 import DetectionReport
from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage
from sapient_msg.bsi_flex_335_v2_0.status_report_pb2 import StatusReport

from aegis.core.fusion.settings import FOREIGN
from aegis.core.fusion.view import SEPARATOR
from aegis.core.rows import take_rows
from aegis.core.site import Placed, Site
from aegis.core.types import Alarm, AlarmState, Tracks
from aegis.sapient.classes import classification_of
from aegis.sapient.ids import Identity, new_ulid
from aegis.sapient.messages import Writer
from aegis.sapient.places import location_of, place_of
from aegis.sapient.registration import DEFAULT_MODE, registration_of
from aegis.sapient.settings import SapientSettings
from aegis.sapient.tasks import Tasks

LOST = "lost"  # state of an object's last report
QUIET_NS = 10 * 1_000_000_000  # without tracks for so long, this node says that it detects nothing
MOST_ALERTS = 1000  # that are remembered
_PRIORITY = {1: Alert.DISCRETE_PRIORITY_HIGH, 2: Alert.DISCRETE_PRIORITY_MEDIUM}


class Edge:
    """One connection to a fusion node, from its opening to its end, and again."""

    def __init__(self, settings: SapientSettings, identity: Identity, site: Site) -> None:
        self.counts: Counter[str] = Counter()  # noted beside what was sent
        self.refused = ""  # why the registration was, or what the peer has complained of last
        self.tasks = Tasks(site)
        self._s, self._identity, self._site = settings, identity, site
        self._writer = Writer(identity.node_id, settings.edge.destination_id)
        self._registration = registration_of(settings)
        self._alarms: list[Alarm] = []
        self._tracks_at_ns: int | None = None  # by the clock
        self.closed()

    def closed(self) -> None:
        """Note that the connection is gone; with it what was said, and the tasks."""
        self.registered = False
        self._asked_ns: int | None = None  # when the registration was sent
        self._sent: dict[int, DetectionReport] = {}  # the last report of each track
        self._sent_ns = self._due_ns = 0  # stamp of the last picture reported, and from which the next one is
        self._status_ns = 0
        self._said: bytes = b""  # of the last status report, what may change
        self._alerted: dict[int, int] = {}  # status of each alarm, as it was sent
        self.tasks.forget()

    def opened(self, now_ns: int) -> list[bytes]:
        """Return what is said first: the registration. All else waits until it is acknowledged."""
        self.closed()
        self._asked_ns = now_ns
        return [self._writer.message(self._registration, now_ns)]

    def is_overdue(self, now_ns: int) -> bool:
        """Tell whether a registration has been left without an answer for too long."""
        return (
            not self.registered
            and self._asked_ns is not None
            and now_ns - self._asked_ns > self._s.edge.ack_after_s * 1e9
        )

    def take(self, message: SapientMessage, now_ns: int) -> list[bytes]:
        """Take a message of the other side; return the answers."""
        if message.destination_id and message.destination_id != self._identity.node_id:
            self.counts["message for another node"] += 1
            return []
        kind = message.WhichOneof("content")
        if kind == "registration_ack":
            return self._acknowledged(message, now_ns)
        if kind == "task":
            return self._task(message, now_ns)
        if kind == "alert_ack":
            accepted = message.alert_ack.alert_ack_status == message.alert_ack.ALERT_ACK_STATUS_ACCEPTED
            self.counts["alert accepted" if accepted else "alert rejected"] += 1
        elif kind == "error":
            self.counts["the peer reports an error"] += 1
            self.refused = "; ".join(message.error.error_message)[:500]
        else:
            self.counts[f"a fusion node does not send {kind}"] += 1
        return []

    def take_tracks(self, tracks: Tracks, now_ns: int) -> list[bytes]:
        """Take a picture; return its reports, where they are due. What others alone hold is not ours to report."""
        self._tracks_at_ns = now_ns
        if not self.registered or not self.tasks.reporting or not self._is_due(tracks.stamp_ns):
            return []
        tracks = take_rows(tracks, np.flatnonzero([not _is_others(sources) for sources in tracks.sources]))
        placed = self._site.place(tracks.state, tracks.covariance)
        has_place = np.isfinite(placed.latitude_deg)
        self.counts["track without a place on Earth"] += int((~has_place).sum())
        chosen = np.flatnonzero(self.tasks.chosen(tracks) & has_place)
        reports = self._reports(tracks, placed, chosen, now_ns)
        gone = set(self._sent) - set(tracks.track_id.tolist())
        ends = [self._end(self._sent[track_id], now_ns) for track_id in sorted(gone)]
        self._sent = {i: r for i, r in self._sent.items() if i not in gone} | reports
        return [self._writer.message(report, tracks.stamp_ns) for report in (*reports.values(), *ends)]

    def take_alarms(self, alarms: list[Alarm], now_ns: int) -> list[bytes]:
        """Take all alarms; return alerts of those that have changed."""
        self._alarms = alarms
        return self._alerts(now_ns) if self.registered else []

    def tick(self, now_ns: int) -> list[bytes]:
        """Return what is due by the clock."""
        if not self.registered:
            return []
        out = [self._writer.message(ack, now_ns) for ack in self.tasks.ended(now_ns)]
        if now_ns - self._status_ns >= self._s.edge.status_period_s * 1e9:
            out.append(self._status(now_ns))
        return out

    def goodbye(self, now_ns: int) -> list[bytes]:
        """Return what is said last."""
        if not self.registered:
            return []
        report = self._status_report(now_ns)
        report.system, report.info = StatusReport.SYSTEM_GOODBYE, StatusReport.INFO_NEW
        return [self._writer.message(report, now_ns)]

    def _is_due(self, stamp_ns: int) -> bool:
        """Tell whether a picture is to be reported: once a period, or where time has gone back."""
        period_ns = round(self.tasks.period_s(self._s.edge.period_s) * 1e9)
        due_ns = min(self._due_ns, self._sent_ns + period_ns)  # a task may have shortened the period
        if self._sent_ns <= stamp_ns < due_ns:
            return False
        on_grid = due_ns <= stamp_ns < due_ns + period_ns
        self._sent_ns, self._due_ns = stamp_ns, (due_ns if on_grid else stamp_ns) + period_ns
        return True

    def _acknowledged(self, message: SapientMessage, now_ns: int) -> list[bytes]:
        ack = message.registration_ack
        if not ack.acceptance:
            self.counts["registration refused"] += 1
            self.refused = "; ".join(ack.ack_response_reason)[:500] or "no reason given"
            self.registered = False
            return []
        if self.registered:
            return []
        self.registered, self.refused = True, ""
        return [self._status(now_ns), *self._alerts(now_ns)]

    def _task(self, message: SapientMessage, now_ns: int) -> list[bytes]:
        answer = self.tasks.take(message.task, now_ns)
        for ack in answer.acks:
            self.counts[f"task {ack.TaskStatus.Name(ack.task_status).removeprefix('TASK_STATUS_').lower()}"] += 1
        out = [self._writer.message(ack, now_ns, message.node_id) for ack in answer.acks]
        if answer.register:
            out.append(self._writer.message(self._registration, now_ns))
            self._said = b""  # the next status report is a new one
        if answer.status:
            out.append(self._status(now_ns, new=True))
        return out

    def _reports(self, tracks: Tracks, placed: Placed, chosen: np.ndarray, now_ns: int) -> dict[int, DetectionReport]:
        some = take_rows(tracks, chosen)
        sigma, task_id = placed.velocity_sigma, self.tasks.active_id
        out = {}
        for i, row in enumerate(chosen.tolist()):
            track_id = int(some.track_id[i])
            report = DetectionReport(
                report_id=new_ulid(now_ns),
                object_id=self._identity.ulid_of("track", track_id),
                location=location_of(placed, row),
                classification=classification_of(int(some.class_id[i]), some.class_probability[i]),
            )
            if task_id:
                report.task_id = task_id
            if np.isfinite(some.existence_probability[i]):
                report.detection_confidence = float(np.clip(some.existence_probability[i], 0.0, 1.0))
            for name in ("age", "time_since_update", "hits"):
                report.track_info.add(type=name, value=f"{getattr(some, name)[i]:g}")
            report.enu_velocity.east_rate, report.enu_velocity.north_rate, report.enu_velocity.up_rate = (
                round(v, 3) for v in placed.velocity[row].tolist()
            )
            if np.isfinite(sigma[row]).all():
                velocity = report.enu_velocity
                velocity.east_rate_error, velocity.north_rate_error, velocity.up_rate_error = sigma[row].tolist()
            out[track_id] = report
        return out

    def _end(self, last: DetectionReport, now_ns: int) -> DetectionReport:
        """Return the last report of an object: it is where it was last."""
        report = DetectionReport(report_id=new_ulid(now_ns), object_id=last.object_id, state=LOST)
        report.location.CopyFrom(last.location)
        return report

    def _alerts(self, now_ns: int) -> list[bytes]:
        out = []
        for alarm in self._alarms if self._s.edge.alerts else ():
            status = Alert.ALERT_STATUS_ACTIVE
            if alarm.state == AlarmState.ENDED:
                status = Alert.ALERT_STATUS_CLEAR
            elif alarm.acknowledged_by:
                status = Alert.ALERT_STATUS_ACKNOWLEDGE
            before = self._alerted.get(alarm.id)
            if before == status or (before is None and status == Alert.ALERT_STATUS_CLEAR):
                continue
            self._alerted[alarm.id] = status
            out.append(self._writer.message(self._alert(alarm, status), now_ns))
        while len(self._alerted) > MOST_ALERTS:
            del self._alerted[next(iter(self._alerted))]
        return out

    def _alert(self, alarm: Alarm, status: Alert.AlertStatus) -> Alert:
        out = Alert(
            alert_id=self._identity.ulid_of("alarm", alarm.id),
            alert_type=Alert.ALERT_TYPE_WARNING,
            status=status,
            description=alarm.text,
            priority=_PRIORITY.get(alarm.priority, Alert.DISCRETE_PRIORITY_LOW),
        )
        if alarm.track_id:
            object_id = self._identity.ulid_of("track", alarm.track_id)
            out.associated_detection.add(node_id=self._identity.node_id, object_id=object_id)
        if alarm.track_id in self._sent:
            out.location.CopyFrom(self._sent[alarm.track_id].location)
        return out

    def _status(self, now_ns: int, *, new: bool = False) -> bytes:
        report = self._status_report(now_ns)
        varies = StatusReport()
        varies.CopyFrom(report)
        varies.ClearField("report_id")
        said = varies.SerializeToString(deterministic=True)
        report.info = StatusReport.INFO_NEW if new or said != self._said else StatusReport.INFO_UNCHANGED
        self._said, self._status_ns = said, now_ns
        return self._writer.message(report, now_ns)

    def _status_report(self, now_ns: int) -> StatusReport:
        out = StatusReport(
            report_id=new_ulid(now_ns),
            system=StatusReport.SYSTEM_OK,
            mode=DEFAULT_MODE,
            node_location=place_of(self._site, self._s.position()),
        )
        if self.tasks.active_id:
            out.active_task_id = self.tasks.active_id
        if self._tracks_at_ns is None or now_ns - self._tracks_at_ns > QUIET_NS:
            out.system = StatusReport.SYSTEM_ERROR
            out.status.add(
                status_level=StatusReport.STATUS_LEVEL_ERROR_STATUS,
                status_type=StatusReport.STATUS_TYPE_NOT_DETECTING,
                status_value="no pictures of the tracker",
            )
        elif not self.tasks.reporting:
            out.system = StatusReport.SYSTEM_WARNING
            out.status.add(
                status_level=StatusReport.STATUS_LEVEL_WARNING_STATUS,
                status_type=StatusReport.STATUS_TYPE_NOT_DETECTING,
                status_value="reports were stopped by a task",
            )
        return out


def _is_others(sources: str) -> bool:
    """Tell whether none of a track's sources is of this graph."""
    names = sources.split(SEPARATOR)
    return all(name.startswith(FOREIGN) for name in names)
