# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the fusion stage."""

from __future__ import annotations

from typing import Literal

from aegis.core.params import Settings, group, named, param

FOREIGN = "foreign/"  # the sensor_id of somebody else's tracks begins so: by SAPIENT, or ASTERIX CAT062
SOURCE_TRACKS = "source_tracks"


class SourceSettings(Settings):
    """One tracker whose tracks are fused."""

    sensors: tuple[str, ...] = param(
        (), "The sensor_ids of this source's pictures. Empty: its name. A tracker of several sensors is one source: all of them "
        "are listed, so that nothing counts twice.",
    )  # fmt: skip
    sensor_x: float = param(0.0, "Where its radar stands, east: its rotation and ranges are about it.", unit="m")
    sensor_y: float = param(0.0, "Where its radar stands, north.", unit="m")
    sensor_z: float = param(0.0, "Where its radar stands, up.", unit="m")
    foreign: bool = param(
        False, "How the source's tracks came about is not known: they may be filtered otherwise, or have in them what we have. "
        "They are taken by covariance intersection, which is never too sure.",
    )  # fmt: skip

    topic: str = param(
        "", "Topic of its tracks where it is not source_tracks, such as north/tracks of another site: all that comes there is this "
        "source's. Its picture has to be in our map.",
    )  # fmt: skip


class BiasSettings(Settings):
    """What the sources' pictures are displaced by, from tracks that two of them hold."""

    mode: Literal["off", "report", "apply"] = param(
        "apply", "Offset, rotation and time offset of the sources against each other: not estimated (off), estimated (report), or "
        "also taken off (apply).",
    )  # fmt: skip
    reference: str = param(
        "", "The source that is taken to have no bias; empty: all alike, so that only differences are known."
    )
    offset_sigma_m: float = param(
        20.0, "Standard deviation of a source's displacement along each axis before anything is known.", unit="m", ge=0.0
    )  # fmt: skip
    rotation_sigma_deg: float = param(
        0.5,
        "Standard deviation of the rotation of a source's picture about the vertical, before anything is known.",
        unit="deg",
        ge=0.0,
        le=20.0,
    )
    range_sigma_m: float = param(
        0.0,
        "Standard deviation of a source's error of range, before anything is known. 0: not estimated; where it is, "
        "sources.*.sensor_x and sensor_y have to say where each radar stands, as `aegis up --fusion` does.",
        unit="m",
        ge=0.0,
    )
    time_sigma_s: float = param(
        0.05,
        "Standard deviation of the error of a source's stamps, before anything is known.",
        unit="s",
        ge=0.0,
        le=10.0,
    )
    interval_s: float = param(
        0.9,
        "How often a source's tracks are compared with the others'; of more than eight sources less often.",
        unit="s",
        gt=0.0,
    )


class FusionSettings(Settings):
    """Parameters of the node `fusion`."""

    sources: dict[str, SourceSettings] = named(
        "source",
        "What is different for one source. One that is not named here is a tracker of ours, of the sensor with its name; or"
        " somebody else's, where that begins with foreign/, as of those who come by SAPIENT or ASTERIX.",
    )
    acceleration_sigma_mps2: float = param(
        2.0, "Manoeuvres, as in tracking.motion: standard deviation of the white acceleration, for a step of one second.",
        unit="m/s^2", gt=0.0,
    )  # fmt: skip
    vertical_acceleration_sigma_mps2: float = param(
        1.0, "Manoeuvres in height, as acceleration_sigma_mps2 states those over ground.", unit="m/s^2", gt=0.0
    )
    gate_probability: float = param(
        0.9999,
        "Probability that a source's track of an object falls into the gate of what the others say of it.",
        gt=0.5,
        lt=1.0,
    )
    confirm_probability: float = param(
        0.99, "A track is confirmed where a source says so, or at this existence probability of all sources together.", gt=0.0,
        lt=1.0,
    )  # fmt: skip
    coast_s: float = param(
        2.0, "A confirmed track that no source holds any more is shown for so long, as coasting.", unit="s", ge=0.0, le=600.0
    )  # fmt: skip
    memory_s: float = param(
        15.0,
        "So long it keeps its id, for a source that finds it again. At least coast_s.",
        unit="s",
        ge=0.0,
        le=3600.0,
    )
    lost_after_s: float = param(
        3.0, "A source that has not reported for so long, or for three of its periods if that is longer, is lost: its tracks are "
        "left to the others.", unit="s", gt=0.0, le=600.0,
    )  # fmt: skip
    latest_s: float = param(
        5.0, "A report may be older than the picture by so much; an older one is dropped, or begins anew where the source's own "
        "stamps have gone back by more than this (a clock was set, a bag looped).", unit="s", gt=0.0, le=60.0,
    )  # fmt: skip
    period_s: float = param(
        0.1,
        "There is a picture at most this often, by the reports' stamps. 0: one a report.",
        unit="s",
        ge=0.0,
        le=10.0,
    )
    max_tracks: int = param(20_000, "Most tracks; beyond, sources' tracks start no new ones and are counted.", ge=1)
    bias: BiasSettings = group(BiasSettings())

    def heard_at(self, topic: str) -> tuple[str, ...]:
        """Return the topics on which the sources' tracks come."""
        return (topic, *self.source_of_topic) if topic == SOURCE_TRACKS else (topic,)

    @property
    def source_of_topic(self) -> dict[str, str]:
        """Return the sources that have a topic of their own, by it."""
        return {source.topic: name for name, source in self.sources.items() if source.topic}
