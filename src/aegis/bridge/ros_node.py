# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The ROS side of the bridge: a private context and one executor in one thread, beside the event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import rclpy
from aegis_msgs.msg import (
    AlarmArray,
    DetectionArray,
    EwAdviceArray,
    EwSignalArray,
    ProtectedArray,
    RadarVideo,
    ThreatArray,
    TrackArray,
)
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from aegis.bridge.database import State
from aegis.bridge.live import columns
from aegis.bridge.live.acknowledgements import Acknowledgement
from aegis.bridge.live.alarm_columns import alarm_rows
from aegis.bridge.live.area_columns import area_rows
from aegis.bridge.live.encoded import EncodedRows
from aegis.bridge.live.ew_columns import advice_rows, signal_rows
from aegis.bridge.live.frames import E, EwFrame, Frame, RadarFrame
from aegis.bridge.live.join import ScanJoin
from aegis.bridge.live.level import LevelView
from aegis.bridge.live.loop_queue import LoopQueue
from aegis.bridge.live.nodes import OWN_NAME, GraphNodes
from aegis.bridge.live.reports import Classifier, StatusRow, event_from_msg, event_of_site, rows_from_msg
from aegis.bridge.live.services import GraphServices
from aegis.bridge.live.state import LiveState
from aegis.bridge.settings import VIDEO_TOPIC, BridgeSettings
from aegis.bridge.stream.channels import RADAR_FRAME, SYSTEM_STATUS, THREATS, VIDEO
from aegis.bridge.stream.hub import Hub
from aegis.bridge.stream.sweep import PlacedSector, VideoFeed
from aegis.core.events import (
    HistoryAway,
    RadarFramesBroadcast,
    SourceBack,
    SourceSilent,
    SourceStuck,
    StatusBroadcast,
    ThreatsBroadcast,
)
from aegis.core.health import Health, Level
from aegis.core.sources import State as SourceState
from aegis.core.threat.areas import ProtectedArea
from aegis.core.threat.drawn_zones import DrawnZone
from aegis.core.types import Advice, Alarm, Detections, Signal, Threats, Tracks
from aegis.core.video.spokes import VideoError
from aegis.ros.host import StageHost
from aegis.ros.messages.alarms import alarms_from_msg
from aegis.ros.messages.ew import advice_from_msg, signals_from_msg
from aegis.ros.messages.fields import stamp_of
from aegis.ros.messages.picture import detections_from_msg, threats_from_msg, tracks_from_msg
from aegis.ros.messages.protected import areas_from_msg
from aegis.ros.messages.reports import ReceivedEvent
from aegis.ros.messages.video import video_from_msg
from aegis.ros.messages.zones import zones_to_msg
from aegis.ros.spin import spin
from aegis.ros.stages.base import Output, Stage, StageContext
from aegis.ros.topics import SITE_EVENTS

_log = logging.getLogger(__name__)

PERIOD_S = 0.5  # with the least silence, what falls silent is told within two seconds
STRANGERS_S = 5.0  # between looks at who publishes what
HISTORY_AWAY_S = 5.0  # before it is told: at the start, and while it is started anew, it is away for a moment
_JOIN_DEADLINE_S = 5.0
MAP = "map"
_BROADCASTS = {
    RadarFramesBroadcast: RADAR_FRAME,
    ThreatsBroadcast: THREATS,
    StatusBroadcast: SYSTEM_STATUS,
}


@dataclass(frozen=True)
class LoopSide:
    """What the ROS thread uses of the event loop's side; each is safe to use from it."""

    queue: LoopQueue
    state: LiveState  # has what clients request
    hub: Hub  # has the clients, and counts messages
    acknowledged: Mapping[int, Acknowledgement]  # threats that a person has seen, by track
    detail: Callable[[], dict[str, object]]  # returns the counters of the bridge's components
    zones: Callable[[], Sequence[DrawnZone]]  # returns what people have drawn
    history: Callable[[], State] | None = None  # returns how the history's database is
    warnings: Callable[[], Sequence[str]] = lambda: ()  # returns what else is not as it should be
    others: Callable[[], Sequence[str]] = lambda: ()  # returns what the nodes of the graph's other bridges are called


class BridgeStage(Stage[BridgeSettings]):
    """Converts the graph's messages, encodes what clients wait for, and hands it over; reports on the bus what was broadcast."""

    name = OWN_NAME
    settings_type = BridgeSettings

    def __init__(
        self, settings: BridgeSettings, context: StageContext, side: LoopSide, now_ns: Callable[[], int]
    ) -> None:
        """Prepare.

        Args:
            settings: of the bridge.
            context: where the stage runs.
            side: takes what comes.
            now_ns: time in which the stamps are, in nanoseconds.
        """
        super().__init__(settings, context)
        self._side = side
        self._put = side.queue.put
        self._now_ns = now_ns
        self._join = ScanJoin()
        self._video_feed, self._level = VideoFeed(settings), LevelView(settings)
        self._broadcast: Counter[str] = Counter()
        self._history_since_s: float | None = None  # since when its database is away, as it was told
        self._take: dict[str, Callable[[Any], None]] = {
            "detections": self._detections,
            "tracks": self._tracks,
            "threats": self._threats,
            "ew/signals": self._signals,
            "ew/advice": self._advice,
            "alarms": self._alarms,
            "protected": self._protected,
            "events": lambda m: self._put(ReceivedEvent, event_from_msg(m)),
            SITE_EVENTS: lambda m: self._put(ReceivedEvent, event_of_site(m)),
            "status": lambda m: self._put(list[StatusRow], rows_from_msg(m)),
            "class_info": lambda m: self._put(Classifier, Classifier(m.model, m.basis)),
        }

    def reads(self, topic: str) -> bool:
        """Hear video only while a client wants it; see `RosLink`."""
        return topic != VIDEO_TOPIC

    @property
    def period_s(self) -> float:
        """How often the broadcasts, and what has fallen silent, are reported."""
        return PERIOD_S

    def start(self, now_ns: int) -> Iterable[Output]:
        """Say which zones people have drawn: all of them, at the start and after each change."""
        return [Output("zones", zones_to_msg(self._side.zones(), stamp_ns=now_ns, frame_id=MAP))]

    def on_message(self, topic: str, message: Any) -> Iterable[Output]:
        """Convert a message and hand it over.

        Raises:
            ValueError: the message contradicts itself.
        """
        take = self._video if topic.endswith(VIDEO_TOPIC) else self._take[topic]
        take(message)
        return ()

    def on_timer(self, now_ns: int) -> Iterable[Output]:
        """Report what was broadcast, and what has fallen silent or come back, since the last time."""
        begun, ended = self._side.state.sources.news(time.monotonic())
        for trouble in ended:
            back = SourceBack(trouble.topic, trouble.sensor_id, trouble.state.value, trouble.for_s)
            yield self.event(back, now_ns)
        for trouble in begun:
            what = (trouble.topic, trouble.sensor_id, trouble.for_s)
            silent = trouble.state is SourceState.SILENT
            yield self.event(SourceSilent(*what, trouble.ever_heard) if silent else SourceStuck(*what), now_ns)
        yield from self._on_history(now_ns)
        for broadcast, channel in _BROADCASTS.items():
            messages = self._side.hub.frames[channel]
            new, self._broadcast[channel] = messages - self._broadcast[channel], messages
            if new:
                yield self.event(broadcast(new, len(self._side.hub)), now_ns)

    def _on_history(self, now_ns: int) -> Iterable[Output]:
        state = self._side.history() if self._side.history else None
        if state is None or (not state.up and time.time() - state.since_s < HISTORY_AWAY_S):
            return
        if state.up and self._history_since_s is not None:
            yield self.event(SourceBack("history", "", "away", state.since_s - self._history_since_s), now_ns)
        elif not state.up and self._history_since_s is None:
            yield self.event(HistoryAway(state.reason), now_ns)
        self._history_since_s = None if state.up else self._history_since_s or state.since_s

    def reset(self) -> None:
        """Wait for no scan's other half any more, and expect no sensor. What was shown last stays, with its age."""
        self._join = ScanJoin()
        self._side.state.sources.clear()

    def health(self) -> Health:
        """Tell also what is silent or stuck, and where the history's database is away."""
        causes = self._side.state.sources.causes(time.monotonic())
        health = super().health()
        if health.level is Level.ERROR:
            return health
        if causes:
            return Health(Level.STALE, "; ".join(map(str, causes)))
        history = self._side.history() if self._side.history else None
        if health.level is Level.OK and self._history_since_s is not None and history is not None and not history.up:
            return Health(Level.WARN, f"history: {history.reason}")
        warnings = self._side.warnings()
        return Health(Level.WARN, "; ".join(warnings)) if warnings and health.level is Level.OK else health

    def detail(self) -> dict[str, Any]:
        """Return the counters of the components, and which events are acknowledged."""
        return self._side.detail()

    def _detections(self, message: DetectionArray) -> None:
        d = self._level.detections(detections_from_msg(message))
        frame = self._frame("detections", d, columns.detection_rows, columns.detection_brief)
        content = b"".join(values.tobytes() for values in (d.range, d.azimuth, d.range_rate, d.snr_db))
        self._side.state.sources.heard("detections", d.sensor_id, frame.received_at, content, len(d))
        self._video_feed.take_detections(d)
        self._put(Frame[Detections], frame)
        self._put_frames(self._join.take_detections(frame))

    def _tracks(self, message: TrackArray) -> None:
        frame = self._frame("tracks", tracks_from_msg(message), columns.track_rows, columns.track_brief)
        self._side.state.sources.heard("tracks", "", frame.received_at)
        self._put(Frame[Tracks], frame)
        self._put_frames(self._join.take_tracks(frame))

    def _threats(self, message: ThreatArray) -> None:
        acknowledged = self._side.acknowledged
        frame = self._frame("threats", threats_from_msg(message), lambda t: columns.threat_rows(t, acknowledged))
        self._side.state.sources.heard("threats", "", frame.received_at)
        self._put(Frame[Threats], frame)
        self._note_output(frame)

    def _signals(self, message: EwSignalArray) -> None:
        signals = self._level.signals(signals_from_msg(message))
        self._put(EwFrame[Signal], self._whole(signals, signal_rows(signals), stamp_of(message)))

    def _advice(self, message: EwAdviceArray) -> None:
        advice = advice_from_msg(message)
        self._put(EwFrame[Advice], self._whole(advice, advice_rows(advice), stamp_of(message)))

    def _alarms(self, message: AlarmArray) -> None:
        alarms = alarms_from_msg(message)
        self._put(EwFrame[Alarm], self._whole(alarms, alarm_rows(alarms), stamp_of(message)))

    def _protected(self, message: ProtectedArray) -> None:
        areas = areas_from_msg(message)
        self._put(EwFrame[ProtectedArea], self._whole(areas, area_rows(areas), stamp_of(message)))

    def _whole(self, items: Sequence[E], rows: EncodedRows, stamp_ns: int) -> EwFrame[E]:
        return EwFrame(items, rows, stamp_ns, self._age_s(stamp_ns), time.monotonic())

    def _video(self, message: RadarVideo) -> None:
        try:
            sectors = self._video_feed.sectors(video_from_msg(message), self._age_s(stamp_of(message)))
        except VideoError as error:
            self.counters.drop(f"video: {error.reason}")
            return
        for sector in sectors:
            self._put(PlacedSector, sector)

    def _put_frames(self, frames: Iterable[RadarFrame]) -> None:
        for frame in frames:
            self._put(RadarFrame, frame)
            self._note_output(frame.main)

    def _frame(
        self,
        topic: str,
        data: Any,
        rows: Callable[[Any], EncodedRows],
        brief: Callable[[Any], EncodedRows] | None = None,
    ) -> Frame[Any]:
        """Make a frame. What clients wait for is encoded now, in this thread, and not while the first of them waits."""
        self.note_sequence(topic, data.sequence, data.sensor_id)
        frame: Frame[Any] = Frame(data, self._age_s(data.stamp_ns), time.monotonic(), rows, brief)
        if self._side.state.is_requested(type(data)):
            frame.rows.encode()
        if self._side.hub.wants_rows(type(data)):
            frame.brief.encode()
        return frame

    def _age_s(self, stamp_ns: int) -> float:
        return (self._now_ns() - stamp_ns) * 1e-9

    def _note_output(self, frame: Frame[Any]) -> None:
        self.counters.published += 1
        self.note_latency(frame.age_s)


class RosLink:
    """Runs the stage on a node of its own, from `start` to `stop`."""

    def __init__(
        self,
        settings: BridgeSettings,
        nodes: GraphNodes,
        context: StageContext,
        side: LoopSide,
        died: Callable[[], None],
        ros_args: Sequence[str] = (),
    ) -> None:
        """Join the graph.

        Args:
            settings: of the bridge.
            nodes: the graph's others.
            context: where the stage runs; its namespace is the node's.
            side: takes what comes; used in the link's thread.
            died: called in the link's thread when it ends without having been stopped.
            ros_args: for ROS, `--ros-args` first.
        """
        self._ros = rclpy.Context()
        rclpy.init(args=["aegis", *ros_args], context=self._ros)
        self._node = rclpy.create_node(
            context.label or BridgeStage.name, context=self._ros, namespace=context.namespace
        )
        self.stage = BridgeStage(settings, context, side, self._now_ns)
        given = [word.partition(":=")[0] for word in ros_args if ":=" in word]
        self._host = StageHost(
            self._node, self.stage, subscribes=nodes.subscribes, publishes=nodes.publishes, overrides=given
        )
        self.services = GraphServices(self._node, nodes)
        renamed = {word.rpartition(":=")[2] for word in ros_args if "__node:=" in word or "__name:=" in word}
        self._known = nodes.known | renamed | {self._node.get_name()}
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._node.create_timer(
            STRANGERS_S, lambda: self._host.look_for_strangers(self._known.union(side.others())), clock=steady
        )
        self._node.create_timer(PERIOD_S, lambda: self._host.attend(VIDEO_TOPIC, side.hub.wants(VIDEO)), clock=steady)
        self._executor = SingleThreadedExecutor(context=self._ros)
        self._executor.add_node(self._node)
        self._died = died
        self._hub = side.hub
        self._stopping = False
        self._thread = threading.Thread(target=self._spin, name="ros", daemon=True)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: BridgeSettings,
        nodes: GraphNodes,
        context: StageContext,
        side: LoopSide,
        died: Callable[[], None],
        ros_args: Sequence[str] = (),
    ) -> AsyncIterator[RosLink]:
        """Stay on the graph until the end of the block; the arguments are those of the class."""
        link = cls(settings, nodes, context, side, died, ros_args)
        link.start()
        try:
            yield link
        finally:
            await asyncio.get_running_loop().run_in_executor(None, link.stop)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def publish_zones(self) -> None:
        """Let the ROS thread publish what is drawn now."""
        self._executor.create_task(self._host.restate)

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
        """Take messages until the link is stopped."""
        try:
            spin(
                self._executor,
                is_watched=lambda: len(self._hub) > 0,
                is_over=lambda: self._stopping or not self._ros.ok(),
            )
        except ExternalShutdownException:
            pass  # the context was shut down; reported below
        except Exception:  # noqa: BLE001 - whatever it was, the process must know that the thread is gone
            _log.exception("the ROS executor failed")
        if not self._stopping:
            _log.error("the ROS thread has ended: the bridge hears nothing any more")
            self._died()

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)
