# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the stages, the pipeline and the bridge itself are doing."""

from __future__ import annotations

from pydantic import Field

from aegis.bridge.models.common import Frame, Model, StageRow
from aegis.bridge.models.radar import Classifier


class RadarMetrics(Model):
    """The radar: its own stages, and its scans as they reach the bridge."""

    stages: dict[str, StageRow] = Field(
        description="of simulator, driver, radar_msgs and frontend those that run; none where the driver is not from here"
    )
    scan_rate_hz: float | None = Field(description="from the stamps of the last scans")
    scans_lost: int = Field(description="missing sequence numbers on the way to the bridge")
    noise_db: float | None = Field(description="median beside the detections of the last scan")
    last_scan_age_s: float | None = Field(description="since its measurement")


class LastDetections(Frame):
    """The detections of the last scan."""

    count: int
    by_class: dict[str, int]


class DetectionMetrics(Model):
    """The detection stage."""

    stage: StageRow
    classifier: Classifier | None
    last_scan: LastDetections | None


class LastTracks(Frame):
    """The picture after the last scan."""

    count: int
    by_status: dict[str, int]
    by_class: dict[str, int]


class Nis(Model):
    """Mean normalised innovation squared per measured component: 1 where a sensor's errors are as stated."""

    mean: float
    low: float = Field(description="95 % of consistent filters have a mean from here")
    high: float = Field(description="to here")
    components: int
    consistent: bool


class Registration(Model):
    """A sensor's bias against the others."""

    range_m: float
    range_sigma_m: float
    azimuth_deg: float
    azimuth_sigma_deg: float
    pairs: int


class TrackingMetrics(Model):
    """The tracking stage."""

    stage: StageRow
    last_picture: LastTracks | None
    nis: dict[str, Nis] = Field(description="by sensor")
    registration: dict[str, Registration] = Field(description="by sensor")


class LastThreats(Frame):
    """The last assessment."""

    count: int
    by_level: dict[str, int]


class ThreatMetrics(Model):
    """The threat stage."""

    stage: StageRow
    last_assessment: LastThreats | None


class LastSignals(Model):
    """The electronic attacks that were active when the stage last spoke of them."""

    stamp_s: float
    age_s: float
    count: int
    by_kind: dict[str, int]


class LastAdvice(Model):
    """All advice when the stage last spoke of it."""

    stamp_s: float
    age_s: float
    count: int
    by_state: dict[str, int]


class EwMetrics(Model):
    """The EW stage."""

    stage: StageRow
    signals: LastSignals | None
    advice: LastAdvice | None


class Latency(Model):
    """Exact percentiles of the last observations (at most 1000) of the age of measurements at the bridge."""

    observations: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


class PipelineMetrics(Model):
    """From the scan's stamp to the bridge."""

    ready: bool
    missing_stages: list[str]
    cycle_rate_hz: float | None = Field(description="assessments received a second, over the last 10 s")
    latency: dict[str, Latency | None] = Field(
        description="from the time of measurement until the bridge had the output of detection, tracking, threat; threat is"
        " the whole pipeline's"
    )
    stage_age_s: dict[str, float] = Field(description="since each stage's last status")
    events_received: int
    events_lost: int = Field(description="missing sequence numbers")


class Process(Model):
    """The bridge's process."""

    cpu_percent: float | None = Field(description="of one processor, over the last 2 s")
    rss_bytes: int
    threads: int
    open_files: int
    uptime_s: float


class SystemMetrics(Model):
    """The machine, the bridge's process, and its components' counts."""

    cpu_count: int | None
    cpu_percent: float | None = Field(description="of all processors, over the last 2 s")
    load_1_min: float
    load_5_min: float
    load_15_min: float
    memory_total_bytes: int
    memory_available_bytes: int
    state_disk_free_bytes: int | None = Field(description="where accounts and keys are kept")
    process: Process
    loop_lag_p99_ms: float | None = Field(description="delay of timers on the event loop, over the last minute")
    versions: dict[str, str | None] = Field(description="null: not installed from a Python package")
    counts: dict[str, dict[str, float | str | dict[str, float] | None]] = Field(
        description="queues, drops and errors by component, as in /metrics"
    )
