"""The ROS side of the bridge: a private context and one executor in one thread, beside uvicorn's event loop."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from aegis.bridge import encode
from aegis.bridge.history.history import History
from aegis.bridge.join import ScanJoin
from aegis.bridge.latest import Frame, RadarFrame
from aegis.bridge.settings import BridgeSettings
from aegis.bridge.stream.hub import RADAR_FRAME
from aegis.core.events import Event, EventName
from aegis.core.types import Detections, Threats, Tracks
from aegis.ros import convert
from aegis.ros.host import StageHost
from aegis.ros.stages.base import Output, Stage, StageContext

_log = logging.getLogger(__name__)

# Detections before tracks: where both are ready, the executor takes them in this order.
SUBSCRIBES = ("detections", "tracks", "threats", "ew/signals", "ew/advice", "events", "status", "class_info")
PERIOD_S = 1.0
_JOIN_DEADLINE_S = 5.0
# What was broadcast, and the counter of the stream that tells.
_BROADCASTS = {
    EventName.BROADCAST_RADAR_FRAME: "radar_frames",
    EventName.BROADCAST_THREATS: "threat_messages",
    EventName.BROADCAST_SYSTEM_STATUS: "status_messages",
}


class BridgeStage(Stage):
    """Converts what the graph says, encodes it once, and hands it over; says on the bus what was broadcast."""

    name = "bridge"
    settings_type = BridgeSettings

    def __init__(
        self,
        settings: BridgeSettings,
        context: StageContext,
        put: Callable[[str, Any], None],
        counts: Callable[[], dict[str, int]],
        now_ns: Callable[[], int],
        history: History,
    ) -> None:
        """Prepare.

        Args:
            settings: of the bridge.
            context: where the stage runs.
            put: takes a topic and what was heard on it.
            counts: returns the stream's counters.
            now_ns: time in which the stamps are, in nanoseconds.
            history: keeps events, tracks and threats; what is handed over may be dropped, this is not.
        """
        super().__init__(settings, context)
        self._put = put
        self._counts = counts
        self._now_ns = now_ns
        self._history = history
        self._join = ScanJoin()
        self._broadcast: Counter[str] = Counter()
        self._take: dict[str, Callable[[Any], None]] = {
            "detections": self._detections,
            "tracks": self._tracks,
            "threats": self._threats,
            "ew/signals": lambda message: put("ew/signals", convert.signals_from_msg(message)),
            "ew/advice": lambda message: put("ew/advice", convert.advice_from_msg(message)),
            "events": self._event,
            "status": lambda message: put("status", convert.status_rows(message)),
            "class_info": lambda message: put("class_info", {"model": message.model, "basis": message.basis}),
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
        counts = self._counts()
        for name, counter in _BROADCASTS.items():
            new = counts[counter] - self._broadcast[counter]
            self._broadcast[counter] = counts[counter]
            if new:
                yield self.event(Event(name, data={"messages": new, "clients": counts["clients"]}), now_ns)

    def reset(self) -> None:
        """Wait for no scan's other half any more. What was shown last stays, with its age."""
        self._join = ScanJoin()

    def detail(self) -> dict[str, Any]:
        """Return the stream's counters, the history's, and which events are acknowledged."""
        return {**self._counts(), "history": self._history.counts(), "acknowledged": self._history.acknowledged()}

    def _event(self, message: Any) -> None:
        event = convert.event_from_msg(message)
        self._history.put_event(event)
        self._put("events", event)

    def _detections(self, message: Any) -> None:
        data = convert.detections_from_msg(message)
        frame: Frame[Detections] = self._frame("detections", data, encode.detection_brief(data), encode.detection_rows)
        self._put("detections", frame)
        self._frames(self._join.take_detections(frame))

    def _tracks(self, message: Any) -> None:
        data = convert.tracks_from_msg(message)
        self._history.put_tracks(data)
        frame: Frame[Tracks] = self._frame("tracks", data, encode.track_brief(data), encode.track_rows)
        self._put("tracks", frame)
        self._frames(self._join.take_tracks(frame))

    def _threats(self, message: Any) -> None:
        data = convert.threats_from_msg(message)
        self._history.put_threats(data)
        rows = encode.threat_rows(data)
        frame: Frame[Threats] = self._frame("threats", data, rows, lambda _: rows)
        self._put("threats", frame)
        self._handed_over(frame)

    def _frames(self, frames: Iterable[RadarFrame]) -> None:
        for frame in frames:
            self._put(RADAR_FRAME, frame)
            self._handed_over(frame.main)

    def _frame(self, topic: str, data: Any, brief: bytes, rows: Callable[[Any], bytes]) -> Frame[Any]:
        self.note_sequence(topic, data.sequence, data.sensor_id)
        age_s = (self._now_ns() - data.stamp_ns) * 1e-9
        return Frame(data, age_s, time.monotonic(), brief, rows)

    def _handed_over(self, frame: Frame[Any]) -> None:
        self.counters.published += 1
        self.note_latency(frame.age_s)


class RosLink:
    """Runs the stage on a node of its own, from `start` to `stop`."""

    def __init__(
        self,
        settings: BridgeSettings,
        context: StageContext,
        put: Callable[[str, Any], None],
        counts: Callable[[], dict[str, int]],
        died: Callable[[], None],
        history: History,
    ) -> None:
        """Join the graph.

        Args:
            settings: of the bridge.
            context: where the stage runs; its namespace is the node's.
            put: takes what was heard; called in the link's thread.
            counts: returns the stream's counters; called in the link's thread.
            died: called in the link's thread when it ends without having been stopped.
            history: keeps what was heard.
        """
        self._ros = rclpy.Context()
        rclpy.init(args=["aegis"], context=self._ros)
        self._node = rclpy.create_node(BridgeStage.name, context=self._ros, namespace=context.namespace)
        self.stage = BridgeStage(settings, context, put, counts, self._now_ns, history)
        StageHost(self._node, self.stage, subscribes=SUBSCRIBES)
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
