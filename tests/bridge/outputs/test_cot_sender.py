# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cursor on Target over real sockets: datagrams, multicast, TCP, TLS, a TAK server."""

import socket
import ssl
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from xml.etree.ElementTree import fromstring

import pytest
import takproto
from picture_data import make_threats, make_tracks
from settings_of import settings_of
from tak_server import AGREED, OFFER, TakServer
from takproto import delimited_protobuf
from takproto.proto import TakMessage

from aegis.bridge.outputs import lines
from aegis.bridge.outputs.outputs import Outputs
from aegis.bridge.outputs.settings import OutputSettings
from aegis.core.params import ConfigError

SECOND = 1_000_000_000
STAMP_NS = 1_767_268_800 * SECOND


@pytest.fixture
def start_server():
    """Return a function that starts a server."""
    started = []

    def start(*args, **kwargs):
        started.append(TakServer(*args, **kwargs))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def quick_lines(monkeypatch):
    """Lines that are opened again at once."""
    monkeypatch.setattr(lines, "FIRST_PAUSE_S", 0.01)


def xml_events(data):
    """Return the events of a stream, cut as ATAK-CIV's takproto/README.md says."""
    *documents, rest = data.split(b"</event>")
    assert rest == b""
    assert all(document.startswith(b"<?xml ") and document.count(b"<?xml") == 1 for document in documents)
    return [fromstring(document + b"</event>") for document in documents]


def protobuf_events(data):
    """Return the events of a stream of TAK protocol version 1."""
    out, stream = [], BytesIO(data)
    while magic := stream.read(1):
        assert magic == b"\xbf"
        out.append(delimited_protobuf.read(stream, TakMessage).cotEvent)
    return out


def uids(data):
    return [event.get("uid") for event in xml_events(data)]


def test_a_datagram_an_event(udp, run_outputs):
    receiver, address = udp
    running = run_outputs(cot_url=f"udp://{address}", cot_stale_s=5, cot_hostile_level="HIGH")
    running.wait_connected("cot")
    running.hear(make_tracks([1, 2], stamp_ns=STAMP_NS), replace(make_threats([2], [4]), stamp_ns=STAMP_NS))
    one, two = (fromstring(receiver.recv(65535)) for _ in range(2))
    assert [e.get("uid") for e in (one, two)] == ["aegis.radar_1.run.1", "aegis.radar_1.run.2"]
    assert [e.get("type") for e in (one, two)] == ["a-u-A-M-F-Q", "a-h-A-M-F-Q"]
    assert one.get("stale") == "2026-01-01T12:00:05.000Z"
    running.wait_count("cot_sent", 2)
    assert running.outputs.counts() == {"cot_sent": 2, "cot_dropped": 0, "cot_errors": 0, "cot_connected": 1}


def test_protobuf_in_a_datagram_has_the_header_of_a_mesh(udp, run_outputs):
    receiver, address = udp
    running = run_outputs(cot_url=f"udp://{address}", cot_format="protobuf", namespace="/site/radar_2/")
    running.wait_connected("cot")
    running.hear(make_tracks([7], stamp_ns=STAMP_NS))
    data = receiver.recv(65535)
    assert data[:3] == b"\xbf\x01\xbf"
    event = takproto.parse_proto(bytearray(data)).cotEvent
    assert (event.uid, event.type) == ("aegis.site.radar_2.run.7", "a-u-A-M-F-Q")
    assert event.startTime == STAMP_NS // 1_000_000


def test_a_multicast_group(run_outputs):
    group = "239.2.3.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        try:
            receiver.bind((group, 0))
            membership = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        except OSError as error:
            pytest.skip(f"no multicast on the loopback interface: {error}")
        receiver.settimeout(10)
        running = run_outputs(cot_url=f"udp://{group}:{receiver.getsockname()[1]}", multicast_interface="127.0.0.1")
        running.wait_connected("cot")
        running.hear(make_tracks([1]))
        assert fromstring(receiver.recv(65535)).get("uid") == "aegis.radar_1.run.1"


def test_a_track_that_ends_is_sent_once_more_and_stale(udp, run_outputs):
    receiver, address = udp
    running = run_outputs(cot_url=f"udp://{address}", cot_period_s=0.05)
    running.wait_connected("cot")

    def heard(second, n, *ids):
        running.hear(make_tracks(ids, stamp_ns=STAMP_NS + second * SECOND))
        found = [fromstring(receiver.recv(65535)) for _ in range(n)]
        return [(e.get("uid")[-1], e.get("start")[17:19], e.get("stale")[17:19]) for e in found]

    assert heard(0, 2, 1, 2) == [("1", "00", "10"), ("2", "00", "10")]
    assert heard(1, 3, 2, 3) == [("2", "01", "11"), ("3", "01", "11"), ("1", "01", "01")]
    assert heard(2, 2, 2, 3) == [("2", "02", "12"), ("3", "02", "12")]
    running.wait_count("cot_sent", 7)


def test_no_track_more_often_than_the_period(udp, run_outputs):
    receiver, address = udp
    running = run_outputs(cot_url=f"udp://{address}", cot_period_s=3600)
    running.wait_connected("cot")
    for second in range(5):
        running.hear(make_tracks([1, 2, 3], stamp_ns=STAMP_NS + second * SECOND))
        running.wait_count("cot_sent", 3)
    receiver.setblocking(False)
    assert [len(receiver.recv(65535)) > 0 for _ in range(3)] == [True] * 3
    with pytest.raises(BlockingIOError):
        receiver.recv(65535)


def test_nobody_listening_is_counted_and_harms_nothing(run_outputs, wait_for):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    running = run_outputs(cot_url=f"udp://{address}", cot_period_s=0.05)
    running.wait_connected("cot")

    def refused():
        running.hear(make_tracks([1, 2]))
        return running.count("cot_errors") > 0 and running.count("cot_dropped") > 0

    wait_for(refused, "the system tells that nobody listens")
    assert running.count("cot_connected") == 1


def test_a_stream_of_xml(start_server, run_outputs, wait_for):
    server = start_server()
    running = run_outputs(cot_url=f"tcp://127.0.0.1:{server.port}", cot_period_s=0.05)
    running.wait_connected("cot")
    running.hear(make_tracks([1, 2]))
    running.wait_count("cot_sent", 2)
    server.say(b"<?xml version='1.0'?>\n<event type='t-x-c-t-r' uid='ping'/>")  # to be read, and of no concern
    running.hear(make_tracks([2]))
    running.wait_count("cot_sent", 4)
    wait_for(lambda: server.received.count(b"</event>") == 4, "four events come")
    assert uids(server.received) == [f"aegis.radar_1.run.{n}" for n in (1, 2, 2, 1)]


def test_a_lost_connection_is_opened_again_and_what_was_missed_is_counted(
    start_server, run_outputs, wait_for, quick_lines
):
    server = start_server()
    running = run_outputs(cot_url=f"tcp://127.0.0.1:{server.port}", cot_period_s=0.05)
    for connection in (1, 2, 3):
        wait_for(lambda n=connection: server.connections == n and running.count("cot_connected"), "it connects")
        running.hear(make_tracks([connection]))
        wait_for(lambda: b"</event>" in server.received, "an event comes")
        assert uids(server.received)[0] == f"aegis.radar_1.run.{connection}"
        server.hang_up()
    server.close()
    wait_for(lambda: running.count("cot_errors") >= 2, "it tries again and again")
    dropped = running.count("cot_dropped")
    running.hear(make_tracks([1, 2, 3, 4]))
    wait_for(lambda: running.count("cot_dropped") >= dropped + 4, "what cannot be sent is counted")
    assert running.count("cot_connected") == 0


def test_a_peer_that_takes_nothing_is_given_up(start_server, run_outputs, wait_for, quick_lines, monkeypatch):
    monkeypatch.setattr(lines, "STALL_S", 0.2)
    server = start_server(reads=False)
    running = run_outputs(cot_url=f"tcp://127.0.0.1:{server.port}", cot_period_s=0.05)
    running.wait_connected("cot")
    tracks = make_tracks(range(3000))

    def reconnected():
        running.hear(tracks)
        return server.connections > 1

    wait_for(reconnected, "it connects anew")
    assert running.count("cot_dropped") >= 3000


def test_protobuf_once_the_tak_server_has_agreed(start_server, run_outputs, wait_for, quick_lines):
    server = start_server()
    running = run_outputs(cot_url=f"tcp://127.0.0.1:{server.port}", cot_format="protobuf", cot_period_s=0.05)
    running.wait_connected("cot")
    running.hear(make_tracks([1]))
    wait_for(lambda: b"</event>" in server.received, "an event comes")
    assert uids(server.received) == ["aegis.radar_1.run.1"]

    server.say(OFFER)
    wait_for(lambda: server.received.count(b"</event>") == 2, "it asks")
    assert xml_events(server.received)[1].get("type") == "t-x-takp-q"
    running.hear(make_tracks([1, 2]))
    wait_for(lambda: running.count("cot_dropped") == 2, "it sends nothing while it waits")
    before = server.received

    server.say(AGREED)
    wait_for(lambda: running.hear(make_tracks([1, 3])) or len(server.received) > len(before), "it goes on")
    wait_for(lambda: len(protobuf_events(server.received[len(before) :])) >= 2, "all has come")
    found = protobuf_events(server.received[len(before) :])
    assert {event.uid for event in found} == {"aegis.radar_1.run.1", "aegis.radar_1.run.2", "aegis.radar_1.run.3"}

    server.hang_up()
    wait_for(lambda: server.connections == 2 and running.count("cot_connected"), "it connects anew")
    wait_for(lambda: running.hear(make_tracks([5])) or b"</event>" in server.received, "it begins in XML again")
    assert xml_events(server.received)[0].get("uid").startswith("aegis.radar_1.run.")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority, and a certificate and key by it for the server, and for the client."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    try:
        for name in ("ca", "other_ca"):
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
        for name in ("server", "client"):
            openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:takserver.{name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                    "-days", "2", "-copy_extensions", "copy", "-out", f"{name}.pem")  # fmt: skip
        openssl("pkcs8", "-topk8", "-in", "client.key", "-out", "locked.key", "-passout", "pass:secret")
    except FileNotFoundError:
        pytest.skip("openssl is not on this machine")
    return folder


def tls_server(certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_tls_with_certificates_on_both_sides(start_server, run_outputs, wait_for, certificates):
    server = start_server(tls_server(certificates))
    running = run_outputs(
        cot_url=f"tls://127.0.0.1:{server.port}",
        cot_tls_ca=str(certificates / "ca.pem"),
        cot_tls_certificate=str(certificates / "client.pem"),
        cot_tls_key=str(certificates / "client.key"),
        cot_tls_server_name="takserver.server",
    )
    running.wait_connected("cot")
    running.hear(make_tracks([1]))
    wait_for(lambda: b"</event>" in server.received, "an event comes")
    assert uids(server.received) == ["aegis.radar_1.run.1"]


@pytest.mark.parametrize(
    "wrong", [{"cot_tls_ca": "other_ca.pem"}, {"cot_tls_server_name": "elsewhere"}, {"cot_tls_server_name": ""}]
)
def test_a_server_that_is_not_the_right_one_gets_nothing(start_server, run_outputs, wait_for, certificates, wrong):
    server = start_server(tls_server(certificates))
    values = {"cot_tls_ca": "ca.pem", "cot_tls_server_name": "takserver.server", **wrong}
    values["cot_tls_ca"] = str(certificates / values["cot_tls_ca"])
    running = run_outputs(cot_url=f"tls://127.0.0.1:{server.port}", **values)
    wait_for(lambda: running.count("cot_errors") > 0, "it is refused")
    running.hear(make_tracks([1]))
    running.wait_count("cot_dropped", 1)
    assert (running.count("cot_connected"), running.count("cot_sent"), server.received) == (0, 0, b"")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cot_tls_ca": "nowhere.pem"}, "cot.tls_ca 'nowhere.pem'"),
        ({"cot_tls_certificate": "nowhere.pem", "cot_tls_key": "nowhere.key"}, "cot.tls_certificate 'nowhere.pem'"),
        ({"cot_tls_certificate": "client.pem", "cot_tls_key": "locked.key"}, "without a password"),
    ],
)
def test_a_file_for_tls_that_cannot_be_used_refuses_to_start(site, certificates, monkeypatch, values, said):
    monkeypatch.chdir(certificates)
    settings = settings_of(OutputSettings, site=site, cot_url="tls://127.0.0.1:1", **values)
    with pytest.raises(ConfigError, match=said):
        Outputs(settings, namespace="", run_id="")


def test_protobuf_without_its_package_says_what_to_install(site, monkeypatch):
    monkeypatch.setitem(sys.modules, "takproto", None)
    monkeypatch.delitem(sys.modules, "aegis.bridge.outputs.cot_protobuf", raising=False)
    for url in ("udp://127.0.0.1:1", "tcp://127.0.0.1:1"):
        settings = settings_of(OutputSettings, site=site, cot_url=url, cot_format="protobuf")
        with pytest.raises(ConfigError, match=r"aegis\[tak\]"):
            Outputs(settings, namespace="", run_id="")


def test_a_host_that_cannot_be_is_tried_again(run_outputs, wait_for, quick_lines):
    running = run_outputs(cot_url="tcp://a..b:1")
    wait_for(lambda: running.count("cot_errors") >= 3, "it tries again and again")
