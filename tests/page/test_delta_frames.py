# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The frames that the page's tests decode (src/page/test/delta_frames.json) are what the bridge sends, with the JSON beside.

`python tests/page/test_delta_frames.py` writes them.
"""

import json
import time
from pathlib import Path

import numpy as np

from aegis.bridge.live.columns import detection_brief, detection_rows, track_brief, track_rows
from aegis.bridge.live.encoded import json_bytes
from aegis.bridge.live.frames import Frame, RadarFrame
from aegis.bridge.stream import bodies
from aegis.bridge.stream.delta import DeltaEncoder
from aegis.bridge.stream.subscription import ALL
from aegis.core.sensor import SensorPose
from aegis.core.types import N_CLASSES, Detections, Tracks

FILE = Path(__file__).parents[2] / "src" / "page" / "test" / "delta_frames.json"


def some_tracks(ids: list[int], sequence: int) -> Tracks:
    n = len(ids)
    numbers = np.array(ids, dtype=float)[:, None]
    state = np.concatenate([numbers * [-913.37, 411.19, 37.5], numbers * [12.345, -3.21, 0.5]], axis=1)
    state[:, :3] += state[:, 3:] * 0.1 * sequence
    state[np.array(ids) == 7] = [np.nan] * 6
    state[np.array(ids) == 9, 3:] = 0.0
    probability = np.full((n, N_CLASSES), 0.1)
    return Tracks(
        stamp_ns=1_790_000_000_123_456_789 + sequence * 10**8, frame_id="map", sequence=sequence, sensor_id="rädar",
        track_id=np.array(ids), status=np.array(ids) % 3 + 1, state=state, covariance=np.tile(np.eye(6), (n, 1, 1)),
        class_id=np.array(ids) % N_CLASSES, class_probability=probability, existence_probability=np.full(n, 0.9),
        rcs_dbsm=np.full(n, 1.0), age=np.full(n, 3.0), time_since_update=np.full(n, 0.25 * sequence), hits=np.full(n, 5),
    )  # fmt: skip


def some_detections(sequence: int) -> Detections:
    n = 3
    return Detections(
        stamp_ns=1_790_000_000_123_456_789 + sequence * 10**8, frame_id="radar", sequence=sequence, sensor_id="rädar",
        cartesian_accuracy=False, id=np.arange(n), range=np.array([12.34, 98765.43, 300.0]),
        azimuth=np.array([-1.0, 2.5, 0.0]), elevation=np.array([0.1, np.nan, -0.2]), range_rate=np.full(n, np.nan),
        variance=np.ones((n, 4)), snr_db=np.full(n, 20.0), rcs_dbsm=np.full(n, -3.0), noise_db=np.zeros(n),
        points=np.ones(n, dtype=int),
        class_id=np.zeros(n, dtype=int), confidence=np.ones(n), class_probability=np.full((n, N_CLASSES), 0.1),
    )  # fmt: skip


def frames() -> dict[str, dict]:
    scans = {
        "full": (some_tracks([2, 3, 7, 9, 300], 1), some_detections(1)),
        "moved": (some_tracks([2, 3, 7, 9, 300], 2), some_detections(2)),
        "alone": (None, some_detections(3)),
        "gone": (some_tracks([3, 8, 9, 100_000], 4), None),
    }
    encoder, out = DeltaEncoder(), {}
    mounted = SensorPose.load({"sensor_x": 1.5, "sensor_y": -20.0, "sensor_yaw_deg": 30.0})
    for number, (name, (tracks, detections)) in enumerate(scans.items(), 5):
        frame = RadarFrame(
            Frame(detections, 0.25, time.monotonic(), detection_rows, detection_brief) if detections else None,
            Frame(tracks, 0.25, time.monotonic(), track_rows, track_brief) if tracks else None,
        )
        body = bodies.radar_frame(frame, mounted, ALL)
        shown = json.loads(json_bytes({"frame": number, **body}))
        del shown["age_s"]
        out[name] = {"hex": encoder.delta(number, body).hex(), "json": shown}
        out[name]["track_ids"] = [row["track_id"] for row in shown["tracks"] or []]
    return out


def without_age(data: str) -> str:
    """Return a frame without its age, two bytes: where they are depends on the numbers before them, of one byte each."""
    at = 2 * (2 + 1 + 1 + 8)
    return data[:at] + data[at + 4 :]


def test_the_page_is_tested_with_what_the_bridge_sends():
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    made = frames()
    for name, frame in made.items():
        assert without_age(frame.pop("hex")) == without_age(kept[name].pop("hex")), name
    assert kept == made


if __name__ == "__main__":
    FILE.write_text(json.dumps(frames(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
