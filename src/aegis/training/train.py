# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""All of `aegis train`: simulate, learn, judge, write the models with their cards and plots."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from aegis import __version__
from aegis.core.classification.dwell import DWELL, LEAST_SNR_DB
from aegis.core.classification.signature import SIGNATURE
from aegis.core.classification.track_memory import FEATURES
from aegis.core.types import N_CLASSES, Floats, Ints
from aegis.models.store import DOPPLER, DWELLS, KINEMATIC, write
from aegis.simulation.kinds import KINDS, STRANGERS
from aegis.training import doppler, dwells, kinematic
from aegis.training.fitted import Fitted, fit
from aegis.training.gathered import FIRST_DAY, STRANGER_DAY, gathered
from aegis.training.gathered import days as seeds_of
from aegis.training.radars import FAMILIES

STRANGER_SCENES = 100
SIGNATURE_FILES_A_DAY = 3
DOPPLER_NAME = "doppler-1"
DOPPLER_BASIS = (
    "trained on simulated micro-Doppler alone; not proven in the field; card: aegis/models/weights/doppler.json"
)
DWELL_NAME = "dwell-1"
DWELL_BASIS = (
    "trained on simulated dwells of radars alone; not proven in the field; card: aegis/models/weights/dwell.json"
)
NAME = "kinematic-3"
BASIS = (
    "a network trained on simulated tracks alone (objects of 38 kinds before radars of 7 families); not proven in the field;"
    " card: aegis/models/weights/kinematic.json"
)


def train_all(folder: Path, *, scenes: int, days: int, workers: int, device: str) -> Iterator[Path]:
    """Make the models in a folder, and yield the cards' paths.

    Args:
        folder: where; what is there already of a run that was stopped is gone on from.
        scenes: a day; days: the last but one calibrates, the last judges.
        workers: processes that simulate; device: of torch.
    """
    kept = folder / "examples"
    calibrates, judges = FIRST_DAY + days - 2, FIRST_DAY + days - 1
    seen = gathered(seeds_of(FIRST_DAY, judges, scenes), kept, workers=workers)
    strange = gathered(seeds_of(STRANGER_DAY, STRANGER_DAY, STRANGER_SCENES), kept, strangers=True, workers=workers)
    shown, held_out, judged = (
        seen.take(chosen) for chosen in (seen.day < calibrates, seen.day == calibrates, seen.day == judges)
    )
    fitted = fit(
        kinematic.table(shown),
        kinematic.table(held_out),
        kinematic.recipe(),
        checkpoint=folder / f"{KINEMATIC}.pt",
        device=device,
    )
    card = {
        "name": NAME,
        "basis": BASIS,
        "features": list(FEATURES),
        "made_by": f"aegis train --scenes {scenes} --days {days}; aegis {__version__}, Python {platform.python_version()}",
        "data": {
            "what": "tracks of the point-level simulator through detection and tracking, at 1 to 50 looks",
            "kinds": sorted(KINDS),
            "radars": sorted(FAMILIES),
            "seeds": f"1000 day + 0 to {scenes - 1}; days {FIRST_DAY} to {calibrates - 1} shown,"
            f" {calibrates} temperature, gate; {judges} judged",
            "examples": len(shown),
            "tracks": len(np.unique(shown.track)),
            "examples_by_class": kinematic.prior_of(shown),
        },
        "temperature": round(fitted.network.temperature, 4),
        "doubt": fitted.network.doubt,
        "doubt_of": "chosen on networks learned without the third or fourth kind of each class and a radar family: there at most"
        " 1 % are surely wrong after 10 looks",
        "gate_distance": [round(float(d), 2) for d in fitted.network.distance],
        "in_distribution": kinematic.figures(fitted.network, judged),
        "never_shown": {"kinds": sorted(STRANGERS), **kinematic.stranger_figures(fitted.network, judged, strange)},
        "limits": "Trained on simulation, not proven in the field. By how it moves and how large its echo is, a slow fixed-wing"
        " aircraft and a helicopter, a gull and a small drone, a boat and a slow car often look alike: then the answer is UNKNOWN."
        " `aegis bench classify` measures it with kinds, radars and days left out.",
    }  # fmt: skip
    path = write(folder, KINEMATIC, fitted.network, card)
    judged = kinematic.known(judged)
    _plots(folder, KINEMATIC, fitted, kinematic.probabilities(fitted.network, judged), judged.class_id)
    yield path
    yield _train_doppler(folder, days, device)
    yield train_dwells(folder, device)


def train_dwells(folder: Path, device: str) -> Path:
    """Make the model of a radar's dwells."""
    shown, held_out, judged = (
        dwells.gathered_points(seeds, bare, folder / "examples").of_strong()
        for seeds, bare in (
            (dwells.SHOWN, dwells.SHOWN_BARE),
            (dwells.HELD_OUT, dwells.HELD_OUT_BARE),
            (dwells.JUDGED, {}),
        )
    )
    fitted = fit(shown, held_out, dwells.recipe(), checkpoint=folder / f"{DWELLS}.pt", device=device)
    card = {
        "name": DWELL_NAME,
        "basis": DWELL_BASIS,
        "features": list(DWELL),
        "made_by": f"aegis train; aegis {__version__}, Python {platform.python_version()}",
        "data": {
            "what": f"points of {LEAST_SNR_DB:g} dB and more in dwells of 4 to 130 ms, 1.2 to 80 GHz, 1.5 to 25 kHz; three in"
            " ten of 76 to 80 GHz with 64 to 256 chirps",
            "seeds": f"and objects of each: {dwells.SHOWN} shown, {dwells.SHOWN_BARE} of bodies alone; {dwells.HELD_OUT},"
            f" {dwells.HELD_OUT_BARE} temperature, gate; {dwells.JUDGED} judged",
            "examples": len(shown.features),
        },
        "temperature": round(fitted.network.temperature, 4),
        "gate_distance": [round(float(d), 2) for d in fitted.network.distance],
        "in_distribution": dwells.figures(fitted.network, judged),
        "never_shown": "any real radar; several objects of different classes in one cell; a radar's own phase noise",
        "limits": "Trained on simulation, not proven in the field. One dwell of milliseconds says little: most answers are"
        " UNKNOWN, and what it says counts over a track's looks, beside how the object moves.",
    }  # fmt: skip
    known = judged.class_id > 0
    probability = fitted.network.posterior(judged.features[known].astype(np.float64), np.ones(N_CLASSES))
    _plots(folder, DWELLS, fitted, probability, judged.class_id[known])
    return write(folder, DWELLS, fitted.network, card)


def _train_doppler(folder: Path, days: int, device: str) -> Path:
    """Make the micro-Doppler model; the days as for the other."""
    seen = doppler.gathered_signatures(range(days), SIGNATURE_FILES_A_DAY, folder / "examples")
    shown, held_out, judged = (
        seen.take(chosen) for chosen in (seen.day < days - 2, seen.day == days - 2, seen.day == days - 1)
    )
    fitted = fit(
        doppler.table(shown),
        doppler.table(held_out),
        doppler.recipe(),
        checkpoint=folder / f"{DOPPLER}.pt",
        device=device,
    )
    card = {
        "name": DOPPLER_NAME,
        "basis": DOPPLER_BASIS,
        "features": list(SIGNATURE),
        "made_by": f"aegis train --days {days}; aegis {__version__}, Python {platform.python_version()}",
        "data": {
            "what": "looks of half a second, 1.2 to 80 GHz, 2 to 50 kHz, I/Q or one channel",
            "seeds": f"[7000 + day, file]; {doppler.SIGNALS_A_FILE} signals a file, {SIGNATURE_FILES_A_DAY} files a day",
            "examples": len(shown),
        },
        "temperature": round(fitted.network.temperature, 4),
        "gate_distance": [round(float(d), 2) for d in fitted.network.distance],
        "in_distribution": doppler.figures(fitted.network, judged),
        "never_shown": "any real signal; several objects of different classes in one cell; a radar's own phase noise",
        "limits": "Trained on simulation, not proven in the field."
        " Looks of half a second: for recordings of CW and Doppler sensors, not for a radar's dwells.",
    }
    known = judged.take(judged.class_id > 0)
    probability = fitted.network.posterior(known.features.astype(np.float64), np.ones(N_CLASSES))
    _plots(folder, DOPPLER, fitted, probability, known.class_id)
    return write(folder, DOPPLER, fitted.network, card)


def _plots(folder: Path, name: str, fitted: Fitted, probability: Floats, class_id: Ints) -> None:
    """Draw how it learned, its calibration and its confusion, where matplotlib is installed."""
    try:
        from aegis.training.plots import plot
    except ModuleNotFoundError:
        return
    plot(folder / f"{name}.png", fitted.history, probability, class_id)
