# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Other nodes and what they detect, as tracks of foreign sources. No sockets, no clock: messages in, pictures out."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from sapient_msg.bsi_flex_335_v2_0.alert_ack_pb2 import AlertAck
from sapient_msg.bsi_flex_335_v2_0.detection_report_pb2 import DetectionReport
from sapient_msg.bsi_flex_335_v2_0.location_pb2 import Location
from sapient_msg.bsi_flex_335_v2_0.registration_ack_pb2 import RegistrationAck
from sapient_msg.bsi_flex_335_v2_0.registration_pb2 import Registration
from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage
from sapient_msg.bsi_flex_335_v2_0.status_report_pb2 import StatusReport
from sapient_msg.bsi_flex_335_v2_0.velocity_pb2 import SpeedUnits

from aegis.core.fusion.foreign import Report
from aegis.core.fusion.foreign_source import ForeignSource, Limits, Taken
from aegis.core.fusion.settings import FOREIGN
from aegis.core.ids import UniqueIds
from aegis.core.site import Site
from aegis.core.types import Floats, Tracks
from aegis.sapient.classes import probability_of
from aegis.sapient.messages import MessageError, Writer, stamp_ns
from aegis.sapient.places import PlaceError, Position, polar_position_of, position_of
from aegis.sapient.registration import ICD_VERSION
from aegis.sapient.settings import UUID4, FusionSideSettings

SILENT_INTERVALS = 3.0  # of its status reports, without which a node is silent
SHORTEST_SILENCE_S = 15.0
UNSTATED_EXISTENCE = 0.9  # confidence of a detection whose node states none
LARGEST_SPEED_MPS = 1e4
_NOT_TAKEN = {Taken.LATE: "detection no later than its object's last", Taken.FULL: "over max_objects"}
LOST_STATE = re.compile("lost", re.IGNORECASE)
_UNIT_S = {
    Registration.TIME_UNITS_NANOSECONDS: 1e-9,
    Registration.TIME_UNITS_MICROSECONDS: 1e-6,
    Registration.TIME_UNITS_MILLISECONDS: 1e-3,
    Registration.TIME_UNITS_SECONDS: 1.0,
    Registration.TIME_UNITS_MINUTES: 60.0,
    Registration.TIME_UNITS_HOURS: 3600.0,
    Registration.TIME_UNITS_DAYS: 86_400.0,
}


@dataclass
class Other:
    """A node that has registered."""

    node_id: str
    peer: int  # the connection that it comes by
    name: str
    source: ForeignSource[str]  # whose objects go by their object_id
    interval_s: float  # of its status reports
    speed_units: Floats  # (3,) of its velocities' rates east, north and up [m/s]
    heard_ns: int  # by the clock
    location: Location | None = None
    system: str = ""
    reports: int = 0

    def is_silent(self, now_ns: int) -> bool:
        """Tell whether it has said nothing for too long."""
        return now_ns - self.heard_ns > max(SHORTEST_SILENCE_S, SILENT_INTERVALS * self.interval_s) * 1e9


class Others:
    """All other nodes.

    Args:
        settings: what is taken for what is not stated.
        writer: of this node.
        site: where `map` is.
        ids: of tracks.
        frame_id: of the pictures.
    """

    def __init__(
        self, settings: FusionSideSettings, writer: Writer, site: Site, ids: UniqueIds, frame_id: str = "map"
    ) -> None:  # fmt: skip
        self.nodes: dict[str, Other] = {}
        self.counts: Counter[str] = Counter()  # refused and noted, by reason
        self._s, self._writer, self._site, self._ids, self._frame_id = settings, writer, site, ids, frame_id
        self._limits = Limits(settings.period_s, settings.keep_s, settings.speed_sigma_mps, settings.max_objects)

    def take(self, message: SapientMessage, peer: int, now_ns: int, *, acknowledge: bool) -> list[bytes]:
        """Take a message of a node; return the answers, to the same connection.

        Args:
            message: the message.
            peer: the connection that it came by.
            now_ns: the clock.
            acknowledge: whether registrations and alerts are to be answered; not where a middleware does so.
        """
        if message.node_id == self._writer.node_id:
            self.counts["own message came back"] += 1
            return []
        kind = message.WhichOneof("content")
        if kind == "registration":
            return self._register(message, peer, now_ns, acknowledge)
        node = self.nodes.get(message.node_id)
        if node is None or node.peer != peer:
            self.counts[f"{kind} of a node that is not registered"] += 1
            return []
        node.heard_ns = now_ns
        if kind == "detection_report":
            self._detect(node, message, now_ns)
        elif kind == "status_report":
            self._status(node, message.status_report)
        elif kind == "alert":
            self.counts["alert of another node"] += 1
            reason = "this node takes detections; nobody is shown others' alerts here"
            ack = AlertAck(
                alert_id=message.alert.alert_id, alert_ack_status=AlertAck.ALERT_ACK_STATUS_REJECTED, reason=[reason]
            )
            return [self._writer.message(ack, now_ns, node.node_id)] if acknowledge else []
        elif kind == "error":
            self.counts["a node reports an error"] += 1
        else:
            self.counts[f"{kind} is not for a fusion node"] += 1
        return []

    def closed(self, peer: int) -> None:
        """Forget the nodes of a connection; what they have said is left to the fusion, which tells their silence."""
        for node_id in [one.node_id for one in self.nodes.values() if one.peer == peer]:
            del self.nodes[node_id]

    def pictures(self, now_ns: int) -> list[Tracks]:
        """Return the picture of each node that has reported since its last one, and is due."""
        made = (node.source.picture(now_ns, self._frame_id) for node in self.nodes.values())
        return [picture for picture in made if picture is not None]

    def silent(self, now_ns: int) -> list[str]:
        """Return the names of nodes that say nothing any more."""
        return sorted(one.name for one in self.nodes.values() if one.is_silent(now_ns))

    def _register(self, message: SapientMessage, peer: int, now_ns: int, acknowledge: bool) -> list[bytes]:
        given = message.registration
        reason = self._refusal(message, peer, now_ns)
        if reason:
            self.counts["registration refused"] += 1
        else:
            name = given.short_name or given.name or "node"
            before = self.nodes.get(message.node_id)
            interval = given.status_definition.status_interval
            sensor_id = f"{FOREIGN}sapient/{re.sub('[^A-Za-z0-9_.-]+', '_', name)[:40]}-{message.node_id[:8]}"
            source: ForeignSource[str] = ForeignSource(sensor_id, self._limits, self._ids)
            if before is not None:  # the same node anew
                source, source.sensor_id = before.source, sensor_id
            node = Other(
                message.node_id,
                peer,
                f"{name} ({message.node_id[:8]})",
                source,
                interval.value * _UNIT_S.get(interval.units, 1.0),
                _speed_units(given),
                now_ns,
                before.location if before is not None else None,
            )
            self.nodes[message.node_id] = node
        if not acknowledge:
            return []
        ack = RegistrationAck(acceptance=not reason, ack_response_reason=[reason] if reason else [])
        return [self._writer.message(ack, now_ns, message.node_id)]

    def _refusal(self, message: SapientMessage, peer: int, now_ns: int) -> str:
        """Return why a registration is refused; empty where it is not."""
        version = message.registration.icd_version.replace("_", " ")
        before = self.nodes.get(message.node_id)
        if not UUID4.fullmatch(message.node_id.lower()):
            return f"node_id '{message.node_id[:60]}' is no UUID of version 4"
        if version != ICD_VERSION:
            return f"icd_version '{message.registration.icd_version[:60]}': '{ICD_VERSION}' is expected"
        if before is None and len(self.nodes) >= self._s.max_nodes:
            return f"there are {self._s.max_nodes} nodes already"
        if before is not None and before.peer != peer and not before.is_silent(now_ns):
            return "this node_id is registered by another connection"
        return ""

    def _status(self, node: Other, report: StatusReport) -> None:
        node.system = StatusReport.System.Name(report.system) if report.system in StatusReport.System.values() else ""
        if report.HasField("node_location"):
            node.location = Location()
            node.location.CopyFrom(report.node_location)
        if report.system == StatusReport.SYSTEM_GOODBYE:
            node.source.clear()

    def _detect(self, node: Other, message: SapientMessage, now_ns: int) -> None:
        report = message.detection_report
        node.reports += 1
        try:
            stamp = stamp_ns(message.timestamp) if message.HasField("timestamp") else 0
            if abs(now_ns - stamp) > self._s.clock_error_s * 1e9:
                raise MessageError("time of a detection is off the clock")
            if not report.object_id:
                raise MessageError("detection without object_id")
            if self._is_own(report):
                raise MessageError("detection made from our own")
            if LOST_STATE.search(report.state):
                node.source.end(report.object_id, reused=False)
                node.source.note(stamp)
                return
            taken = node.source.take(report.object_id, self._report(node, report, stamp))
            if taken is not Taken.YES:
                self.counts[_NOT_TAKEN[taken]] += 1
        except (MessageError, PlaceError) as error:
            self.counts[error.reason] += 1

    def _report(self, node: Other, given: DetectionReport, stamp: int) -> Report:
        """Return what a detection says, in `map`.

        Raises:
            PlaceError: it has no place that can be used.
        """
        kind = given.WhichOneof("location_oneof")
        if kind is None:
            raise PlaceError("detection without a place")
        place = (
            position_of(given.location, self._site, self._s)
            if kind == "location"
            else polar_position_of(given.range_bearing, node.location, self._site, self._s)
        )
        velocity, spread = self._velocity(node, given, place)
        existence = given.detection_confidence if given.HasField("detection_confidence") else UNSTATED_EXISTENCE
        return Report(
            stamp, place.x, place.P, velocity, spread, probability_of(given.classification),
            min(max(existence, 0.0), 1.0) if existence == existence else UNSTATED_EXISTENCE,
        )  # fmt: skip

    def _velocity(self, node: Other, given: DetectionReport, place: Position) -> tuple[Floats | None, Floats | None]:
        if not given.HasField("enu_velocity"):
            return None, None
        v = given.enu_velocity
        rates = np.array([v.east_rate, v.north_rate, v.up_rate]) * node.speed_units
        sigma = np.array([v.east_rate_error, v.north_rate_error, v.up_rate_error]) * node.speed_units
        sigma = np.where(sigma > 0.0, sigma, self._s.velocity_sigma_mps)
        if not (np.abs(rates) < LARGEST_SPEED_MPS).all() or not np.isfinite(sigma).all():
            raise PlaceError("velocity that cannot be")
        return place.turn @ rates, place.turn @ np.diag(sigma**2) @ place.turn.T

    def _is_own(self, report: DetectionReport) -> bool:
        """Tell whether a detection is made from what this node has said: it would count twice."""
        own = self._writer.node_id
        related = [one.node_id for one in report.associated_detection]
        return own in related or own in [one.node_id for one in report.derived_detection]


def _speed_units(registration: Registration) -> Floats:
    """Return (3,) in which units a node has said that its velocities are, east, north and up [m/s]."""
    stated = [
        definition.velocity_type.enu_velocity_units
        for mode in registration.mode_definition
        for definition in mode.detection_definition
    ]
    kph = SpeedUnits.SPEED_UNITS_KPH
    over_ground = any(one.east_north_rate_units == kph for one in stated)
    # A climb of no stated unit is in that of the rest.
    up = any((one.up_rate_units or one.east_north_rate_units) == kph for one in stated)
    return np.where([over_ground, over_ground, up], 1.0 / 3.6, 1.0)
