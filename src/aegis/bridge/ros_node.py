"""The ROS side of the bridge: a private context and one executor in one thread, beside uvicorn's event loop."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from aegis.bridge.history.history import History
from aegis.bridge.live import columns
from aegis.bridge.live.acknowledgements import Acknowledgement
from aegis.bridge.live.encoded import Rows
from aegis.bridge.live.frames import EwFrame, Frame, RadarFrame
from aegis.bridge.live.join import ScanJoin
from aegis.bridge.live.nodes import OWN_NAME, GraphNodes
from aegis.bridge.live.services import GraphServices
from aegis.bridge.settings import BridgeSettings
from aegis.bridge.stream.channels import RADAR_FRAME
from aegis.core.events import RadarFramesBroadcast, StatusBroadcast, ThreatsBroadcast
from aegis.core.types import Detections, Threats, Tracks
from aegis.ros.host import StageHost
from aegis.ros.messages.ew import advice_from_msg, signals_from_msg
from aegis.ros.messages.fields import stamp_of
from aegis.ros.messages.picture import detections_from_msg, threats_from_msg, tracks_from_msg
from aegis.ros.messages.reports import event_from_msg, status_rows
from aegis.ros.stages.base import Output, Stage, StageContext

_log = logging.getLogger(__name__)

T = TypeVar("T")

PERIOD_S = 1.0
_JOIN_DEADLINE_S = 5.0
# What was broadcast, and the counter of the stream that tells.
_BROADCASTS = {
    RadarFramesBroadcast: "radar_frames",
    ThreatsBroadcast: "threat_messages",
    StatusBroadcast: "status_messages",
}


@dataclass(frozen=True)
class Outlets:
    """What the ROS thread hands things to, and asks; each is safe to use from it."""

    put: Callable[[str, Any], None]  # takes a topic and what was heard on it; may drop
    counts: Callable[[], dict[str, Any]]  # returns the counters of the bridge's rooms
    history: History  # keeps events, tracks and threats: not behind `put`, which may drop
    acknowledged: Mapping[int, Acknowledgement]  # threats that a person has seen, by track
    asked_for: Callable[[str], bool]  # tells whether clients ask for all fields of a topic again and again
    listened_to: Callable[[], bool]  # tells whether the live stream has listeners


class BridgeStage(Stage):
    """Converts what the graph says, encodes it once, and hands it over; says on the bus what was broadcast."""

    name = OWN_NAME
    settings_type = BridgeSettings

    def __init__(
        self, settings: BridgeSettings, context: StageContext, outlets: Outlets, now_ns: Callable[[], int]
    ) -> None:
        """Prepare.

        Args:
            settings: of the bridge.
            context: where the stage runs.
            outlets: take what was heard.
            now_ns: time in which the stamps are, in nanoseconds.
        """
        super().__init__(settings, context)
        self._out = outlets
        self._put = outlets.put
        self._now_ns = now_ns
        self._join = ScanJoin()
        self._broadcast: Counter[str] = Counter()
        self._take: dict[str, Callable[[Any], None]] = {
            "detections": self._detections,
            "tracks": self._tracks,
            "threats": self._threats,
            "ew/signals": lambda m: self._ew("ew/signals", m, signals_from_msg(m), columns.signal_rows),
            "ew/advice": lambda m: self._ew("ew/advice", m, advice_from_msg(m), columns.advice_rows),
            "events": self._event,
            "status": lambda message: self._put("status", _sendable(status_rows(message))),
            "class_info": lambda message: self._put("class_info", {"model": message.model, "basis": message.basis}),
        }

    @property
    def period_s(self) -> float:
        """How often the broadcasts are reported."""
        return PERIOD_S

    def on_message(self, topic: str, message: Any) -> Iterable[Output]:
        """Convert a message and hand it over.

        Raises:
            ValueError: the message contradicts itself.
        """
        self._take[topic](message)
        return ()

    def on_timer(self, now_ns: int) -> Iterable[Output]:
        """Say what was broadcast since the last time."""
        counts = self._out.counts()
        for broadcast, counter in _BROADCASTS.items():
            new = counts[counter] - self._broadcast[counter]
            self._broadcast[counter] = counts[counter]
            if new:
                yield self.event(broadcast(new, counts["clients"]), now_ns)

    def reset(self) -> None:
        """Wait for no scan's other half any more. What was shown last stays, with its age."""
        self._join = ScanJoin()

    def detail(self) -> dict[str, Any]:
        """Return the counters of the rooms, and which events are acknowledged."""
        history = self._out.history
        return {
            **self._out.counts(),
            "history": history.counts(),
            "acknowledged": history.acknowledged(),
        }

    def _event(self, message: Any) -> None:
        event = _sendable(event_from_msg(message).document())
        self._out.history.put_event(event)
        self._put("events", event)

    def _detections(self, message: Any) -> None:
        data = detections_from_msg(message)
        frame: Frame[Detections] = self._frame("detections", data, columns.detection_rows, columns.detection_brief)
        self._put("detections", frame)
        self._frames(self._join.take_detections(frame))

    def _tracks(self, message: Any) -> None:
        data = tracks_from_msg(message)
        self._out.history.put_tracks(data)
        frame: Frame[Tracks] = self._frame("tracks", data, columns.track_rows, columns.track_brief)
        self._put("tracks", frame)
        self._frames(self._join.take_tracks(frame))

    def _threats(self, message: Any) -> None:
        data = threats_from_msg(message)
        self._out.history.put_threats(data)
        frame: Frame[Threats] = self._frame(
            "threats", data, lambda threats: columns.threat_rows(threats, self._out.acknowledged)
        )
        self._put("threats", frame)
        self._handed_over(frame)

    def _ew(self, topic: str, message: Any, items: list[Any], rows: Callable[[list[Any]], Rows]) -> None:
        stamp_ns = stamp_of(message)
        frame: EwFrame[Any] = EwFrame(items, rows(items), stamp_ns, self._age_s(stamp_ns), time.monotonic())
        self._put(topic, frame)

    def _frames(self, frames: Iterable[RadarFrame]) -> None:
        for frame in frames:
            self._put(RADAR_FRAME, frame)
            self._handed_over(frame.main)

    def _frame(
        self,
        topic: str,
        data: Any,
        rows: Callable[[Any], Rows],
        brief: Callable[[Any], Rows] | None = None,
    ) -> Frame[Any]:
        """Make a frame. What clients wait for is encoded now, in this thread, and not while the first of them waits."""
        self.note_sequence(topic, data.sequence, data.sensor_id)
        frame: Frame[Any] = Frame(data, self._age_s(data.stamp_ns), time.monotonic(), rows, brief)
        if self._out.asked_for(topic):
            _ = frame.rows.all_json
        if self._out.listened_to():
            _ = frame.brief.all_json
        return frame

    def _age_s(self, stamp_ns: int) -> float:
        return (self._now_ns() - stamp_ns) * 1e-9

    def _handed_over(self, frame: Frame[Any]) -> None:
        self.counters.published += 1
        self.note_latency(frame.age_s)


def _sendable(said: T) -> T:
    """Return what was said, if it can be said to clients.

    Raises:
        ValueError: JSON allows integers beyond 64 bits and halves of surrogate pairs, which our encoder and others do not take.
    """
    try:
        orjson.dumps(said)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"cannot be passed on as JSON: {error}") from error
    return said


class RosLink:
    """Runs the stage on a node of its own, from `start` to `stop`."""

    def __init__(
        self,
        settings: BridgeSettings,
        nodes: GraphNodes,
        context: StageContext,
        outlets: Outlets,
        died: Callable[[], None],
        ros_args: Sequence[str] = (),
    ) -> None:
        """Join the graph.

        Args:
            settings: of the bridge.
            nodes: the graph's others.
            context: where the stage runs; its namespace is the node's.
            outlets: take what was heard; used in the link's thread.
            died: called in the link's thread when it ends without having been stopped.
            ros_args: for ROS, `--ros-args` first.
        """
        self._ros = rclpy.Context()
        rclpy.init(args=["aegis", *ros_args], context=self._ros)
        self._node = rclpy.create_node(BridgeStage.name, context=self._ros, namespace=context.namespace)
        self.stage = BridgeStage(settings, context, outlets, self._now_ns)
        StageHost(self._node, self.stage, subscribes=nodes.subscribes)
        self.services = GraphServices(self._node, nodes)
        self._executor = SingleThreadedExecutor(context=self._ros)
        self._executor.add_node(self._node)
        self._died = died
        self._stopping = False
        self._thread = threading.Thread(target=self._spin, name="ros", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, join the thread, leave the graph."""
        self._stopping = True
        self._executor.shutdown(timeout_sec=_JOIN_DEADLINE_S)
        self._thread.join(_JOIN_DEADLINE_S)
        if self._thread.is_alive():
            _log.error("the ROS thread did not end within %g s", _JOIN_DEADLINE_S)
            return
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._ros)

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            pass  # somebody shut the context down; reported below
        except Exception:  # noqa: BLE001 - whatever it was, the process must hear that the thread is gone
            _log.exception("the ROS executor failed")
        if not self._stopping:
            _log.error("the ROS thread has ended: the bridge hears nothing any more")
            self._died()

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)
