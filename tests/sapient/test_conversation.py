# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two nodes over TCP and TLS on loopback: connections that come back, wrong peers, and the way of a track."""

import json
import socket
import ssl
import subprocess
import time
from functools import partial

import pytest
from sapient_messages import tracks

from aegis.bench.live import free_port
from aegis.core.health import Level
from aegis.core.params import ConfigError
from aegis.ros.messages.picture import tracks_from_msg, tracks_to_msg
from aegis.ros.stages.base import StageContext
from aegis.sapient.conversation import EDGE_NODES, Conversation
from aegis.sapient.settings import check_usable
from aegis.sapient.stage import SapientStage

A = [1000.0, 2000.0, 300.0, 50.0, -20.0, 1.0]


@pytest.fixture
def converse(settings):
    """Makes conversations, and closes them."""
    made = []

    def make(**given) -> Conversation:
        made.append(Conversation(settings(**given), None))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def certificates(tmp_path) -> dict[str, str]:
    """A certificate of localhost that is its own authority."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True)
    return {"tls.ca": str(certificate), "tls.certificate": str(certificate), "tls.key": str(key)}


def test_a_track_goes_from_one_node_to_the_other_and_back_after_a_restart(settings, tmp_path, wait_for):
    """The fusion side is a stage; it ends, and another one takes its place: the edge node registers with that by itself."""
    port = free_port()
    edge = SapientStage(settings(**{"edge.connect": f"tcp://127.0.0.1:{port}"}), StageContext(state_dir=tmp_path))
    edge.status(time.time_ns())
    assert edge.health().level is Level.ERROR

    def shown_by(stage: SapientStage):
        edge.on_message("tracks", tracks_to_msg(tracks(time.time_ns(), A)))
        list(edge.on_timer(time.time_ns()))
        return [tracks_from_msg(m) for topic, m in stage.on_timer(time.time_ns()) if topic == "source_tracks"]

    def first_of(stage: SapientStage):
        found = []
        wait_for(lambda: found.extend(shown_by(stage)) or any(map(len, found)), "a picture of the edge node")
        return found[-1]

    def lost() -> bool:
        list(edge.on_timer(time.time_ns()))
        return edge.health().level is Level.ERROR

    try:
        names = []
        for _ in range(2):
            given = settings(**{"edge.connect": "", "fusion.listen": f"tcp://127.0.0.1:{port}"})
            fusion = SapientStage(given, StageContext())
            try:
                picture = first_of(fusion)
                names.append(picture.sensor_id)
                assert picture.state[0, :3] == pytest.approx(A[:3], abs=30.0)  # the clock is read twice
                assert edge.health().level is not Level.ERROR
                json.dumps(fusion.detail())
                assert [one["objects"] for one in fusion.detail()["nodes"].values()] == [1]
            finally:
                fusion.close()
            wait_for(lost, "the loss of the connection")
        assert names[0] == names[1]
        assert names[0].startswith("foreign/sapient/Aegis-")
        assert edge.counters.reasons["connection closed: fusion node"] == 2
    finally:
        edge.close()


def test_a_wrong_peer_is_cut_and_counted_and_the_others_stay(converse, wait_for):
    fusion = converse(**{"edge.connect": "", "fusion.listen": f"tcp://127.0.0.1:{free_port()}"})
    port = fusion.link.ports[EDGE_NODES]
    edge = converse(**{"edge.connect": f"tcp://127.0.0.1:{port}"})

    def turned(until) -> bool:
        for one in (edge, fusion):
            one.poll(time.time_ns())
        return bool(until())

    wait_for(lambda: turned(lambda: edge.edge.registered), "a registration")
    with socket.create_connection(("127.0.0.1", port)) as wrong:
        wrong.sendall(b"GET / HTTP/1.1\r\n\r\n")
        wrong.settimeout(20.0)
        assert wrong.recv(1) == b""  # closed
    wait_for(lambda: turned(lambda: fusion.counts()["no framing of SAPIENT"]), "that it is counted")
    with socket.create_connection(("127.0.0.1", port)) as wrong:
        wrong.sendall(b"\3\0\0\0abc")
        wait_for(lambda: turned(lambda: fusion.refused), "that the message is counted")
    assert fusion.refused == {"message is no protobuf of SAPIENT": 1}
    assert list(fusion.others.nodes) == [edge.node_id]


def test_a_registration_without_an_answer_is_tried_again(converse, wait_for):
    """The other side takes the connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        edge = converse(**{"edge.connect": f"tcp://127.0.0.1:{silent.getsockname()[1]}", "edge.ack_after_s": 0.2})
        silent.settimeout(0.01)

        def taken(connection: list[socket.socket]) -> bool:
            edge.poll(time.time_ns())
            try:
                connection.append(silent.accept()[0])
            except TimeoutError:
                return False
            return True

        def over(connection: socket.socket) -> bool:
            edge.poll(time.time_ns())
            try:
                return connection.recv(1 << 16) == b""
            except TimeoutError:
                return False
            except ConnectionError:
                return True

        for _ in range(2):
            accepted: list[socket.socket] = []
            wait_for(partial(taken, accepted), "a connection")
            with accepted[0] as connection:
                connection.settimeout(0.01)
                wait_for(partial(over, connection), "that it is given up")
        assert "fusion node" in edge.health().text


def test_by_tls_both_show_certificates(converse, certificates, wait_for):
    fusion = converse(**{"edge.connect": "", "fusion.listen": f"tls://127.0.0.1:{free_port()}", **certificates})
    port = fusion.link.ports[EDGE_NODES]
    edge = converse(**{"edge.connect": f"tls://localhost:{port}", **certificates})
    nobody = converse(**{"edge.connect": f"tls://localhost:{port}", "tls.ca": certificates["tls.ca"]})

    def turned(until) -> bool:
        for one in (edge, nobody, fusion):
            one.poll(time.time_ns())
        return bool(until())

    wait_for(lambda: turned(lambda: edge.edge.registered), "a registration over TLS")
    wait_for(lambda: turned(lambda: nobody.link.trouble), "that who shows no certificate is refused")
    assert not nobody.edge.registered
    context = ssl.create_default_context(cafile=certificates["tls.ca"])
    context.load_cert_chain(certificates["tls.certificate"], certificates["tls.key"])
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as one,
    ):
        assert one.version().startswith("TLSv1.")


@pytest.mark.parametrize(("given", "what"), [
    ({"edge.connect": ""}, "nobody to speak to"),
    ({"site": ()}, "bridge.outputs.site"),
    ({"fusion.listen": "tcp://0.0.0.0:5020"}, "insecure_non_loopback"),
    ({"fusion.listen": "tls://0.0.0.0:5020"}, "needs tls.certificate"),
])  # fmt: skip
def test_what_cannot_work_or_is_open_to_all_is_refused(settings, given, what):
    with pytest.raises(ConfigError, match=what):
        check_usable(settings(**given))


@pytest.mark.parametrize("given", [
    {"edge.connect": "udp://1.2.3.4:5"}, {"edge.destination_id": "7"}, {"node_id": "A8654CDF"}, {"site": (1.0, 2.0)},
    {"tls.key": "k.pem"}, {"edge.connect": "tcp://host"},
])  # fmt: skip
def test_wrong_parameters_are_refused(settings, given):
    with pytest.raises(ConfigError, match=r"expected|belong together"):
        settings(**given)


def test_an_address_in_use_is_said(converse):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match=r"sapient: .*in use"):
        converse(**{"edge.connect": "", "fusion.listen": f"tcp://127.0.0.1:{taken.getsockname()[1]}"})
