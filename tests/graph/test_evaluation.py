# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis evaluate` over bags of the graph, and `aegis bench evaluate`."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from evaluation_data import picture, recording, straight

from aegis.bench.evaluate import judge, row_of
from aegis.cli.main import cli
from aegis.core.evaluation.evaluate import Options, evaluate
from aegis.graph.evaluation.drawing import MAX_BYTES
from aegis.graph.evaluation.page import as_html
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


def test_a_report_says_what_the_evaluation_says(processed, tmp_path):
    wanted = tmp_path / "mine.yaml"
    wanted.write_text("name: mine\nrequirements:\n  - {measure: rms_m, at_most: 0.001}\n")
    files = ("-o", tmp_path / "r.html", "--json", tmp_path / "r.json", "--requirements", wanted)
    done = aegis("report", processed, *files)
    assert (done.exit_code, "rms_m <= 0.001: FAIL" in done.stderr) == (1, True)
    report = json.loads((tmp_path / "r.json").read_text())
    evaluated = json.loads(aegis("evaluate", processed, "--json", "--requirements", wanted).stdout)
    assert report["evaluation"] == {key: value for key, value in evaluated.items() if key != "bag"}
    for one, other in zip(report["worst_tracks"], evaluated["worst_tracks"], strict=True):
        assert one["track_id"] == other["track_id"]
        assert one["at_ns"] == evaluated["begin_ns"] + round(other["at_s"] * 1e9)
        assert one["link"] == f"http://localhost:8000/#t={one['at_ns'] / 1e9:.1f}&track={one['track_id']}"
    seen = References()
    seen.feed((tmp_path / "r.html").read_text())
    assert {"truth", "track"} <= set(seen.lines)
    assert all(address.startswith("http://localhost:8000/#t=") for address in seen.fetched)
    assert len(seen.fetched) >= len(report["worst_tracks"])
    text = (tmp_path / "r.html").read_text()
    assert "without a clock" in text  # no latency of a bag of `aegis process`
    assert "Class: is, told" in text


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


class References(HTMLParser):
    """Collects what a page would fetch, and the classes of its lines."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.lines: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.fetched += [said[name] for name in ("src", "href", "data", "xlink:href") if name in said]
        self.fetched += [tag] if tag in ("script", "link", "iframe", "object") else []
        if tag == "path":
            self.lines.append(said.get("class", ""))


def test_the_page_is_one_small_file_that_asks_no_network(tmp_path):
    simulate_bag("jamming", tmp_path / "in", duration_s=60.0)
    process_bag(tmp_path / "in", tmp_path / "out")
    page = tmp_path / "page.html"
    done = aegis("evaluate", tmp_path / "out", "--html", page, "--requirements", "ed142_terminal")
    assert done.exit_code in (0, 1), done.output
    text = page.read_text()
    assert len(text.encode()) <= 500_000
    seen = References()
    seen.feed(text)
    assert seen.fetched == []
    assert "http" not in text
    assert "url(" not in text
    assert {"truth", "gap", "track"} <= set(seen.lines)  # the jammer hides its carrier: a gap
    assert "jammer_aircraft" in text
    assert text.count('class="worst"') == 5


def test_a_long_recording_still_makes_a_small_page():
    times = np.arange(3000)
    objects = [straight(k, times, (100 * k, 0, 0), (1, 10, 0)) for k in range(1, 41)]
    pictures = [picture(t, [(k, 100 * k + t, 10 * t, 1, 10) for k in range(1, 41)]) for t in times]
    found = evaluate(recording(pictures, objects), Options(gate_m=50.0))
    text = as_html(found, None, [], "long <script>")
    assert len(text.encode()) <= MAX_BYTES
    assert "<script>" not in text
