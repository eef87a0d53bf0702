# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A node as ROS tools see it: described parameters, overrides, wrong ones refused, namespaces, services."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from array import array
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import yaml
from aegis_msgs.msg import Event
from aegis_msgs.srv import HandleAlarm
from graph_process import Listener
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters, SetParametersAtomically
from settings_of import settings_of
from threat_tracks import tracks_of

from aegis.core.param_names import nested
from aegis.core.tracking.settings import SensorModel, TrackingSettings
from aegis.core.types import ClassId
from aegis.decision_key import decision_key
from aegis.graph.config import Parameters
from aegis.graph.node import main
from aegis.graph.ros_args import RosArguments
from aegis.ros.messages.alarms import alarms_from_msg
from aegis.ros.messages.picture import tracks_to_msg
from aegis.ros.proofs import prove
from aegis.ros.qos import message_class, qos_profile
from aegis.ros.topics import TOPICS


@contextmanager
def node(environ: dict[str, str], log: Path, *arguments: str, code: int = 0):
    with log.open("wb") as file:
        command = [sys.executable, "-m", "aegis.graph.node", *arguments]
        process = subprocess.Popen(command, env=environ, stdout=file, stderr=file)
        try:
            yield process
            process.terminate()
            assert process.wait(15) == code, log.read_text()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def call(listener: Listener, kind: type, name: str, **fields):
    client = listener.node.create_client(kind, name)
    assert client.wait_for_service(20), name
    end = time.monotonic() + 20
    while True:  # again: a service whose answer side has not found this client yet answers into the void
        future, asked_at = client.call_async(kind.Request(**fields)), time.monotonic()
        while not future.done() and time.monotonic() < asked_at + 2:
            assert time.monotonic() < end, name
            time.sleep(0.01)
        if future.done():
            return future.result()


def test_parameters_are_described_overridden_and_set_while_it_runs(ros_domain, tmp_path, wait_for):
    from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue

    arguments = [
        "tracking",
        "--namespace",
        "front",
        "--ros-args",
        "-p",
        "sensor.clutter_per_scan:=3",
    ]  # an int for a double
    with Listener() as listener, node(ros_domain, tmp_path / "log", *arguments):
        events = []
        kept = listener.node.create_subscription(Event, "/front/events", events.append, qos_profile(TOPICS["events"]))
        assert kept is not None
        names = [info.name for info, _ in TrackingSettings().leaves()]
        values = call(listener, GetParameters, "/front/tracking/get_parameters", names=names).values
        given = dict(zip(names, values, strict=True))
        assert given["sensor.clutter_per_scan"].double_value == 3.0
        assert given["max_tracks"].integer_value == TrackingSettings().max_tracks
        assert list(given["classification.classes"].string_array_value) == list(ClassId.__members__)
        described, fixed = call(
            listener,
            DescribeParameters,
            "/front/tracking/describe_parameters",
            names=["sensor.detection_probability", "motion.model"],
        ).descriptors
        assert (described.read_only, fixed.read_only) == (False, True)
        meaning = SensorModel.model_fields["detection_probability"].description
        assert described.description == f"{meaning} Allowed: above 0, below 1."
        assert described.additional_constraints == "above 0, below 1"
        assert (described.floating_point_range[0].from_value, described.floating_point_range[0].to_value) == (0.0, 1.0)

        def change(**values):
            double = ParameterType.PARAMETER_DOUBLE
            return [
                Parameter(name=name.replace("__", "."), value=ParameterValue(type=double, double_value=value))
                for name, value in values.items()
            ]

        def now(name):
            (value,) = call(listener, GetParameters, "/front/tracking/get_parameters", names=[name]).values
            return value.double_value

        one = change(sensor__clutter_per_scan=9.0)
        (result,) = call(listener, SetParameters, "/front/tracking/set_parameters", parameters=one).results
        assert result.successful, result.reason
        wait_for(lambda: [e.name for e in events if e.name == "PARAMETERS_CHANGED"], "the event")
        (told,) = [json.loads(e.data) for e in events if e.name == "PARAMETERS_CHANGED"]
        assert told == {"changed": ["sensor.clutter_per_scan: 3.0 -> 9.0"]}
        assert now("sensor.clutter_per_scan") == 9.0
        both = change(sensor__clutter_per_scan=4.0, sensor__detection_probability=1.0)
        service = "/front/tracking/set_parameters_atomically"
        result = call(listener, SetParametersAtomically, service, parameters=both).result
        assert not result.successful
        assert "'sensor.detection_probability' = 1.0" in result.reason
        assert now("sensor.clutter_per_scan") == 9.0  # all or nothing
        fixed = change(registration__reference=1.0)
        (result,) = call(listener, SetParameters, "/front/tracking/set_parameters", parameters=fixed).results
        assert not result.successful


@pytest.mark.parametrize(("arguments", "text"), [
    (["tracking", "--ros-args", "-p", "sensor.clutter_per_scan:=-1.0"], "'sensor.clutter_per_scan' = -1.0"),
    (["tracking", "--ros-args", "-p", "cluter:=1.0"], "unknown parameter 'cluter'"),
    (["tracking", "--set", "tracking.max_tracks=0"], "'max_tracks' = 0"),
    (["tracking", "--config", "/nowhere.yaml"], "/nowhere.yaml: cannot be read"),
    (["simulator", "--set", "simulator.scenario=nothing"], "nothing"),
    (["bridge", "--set", "bridge.port=99999"], "'port' = 99999"),
    (["bridge", "--ros-args", "-p", "port:=99999"], "'port' = 99999"),
    (["threat", "--ros-args", "--log-level", "loud"], "--log-level loud: debug, info, warn, error, fatal are allowed"),
    (["threat", "--ros-args", "-r", "a b:=c"], "a b:=c"),
])  # fmt: skip
def test_a_node_with_a_wrong_parameter_does_not_start(ros_domain, capsys, arguments, text):
    assert main(arguments) == 2
    assert text in capsys.readouterr().err


def test_parameters_dumped_by_ros_can_be_loaded_again(ros_domain, tmp_path):
    """As `ros2 param dump` writes them: every parameter of the node, under its full name, nested."""
    from rcl_interfaces.srv import ListParameters
    from rclpy.parameter import parameter_value_to_python

    changed = [
        "-p",
        "max_tracks:=7",
        "-p",
        "classification.classes:=[]",
        "-p",
        "frame_id:='1'",
        "-p",
        "sensor.detection_probability:=0.75",
    ]
    with Listener() as listener, node(ros_domain, tmp_path / "log", "tracking", "--ros-args", *changed):
        names = call(listener, ListParameters, "/tracking/list_parameters").result.names
        values = call(listener, GetParameters, "/tracking/get_parameters", names=names).values
    assert "use_sim_time" in names
    given = {name: parameter_value_to_python(value) for name, value in zip(names, values, strict=True)}
    plain = {name: list(value) if isinstance(value, Sequence | array) else value for name, value in given.items()}
    plain |= {name: value for name, value in given.items() if isinstance(value, str)}
    dump = tmp_path / "dump.yaml"
    dump.write_text(yaml.safe_dump({"/tracking": {"ros__parameters": nested(plain)}}))
    expected = settings_of(TrackingSettings, max_tracks=7, classes=(), frame_id="1", detection_probability=0.75)
    for options in ({"config": dump}, {"config": None, "ros": RosArguments.parse(["--params-file", str(dump)])}):
        assert Parameters.read(**options).settings("tracking", environ={}) == expected


def test_names_and_time_are_as_ros_says(ros_domain, tmp_path, wait_for):
    arguments = [
        "--namespace",
        "wrong",
        "--ros-args",
        "-r",
        "__ns:=/rig",
        "-r",
        "__node:=left",
        "-p",
        "use_sim_time:=true",
    ]
    arguments = ["--set", "detection.qos_overrides./rig/radar/points.subscription.depth=9", *arguments]
    with Listener() as listener, node(ros_domain, tmp_path / "log", "detection", *arguments):
        names = ["use_sim_time", "qos_overrides./rig/radar/points.subscription.depth"]
        sim_time, depth = call(listener, GetParameters, "/rig/left/get_parameters", names=names).values
        assert (sim_time.bool_value, depth.integer_value) == (True, 9)
        assert (Path(ros_domain["AEGIS_STATE_DIR"]) / "rig" / "epoch_left.json").exists()


def test_the_bridge_takes_what_is_for_ros_too(ros_domain, tmp_path, wait_for):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "rig.yaml"
    config.write_text(
        "/**:\n  ros__parameters: {start_type_description_service: false}\n"
        "/rig/bridge:\n  ros__parameters: {use_sim_time: true, qos_overrides: {/rig/tracks: {subscription: {depth: 9}}}}\n"
    )
    arguments = ["--config", str(config), "--ros-args", "-r", "__ns:=/rig", "-r", "__node:=gate", "-p", f"port:={port}"]
    with Listener() as listener, node(ros_domain, tmp_path / "log", "bridge", *arguments):
        names = ["use_sim_time", "start_type_description_service", "qos_overrides./rig/tracks.subscription.depth"]
        sim_time, described, depth = call(listener, GetParameters, "/rig/gate/get_parameters", names=names).values
        assert (sim_time.bool_value, described.bool_value, depth.integer_value) == (True, False, 9)

        def answers() -> bool:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(answers, "the port of --ros-args")
        assert (Path(ros_domain["AEGIS_STATE_DIR"]) / "rig").is_dir()


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


def test_what_a_person_did_with_an_alarm_outlives_the_threat_node(ros_domain, tmp_path, wait_for):
    arguments = ["threat", "--set", "threat.rules.all.when=anywhere", "--set", "threat.rules.all.raise_s=0"]
    began_ns = time.time_ns()
    with Listener("alarms", "events") as listener:
        heard, topic = listener.messages["alarms"], TOPICS["tracks"]
        publisher = listener.node.create_publisher(message_class(topic.type), "tracks", qos_profile(topic))

        def alarms():
            drones = ((k, ClassId.DRONE, (50.0 * k, 60.0, 120.0), (-3.0, 4.0, 0.0)) for k in (7, 8))
            publisher.publish(tracks_to_msg(replace(tracks_of(*drones), stamp_ns=time.time_ns())))
            return {a.track_id: a for a in alarms_from_msg(heard[-1])} if heard else {}

        def handle(alarm, action, text=""):
            fields = {"id": alarm.id, "operator_name": "Kim", "action": action, "text": text, "duration_s": 600.0}
            request = HandleAlarm.Request(**fields)
            prove(request, "/alarms/handle", decision_key())  # as the bridge does
            assert call(listener, HandleAlarm, "alarms/handle", **fields, proof=request.proof).success

        with node(ros_domain, tmp_path / "log", *arguments, code=-signal.SIGKILL) as killed:
            wait_for(lambda: len(alarms()) == 2, "two alarms")
            handle(alarms()[7], HandleAlarm.Request.ACKNOWLEDGE)
            handle(alarms()[8], HandleAlarm.Request.SHELVE, "survey")
            wait_for(lambda: alarms()[7].acknowledged_by and alarms()[8].shelved_by, "what was done")
            before = alarms()
            killed.kill()
        heard.clear()
        with node(ros_domain, tmp_path / "log", *arguments):
            cycles = len(listener.messages["events"])
            wait_for(lambda: alarms() and len(listener.messages["events"]) > cycles + 5, "pictures since the restart")
            assert alarms() == before
        told = [e for e in listener.messages["events"] if e.name in ("ALARM_RAISED", "ALARM_ENDED")]
        assert [(e.name, e.header.stamp.sec >= began_ns // 10**9) for e in told] == [("ALARM_RAISED", True)] * 2


def test_a_node_told_to_stop_while_it_starts_stops_cleanly(ros_domain, tmp_path, wait_for):
    """Several times: the signal meets the start at a different place each time."""
    epoch = Path(ros_domain["AEGIS_STATE_DIR"]) / "epoch_tracking.json"
    for k in range(5):
        epoch.unlink(missing_ok=True)
        with node(ros_domain, tmp_path / f"log{k}", "tracking"):  # checks the exit code
            wait_for(epoch.exists, "the node is being made")
        assert "Traceback" not in (tmp_path / f"log{k}").read_text()


@pytest.mark.skipif(os.cpu_count() == 1, reason="with one core numpy has one thread anyway")
def test_a_node_has_no_threads_that_turn_idly():
    """OpenBLAS has as many as there are cores, and after a product they wait in a loop."""
    code = "import aegis, numpy, os; a = numpy.ones((300, 300)); a @ a; print(len(os.listdir('/proc/self/task')))"
    environ = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "1"
