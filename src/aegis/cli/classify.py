# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis classify`."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import click

EXIT_WRONG = 2
LEAST_PRF_HZ = 100.0


@click.command()
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--carrier-hz", type=click.FloatRange(1e8, 3e11), required=True, help="Carrier frequency of the sensor.")
@click.option(
    "--prf-hz",
    type=click.FloatRange(LEAST_PRF_HZ, 1e8),
    help="Samples a second: the pulse rate, or a CW sensor's [the file's].",
)
@click.option("--variable", default="", help="Array of a .mat file [the largest].")
@click.option(
    "--raw", type=click.Choice(["cu8", "cs8", "cs16", "cf32", "s16", "f32"]),
    help="Numbers of a file without a header, c: I and Q in turn.",
)  # fmt: skip
@click.option("--column", type=click.IntRange(min=0), help="Column of an array that has more than I and Q, from 0.")
@click.option("--classes", default="", metavar="A,B,...", help="Classes that can be met [all].")
@click.option(
    "--threshold", type=click.FloatRange(0, 1), default=0.65, show_default=True, help="Below it the class is UNKNOWN."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def classify(
    recording: Path, carrier_hz: float, prf_hz: float | None, variable: str, raw: str | None, column: int | None, classes: str,
    threshold: float, as_json: bool,
) -> None:  # fmt: skip
    """Tell what passes in a recording of a CW or Doppler sensor, by its micro-Doppler.

    RECORDING is .npy, .wav, .csv, .txt, .mat, or without a header (.cs16, .cf32, ..., or --raw), perhaps gzipped: samples in
    time of one range cell or of a CW sensor, complex, I and Q as two columns or channels, or one channel. Each half second in
    which a moving line stands out of the noise is a look; looks without a longer gap are a passage, which gets a class, or
    UNKNOWN. The line `together` is of all looks. Tones that are there all the time, as hum, are left out.

    Exit codes: 0 done; 2 wrong arguments or input.
    """
    from aegis.core.classification.doppler import Passage, cleaned, passages, together
    from aegis.core.classification.track_model import relative_priors
    from aegis.core.signal.equation import SPEED_OF_LIGHT
    from aegis.core.types import ClassId
    from aegis.graph.iq_recording import RecordingError, read_recording
    from aegis.models.store import ModelError, doppler_model

    def wrong(text: str) -> None:
        click.echo(f"aegis classify: {text}", err=True)
        sys.exit(EXIT_WRONG)

    names = [name.strip().upper() for name in classes.split(",") if name.strip()]
    strange = [name for name in names if name not in ClassId.__members__]
    if strange:
        wrong(f"no class {', '.join(strange)}; there are {', '.join(ClassId.__members__)}")
    prior = relative_priors(tuple(ClassId[name] for name in names) or tuple(ClassId), None)
    try:
        network, card = doppler_model()
        found = read_recording(recording, variable, column, raw or "")
        if found.note:
            click.echo(f"aegis classify: {recording}: {found.note}", err=True)
        rate = prf_hz or found.rate_hz
        if math.isnan(rate):
            wrong(f"{recording} does not say how many samples a second it has; --prf-hz does")
        if rate < LEAST_PRF_HZ:
            wrong(
                f"{recording} has {rate:.3g} samples a second by its times, and {LEAST_PRF_HZ:g} are the least: --prf-hz says"
                " how many it has, or the head of the times their unit, as 't (ms)'"
            )
        wavelength = SPEED_OF_LIGHT / carrier_hz
        clean = cleaned(found.samples, rate, wavelength)
        rows = list(passages(clean.samples, clean.prf_hz, wavelength, network, prior, threshold))
    except (ModelError, RecordingError, ValueError) as error:
        wrong(str(error))
        return

    def said(row: Passage) -> str:
        best = sorted(ClassId, key=lambda c: -row.probability[c])[:3]
        likely = ", ".join(f"{c.name} {row.probability[c]:.2f}" for c in best)
        return f"{row.begin_s:8.2f} to {row.end_s:8.2f} s  {row.looks:4d} looks  {row.class_id.name:10}  ({likely})"

    def as_row(row: Passage) -> str:
        probability = {c.name: round(float(row.probability[c]), 4) for c in ClassId}
        return json.dumps(
            {
                "begin_s": row.begin_s, "end_s": row.end_s, "looks": row.looks, "class": row.class_id.name,
                "probability": probability, "model": card.name,
            }
        )  # fmt: skip

    if len(clean.tones_hz):
        tones = ", ".join(f"{tone:.0f}" for tone in clean.tones_hz)
        click.echo(
            f"aegis classify: tones of the sensor itself, always there and as strong, left out: {tones} Hz", err=True
        )
    for row in rows:
        click.echo(as_row(row) if as_json else said(row))
    if rows and not as_json:
        click.echo(f"together: {said(together(rows, threshold))}")
    if not rows and not as_json:
        click.echo("nothing that moves stands out of the noise")
    if not as_json:
        click.echo(f"model {card.name}: {card.basis}")
