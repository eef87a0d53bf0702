# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the EW stage."""

from __future__ import annotations

from aegis.core.params import Settings, group, param
from aegis.core.sensor import SensorPoses


class NoiseSettings(Settings):
    """When a rise of the noise floor is a signal."""

    cells: int = param(
        32, "Receive-only cells that the sensor averages for each noise level it reports.", ge=1, was="noise_cells"
    )
    baseline_scans: int = param(20, "Quiet scans that the baseline of the noise floor remembers.", ge=2)
    baseline_every: int = param(
        30, "One of so many quiet reports of a receiver goes into a baseline that is full: what comes nearer is not learnt.",
        ge=1, le=100_000,
    )  # fmt: skip
    warmup_scans: int = param(5, "Scans before the first judgement.", ge=1, was="warmup_scans")
    false_alarm_probability: float = param(
        1e-6,
        "Probability that the test of the noise floor finds a rise in a scan of quiet noise.",
        gt=0.0,
        lt=0.1,
        was="false_alarm_probability",
    )
    min_rise_db: float = param(1.0, "Smaller rises raise no signal, however certain.", unit="dB", ge=0.0)
    clear_after_scans: int = param(
        5, "A signal ends after this many judged scans without evidence.", ge=1, was="clear_after_scans"
    )
    hold_s: float = param(
        30.0,
        "A signal ends where no noise levels have come for this long: a jammed radar may detect nothing. So does what a receiver "
        "heard that is silent, by the time of others.",
        unit="s",
        gt=0.0,
    )


class DeceptionSettings(Settings):
    """When range and Doppler of a track, or detections on one line of sight, are a signal."""

    hits: int = param(20, "Detections of a track in a window of the test for pull-off.", ge=6, le=1000)
    threshold: float = param(
        4.0, "Standard deviations by which range and Doppler of a window must differ.", gt=0.0, le=20.0
    )
    windows: int = param(
        2, "Windows in a row, with the same sign, that make a signal; one of 6.5 does alone.", ge=1, le=20
    )
    clear_after_windows: int = param(2, "A pull-off ends after this many windows without.", ge=1, le=100)
    gap_s: float = param(
        5.0, "A track that was not detected for so long begins a new window.", unit="s", gt=0.0, le=1000.0
    )
    range_rate_span_mps: float = param(
        0.0,
        "Width of the interval of range rates that the radar can tell; 0: they are unambiguous.",
        unit="m/s",
        ge=0.0,
    )
    gate_sigma: float = param(
        4.0, "A track's detection is the nearest one, within so many standard deviations of both.", gt=0.0, le=20.0
    )
    false_targets: int = param(6, "Fewest detections on one line of sight that are false targets.", ge=3, le=10_000)
    least_depth_m: float = param(300.0, "Depth in range that false targets have at least.", unit="m", ge=0.0)
    sectors: int = param(72, "Sectors of azimuth whose usual number of detections is learnt.", ge=4, le=720)
    warmup_scans: int = param(5, "Scans before the first judgement of lines of sight.", ge=1, le=1000)
    clear_after_scans: int = param(5, "False targets end after this many scans without.", ge=1, le=1000)
    hold_s: float = param(
        30.0, "Deception ends where its sensor has been silent for this long, by the time of others.", unit="s", gt=0.0
    )
    false_alarm_probability: float = param(
        1e-6, "Probability that so many detections are on one line of sight by chance, in a scan.", gt=0.0, lt=0.1
    )


class PulseSettings(Settings):
    """Emitters from pulse descriptors."""

    library: str = param(
        "emitters",
        "Library of emitters: the one that ships (config/ew/emitters.yaml), or path to a .yaml file. Empty: none.",
    )
    least_interval_s: float = param(2e-5, "Shortest pulse interval looked for.", unit="s", ge=1e-6, le=1.0)
    most_interval_s: float = param(5e-3, "Longest pulse interval looked for.", unit="s", ge=1e-6, le=10.0)
    same_interval: float = param(
        0.03, "Trains whose intervals differ by less than this share may be the same emitter.", gt=0.0, lt=1.0
    )
    same_frequency_hz: float = param(
        20e6, "Trains whose carriers differ by less than this may be the same emitter.", unit="Hz", gt=0.0
    )
    max_pulses: int = param(
        1000, "Most pulses of a message; the last ones beyond are dropped and counted.", ge=8, le=4000
    )
    hold_s: float = param(10.0, "An emitter ends where none of its pulses came for this long.", unit="s", gt=0.0)


class OwnRadarSettings(Settings):
    """What the expected benefit of protecting the own radar depends on."""

    pulse_compression: float = param(
        5.0, "Time-bandwidth product of its pulse, which a copy of another pulse does not gain.", ge=1.0, le=1e6
    )
    chirps: int = param(128, "Chirps of a frame, over which jitter spreads another radar's energy.", ge=1, le=1_000_000)


class AdviceSettings(Settings):
    """How long advice is kept."""

    valid_s: float = param(
        30.0,
        "Advice that nobody decided on expires this long after its cause was last heard of.",
        unit="s",
        gt=0.0,
        was="advice_valid_s",
    )
    settle_s: float = param(
        2.0,
        "A threat's other class, of which other advice would be given, is taken seriously after this time.",
        unit="s",
        ge=0.0,
    )
    kept_s: float = param(
        300.0, "Advice that is decided, withdrawn or expired is shown this long after its cause is gone.", unit="s", gt=0.0,
        was="advice_kept_s",
    )  # fmt: skip
    max_kept: int = param(
        200,
        "Most pieces of advice kept; the oldest that are no longer open are forgotten first.",
        ge=1,
        was="max_advice",
    )


class EwSettings(SensorPoses):
    """Parameters of the node `ew`."""

    noise: NoiseSettings = group(NoiseSettings())
    deception: DeceptionSettings = group(DeceptionSettings())
    pulses: PulseSettings = group(PulseSettings())
    own_radar: OwnRadarSettings = group(OwnRadarSettings())
    advice: AdviceSettings = group(AdviceSettings())
