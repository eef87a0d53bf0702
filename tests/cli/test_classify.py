# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis classify` on signals of our own simulator, in files of several formats."""

import json
import re

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


def passing_car(seconds=8.0, rate=48_000):
    """Return a car that passes a roadside sensor at 15 m/s, 3 m beside it, in one channel, from its range at each time."""
    t = np.arange(round(seconds * rate)) / rate
    rng = np.random.default_rng(7)
    out = np.zeros(len(t))
    for along in rng.uniform(0.0, 4.2, 8):
        away = np.hypot(15.0 * (t - 5.0) - along, 3.0)
        out += np.cos(4 * np.pi * 24e9 / 299_792_458.0 * away + rng.uniform(0, 2 * np.pi)) / away**2
    return 1000.0 * out + rng.normal(size=len(t)), t


def test_a_tone_of_the_sensor_is_left_out_and_told(tmp_path):
    # As the recordings of ../shared/data/uct_cw_vehicles have them: stronger than most that passes, and drifting by some hertz.
    x, t = passing_car()
    tone = 300.0 * np.cos(2 * np.pi * (10_052.0 * t + 2.0 * np.sin(0.5 * t))) + 20.0 * np.cos(2 * np.pi * 8_000.0 * t)
    found = {}
    for name, samples in (("clean.npy", x), ("toned.npy", x + tone)):
        np.save(tmp_path / name, samples)
        found[name] = run(tmp_path / name, "--carrier-hz", 24e9, "--prf-hz", 48_000, "--json")
        assert found[name].exit_code == 0, found[name].output
    assert "left out" not in found["clean.npy"].stderr
    assert re.search(r"left out: 8000, 100[45]\d Hz", found["toned.npy"].stderr)
    clean, toned = (json.loads(one.stdout.splitlines()[0]) for one in found.values())
    assert {clean["class"], toned["class"]} <= {"VEHICLE", "UNKNOWN"}
    assert toned["probability"]["VEHICLE"] == pytest.approx(clean["probability"]["VEHICLE"], abs=0.2)


@pytest.mark.parametrize(
    "name", ["03_Motorbike_Car_towards", "04_Control_1_Car_Motorcycle_away", "06_Uncontrol_1_Bus_away"]
)
def test_recorded_vehicles_are_vehicles_or_unknown(shared_data, name):
    found = run(shared_data / "uct_cw_vehicles" / f"{name}.wav.gz", "--carrier-hz", 24e9, "--json")
    assert found.exit_code == 0, found.output
    assert "left out: 8000, " in found.stderr
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    assert lines
    assert {line["class"] for line in lines} <= {"VEHICLE", "UNKNOWN"}


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
    assert re.search(says, found.output)
