# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis classify` on signals of our own simulator, in files of several formats."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.io import wavfile

from aegis.cli.main import cli
from aegis.core.classification.doppler import LOOK_S
from aegis.core.types import ClassId
from aegis.simulation.slow_time import Sent, drawn_signal

PRF = 12_000.0


def signal(class_id, seed, carrier_hz, looks=6, real=False):
    """Return looks one after another, each of another random object of a class, at SNRs from 14 dB on."""
    rng = np.random.default_rng(seed)
    sent = Sent(299_792_458.0 / carrier_hz, PRF, round(LOOK_S * PRF))
    return np.concatenate([drawn_signal(class_id, sent, rng, real=real) for _ in range(looks)])


def run(*arguments):
    return CliRunner().invoke(cli, ["classify", *map(str, arguments)])


def classes_of(result):
    assert result.exit_code == 0, result.output
    return [json.loads(line)["class"] for line in result.output.splitlines()]


def test_a_file_is_classified_and_the_model_named(tmp_path):
    path = tmp_path / "person.npy"
    np.save(path, signal(ClassId.PERSON, 1, 24e9))
    found = run(path, "--carrier-hz", 24e9, "--prf-hz", PRF)
    assert found.exit_code == 0
    assert "together" in found.output
    assert "not proven in the field" in found.output


@pytest.mark.parametrize(
    ("class_id", "carrier_hz", "may_be"),
    [
        (ClassId.DRONE, 3.4e9, {"DRONE", "HELICOPTER", "UNKNOWN"}),
        (ClassId.VEHICLE, 24e9, {"VEHICLE", "UNKNOWN"}),
        (ClassId.PERSON, 24e9, {"PERSON", "UNKNOWN"}),
    ],
)
def test_what_is_named_is_seldom_wrong(tmp_path, class_id, carrier_hz, may_be):
    said = []
    for seed in range(6):
        path = tmp_path / f"{seed}.npy"
        np.save(path, signal(class_id, 100 + seed, carrier_hz))
        said += classes_of(run(path, "--carrier-hz", carrier_hz, "--prf-hz", PRF, "--json"))
    assert said
    assert sum(name not in may_be for name in said) <= 1, said


def test_a_wav_brings_its_rate(tmp_path):
    x = signal(ClassId.VEHICLE, 5, 24e9, real=True)
    wavfile.write(tmp_path / "car.wav", int(PRF), (3000.0 * x / np.abs(x).max()).astype(np.int16))
    given, found = (
        run(tmp_path / "car.wav", "--carrier-hz", 24e9, "--json", *more) for more in (("--prf-hz", PRF), ())
    )
    assert given.output == found.output
    assert found.exit_code == 0


def test_noise_is_nothing(tmp_path):
    rng = np.random.default_rng(1)
    np.save(tmp_path / "noise.npy", rng.normal(size=48_000) + 1j * rng.normal(size=48_000))
    found = run(tmp_path / "noise.npy", "--carrier-hz", 10e9, "--prf-hz", PRF)
    assert "nothing that moves stands out" in found.output


def test_classes_that_cannot_be_met_are_never_told(tmp_path):
    np.save(tmp_path / "a.npy", signal(ClassId.PERSON, 1, 24e9))
    found = run(tmp_path / "a.npy", "--carrier-hz", 24e9, "--prf-hz", PRF, "--json", "--classes", "DRONE,BIRD")
    for line in found.output.splitlines():
        assert json.loads(line)["probability"]["PERSON"] == 0.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--prf-hz", "200"], "at least 32 samples|a look takes"),
        ([], "--prf-hz does"),
        (["--prf-hz", "12000", "--classes", "UFO"], "no class UFO"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, arguments, says):
    np.save(tmp_path / "short.npy", np.ones(20, np.complex128))
    found = run(tmp_path / "short.npy", "--carrier-hz", 24e9, *arguments)
    assert found.exit_code == 2
    import re

    assert re.search(says, found.output)
