"""The only place where messages are made and read. Casts are explicit: rclpy does not check fields unless told to.

Arrays go in as `array.array` made from bytes (a numpy array assigned directly is converted element by element, about 80
times slower) and come out through `np.frombuffer`.
"""

from __future__ import annotations

import array
import json
import math
from typing import Any

import numpy as np
from aegis_msgs.msg import (
    ClassInfo,
    DetectionArray,
    EwAdviceArray,
    EwSignalArray,
    PipelineStatus,
    RadarCube,
    ThreatArray,
    TrackArray,
)
from aegis_msgs.msg import (
    Event as EventMsg,
)
from aegis_msgs.msg import (
    RangeDopplerMap as RangeDopplerMapMsg,
)
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import Point, Quaternion, Vector3
from nav_msgs.msg import Odometry
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from aegis.core.events import Event, Severity
from aegis.core.odometry import PlatformState
from aegis.core.signal.cube import Cube, CubeError, Waveform, WaveformKind
from aegis.core.types import (
    N_CLASSES,
    Advice,
    AdviceState,
    Detections,
    Floats,
    Pose,
    RangeDopplerMap,
    Signal,
    SignalKind,
    Threats,
    Tracks,
)

# How far from 1 a quaternion's length may be; float32 arithmetic keeps it within 1e-6.
UNIT_TOLERANCE = 1e-3

_CODES = {"d": "<f8", "f": "<f4", "I": "<u4", "H": "<u2", "B": "<u1"}


def time_from_ns(stamp_ns: int) -> Time:
    """Return a stamp from integer nanoseconds."""
    return Time(sec=int(stamp_ns // 1_000_000_000), nanosec=int(stamp_ns % 1_000_000_000))


def ns_from_time(stamp: Time) -> int:
    """Return a stamp as integer nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def stamp_ns(message: Any) -> int:
    """Return the header stamp of any message of the graph, in nanoseconds; 0 for one without a header (MarkerArray)."""
    header_ = getattr(message, "header", None)
    return ns_from_time(header_.stamp) if header_ is not None else 0


def header(at_ns: int, frame_id: str) -> Header:
    """Return a header."""
    return Header(stamp=time_from_ns(at_ns), frame_id=str(frame_id))


def pack(code: str, values: Any) -> array.array[Any]:
    """Return values of any shape as a flat `array.array` of the given type code."""
    out = array.array(code)
    out.frombytes(np.ascontiguousarray(values, dtype=_CODES[code]).tobytes())
    return out


def unpack(values: Any, dtype: str = "f8", shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """Return a message's array as a new numpy array (float64 unless told otherwise).

    Raises:
        ValueError: the length does not fit `shape` (-1 is free).
    """
    out = np.array(values, dtype=dtype)
    return out.reshape(shape) if shape is not None else out


def event_to_msg(event: Event, *, stage: str, stamp_ns: int, run_id: str, epoch: int, sequence: int) -> EventMsg:
    """Return the message of an event."""
    message = EventMsg()
    message.header = header(stamp_ns, "")
    message.run_id = run_id
    message.epoch = int(epoch)
    message.sequence = int(sequence)
    message.name = str(event.name)
    message.stage = stage
    message.severity = int(event.severity)
    message.data = json.dumps(event.data, sort_keys=True)
    return message


def event_from_msg(m: EventMsg) -> dict[str, Any]:
    """Return an event with its origin: stamp_s, stamp_ns, run_id, epoch, sequence, name, stage, severity (its name), data.

    Raises:
        ValueError: an unknown severity, or data that is not JSON.
    """
    return {
        "stamp_s": stamp_ns(m) / 1e9,
        "stamp_ns": stamp_ns(m),
        "run_id": str(m.run_id),
        "epoch": int(m.epoch),
        "sequence": int(m.sequence),
        "name": str(m.name),
        "stage": str(m.stage),
        "severity": Severity(m.severity).name,
        "data": json.loads(m.data) if m.data else {},
    }


def status_rows(m: PipelineStatus) -> list[dict[str, Any]]:
    """Return the rows of a status, one per stage, with the message's field names and SI units; `detail` is decoded.

    Raises:
        ValueError: arrays of different lengths, or a detail that is not JSON.
    """
    counts = ["received", "published", "dropped", "objects_dropped", "sequence_gaps", "errors"]
    times = ["rate_hz", "step_p50", "step_p99", "latency_p50", "latency_p99"]
    _same_length(m, len(m.stage), " ".join([*counts, *times, "detail"]))
    return [
        {
            "stage": str(m.stage[i]),
            **{name: float(getattr(m, name)[i]) for name in times},
            **{name: int(getattr(m, name)[i]) for name in counts},
            "detail": json.loads(m.detail[i]) if m.detail[i] else {},
        }
        for i in range(len(m.stage))
    ]


def diagnostics_to_msg(name: str, level: bytes, text: str, values: dict[str, Any], stamp_ns: int) -> DiagnosticArray:
    """Return a DiagnosticArray of one status."""
    status = DiagnosticStatus(level=level, name=name, message=text, hardware_id="")
    status.values = [KeyValue(key=str(key), value=str(value)) for key, value in values.items()]
    return DiagnosticArray(header=header(stamp_ns, ""), status=[status])


_POINT_DTYPES = {
    PointField.INT8: "i1",
    PointField.UINT8: "u1",
    PointField.INT16: "i2",
    PointField.UINT16: "u2",
    PointField.INT32: "i4",
    PointField.UINT32: "u4",
    PointField.FLOAT32: "f4",
    PointField.FLOAT64: "f8",
}


class CloudError(ValueError):
    """A PointCloud2 cannot be read; `reason` is a short key for counting, the message says the rest."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def cloud_fields(message: PointCloud2, wanted: set[str]) -> dict[str, NDArray[np.float64]]:
    """Return the wanted fields that a cloud has, each as (points,) float64, whatever its datatype and byte order.

    Raises:
        CloudError: a field has an unknown datatype, lies outside the point, or holds more than one element; or the
            cloud's dimensions do not fit its data.
    """
    height, width = int(message.height), int(message.width)
    point_step, row_step = int(message.point_step), int(message.row_step)
    n = height * width
    order = ">" if message.is_bigendian else "<"
    names, formats, offsets = [], [], []
    for point_field in message.fields:
        if point_field.name not in wanted:
            continue
        base = _POINT_DTYPES.get(int(point_field.datatype))
        if base is None:
            raise CloudError(
                "datatype", f"field '{point_field.name}' has datatype {point_field.datatype}; 1 to 8 are defined"
            )
        if int(point_field.count) not in (0, 1):  # some drivers leave the count at 0 and mean 1
            raise CloudError("count", f"field '{point_field.name}' has count {point_field.count}; 1 is expected")
        dtype = np.dtype(order + base)
        if int(point_field.offset) + dtype.itemsize > point_step:
            raise CloudError(
                "offset",
                f"field '{point_field.name}' at offset {point_field.offset} does not fit point_step {point_step}",
            )
        if point_field.name in names:
            raise CloudError("duplicate field", f"field '{point_field.name}' is there twice")
        names.append(point_field.name)
        formats.append(dtype)
        offsets.append(int(point_field.offset))
    if n == 0:
        return {name: np.empty(0) for name in names}
    if row_step < width * point_step:
        raise CloudError("row_step", f"row_step {row_step} is less than width {width} x point_step {point_step}")
    needed = (height - 1) * row_step + width * point_step
    if len(message.data) < needed:
        raise CloudError("truncated", f"{len(message.data)} bytes of data; {needed} are needed for {n} points")
    if not names:
        return {}
    points: NDArray[Any] = np.ndarray(
        (height, width),
        dtype=np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": point_step}),
        buffer=memoryview(message.data),
        strides=(row_step, point_step),
    )
    return {name: points[name].astype(np.float64).reshape(-1) for name in names}


def cloud_to_msg(columns: dict[str, Any], *, frame_id: str, stamp_ns: int) -> PointCloud2:
    """Return a little-endian float32 PointCloud2 of the given columns, each (points,)."""
    names = list(columns)
    n = len(columns[names[0]])
    table = np.empty((n, len(names)), dtype="<f4")
    for i, name in enumerate(names):
        table[:, i] = columns[name]
    message = PointCloud2()
    message.header = header(stamp_ns, frame_id)
    message.height = 1
    message.width = int(n)
    message.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1) for i, name in enumerate(names)
    ]
    message.is_bigendian = False
    message.point_step = 4 * len(names)
    message.row_step = message.point_step * int(n)
    message.is_dense = bool(np.isfinite(table).all())
    data = array.array("B")
    data.frombytes(table.tobytes())
    message.data = data
    return message


_CUBE_DTYPES = {
    RadarCube.INT16: ("<i2", ()),
    RadarCube.COMPLEX_INT16: ("<i2", (2,)),
    RadarCube.COMPLEX_FLOAT32: ("<c8", ()),
}


def cube_to_msg(cube: Cube) -> RadarCube:
    """Return the message of a raw frame."""
    w = cube.waveform
    m = RadarCube()
    m.header = header(cube.stamp_ns, cube.frame_id)
    m.sequence = int(cube.sequence)
    m.sensor_id = cube.sensor_id
    m.samples, m.chirps, m.channels = (int(n) for n in cube.data.shape[:3])
    if cube.data.dtype == np.complex64:
        m.datatype = RadarCube.COMPLEX_FLOAT32
    else:
        m.datatype = RadarCube.COMPLEX_INT16 if cube.data.ndim == 4 else RadarCube.INT16
    m.waveform = int(w.kind)
    m.carrier_frequency = float(w.carrier_frequency_hz)
    m.sample_rate = float(w.sample_rate_hz)
    m.chirp_slope = float(w.chirp_slope_hz_s)
    m.chirp_period = float(w.chirp_period_s)
    m.pulse_width = float(w.pulse_width_s)
    m.first_sample = float(w.first_sample_s)
    m.rcs_offset = float(w.rcs_offset_db)
    m.channel_position = pack("d", w.channel_position)
    m.channel_delay = pack("d", w.channel_delay_s)
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(cube.data, dtype=_CUBE_DTYPES[m.datatype][0]).tobytes())
    m.data = data
    return m


def cube_from_msg(m: RadarCube) -> Cube:
    """Return the raw frame of a message. Its samples are the message's own memory.

    Raises:
        CubeError: an unknown datatype or waveform, arrays of wrong lengths, or a value that no radar has.
    """
    if m.datatype not in _CUBE_DTYPES:
        raise CubeError("cube type", f"datatype {m.datatype}; 1 INT16, 2 COMPLEX_INT16, 3 COMPLEX_FLOAT32 are defined")
    if m.waveform not in list(WaveformKind):
        raise CubeError("waveform", f"waveform {m.waveform}; 1 FMCW and 2 PULSE are defined")
    channels = int(m.channels)
    for name, length in (("channel_position", 3 * channels), ("channel_delay", channels)):
        if len(getattr(m, name)) != length:
            raise CubeError(
                "channels", f"{name} has {len(getattr(m, name))} entries; {channels} channels need {length}"
            )
    dtype, last = _CUBE_DTYPES[m.datatype]
    shape = (int(m.samples), int(m.chirps), channels, *last)
    needed = math.prod(shape) * np.dtype(dtype).itemsize
    if len(m.data) != needed:
        raise CubeError(
            "truncated" if len(m.data) < needed else "length", f"{len(m.data)} bytes of data; {shape} needs {needed}"
        )
    samples = np.frombuffer(m.data, dtype=dtype).reshape(shape)
    waveform = Waveform(
        kind=WaveformKind(m.waveform),
        carrier_frequency_hz=float(m.carrier_frequency),
        sample_rate_hz=float(m.sample_rate),
        chirp_slope_hz_s=float(m.chirp_slope),
        chirp_period_s=float(m.chirp_period),
        channel_position=unpack(m.channel_position, shape=(channels, 3)),
        channel_delay_s=unpack(m.channel_delay),
        pulse_width_s=float(m.pulse_width),
        first_sample_s=float(m.first_sample),
        rcs_offset_db=float(m.rcs_offset),
    )
    return Cube(stamp_ns(m), m.header.frame_id, int(m.sequence), m.sensor_id, waveform, samples)


def range_doppler_to_msg(found: RangeDopplerMap, cube: Cube) -> RangeDopplerMapMsg:
    """Return the message of a cube's range-Doppler map."""
    m = RangeDopplerMapMsg()
    m.header = header(cube.stamp_ns, cube.frame_id)
    m.sequence = int(cube.sequence)
    m.sensor_id = cube.sensor_id
    m.ranges, m.range_rates = (int(n) for n in found.power_db.shape)
    m.first_range = float(found.first_range_m)
    m.range_step = float(found.range_step_m)
    m.first_range_rate = float(found.first_range_rate_mps)
    m.range_rate_step = float(found.range_rate_step_mps)
    m.power_db = pack("f", found.power_db)
    m.noise_db = pack("f", found.noise_db)
    return m


def detections_to_msg(d: Detections) -> DetectionArray:
    """Return the message of one scan's detections."""
    m = DetectionArray()
    m.header = header(d.stamp_ns, d.frame_id)
    m.sequence = int(d.sequence)
    m.sensor_id = d.sensor_id
    m.cartesian_accuracy = bool(d.cartesian_accuracy)
    m.has_pose = d.pose is not None
    if d.pose is not None:
        m.sensor_position = _vector(Point, d.pose.position)
        x, y, z, w = Rotation.from_matrix(d.pose.rotation).as_quat()
        m.sensor_orientation = Quaternion(x=float(x), y=float(y), z=float(z), w=float(w))
        m.sensor_velocity = _vector(Vector3, d.pose.velocity)
    m.id = pack("I", d.id)
    m.range = pack("d", d.range)
    m.azimuth = pack("d", d.azimuth)
    m.elevation = pack("d", d.elevation)
    m.range_rate = pack("d", d.range_rate)
    m.variance = pack("d", d.variance)
    m.snr_db = pack("f", d.snr_db)
    m.rcs_dbsm = pack("f", d.rcs_dbsm)
    m.noise_db = pack("f", d.noise_db)
    m.points = pack("H", np.minimum(d.points, 65535))
    m.class_id = pack("B", d.class_id)
    m.confidence = pack("f", d.confidence)
    m.class_probability = pack("f", d.class_probability)
    return m


def detections_from_msg(m: DetectionArray) -> Detections:
    """Return the detections of a message.

    Raises:
        ValueError: arrays of different lengths, or a pose that is none: not finite, or a quaternion not of length 1.
    """
    n = len(m.range)
    _same_length(m, n, "id azimuth elevation range_rate snr_db rcs_dbsm noise_db points class_id confidence")
    pose = None
    if m.has_pose:
        orientation = _unit_quaternion(m.sensor_orientation, "DetectionArray.sensor_orientation")
        pose = Pose(
            position=_finite(m.sensor_position, "DetectionArray.sensor_position"),
            rotation=Rotation.from_quat(orientation).as_matrix(),
            velocity=_finite(m.sensor_velocity, "DetectionArray.sensor_velocity"),
        )
    return Detections(
        stamp_ns=stamp_ns(m),
        frame_id=m.header.frame_id,
        sequence=int(m.sequence),
        sensor_id=m.sensor_id,
        cartesian_accuracy=bool(m.cartesian_accuracy),
        id=unpack(m.id, "i8"),
        range=unpack(m.range),
        azimuth=unpack(m.azimuth),
        elevation=unpack(m.elevation),
        range_rate=unpack(m.range_rate),
        variance=unpack(m.variance, shape=(n, 4)),
        snr_db=unpack(m.snr_db),
        rcs_dbsm=unpack(m.rcs_dbsm),
        noise_db=unpack(m.noise_db),
        points=unpack(m.points, "i8"),
        class_id=unpack(m.class_id, "i8"),
        confidence=unpack(m.confidence),
        class_probability=unpack(m.class_probability, shape=(n, N_CLASSES)),
        pose=pose,
    )


def odometry_from_msg(m: Odometry) -> PlatformState:
    """Return the platform's state of a message; its twist is in the platform's own frame, as the message's definition says.

    Raises:
        ValueError: a number that is not finite, or a quaternion not of length 1.
    """
    return PlatformState(
        stamp_ns=stamp_ns(m),
        position=_finite(m.pose.pose.position, "Odometry.pose.pose.position"),
        orientation=_unit_quaternion(m.pose.pose.orientation, "Odometry.pose.pose.orientation"),
        velocity=_finite(m.twist.twist.linear, "Odometry.twist.twist.linear"),
        turn_rate=_finite(m.twist.twist.angular, "Odometry.twist.twist.angular"),
    )


def tracks_to_msg(t: Tracks) -> TrackArray:
    """Return the message of a picture."""
    m = TrackArray()
    m.header = header(t.stamp_ns, t.frame_id)
    m.sequence = int(t.sequence)
    m.sensor_id = t.sensor_id
    m.track_id = pack("I", t.track_id)
    m.status = pack("B", t.status)
    m.state = pack("d", t.state)
    m.covariance = pack("d", t.covariance)
    m.class_id = pack("B", t.class_id)
    m.class_probability = pack("f", t.class_probability)
    m.existence_probability = pack("f", t.existence_probability)
    m.rcs_dbsm = pack("f", t.rcs_dbsm)
    m.age = pack("d", t.age)
    m.time_since_update = pack("d", t.time_since_update)
    m.hits = pack("I", t.hits)
    return m


def tracks_from_msg(m: TrackArray) -> Tracks:
    """Return the picture of a message.

    Raises:
        ValueError: arrays of different lengths.
    """
    n = len(m.track_id)
    _same_length(m, n, "status class_id existence_probability rcs_dbsm age time_since_update hits")
    return Tracks(
        stamp_ns=stamp_ns(m),
        frame_id=m.header.frame_id,
        sequence=int(m.sequence),
        sensor_id=m.sensor_id,
        track_id=unpack(m.track_id, "i8"),
        status=unpack(m.status, "i8"),
        state=unpack(m.state, shape=(n, 6)),
        covariance=unpack(m.covariance, shape=(n, 6, 6)),
        class_id=unpack(m.class_id, "i8"),
        class_probability=unpack(m.class_probability, shape=(n, N_CLASSES)),
        existence_probability=unpack(m.existence_probability),
        rcs_dbsm=unpack(m.rcs_dbsm),
        age=unpack(m.age),
        time_since_update=unpack(m.time_since_update),
        hits=unpack(m.hits, "i8"),
    )


def threats_to_msg(t: Threats) -> ThreatArray:
    """Return the message of an assessment."""
    m = ThreatArray()
    m.header = header(t.stamp_ns, t.frame_id)
    m.sequence = int(t.sequence)
    m.sensor_id = t.sensor_id
    m.track_id = pack("I", t.track_id)
    m.level = pack("B", t.level)
    m.class_id = pack("B", t.class_id)
    m.score = pack("f", t.score)
    m.time_to_cpa = pack("d", t.time_to_cpa)
    m.cpa_distance = pack("d", t.cpa_distance)
    m.cpa_distance_sigma = pack("d", t.cpa_distance_sigma)
    m.time_to_impact = pack("d", t.time_to_impact)
    m.reason = [str(reason) for reason in t.reason]
    return m


def threats_from_msg(m: ThreatArray) -> Threats:
    """Return the assessment of a message.

    Raises:
        ValueError: arrays of different lengths.
    """
    n = len(m.track_id)
    _same_length(m, n, "level class_id score time_to_cpa cpa_distance cpa_distance_sigma time_to_impact reason")
    return Threats(
        stamp_ns=stamp_ns(m),
        frame_id=m.header.frame_id,
        sequence=int(m.sequence),
        sensor_id=m.sensor_id,
        track_id=unpack(m.track_id, "i8"),
        level=unpack(m.level, "i8"),
        class_id=unpack(m.class_id, "i8"),
        score=unpack(m.score),
        time_to_cpa=unpack(m.time_to_cpa),
        cpa_distance=unpack(m.cpa_distance),
        cpa_distance_sigma=unpack(m.cpa_distance_sigma),
        time_to_impact=unpack(m.time_to_impact),
        reason=list(m.reason),
    )


def signals_to_msg(
    signals: list[Signal], *, stamp_ns: int, frame_id: str, sequence: int, sensor_id: str
) -> EwSignalArray:
    """Return the message of all active signals."""
    m = EwSignalArray()
    m.header = header(stamp_ns, frame_id)
    m.sequence = int(sequence)
    m.sensor_id = sensor_id
    m.id = pack("I", [s.id for s in signals])
    m.kind = pack("B", [s.kind for s in signals])
    m.bearing = pack("d", [s.bearing for s in signals])
    m.bearing_sigma = pack("d", [s.bearing_sigma for s in signals])
    m.power_db = pack("d", [s.power_db for s in signals])
    m.frequency = pack("d", [s.frequency for s in signals])
    m.confidence = pack("f", [s.confidence for s in signals])
    m.evidence = [str(s.evidence) for s in signals]
    return m


def signals_from_msg(m: EwSignalArray) -> list[Signal]:
    """Return the active signals of a message."""
    _same_length(m, len(m.id), "kind bearing bearing_sigma power_db frequency confidence evidence")
    return [
        Signal(
            id=int(m.id[i]),
            kind=SignalKind(m.kind[i]),
            bearing=float(m.bearing[i]),
            bearing_sigma=float(m.bearing_sigma[i]),
            power_db=float(m.power_db[i]),
            frequency=float(m.frequency[i]),
            confidence=float(m.confidence[i]),
            evidence=str(m.evidence[i]),
        )
        for i in range(len(m.id))
    ]


def advice_to_msg(advice: list[Advice], *, stamp_ns: int) -> EwAdviceArray:
    """Return the message of all advice."""
    m = EwAdviceArray()
    m.header = header(stamp_ns, "")
    m.id = pack("I", [a.id for a in advice])
    m.track_id = pack("I", [a.track_id for a in advice])
    m.signal_id = pack("I", [a.signal_id for a in advice])
    m.technique = [str(a.technique) for a in advice]
    m.priority = pack("B", [a.priority for a in advice])
    m.rationale = [str(a.rationale) for a in advice]
    m.expected_benefit_db = pack("d", [a.expected_benefit_db for a in advice])
    m.valid_until = pack("d", [a.valid_until_ns * 1e-9 for a in advice])
    m.requires_acknowledgement = [True for _ in advice]  # Aegis acts on nothing by itself
    m.state = pack("B", [a.state for a in advice])
    m.decided_by = [str(a.decided_by) for a in advice]
    return m


def advice_from_msg(m: EwAdviceArray) -> list[Advice]:
    """Return the advice of a message."""
    _same_length(
        m, len(m.id), "track_id signal_id technique priority rationale expected_benefit_db valid_until state decided_by"
    )
    return [
        Advice(
            id=int(m.id[i]),
            track_id=int(m.track_id[i]),
            signal_id=int(m.signal_id[i]),
            technique=str(m.technique[i]),
            priority=int(m.priority[i]),
            rationale=str(m.rationale[i]),
            expected_benefit_db=float(m.expected_benefit_db[i]),
            valid_until_ns=round(float(m.valid_until[i]) * 1e9),
            state=AdviceState(m.state[i]),
            decided_by=str(m.decided_by[i]),
        )
        for i in range(len(m.id))
    ]


def class_info_to_msg(prior: Any, *, model: str, basis: str, stamp_ns: int) -> ClassInfo:
    """Return what the class numbers mean; `prior` is (N_CLASSES,)."""
    from aegis.core.types import ClassId

    m = ClassInfo()
    m.header = header(stamp_ns, "")
    m.class_id = pack("B", [int(c) for c in ClassId])
    m.name = [c.name for c in ClassId]
    m.prior = pack("f", prior)
    m.model = model
    m.basis = basis
    return m


def finite_or_none(value: float) -> float | None:
    """Return None for an unknown (NaN) or infinite number, as JSON wants it."""
    return float(value) if math.isfinite(value) else None


def _vector(kind: type, values: Floats) -> Any:
    """Return a Point or Vector3 of (3,) values."""
    return kind(x=float(values[0]), y=float(values[1]), z=float(values[2]))


def _finite(v: Any, where: str) -> Floats:
    """Return (3,) numbers of a Point or Vector3."""
    out = np.array([v.x, v.y, v.z], dtype=np.float64)
    if not np.isfinite(out).all():
        raise ValueError(f"{where} is {out.tolist()}; finite numbers are expected")
    return out


def _unit_quaternion(q: Quaternion, where: str) -> Floats:
    """Return (4,) x y z w of length 1."""
    out = np.array([q.x, q.y, q.z, q.w], dtype=np.float64)
    if not np.isfinite(out).all():
        raise ValueError(f"{where} is {out.tolist()} (x y z w); finite numbers are expected")
    length = float(np.linalg.norm(out))
    if abs(length - 1.0) > UNIT_TOLERANCE:
        raise ValueError(
            f"{where} is {out.tolist()} (x y z w), of length {length:.6g}; a quaternion of length 1 is expected"
        )
    return out / length


def _same_length(message: Any, n: int, fields: str) -> None:
    for name in fields.split():
        if len(getattr(message, name)) != n:
            raise ValueError(
                f"{type(message).__name__}.{name} has {len(getattr(message, name))} entries; {n} are expected"
            )
