"""A node as ROS tools see it: described parameters, overrides, wrong ones refused, namespaces, services."""

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from graph_process import Listener
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters

from aegis.core.tracking.settings import TrackingSettings
from aegis.graph.node import main


@contextmanager
def node(environ: dict[str, str], log: Path, *arguments: str):
    with log.open("wb") as file:
        command = [sys.executable, "-m", "aegis.graph.node", *arguments]
        process = subprocess.Popen(command, env=environ, stdout=file, stderr=file)
        try:
            yield process
            process.terminate()
            assert process.wait(15) == 0, log.read_text()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def call(listener: Listener, kind: type, name: str, **fields):
    client = listener.node.create_client(kind, name)
    assert client.wait_for_service(20), name
    future = client.call_async(kind.Request(**fields))
    end = time.monotonic() + 20
    while not future.done():
        assert time.monotonic() < end
        time.sleep(0.01)
    return future.result()


def test_parameters_are_described_overridden_and_read_only(ros_domain, tmp_path):
    from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue

    arguments = ["tracking", "--namespace", "front", "--ros-args", "-p", "clutter_per_scan:=3"]  # an int for a double
    with Listener() as listener, node(ros_domain, tmp_path / "log", *arguments):
        names = list(TrackingSettings.model_fields)
        values = call(listener, GetParameters, "/front/tracking/get_parameters", names=names).values
        given = dict(zip(names, values, strict=True))
        assert given["clutter_per_scan"].double_value == 3.0
        assert given["max_tracks"].integer_value == TrackingSettings().max_tracks
        assert list(given["classes"].string_array_value) == list(TrackingSettings().classes)
        (described,) = call(
            listener, DescribeParameters, "/front/tracking/describe_parameters", names=["detection_probability"]
        ).descriptors
        assert described.read_only
        meaning = TrackingSettings.model_fields["detection_probability"].description
        assert described.description == f"{meaning} Allowed: above 0, below 1."
        assert described.additional_constraints == "above 0, below 1"
        assert (described.floating_point_range[0].from_value, described.floating_point_range[0].to_value) == (0.0, 1.0)
        value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=9.0)
        change = [Parameter(name="clutter_per_scan", value=value)]
        (result,) = call(listener, SetParameters, "/front/tracking/set_parameters", parameters=change).results
        assert not result.successful


@pytest.mark.parametrize(("arguments", "text"), [
    (["tracking", "--ros-args", "-p", "clutter_per_scan:=-1.0"], "'clutter_per_scan' = -1.0"),
    (["tracking", "--ros-args", "-p", "cluter:=1.0"], "unknown parameter 'cluter'"),
    (["tracking", "--set", "tracking.max_tracks=0"], "'max_tracks' = 0"),
    (["tracking", "--config", "/nowhere.yaml"], "/nowhere.yaml: cannot be read"),
    (["simulator", "--set", "simulator.scenario=nothing"], "nothing"),
    (["bridge", "--set", "bridge.port=99999"], "'port' = 99999"),
])  # fmt: skip
def test_a_node_with_a_wrong_parameter_does_not_start(ros_domain, capsys, arguments, text):
    assert main(arguments) == 2
    assert text in capsys.readouterr().err


def test_two_radars_in_two_namespaces_do_not_mix(ros_domain, tmp_path, wait_for):
    """Both simulators run; the listener in one namespace hears one of them, and both keep state of their own."""
    with (
        Listener("status") as listener,
        node(ros_domain, tmp_path / "a", "simulator", "--namespace", "front"),
        node(ros_domain, tmp_path / "b", "simulator", "--namespace", "rear", "--set", "simulator.scenario=crossing"),
    ):
        topics = {name for name, _ in listener.node.get_topic_names_and_types()}

        def both() -> bool:
            topics.update(name for name, _ in listener.node.get_topic_names_and_types())
            return {"/front/radar/points", "/rear/radar/points"} <= topics

        wait_for(both, "points of both radars")
        assert "/radar/points" not in topics
        state = Path(ros_domain["AEGIS_STATE_DIR"])
        wait_for(lambda: (state / "front").is_dir() and (state / "rear").is_dir(), "a state directory each")
        assert listener.messages["status"] == []


def test_a_node_told_to_stop_while_it_starts_stops_cleanly(ros_domain, tmp_path, wait_for):
    """Several times: the signal meets the start at a different place each time."""
    epoch = Path(ros_domain["AEGIS_STATE_DIR"]) / "epoch_tracking.json"
    for k in range(5):
        epoch.unlink(missing_ok=True)
        with node(ros_domain, tmp_path / f"log{k}", "tracking"):  # checks the exit code
            wait_for(epoch.exists, "the node is being made")
        assert "Traceback" not in (tmp_path / f"log{k}").read_text()
