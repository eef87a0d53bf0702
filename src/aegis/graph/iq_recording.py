# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recordings of a CW or Doppler sensor as people have them: samples in time, I and Q or one channel."""

from __future__ import annotations

import csv
import gzip
import io
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.types import Floats

Samples = NDArray[np.complex128] | Floats
SUFFIXES = (".npy", ".wav", ".csv", ".txt", ".mat")
TIME_NAMES = ("t", "time", "time_s", "seconds", "timestamp")


class RecordingError(ValueError):
    """A recording cannot be read; the message says why, and what would be right."""


class Recording(NamedTuple):
    """Samples, and their rate where the file says it."""

    samples: Samples  # (S,) complex, or real: one channel
    rate_hz: float  # NaN: the file does not say


def read_recording(path: Path, variable: str = "", column: int | None = None) -> Recording:
    """Read a recording; gzip is taken off.

    .npy holds complex samples (S,), real ones (S,), or I and Q (S, 2) or (2, S). .wav holds one channel, or I and Q as two. .csv
    and .txt hold columns: one, or I and Q, and before them, perhaps, the time [s] under its name. .mat holds one array of these
    shapes, or several, of which `variable` names one.

    Args:
        path: the file.
        variable: of a .mat file; empty: the largest array.
        column: of an array of more than two columns, which one (complex or real).

    Raises:
        RecordingError: it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None
    name = path.name.lower()
    if name.endswith(".gz"):
        name = name[:-3]
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise RecordingError(f"{path}: no gzip file: {error}") from None
    suffix = Path(name).suffix
    rate = math.nan
    try:
        if suffix == ".npy":
            values = np.load(io.BytesIO(data), allow_pickle=False)
        elif suffix == ".wav":
            from scipy.io import wavfile

            rate, values = wavfile.read(io.BytesIO(data))
        elif suffix in (".csv", ".txt"):
            rate, values = _table(data.decode("utf-8-sig"))
        elif suffix == ".mat":
            values = _of_mat(data, variable)
        else:
            raise RecordingError(f"{path}: one of {', '.join(SUFFIXES)} is expected, or that with .gz")
    except RecordingError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken file makes its reader raise anything
        raise RecordingError(f"{path}: cannot be read as {suffix}: {error}") from None
    samples = _one_dimension(np.asarray(values), path, column)
    if not np.isfinite(samples).all():
        raise RecordingError(f"{path}: {int((~np.isfinite(samples)).sum())} of {len(samples)} samples are not finite")
    return Recording(samples, float(rate))


def _one_dimension(values: NDArray[np.generic], path: Path, column: int | None) -> Samples:
    """Return (S,) complex or real samples of an array."""
    if values.dtype.kind not in "iufc":
        raise RecordingError(f"{path}: numbers are expected, not {values.dtype}")
    values = np.squeeze(values)
    if values.ndim == 2 and column is not None:
        if not 0 <= column < values.shape[1]:
            raise RecordingError(f"{path}: there is no column {column} of {values.shape[1]}")
        values = values[:, column]
    if values.ndim == 2 and 2 in values.shape and not np.iscomplexobj(values):
        pair = values if values.shape[1] == 2 else values.T
        numbers = pair.astype(np.float64)
        if values.dtype == np.uint8:  # 8-bit files have their zero in the middle
            numbers -= 127.5
        return np.asarray(numbers[:, 0] + 1j * numbers[:, 1])
    if values.ndim != 1 or not len(values):
        raise RecordingError(
            f"{path}: samples (S,), or I and Q (S, 2), are expected, not {values.shape}; --column chooses one"
        )
    return values.astype(np.complex128) if np.iscomplexobj(values) else values.astype(np.float64)


def _table(text: str) -> tuple[float, Floats]:
    """Return the rate, where a column of times says it, and the other columns (S, C)."""
    head = text[:4096]
    try:
        delimiter = csv.Sniffer().sniff(head, ",;\t ").delimiter
    except csv.Error:
        delimiter = ","
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True) if any(row)]
    names: list[str] = []
    if rows and not _is_number(rows[0][0]):
        names = [name.strip().lower() for name in rows[0]]
        rows = rows[1:]
    if rows and any("j" in cell for cell in rows[0]):
        return math.nan, np.array([complex(row[0].replace(" ", "").replace("i", "j")) for row in rows])  # type: ignore[return-value]
    values = np.array([[float(cell) for cell in row if cell.strip()] for row in rows])
    if names and names[0] in TIME_NAMES and values.shape[1] > 1:
        steps = np.diff(values[:, 0])
        return float(1.0 / np.median(steps)), values[:, 1:]
    return math.nan, values


def _is_number(text: str) -> bool:
    try:
        complex(text.strip().replace(" ", "").replace("i", "j"))
    except ValueError:
        return False
    return True


def _of_mat(data: bytes, variable: str) -> NDArray[np.generic]:
    """Return an array of a .mat file (before version 7.3, which is HDF5)."""
    from scipy.io import loadmat

    read = loadmat(io.BytesIO(data))  # type: ignore[arg-type]
    found = {k: v for k, v in read.items() if isinstance(v, np.ndarray) and v.dtype.kind in "iufc"}
    if variable:
        if variable not in found:
            raise RecordingError(f"there is no array '{variable}'; there are: {', '.join(sorted(found)) or 'none'}")
        return np.asarray(found[variable])
    if not found:
        raise RecordingError("the .mat file holds no array of numbers")
    return np.asarray(max(found.values(), key=np.size))
