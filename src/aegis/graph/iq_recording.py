# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recordings of a CW or Doppler sensor as people have them: samples in time, I and Q or one channel."""

from __future__ import annotations

import csv
import gzip
import io
import math
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.types import Floats
from aegis.graph.table_text import TIMES, decoded, head_of, separator_of, unix_unit, with_points

Samples = NDArray[np.complex128] | Floats
SUFFIXES = (".npy", ".wav", ".csv", ".txt", ".mat")
# Without a header, by the names that software-defined radios give them; little-endian, I and Q in turn but for the last two.
RAW = {"cu8": "u1", "cs8": "i1", "cs16": "<i2", "cf32": "<f4", "s16": "<i2", "f32": "<f4"}  # fmt: skip
RAW_SUFFIXES = {
    ".cu8": "cu8",
    ".cs8": "cs8",
    ".cs16": "cs16",
    ".sc16": "cs16",
    ".cf32": "cf32",
    ".fc32": "cf32",
    ".cfile": "cf32",
}
TIME_NAMES = ("t", "time", "second", "seconds", "timestamp", "x-axis")
INDEX_NAMES = ("", "index", "idx", "sample", "samples", "i", "k", "n", "no", "no.", "nr", "number", "count", "row")
EVEN = 0.02  # how far steps of a column of times may be from alike, in their median
ALIKE = 0.999  # correlation of two channels from which on they are one, recorded twice


class RecordingError(ValueError):
    """A recording cannot be read; the message says why, and what would be right."""


class Recording(NamedTuple):
    """Samples, and their rate where the file says it."""

    samples: Samples  # (S,) complex, or real: one channel
    rate_hz: float  # NaN: the file does not say
    note: str = ""  # what was read otherwise than it stands there


def read_recording(path: Path, variable: str = "", column: int | None = None, raw: str = "") -> Recording:
    """Read a recording; gzip is taken off.

    .npy holds complex samples (S,), real ones (S,), or I and Q (S, 2) or (2, S). .wav holds one channel, or I and Q as two. .csv
    and .txt hold columns: one, complex or not, or I and Q, and before them, perhaps, the time under its name, in the unit that its
    head states ("t (ms)"), or in even steps [s]; or the number of the sample, which says no rate. .mat holds one
    array of these shapes, or several, of which `variable` names one. .cs16, .cf32 and the like (RAW_SUFFIXES) have no header. Two
    channels that are alike, or of which one is silent, are one channel.

    Args:
        path: the file.
        variable: of a .mat file; empty: the largest array.
        column: of an array of more than two columns, which one (complex or real).
        raw: one of RAW, the numbers in a file without a header; empty: as the suffix says.

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
    rate, cut = math.nan, ""
    try:
        if raw or suffix in RAW_SUFFIXES:
            values = _of_raw(data, raw or RAW_SUFFIXES[suffix])
        elif suffix == ".npy":
            values = np.load(io.BytesIO(data), allow_pickle=False)
        elif suffix == ".wav":
            rate, values, cut = _of_wav(data)
        elif suffix in (".csv", ".txt"):
            rate, values = _table(decoded(data))
        elif suffix == ".mat":
            values = _of_mat(data, variable)
        else:
            raise RecordingError(
                f"{path}: one of {', '.join((*SUFFIXES, *RAW_SUFFIXES))} is expected, or that with .gz;"
                f" --raw says what a file without a header holds: {', '.join(RAW)}"
            )
    except RecordingError as error:
        raise RecordingError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None
    except Exception as error:  # noqa: BLE001 - a broken file makes its reader raise anything
        raise RecordingError(f"{path}: cannot be read as {suffix}: {error}") from None
    samples, note = _one_channel(_one_dimension(np.asarray(values), path, column))
    if not np.isfinite(samples).all():
        raise RecordingError(f"{path}: {int((~np.isfinite(samples)).sum())} of {len(samples)} samples are not finite")
    return Recording(samples, float(rate), "; ".join(filter(None, (cut, note))))


def _of_raw(data: bytes, kind: str) -> NDArray[np.generic]:
    """Return (S, 2) I and Q, or (S,) of one channel, of a file without a header."""
    form = np.dtype(RAW[kind])
    values: NDArray[np.generic] = np.frombuffer(data[: len(data) // form.itemsize * form.itemsize], form)
    return values[: len(values) // 2 * 2].reshape(-1, 2) if kind.startswith("c") else values


def _of_wav(data: bytes) -> tuple[float, NDArray[np.generic], str]:
    """Return the rate, the samples (S,) or (S, channels), and a note: of a file that is cut short, those that are whole."""
    from scipy.io import wavfile

    note, form, start = "", _chunk(data, b"fmt "), _chunk(data, b"data")
    if data[:4] == b"RIFF" and 0 <= form < start and start + 8 < len(data):  # RF64 has its lengths elsewhere
        block = max(int.from_bytes(data[form + 20 : form + 22], "little"), 1)
        whole = (len(data) - start - 8) // block * block
        if whole < int.from_bytes(data[start + 4 : start + 8], "little"):  # cut short, or written to a pipe
            note = f"is shorter than it says: {whole // block} samples are there"
            size = (start + whole).to_bytes(4, "little")
            data = (
                data[:4]
                + size
                + data[8 : start + 4]
                + whole.to_bytes(4, "little")
                + data[start + 8 : start + 8 + whole]
            )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks of no samples: titles, markers
        rate, values = wavfile.read(io.BytesIO(data))
    return float(rate), values, note


def _chunk(data: bytes, name: bytes) -> int:
    """Return where a chunk of a RIFF file begins; -1: there is none. What stands in titles and comments is no name of one."""
    at = 12
    while at + 8 <= len(data):
        if data[at : at + 4] == name:
            return at
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return -1


def _one_channel(samples: Samples) -> tuple[Samples, str]:
    """Return samples, those of two channels that say the same as one channel, and that they are."""
    if not np.iscomplexobj(samples) or len(samples) < 3 or not np.isfinite(samples).all():
        return samples, ""
    one, two = samples.real - samples.real.mean(), samples.imag - samples.imag.mean()
    power = np.array([np.dot(one, one), np.dot(two, two)])
    if power.max() <= 0.0:
        return samples, ""
    if power.min() < 1e-6 * power.max():
        return (
            samples.real if power[0] > power[1] else samples.imag
        ), "of two channels one is silent: taken as one channel"
    if abs(float(np.dot(one, two))) > ALIKE * np.sqrt(power.prod()):
        return samples.real, "two channels are alike, so they are no I and Q: taken as one channel"
    return samples, ""


def _one_dimension(values: NDArray[np.generic], path: Path, column: int | None) -> Samples:
    """Return (S,) complex or real samples of an array."""
    if values.dtype.names is not None and len(values.dtype.names) == 2:  # pairs, as HDF5 and radios name them
        pairs: NDArray[np.void] = values.view(np.ndarray)  # type: ignore[assignment]
        values = np.stack([pairs[name] for name in values.dtype.names], axis=-1)
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


def _table(text: str) -> tuple[float, NDArray[np.generic]]:
    """Return the rate, where a column of times says it, and the other columns (S, C); what is above the numbers is no number."""
    lines = [line for line in text.splitlines() if line.strip()]
    delimiter = separator_of(lines[-1] if lines else "")
    if delimiter == ";":
        lines = [with_points(line) for line in lines]
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True)]
    first = next(
        (k for k, row in enumerate(rows) if _is_number(row[0]) and all(map(_is_number, filter(None, row)))), len(rows)
    )
    heads, rows = (rows[first - 1] if first else []), rows[first:]
    if not rows:
        raise RecordingError("no line of it holds numbers alone")
    is_complex = any("j" in cell or "i" in cell.lower().replace("inf", "") for cell in rows[0])
    number = _number if is_complex else float
    values = np.array([[number(cell) for cell in row if cell] for row in rows])
    if values.ndim != 2 or values.shape[1] < 2 or len(values) < 3:
        return math.nan, values
    leading = _Leading.of(values[:, 0], heads)
    return (math.nan, values) if leading is None else (leading.rate_hz, values[:, 1:])


class _Leading(NamedTuple):
    """A column before the samples, which is none of them."""

    rate_hz: float  # NaN: it says none

    @classmethod
    def of(cls, values: NDArray[np.generic], heads: list[str]) -> _Leading | None:
        """Return what the first column is, times or the samples' numbers; None: samples.

        Raises:
            RecordingError: times in a unit that is none.
        """
        if values.imag.any():
            return None
        head = head_of(heads[0]) if heads else head_of("")
        numbers = values.real.astype(np.float64)
        steps = np.diff(numbers)
        step = float(np.median(steps))
        is_even = step > 0.0 and bool((np.abs(steps - step) < EVEN * step).all())
        if head.name in TIME_NAMES:
            scale = head.scale(TIMES, unix_unit(float(numbers[0])))
            if scale is None:
                raise RecordingError(f"times in '{head.unit}': one of {', '.join(TIMES)} is expected")
            return cls(1.0 / (step * scale) if step > 0.0 else math.nan)
        # Numbers 0, 1, 2 ... under no name, or one of an index, count the samples: no sensor has one a second.
        if is_even and step == 1.0 and (head.name in INDEX_NAMES or not (numbers % 1.0).any()):
            return cls(math.nan)
        return cls(1.0 / (step * TIMES.get(head.unit, 1.0))) if is_even else None


def _number(text: str) -> complex:
    return complex(text.strip().replace(" ", "").replace("i", "j"))


def _is_number(text: str) -> bool:
    try:
        _number(text.replace("inf", "0").replace("Inf", "0"))
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
