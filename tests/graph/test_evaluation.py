"""`aegis evaluate` over bags of the graph, and `aegis bench evaluate`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aegis.bench.evaluate import judge, row_of
from aegis.cli.main import cli
from aegis.graph.evaluation.requirement_file import load_requirements, requirement_names
from aegis.graph.offline import process_bag, simulate_bag
from aegis.ros.bag import topic_types


def aegis(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture(scope="module")
def processed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation")
    simulate_bag("fast_approach", folder / "in", duration_s=30.0)
    process_bag(folder / "in", folder / "out")
    return folder / "out"


def test_the_truth_goes_through_processing(processed):
    assert topic_types(processed)["/truth"] == "aegis_msgs/msg/TruthArray"


def test_a_bag_is_judged_as_the_same_simulation_is_without_one(processed):
    done = aegis("evaluate", processed, "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    row = row_of("fast_approach", 1, judge("fast_approach", 1, duration_s=30.0))
    found = {
        name: float(f"{m['value']:.4g}") if m["n"] and m["value"] is not None else None
        for name, m in document["measures"].items()
    }
    assert {name: found[name] for name in found.keys() & row.keys()} == {
        name: row[name] for name in found.keys() & row.keys()
    }
    names = {one["name"]: one for one in document["objects"]}
    assert names.keys() == {"missile", "airliner", "helicopter", "gull"}
    assert names["airliner"]["covered"] > 50


def test_text_says_the_same_and_requirements_decide_the_exit_code(processed, tmp_path):
    wanted = tmp_path / "mine.yaml"
    wanted.write_text(
        "name: mine\nrequirements:\n  - {measure: coverage, at_least: 0.5}\n  - {measure: rms_m, at_most: 50}\n"
    )
    done = aegis("evaluate", processed, "--requirements", wanted)
    assert done.exit_code == 0, done.output
    assert "airliner" in done.stdout
    assert "pass" in done.stdout
    wanted.write_text("name: mine\nrequirements:\n  - {measure: rms_m, at_most: 0.001}\n")
    done = aegis("evaluate", processed, "--requirements", wanted)
    assert done.exit_code == 1
    assert "FAIL" in done.stdout


def test_requirements_without_data_fail(processed, tmp_path):
    wanted = tmp_path / "mine.yaml"
    wanted.write_text("name: mine\nrequirements:\n  - {measure: ew_advised, at_least: 0}\n")
    done = aegis("evaluate", processed, "--requirements", wanted)
    assert done.exit_code == 1
    assert "no data" in done.stdout


@pytest.mark.parametrize("name", requirement_names())
def test_requirements_that_ship_are_read(name):
    assert load_requirements(name).requirements


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: x\nrequirements:\n  - {measure: coverag, at_least: 1}\n", "Did you mean 'coverage'"),
        ("name: x\nrequirements:\n  - {measure: coverage}\n", "no limit"),
        ("name: x\nrequirements: []\n", "at least 1 item"),
        ("- 1\n", "(whole)"),
        ("a: [\n", "not valid YAML"),
    ],
)
def test_wrong_requirements_are_refused(processed, tmp_path, text, says):
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    done = aegis("evaluate", processed, "--requirements", path)
    assert done.exit_code == 2
    assert says in done.stderr


def test_a_bag_without_truth_or_tracks_is_refused(processed, tmp_path):
    done = aegis("evaluate", processed.parent / "in")
    assert (done.exit_code, "no topic '/tracks'" in done.stderr) == (2, True)
    done = aegis("evaluate", tmp_path / "none")
    assert (done.exit_code, "does not exist" in done.stderr) == (2, True)
    done = aegis("evaluate", processed, "--truth", "elsewhere")
    assert (done.exit_code, "elsewhere" in done.stderr) == (2, True)


def test_the_benchmark_gives_a_row_a_scenario_and_seed():
    done = aegis(
        "bench", "evaluate", "--json", "--scenario", "crossing", "--seed", 4, "--duration", 10,
        "--set", "simulator.points.false_alarms_per_scan=0",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (row["scenario"], row["seed"], row["scans"], row["false_tracks"]) == ("crossing", 4, 20, 0)
    assert aegis("bench", "latency", "--scenario", "crossing").exit_code == 2
