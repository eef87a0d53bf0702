"""Parameters of the EW stage."""

from __future__ import annotations

from aegis.core.params import Settings, group, param


class NoiseSettings(Settings):
    """When a rise of the noise floor is a signal."""

    cells: int = param(
        32, "Receive-only cells that the sensor averages for each noise level it reports.", ge=1, was="noise_cells"
    )
    baseline_scans: int = param(20, "Quiet scans that the baseline of the noise floor remembers.", ge=2)
    warmup_scans: int = param(5, "Scans before the first judgement.", ge=1)
    false_alarm_probability: float = param(
        1e-6, "Probability that the test of the noise floor finds a rise in a scan of quiet noise.", gt=0.0, lt=0.1
    )
    min_rise_db: float = param(1.0, "Smaller rises raise no signal, however certain.", unit="dB", ge=0.0)
    clear_after_scans: int = param(5, "A signal ends after this many judged scans without evidence.", ge=1)
    hold_s: float = param(
        30.0,
        "A signal ends where no noise levels have come for this long: a jammed radar may detect nothing.",
        unit="s",
        gt=0.0,
    )


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


class EwSettings(Settings):
    """Parameters of the node `ew`."""

    noise: NoiseSettings = group(NoiseSettings())
    advice: AdviceSettings = group(AdviceSettings())
