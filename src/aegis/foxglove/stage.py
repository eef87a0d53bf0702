# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The picture for Foxglove and Lichtblick: tracks as a scene, the radar's points, the threats, the sensor's place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from aegis_msgs.msg import EwSignalArray, ProtectedArray, RadarVideo, TrackArray
from foxglove import Schema
from foxglove.messages import FrameTransform, PointCloud, SceneUpdate
from rclpy.serialization import serialize_message
from sensor_msgs.msg import PointCloud2

from aegis.core.detection.points import PointsError, check_radians
from aegis.core.odometry import PlatformState, carried
from aegis.core.params import ConfigError
from aegis.core.picture import PictureFeed
from aegis.core.types import Floats
from aegis.core.video.spokes import Spokes, VideoError
from aegis.foxglove import messages, overlays
from aegis.foxglove.explain import EXPLAIN, Explainer
from aegis.foxglove.gate import Gate, hidden_address
from aegis.foxglove.server import Channels, Offer, SdkSink, Sink, Value, json_schema
from aegis.foxglove.settings import OF_RADAR, FoxgloveSettings, check_exposure
from aegis.ros.bag import message_definition
from aegis.ros.messages.clouds import CloudError, cloud_fields
from aegis.ros.messages.ew import signals_from_msg
from aegis.ros.messages.fields import StampedMessage, stamp_of
from aegis.ros.messages.odometry import odometry_from_msg
from aegis.ros.messages.picture import threats_from_msg, tracks_from_msg
from aegis.ros.messages.protected import areas_from_msg
from aegis.ros.messages.video import video_from_msg
from aegis.ros.stages.base import Output, Stage, StageContext
from aegis.ros.topics import TOPICS

TRACKS, POINTS, THREATS, TRANSFORM = "/aegis/tracks", "/aegis/points", "/aegis/threats", "/aegis/transform"
VIDEO, AREAS, STROBES = "/aegis/video", "/aegis/areas", "/aegis/ew"
PICTURE_FRAME = "map"
# Sent as they are too, as ROS 2 messages.
RAW = ("detections", "tracks", "threats", "alarms", "protected", "ew/signals", "ew/advice")
# What changes seldom is sent again so often, in the time of the tracks: the protocol keeps nothing for who connects later.
AGAIN_NS = 5 * 1_000_000_000

_POSITION = ("x", "y", "z", "range", "azimuth", "elevation")
_SHOWN = ("range_rate", "doppler", "velocity", "snr", "intensity", "power", "rcs")  # for colouring the points


class FoxgloveStage(Stage[FoxgloveSettings]):
    """Serves viewers; publishes nothing on DDS."""

    name = "foxglove"
    settings_type = FoxgloveSettings

    def __init__(self, settings: FoxgloveSettings, context: StageContext) -> None:
        """Start to listen.

        Raises:
            ConfigError: nothing can listen on the host and port, or others could reach it there unasked, or the package of the sink
                is not there.
        """
        check_exposure(settings)
        super().__init__(settings, context)
        self._feed = PictureFeed(settings.picture)
        self._platform: PlatformState | None = None
        self._explainer = Explainer()
        self._kept: dict[str, tuple[bytes, int]] = {}  # by channel, what is sent again, and its stamp
        self._again_ns = 0
        self._frame_of: dict[str, str] = {}  # of each radar, where it said so last
        namespace = context.namespace.strip("/")
        self._under = f"/{namespace}" if namespace else ""
        inner = hidden_address()
        self._sink: Sink = _sink_type(settings.sink)(
            *inner, f"aegis {namespace}".strip(), self._channels(), self._offer()
        )
        try:
            self._gate = Gate(settings, inner)
        except ConfigError:
            self._sink.close()
            raise

    def _channels(self) -> Channels:
        """Return what is sent: pictures in Foxglove's own schemas, and topics of the graph as ROS 2 messages."""
        scene, cloud = ("protobuf", SceneUpdate.get_schema()), ("protobuf", PointCloud.get_schema())
        return {
            TRACKS: scene,
            AREAS: scene,
            STROBES: scene,
            **{_of(radar, channel): cloud for radar in self.settings.radars or ("",) for channel in (POINTS, VIDEO)},
            TRANSFORM: ("protobuf", FrameTransform.get_schema()),
            THREATS: ("json", json_schema("aegis.Threats", messages.THREATS_SCHEMA)),
        } | {
            self._raw(topic): ("cdr", Schema(name=kind, encoding="ros2msg", data=message_definition(kind).encode()))
            for topic, kind in ((topic, TOPICS[topic].type) for topic in RAW)
        }

    def _offer(self) -> Offer:
        """Return what viewers may ask: this node's parameters, and why a track is what it is taken for."""
        parameters = {f"{self._under}/{self.name}.{info.name}": _plain(value) for info, value in self.settings.leaves()}
        return Offer(parameters, {f"{self._under}{EXPLAIN}": self._explainer.question()})

    def _raw(self, topic: str) -> str:
        return f"{self._under}/{topic}"

    @property
    def is_watched(self) -> bool:
        """Whether there are viewers."""
        return self._gate.viewers > 0

    def reads(self, topic: str) -> bool:
        """Read odometry on a moving platform only."""
        return topic != "odometry" or self.settings.moving_platform

    def on_message(self, topic: str, message: Any) -> Iterable[Output]:
        """Take tracks, threats, points, video or odometry, and send them to the viewers.

        Raises:
            ValueError: arrays of different lengths.
        """
        if topic in RAW and (TOPICS[topic].latched or self._sink.wanted(self._raw(topic))):
            self._send(
                self._raw(topic), bytes(serialize_message(message)), stamp_of(message), keep=TOPICS[topic].latched
            )
        if topic == "tracks":
            self._take_tracks(message)
        elif topic == "threats":
            assessed = threats_from_msg(message)
            self._feed.take_threats(assessed)
            self._explainer.threats = assessed
            self._sink.send(THREATS, messages.threats(assessed), assessed.stamp_ns)
        elif topic == "odometry":
            self._platform = odometry_from_msg(message)
        elif topic == "protected":
            self._take_areas(message)
        elif topic == "ew/signals":
            self._take_signals(message)
        elif topic.endswith(OF_RADAR):
            radar, _, kind = topic.rpartition("radar/")
            self._take_of_radar(radar.rstrip("/"), kind, message)
        return []

    def reset(self) -> None:
        """Forget what is drawn; the next picture begins with an empty scene."""
        self._feed.clear()
        self._again_ns = 0

    def detail(self) -> dict[str, Any]:
        """Return the viewers' URL, the number of tracks, how many pictures the rate left out, and the counts of the sink."""
        return {
            "url": f"ws://{self.settings.host}:{self.settings.port}",
            "shown": self._feed.shown,
            "skipped_by_rate": self._feed.skipped,
            **self._gate.detail(),
            **self._sink.detail(),
        }

    def close(self) -> None:
        """Stop the server."""
        self._gate.close()
        self._sink.close()

    def _take_tracks(self, message: TrackArray) -> None:
        tracks = tracks_from_msg(message)
        self._explainer.tracks = tracks
        self._sink.time(tracks.stamp_ns)
        self._send_again(tracks.stamp_ns)
        self.note_sequence("tracks", tracks.sequence, tracks.sensor_id)
        undrawable = self._feed.undrawable
        picture = self._feed.take_tracks(tracks)
        self.counters.drop("track without a finite state", self._feed.undrawable - undrawable)
        if picture is not None:
            self._sink.send(TRACKS, messages.scene(picture, self.settings.picture), picture.stamp_ns)

    def _take_areas(self, message: ProtectedArray) -> None:
        stamp_ns = stamp_of(message)
        found = overlays.areas(areas_from_msg(message), stamp_ns=stamp_ns, frame_id=message.header.frame_id)
        self._send(AREAS, found, stamp_ns, keep=True)

    def _take_signals(self, message: EwSignalArray) -> None:
        stamp_ns, frame_id = stamp_of(message), message.header.frame_id
        signals = signals_from_msg(message)

        def frame_of(sensor: str) -> str:  # a message of several sensors' signals has one header
            return self._frame_of.get(sensor, sensor) if sensor in self.settings.radars else frame_id

        for frame in {frame_of(signal.sensor) for signal in signals}:
            self._place_sensor(stamp_ns, frame)
        found = overlays.strobes(
            signals, self.settings.strobe_length_m, stamp_ns=stamp_ns, frame_of=frame_of, site_frame=PICTURE_FRAME
        )
        self._sink.send(STROBES, found, stamp_ns)

    def _send(self, channel: str, payload: bytes, stamp_ns: int, *, keep: bool) -> None:
        self._sink.send(channel, payload, stamp_ns)
        if keep:
            self._kept[channel] = payload, stamp_ns

    def _send_again(self, now_ns: int) -> None:
        """Send what changes seldom, where it is time."""
        if 0 <= self._again_ns - now_ns <= AGAIN_NS:  # a time farther off is of another recording
            return
        self._again_ns = now_ns + AGAIN_NS
        for channel, (payload, stamp_ns) in self._kept.items():
            if self._sink.wanted(channel):
                self._sink.send(channel, payload, stamp_ns)

    def _take_of_radar(self, radar: str, kind: str, message: Any) -> None:
        self._frame_of[radar] = message.header.frame_id
        if kind == "video":
            self._take_video(radar, message)
        else:
            self._take_points(radar, message)

    def _take_points(self, radar: str, message: PointCloud2) -> None:
        try:
            fields = cloud_fields(message, {*_POSITION, *_SHOWN})
        except CloudError as error:
            self.counters.drop(f"cloud: {error.reason}")
            return
        try:
            columns = cartesian(fields)
        except PointsError as error:
            self.counters.drop(f"cloud: {error.reason}")
            return
        if columns is None:
            self.counters.drop("cloud: neither x, y nor range, azimuth")
            return
        columns |= {name: fields[name] for name in _SHOWN if name in fields}
        there = np.isfinite(columns["x"]) & np.isfinite(columns["y"])
        self._send_cloud(_of(radar, POINTS), {name: values[there] for name, values in columns.items()}, message)

    def _take_video(self, radar: str, message: RadarVideo) -> None:
        try:
            video = video_from_msg(message)
        except VideoError as error:
            self.counters.drop(f"video: {error.reason}")
            return
        self._send_cloud(_of(radar, VIDEO), echoes(video, self.settings.video_level), message)

    def _send_cloud(self, topic: str, columns: dict[str, Floats], message: StampedMessage) -> None:
        stamp_ns, frame_id = stamp_of(message), message.header.frame_id
        self._place_sensor(stamp_ns, frame_id)
        self._sink.send(topic, messages.cloud(columns, stamp_ns=stamp_ns, frame_id=frame_id), stamp_ns)

    def _place_sensor(self, stamp_ns: int, frame_id: str) -> None:
        """Say where a sensor is, with all that is in its frame: the protocol keeps nothing for who connects later."""
        if frame_id != PICTURE_FRAME:
            radar = next((radar for radar, frame in self._frame_of.items() if frame == frame_id), frame_id)
            mounted = self.settings.radars.get(radar, self.settings)
            platform = None if self._platform is None else carried(self._platform, stamp_ns)
            sensor = messages.transform(mounted, platform, stamp_ns=stamp_ns, parent=PICTURE_FRAME, child=frame_id)
            self._sink.send(TRANSFORM, sensor, stamp_ns)


def _of(radar: str, channel: str) -> str:
    """Return the channel of one radar of a rig; the channel itself where there is one radar."""
    return f"{channel}/{radar}" if radar else channel


def _plain(value: object) -> Value:
    """Return a parameter's value as Foxglove has it: its numbers are floats."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bool):
        return value
    return float(value) if isinstance(value, int | float) else str(value)


def _sink_type(name: str) -> Callable[[str, int, str, Channels, Offer], Sink]:
    if name == "sdk":
        return SdkSink
    try:
        from aegis.foxglove.websocket_server import WebsocketSink
    except ImportError as error:
        # websockets by name: a later one may lack the legacy half, which looks the same from here.
        raise ConfigError(
            f"foxglove: the parameter 'sink' = {name!r} needs a package that is not there ({error}): "
            "pip install foxglove-websocket==0.1.4 'websockets<18'; or leave 'sink' at 'sdk'"
        ) from error
    return WebsocketSink


def echoes(video: Spokes, level: float) -> dict[str, Floats]:
    """Return the cells at or above a level, of full scale: x, y, z [m], intensity (1 is full scale) and moving (-1, 0, 1).

    As the node `video` has it: x is east where spokes have headings, else ahead.
    """
    levels = video.levels()
    spoke, cell = np.nonzero(levels >= max(1.0, level * video.full_scale))
    distance = video.first_range_m + (cell + 0.5) * video.cell_m
    turned = np.where(np.isnan(video.heading), 0.0, np.pi / 2.0 - np.nan_to_num(video.heading))
    azimuth = (video.azimuth + turned)[spoke]
    codes = video.codes[spoke, cell]
    approaching, receding = ((codes == code) & (code > 0) for code in (video.approaching, video.receding))
    return {
        "x": distance * np.cos(azimuth),
        "y": distance * np.sin(azimuth),
        "z": np.zeros(len(cell)),
        "intensity": levels[spoke, cell] / video.full_scale,
        "moving": receding.astype(np.float64) - approaching,
    }


def cartesian(fields: dict[str, Floats]) -> dict[str, Floats] | None:
    """Return x, y, z [m] of points that have them, or range, azimuth, elevation [m, rad]; None where neither is there.

    What a 2D sensor does not measure is drawn in its plane.

    Raises:
        PointsError: the angles look like degrees.
    """
    if "x" in fields and "y" in fields:
        return {"x": fields["x"], "y": fields["y"], "z": fields.get("z", np.zeros_like(fields["x"]))}
    if "range" in fields and "azimuth" in fields:
        check_radians(fields, "azimuth", "elevation")
        elevation = np.nan_to_num(fields.get("elevation", np.zeros_like(fields["range"])))
        flat = fields["range"] * np.cos(elevation)
        return {
            "x": flat * np.cos(fields["azimuth"]),
            "y": flat * np.sin(fields["azimuth"]),
            "z": fields["range"] * np.sin(elevation),
        }
    return None
