"""Parameters of the EW stage."""

from __future__ import annotations

from aegis.core.params import Settings, param


class EwSettings(Settings):
    """Parameters of the node `ew`."""

    noise_cells: int = param(32, "Receive-only cells that the sensor averages for each noise level it reports.", ge=1)
    baseline_scans: int = param(20, "Quiet scans that the baseline of the noise floor remembers.", ge=2)
    warmup_scans: int = param(5, "Scans before the first judgement.", ge=1)
    false_alarm_probability: float = param(1e-6, "Of the noise-floor test, per scan, on quiet noise.", gt=0.0, lt=0.1)
    min_rise_db: float = param(1.0, "Smaller rises raise no signal, however certain.", unit="dB", ge=0.0)
    clear_after_scans: int = param(5, "A signal ends after this many scans without evidence.", ge=1)
    advice_valid_s: float = param(30.0, "Advice that nobody decided on expires after this time.", unit="s", gt=0.0)
    advice_kept_s: float = param(300.0, "Decided and expired advice is shown this long.", unit="s", gt=0.0)
    max_advice: int = param(
        200, "Most pieces of advice kept; the oldest that are no longer open are forgotten first.", ge=1
    )
