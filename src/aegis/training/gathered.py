# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks of many scenes, kept in a folder look by look as they are made, so that who is stopped goes on where it was, and that
features can change without simulating anew.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from aegis.training.tracks import Examples, Histories, histories

SCENES_A_FILE = 20
FIRST_DAY = 100  # days before were looked at while features and kinds were chosen
STRANGER_DAY = 121
Job = tuple[list[int], Path, bool]  # seeds, the file that they go to, whether of strangers


def days(first: int, last: int, scenes: int) -> list[int]:
    """Return the seeds of so many scenes of each day from `first` to `last`."""
    return [day * 1000 + k for day in range(first, last + 1) for k in range(scenes)]


def gathered(
    seeds: Sequence[int], folder: Path, *, strangers: bool = False, workers: int = 1, progress: bool = True
) -> Examples:
    """Return the examples of scenes, made where the folder has them not yet.

    Args:
        seeds: of the scenes; folder: where files of `SCENES_A_FILE` scenes each are kept.
        strangers: of kinds that nobody trains on.
        workers: processes.
        progress: show it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kind = "strangers" if strangers else "tracks"
    parts = [list(seeds[i : i + SCENES_A_FILE]) for i in range(0, len(seeds), SCENES_A_FILE)]
    jobs = [(part, folder / f"{kind}_{part[0]:06d}_{len(part)}.npz", strangers) for part in parts]
    missing = [job for job in jobs if not job[1].exists()]
    for _ in tqdm(
        _done(_make, missing, workers), total=len(missing), unit="file", desc=kind, disable=not progress or None
    ):
        pass
    return Examples.joined([_read(path) for _, path, _ in jobs])


def _done(
    make: Callable[[tuple[list[int], Path, bool]], None], jobs: list[tuple[list[int], Path, bool]], workers: int
) -> Iterator[None]:
    if workers <= 1 or len(jobs) < 2:
        yield from map(make, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(make, jobs)


def _make(job: Job) -> None:
    seeds, path, strangers = job
    found = Histories.joined([histories(seed, strangers=strangers) for seed in seeds])
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, **found._asdict())
    unfinished.replace(path)


def _read(path: Path) -> Examples:
    with np.load(path, allow_pickle=False) as file:
        return Histories(*(file[name] for name in Histories._fields)).examples()
