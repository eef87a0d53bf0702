# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recordings in the formats that people have, written by the libraries that write them."""

import gzip
import math

import numpy as np
import pytest
from scipy.io import savemat, wavfile

from aegis.graph.iq_recording import RecordingError, read_recording

X = np.round(1000.0 * np.exp(2j * np.pi * 0.01 * np.arange(50))).astype(np.complex128)
IQ = np.stack([X.real, X.imag], axis=1)


def npy(path, values):
    np.save(path, values)


def wav(path, values):
    wavfile.write(path, 4000, values.astype(np.int16))


def mat(path, values):
    savemat(path, {"fs": 4000.0, "signal": values})


def table(path, values):
    np.savetxt(path, values, delimiter=",")


def timed(path, values):
    rows = np.column_stack([np.arange(50) / 4000.0, values])
    np.savetxt(path, rows, delimiter=";", header="time;I;Q", comments="")


@pytest.mark.parametrize(
    ("name", "write", "values", "expected", "rate"),
    [
        ("complex.npy", npy, X, X, math.nan),
        ("pairs.npy", npy, IQ.astype(np.float32), X, math.nan),
        ("rows.npy", npy, IQ.T, X, math.nan),
        ("one.npy", npy, X.real.astype(np.int16), X.real, math.nan),
        ("one.wav", wav, X.real, X.real, 4000.0),
        ("two.wav", wav, IQ, X, 4000.0),
        ("complex.mat", mat, X, X, math.nan),
        ("pairs.mat", mat, IQ, X, math.nan),
        ("pairs.csv", table, IQ, X, math.nan),
        ("one.txt", table, X.real, X.real, math.nan),
        ("timed.csv", timed, IQ, X, 4000.0),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_recording_is_read(tmp_path, name, write, values, expected, rate, packed):
    path = tmp_path / name
    write(path, values)
    if packed:
        path = path.with_name(f"{name}.gz")
        path.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    found = read_recording(path)
    np.testing.assert_allclose(found.samples, expected)
    assert np.iscomplexobj(found.samples) == np.iscomplexobj(expected)
    np.testing.assert_allclose(found.rate_hz, rate, rtol=1e-6)


def test_a_column_and_a_variable_can_be_chosen(tmp_path):
    np.save(tmp_path / "cells.npy", np.stack([X, 2 * X, 3 * X], axis=1))
    np.testing.assert_allclose(read_recording(tmp_path / "cells.npy", column=2).samples, 3 * X)
    savemat(tmp_path / "two.mat", {"long": np.zeros(500), "short": X})
    np.testing.assert_allclose(read_recording(tmp_path / "two.mat", "short").samples, X)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.bin", b"1", "one of .npy"),
        ("a.npy", b"no array", "cannot be read as .npy"),
        ("a.wav", b"RIFF", "cannot be read as .wav"),
        ("a.mat", b"x" * 200, "cannot be read as .mat"),
        ("a.npy.gz", b"x", "no gzip"),
        ("a.csv", b"1,2\n3,x\n", "cannot be read as .csv"),
        ("a.csv", b"1\nnan\n", "not finite"),
    ],
)
def test_what_is_no_recording_is_refused_with_the_reason(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordingError, match=says):
        read_recording(tmp_path / name)


def test_several_cells_need_a_choice(tmp_path):
    np.save(tmp_path / "cells.npy", np.zeros((20, 5)))
    with pytest.raises(RecordingError, match="--column"):
        read_recording(tmp_path / "cells.npy")
    with pytest.raises(RecordingError, match="No such file"):
        read_recording(tmp_path / "none.npy")
