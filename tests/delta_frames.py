# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A decoder of delta frames, written from docs/bridge.md."""

import struct

CLASSES = ["UNKNOWN", "DRONE", "BIRD", "AIRCRAFT", "HELICOPTER", "MISSILE", "VEHICLE", "PERSON", "VESSEL", "CLUTTER"]
STATUSES = ["UNKNOWN", "TENTATIVE", "CONFIRMED", "COASTING"]
TRACK_STEPS = [1e4] * 6 + [1e3, 1e4, 1, 1]
DETECTION_STEPS = {
    "id": 1, "class": 1, "confidence": 1e4, "range_m": 1e2, "azimuth_deg": 1e4, "elevation_deg": 1e4, "range_rate_mps": 1e3,
    "snr_db": 1e2, "rcs_dbsm": 1e2,
}  # fmt: skip


class GapError(Exception):
    """A message before has been lost."""


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def value(self) -> int | None:
        number = self.number()
        if number == 0:
            return None
        return (number - 1) // 2 if number % 2 else -(number // 2)

    def scaled(self, steps: float) -> float | None:
        value = self.value()
        return None if value is None else value / steps

    def text(self) -> str:
        length = self.number()
        self.at += length
        return self.data[self.at - length : self.at].decode()

    def numbers(self) -> list[int]:
        out: list[int] = []
        for _ in range(self.number()):
            out.append(self.number() + (out[-1] if out else 0))
        return out


class DeltaDecoder:
    def __init__(self) -> None:
        self.frame: int | None = None
        self.tracks: dict[int, list[int | None]] = {}

    def take(self, data: bytes) -> dict:
        r = Reader(data)
        version, flags = data[0], data[1]
        assert version == 1
        r.at = 2
        frame, base = r.number(), r.number()
        if flags & 1:
            self.tracks = {}
        elif base != self.frame:
            raise GapError(f"{frame} follows {base}, but the last one was {self.frame}")
        self.frame = frame
        (stamp_s,) = struct.unpack_from("<d", data, r.at)
        r.at += 8
        out = {
            "frame": frame,
            "full": bool(flags & 1),
            "stamp_s": stamp_s,
            "age_s": r.scaled(1e3),
            "sequence": r.number(),
        }
        out |= {"sensor_id": r.text(), "frame_id": r.text()}
        out["sensor"] = {"x_m": r.scaled(1e3), "y_m": r.scaled(1e3), "z_m": r.scaled(1e3), "heading_deg": r.scaled(1e4)}
        out["turn_s"] = r.scaled(1e3)
        out["detections"] = [self.detection(r) for _ in range(r.number())] if flags & 2 else None
        if flags & 4:
            for track_id in r.numbers():
                del self.tracks[track_id]
            track_id = 0
            for _ in range(r.number()):
                track_id += r.number()
                fields = r.number()
                values = self.tracks.setdefault(track_id, [0] * len(TRACK_STEPS))
                for k in range(len(TRACK_STEPS)):
                    if fields >> k & 1:
                        change = r.value()
                        values[k] = None if change is None else change + (values[k] or 0)
        out["tracks"] = [self.track(i) for i in sorted(self.tracks)] if flags & 4 else None
        assert r.at == len(data)
        return out

    def detection(self, r: Reader) -> dict:
        row = {name: r.scaled(steps) for name, steps in DETECTION_STEPS.items()}
        return row | {"class": CLASSES[int(row["class"])]}

    def track(self, track_id: int) -> dict:
        x, y, z, vx, vy, vz, since, confidence, kind, status = (
            None if value is None else value / steps
            for value, steps in zip(self.tracks[track_id], TRACK_STEPS, strict=True)
        )
        return {
            "track_id": track_id, "status": STATUSES[int(status)], "class": CLASSES[int(kind)], "confidence": confidence,
            "position_m": {"x": x, "y": y, "z": z}, "velocity_vector_mps": {"x": vx, "y": vy, "z": vz},
            "time_since_update_s": since,
        }  # fmt: skip
