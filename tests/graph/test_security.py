# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Policies and keystores of DDS security, read and verified with openssl. That they suffice: tests/graph/test_whole_graph.py."""

import os
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import rclpy
from click.testing import CliRunner

from aegis.cli.main import cli
from aegis.graph.node import StageNode
from aegis.graph.nodes import ALL_NODES, BRIDGE, NODES
from aegis.graph.plan import Options, Plan
from aegis.graph.ros_args import split_ros_args
from aegis.graph.security.policies import NodePolicy, enclaves

SERVER = "ew/acknowledge"
RIG = {"radars": ("front", "left")}
# Every shape of a graph: with these, every node of the table runs in one.
SHAPES = {
    "one radar": {},
    "composed": {"composed": True},
    "raw": {"sets": ("simulator.level=signal",), "foxglove": False},
    "driver of video": {"driver": "navico"},
    "radar_msgs": {"radar_msgs": True},
    "other stacks": {"sets": ("objects.packages=[vision_msgs,radar_msgs]",), "nodes": ("tracking", "objects")},
    "chosen": {"nodes": ("detection", "tracking"), "bridge": False},
    "rig": RIG,
    "composed rig": {**RIG, "composed": True, "foxglove": False},
    "fused": {**RIG, "fusion": True},
    "fused, composed, in a namespace": {**RIG, "fusion": True, "composed": True, "namespace": "quay"},
    "others": {
        "sets": (
            "bridge.outputs.site=[51.0,-1.0,0.0]",
            "sapient.fusion.connect=tcp://127.0.0.1:9",
            "asterix_tracks.listen=true",
            "asterix_tracks.udp.port=0",
        ),
        "sapient": "tcp://127.0.0.1:9",
    },
    "site": {"sets": ("uplink.site=north", "uplink.connect=[tcp/127.0.0.1:1]"), "nodes": ("tracking", "uplink")},
    "renamed": {
        "ros_args": ("-r", "tracking:__node:=tracker", "-r", "tracks:=/shown/tracks", "-r", "ew:detections:=d")
    },
}
UNBUILT = (
    BRIDGE,
    "radar_msgs",
    "objects",
    "driver",
)  # one with an event loop, two without their packages here, one without its radar


def openssl(*words: object, code: int = 0) -> str:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=30)
    assert (done.returncode == 0) == (code == 0), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def keystore(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("security") / "keys"
    made = CliRunner().invoke(cli, ["security", "keystore", str(folder), "--domain", "7"])
    assert made.exit_code == 0, made.output
    assert f"ROS_SECURITY_KEYSTORE={folder}" in made.output
    return folder


def test_each_process_has_a_key_that_the_authority_has_certified(keystore):
    for process in ("tracking", "bridge"):
        own = keystore / "enclaves" / "aegis" / process
        openssl("verify", "-CAfile", own / "identity_ca.cert.pem", own / "cert.pem")
        assert (
            openssl("x509", "-in", own / "cert.pem", "-noout", "-subject").strip() == f"subject=CN = /aegis/{process}"
        )
        key = openssl("pkey", "-in", own / "key.pem", "-pubout")
        assert key == openssl("x509", "-in", own / "cert.pem", "-noout", "-pubkey")
        assert (own / "key.pem").stat().st_mode & 0o777 == 0o600
    assert (keystore / "private").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["enclaves/aegis/tracking/permissions", "enclaves/governance"])
def test_what_is_signed_is_what_is_written_and_a_change_is_found_out(keystore, name, tmp_path):
    signed = keystore / f"{name}.p7s"
    authority = keystore / "public" / "permissions_ca.cert.pem"
    content = openssl("smime", "-verify", "-text", "-in", signed, "-CAfile", authority)
    written = (keystore / f"{name}.xml").read_text()
    assert content.replace("\r\n", "\n") == written
    changed = tmp_path / "changed.p7s"
    changed.write_text(signed.read_text().replace("false", "true ", 1).replace("DENY", "ALLOW", 1))
    openssl("smime", "-verify", "-text", "-in", changed, "-CAfile", authority, code=1)


def test_permissions_are_what_the_table_says_and_no_more(keystore):
    def topics(process: str, kind: str) -> set[str]:
        root = ElementTree.parse(keystore / "enclaves" / "aegis" / process / "permissions.xml")
        assert root.findtext(".//subject_name") == f"CN=/aegis/{process}"
        assert root.findtext(".//allow_rule/domains/id") == "7"
        assert root.findtext(".//default") == "DENY"
        return {one.text for one in root.iterfind(f".//{kind}/topics/topic")}

    assert {"rt/tracks", "rt/events", "rt/diagnostics", "rq/tracking/restartRequest"} <= (
        topics("tracking", "publish") | topics("tracking", "subscribe")
    )
    assert topics("tracking", "publish") & {"rt/threats", "rt/detections", "rt/zones", f"rq/{SERVER}Request"} == set()
    # One process may ask for a decision, one may take it.
    asks = {p for p in ("simulator", "detection", "tracking", "threat", "ew", "markers", "foxglove", "bridge")
            if f"rq/{SERVER}Request" in topics(p, "publish")}  # fmt: skip
    takes = {p for p in ("tracking", "threat", "ew", "bridge") if f"rq/{SERVER}Request" in topics(p, "subscribe")}
    assert (asks, takes) == ({"bridge"}, {"ew"})
    assert "rt/zones" in topics("bridge", "publish")


def test_a_keystore_is_brought_up_to_date_and_its_keys_stay(keystore, tmp_path):
    folder = tmp_path / "keys"
    shutil.copytree(keystore, folder, symlinks=True)
    before = (folder / "enclaves/aegis/tracking/key.pem").read_bytes()
    made = CliRunner().invoke(cli, ["security", "keystore", str(folder), "--domain", "9"])
    assert made.exit_code == 0, made.output
    assert (folder / "enclaves/aegis/tracking/key.pem").read_bytes() == before
    assert "<id>9</id>" in (folder / "enclaves/aegis/tracking/permissions.xml").read_text()


def test_a_rig_has_an_enclave_for_each_process_and_shared_topics():
    found = {one.path: one for one in enclaves(Plan.of(Options(radars=("front", "left"), namespace="quay"), {}))}
    writes, reads = found["/aegis/front/detection"].topics()
    assert {"rt/quay/detections", "rt/quay/status", "rr/quay/front/detection/restartReply"} <= set(writes)
    assert "rt/quay/front/radar/points" in reads
    assert "rq/quay/front/detection/restartRequest" in found["/aegis/bridge"].topics()[0]


def names_of(policy: NodePolicy, node) -> list[tuple[str, set[str], set[str]]]:
    """Return what a node may do and what it has, as the middleware tells it, by kind."""
    of = (policy.name, policy.namespace)
    return [
        (kind, allowed, {name for name, _ in names(*of)})
        for kind, allowed, names in (
            ("publishes", policy.publishes, node.get_publisher_names_and_types_by_node),
            ("subscribes", policy.subscribes, node.get_subscriber_names_and_types_by_node),
            ("offers", policy.offers, node.get_service_names_and_types_by_node),
            ("calls", policy.calls, node.get_client_names_and_types_by_node),
        )
    ]


def test_the_shapes_have_every_node():
    assert {name for shape in SHAPES.values() for name in Plan.of(Options(**shape), {}).nodes} == set(ALL_NODES)


def test_an_uplink_may_publish_what_it_receives():
    plan = Plan.of(Options(sets=("uplink.receive=[north]", "uplink.listen=[tcp/127.0.0.1:1]"), nodes=("uplink",)), {})
    published = {one for enclave in enclaves(plan) for one in enclave.topics()[0]}
    assert {"rt/north/tracks", "rt/north/events", "rt/north/alarms"} <= published
    assert "rt/south/tracks" not in published


def test_in_every_shape_each_process_may_do_what_its_nodes_do(ros_domain, tmp_path, monkeypatch):
    """Real nodes, each made with its process's own words for ROS, are the oracle of what is needed."""
    monkeypatch.setenv("AEGIS_STATE_DIR", str(tmp_path))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = f"foxglove.port={free.getsockname()[1]}"
    made = set()
    for shape, given in SHAPES.items():
        plan = Plan.of(Options(**given | {"sets": (*given.get("sets", ()), port)}), {})
        found = {one.path.removeprefix("/aegis/"): one for one in enclaves(plan)}
        assert list(found) == list(plan.processes)
        restarts = set()
        for process, words in plan.processes.items():
            settings, ros = plan.settings[process], split_ros_args(words)[1]
            namespace = words[words.index("--namespace") + 1] if "--namespace" in words else ""
            assert list(settings) == words[: len(settings)]
            for name, policy in zip(settings, found[process].nodes, strict=True):
                assert policy.namespace == f"/{namespace}"
                if name != BRIDGE:
                    restarts.add(f"{policy.namespace.rstrip('/')}/{name}/restart")
                if name not in UNBUILT and (once := (name, namespace, *ros)) not in made:
                    made.add(once)
                    check_node(policy, name, settings[name], replace(plan.parameters, namespace=namespace), ros)
        if BRIDGE in found and shape != "renamed":
            assert restarts <= found[BRIDGE].nodes[0].calls, shape


def check_node(policy: NodePolicy, name: str, settings, parameters, ros: list[str]) -> None:
    rclpy.init(args=["test", "--ros-args", *ros])
    try:
        node = StageNode(NODES[name], settings, parameters, "run")
        for kind, allowed, has in names_of(policy, node):
            assert has or kind in ("subscribes", "calls"), (policy, ros, kind)
            assert has <= allowed, (policy, ros, kind, has - allowed)
        node.stage.close()
        node.destroy_node()
    finally:
        rclpy.shutdown()


def test_processes_are_told_their_enclave_where_security_is_asked_for():
    plan = Plan.of(Options(), {"ROS_SECURITY_ENABLE": "true"})
    assert all(words[-2:] == ["--enclave", f"/aegis/{process}"] for process, words in plan.processes.items())
    assert not any("--enclave" in words for words in Plan.of(Options(), {}).processes.values())


def test_the_policy_is_in_the_form_of_ros2_security():
    made = CliRunner().invoke(cli, ["security", "policy"], env=dict(os.environ))
    root = ElementTree.fromstring(made.output)
    (profile,) = root.iterfind("enclaves/enclave[@path='/aegis/ew']/profiles/profile")
    assert (profile.get("ns"), profile.get("node")) == ("/", "ew")
    assert f"/{SERVER}" in [one.text for one in profile.iterfind("services[@reply='ALLOW']/service")]
    assert "/tracks" in [one.text for one in profile.iterfind("topics[@subscribe='ALLOW']/topic")]
