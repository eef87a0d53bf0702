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


def even(path, values):
    np.savetxt(path, np.column_stack([np.arange(50) / 4000.0, values]), delimiter=",")


def scope(path, values):
    rows = [f"{k / 4000.0},{one},{two}" for k, (one, two) in enumerate(values)]
    path.write_text("\n".join(["Model,DS1054Z", "Points,50", "", "Time (s),CH1,CH2", *rows]))


def comma(path, values):
    rows = [f"{k / 4000.0:.6f};{one:.1f};{two:.1f}".replace(".", ",") for k, (one, two) in enumerate(values)]
    path.write_text("\n".join(["Zeit;I;Q", *rows]))


def raw(path, values):
    values.tofile(path)


def columns(head, first, coding="utf-8", cell="{:.1f},{:.1f}"):
    """Return what writes a table whose first column is `first` of the sample's number."""

    def write(path, values):
        rows = [f"{first(k)},{cell.format(*one)}" for k, one in enumerate(values)]
        path.write_bytes("\n".join([*head, *rows]).encode(coding))

    return write


COMPLEX = "{:.1f}{:+.1f}j"


def titled(path, values):
    """Write a .wav with a comment before the samples, in which the name of their chunk stands."""
    wav(path, values)
    data = path.read_bytes()
    text = b"radar data of 2026\0\0"
    comment = b"INFOICMT" + len(text).to_bytes(4, "little") + text
    data = data[:36] + b"LIST" + len(comment).to_bytes(4, "little") + comment + data[36:]
    path.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])


def rf64(path, values):
    """Write the form of .wav for more than 4 GB (EBU Tech 3306): its lengths are in a chunk of their own."""
    wav(path, values)
    data = path.read_bytes()
    at = data.index(b"data")
    size = len(data) - at - 8
    long = (
        b"ds64"
        + (28).to_bytes(4, "little")
        + b"".join(n.to_bytes(8, "little") for n in (len(data) + 28, size, size // 4))
        + bytes(4)
    )
    path.write_bytes(b"RF64\xff\xff\xff\xffWAVE" + long + data[12:at] + b"data\xff\xff\xff\xff" + data[at + 8 :])


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
        ("even.csv", even, IQ, X, 4000.0),
        ("scope.csv", scope, IQ, X, 4000.0),
        ("comma.csv", comma, IQ, X, 4000.0),
        ("ms.csv", columns(["Time (ms),I,Q"], lambda k: k / 4.0), IQ, X, 4000.0),
        ("us.csv", columns(["t [us],I,Q"], lambda k: k * 250.0), IQ, X, 4000.0),
        ("under.csv", columns(["time_ms,I,Q"], lambda k: k / 4.0), IQ, X, 4000.0),
        ("unknown.csv", columns(["Zeit (ms),I,Q"], lambda k: k / 4.0), IQ, X, 4000.0),
        ("unix.csv", columns(["timestamp,I,Q"], lambda k: 1_700_000_000_000 + k / 4.0), IQ, X, 4000.0),
        ("index.csv", columns(["sample,I,Q"], str), IQ, X, math.nan),
        ("bare.csv", columns([], str), IQ, X, math.nan),
        ("complex.csv", columns(["t,iq"], lambda k: k / 4000.0, cell=COMPLEX), IQ, X, 4000.0),
        ("braces.csv", columns(["t,iq"], lambda k: k / 4000.0, cell=f"({COMPLEX})"), IQ, X, 4000.0),
        ("sheet.txt", columns(["t,I,Q"], lambda k: k / 4000.0, "utf-16"), IQ, X, 4000.0),
        ("latin.csv", columns(["# Ger\xe4t,5 \xb5V", "t,I,Q"], lambda k: k / 4000.0, "latin-1"), IQ, X, 4000.0),
        ("titled.wav", titled, IQ, X, 4000.0),
        ("long.wav", rf64, IQ, X, 4000.0),
        ("twice.wav", wav, np.stack([X.real, -X.real], axis=1), X.real, 4000.0),
        ("silent.wav", wav, np.stack([0.0 * X.real, X.real], axis=1), X.real, 4000.0),
        ("radio.cs16", raw, IQ.astype("<i2"), X, math.nan),
        ("radio.cfile", raw, IQ.astype("<f4"), X, math.nan),
        (
            "radio.cu8",
            raw,
            np.clip(IQ / 10.0 + 127.5, 0, 255).astype("u1"),
            np.trunc(IQ / 10.0 + 127.5) @ [1, 1j] - 127.5 - 127.5j,
            math.nan,
        ),
        ("pairs_named.npy", npy, np.array([tuple(row) for row in IQ], [("re", "<i2"), ("im", "<i2")]), X, math.nan),
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
        ("a.csv", b"I,Q\ninf,1\n2,3\n4,-5\n", "1 of 3 samples are not finite"),
        ("a.csv", b"t (weeks),I\n0,1\n1,2\n2,3\n", "times in 'weeks': one of s, "),
        ("a.csv", b"2026-01-01T00:00:00,1\n", "no line of it holds numbers alone"),
    ],
)
def test_what_is_no_recording_is_refused_with_the_reason(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordingError, match=says):
        read_recording(tmp_path / name)


def test_a_file_without_a_header_is_read_as_is_said(tmp_path):
    IQ.astype("<i2").tofile(tmp_path / "a.bin")
    np.testing.assert_allclose(read_recording(tmp_path / "a.bin", raw="cs16").samples, X)
    np.testing.assert_allclose(read_recording(tmp_path / "a.bin", raw="s16").samples, IQ.ravel())
    with pytest.raises(RecordingError, match="--raw says"):
        read_recording(tmp_path / "a.bin")


@pytest.mark.parametrize("write", [titled, rf64])
def test_titles_and_long_files_lack_no_samples(tmp_path, write):
    write(tmp_path / "a.wav", IQ)
    assert read_recording(tmp_path / "a.wav").note == ""


def test_channels_that_are_one_are_told(tmp_path):
    wav(tmp_path / "twice.wav", np.stack([X.real, X.real], axis=1))
    wav(tmp_path / "iq.wav", IQ)
    assert "alike" in read_recording(tmp_path / "twice.wav").note
    assert read_recording(tmp_path / "iq.wav").note == ""


@pytest.mark.parametrize("left", [0, 1, 2, 3, 7])
def test_a_wav_that_is_cut_short_is_read_as_far_as_it_goes(tmp_path, left):
    wav(tmp_path / "a.wav", IQ)
    data = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(data[: len(data) - 40 - left])
    found = read_recording(tmp_path / "a.wav")
    np.testing.assert_allclose(found.samples, X[: (200 - 40 - left) // 4])
    assert f"{(200 - 40 - left) // 4} samples are there" in found.note
    assert found.rate_hz == 4000.0


def test_several_cells_need_a_choice(tmp_path):
    np.save(tmp_path / "cells.npy", np.zeros((20, 5)))
    with pytest.raises(RecordingError, match="--column"):
        read_recording(tmp_path / "cells.npy")
    with pytest.raises(RecordingError, match="No such file"):
        read_recording(tmp_path / "none.npy")
