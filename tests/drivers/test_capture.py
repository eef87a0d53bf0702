# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Captures to datagrams: what was written by hand comes back, whatever the file's kind; damage costs what it touches."""

import gzip
import io
from collections import Counter

import pytest
from captures import COOKED, COOKED_2, ETHERNET, RAW, fragments, framed, ip, pcap, pcapng, udp
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.drivers.capture import line_frames, open_recording
from aegis.drivers.datagrams import MAX_ASSEMBLIES, Datagrams

BEGIN_NS = 1_700_000_000_123_456_000
files = st.sampled_from(
    [(pcap, {"order": o, "tick_ns": t}, t) for o in "<>" for t in (1, 1000)]
    + [(pcapng, {"order": o, "exponent": e}, 10 ** (9 - e)) for o in "<>" for e in (6, 9)]
)
links = st.sampled_from([ETHERNET, COOKED, COOKED_2, RAW])


def read(data: bytes) -> tuple[list, Counter, Datagrams]:
    counts, found = Counter(), Datagrams()
    out = [found.take(frame) for frame in line_frames(io.BytesIO(data), counts)]
    found.finish()
    return [datagram for datagram in out if datagram], counts, found


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**12), st.binary(max_size=4000), st.integers(1, 65535)), min_size=1, max_size=6
    ),
    files,
    links,
    st.randoms(use_true_random=False),
)
def test_what_was_sent_comes_back(sent, file, link, random):
    write, how, tick_ns = file
    frames = []
    for number, (after_ns, payload, port) in enumerate(sent):
        pieces = fragments(udp(payload, port=port), number=number)
        random.shuffle(pieces)
        frames += [(BEGIN_NS + after_ns, framed(piece, link)) for piece in pieces]
    got, counts, found = read(write(frames, link=link, **how))
    assert [(d.data, d.port) for d in got] == [(payload, port) for _, payload, port in sent]
    assert [d.time_ns for d in got] == [(BEGIN_NS + after) // tick_ns * tick_ns for after, _, _ in sent]
    assert {d.destination for d in got} == {bytes([239, 1, 2, 3])}
    assert not counts
    assert not found.refused


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10_000), files)
def test_a_file_cut_short_gives_what_is_before_the_cut_and_says_so(cut, file):
    write, how, _ = file
    frames = [(BEGIN_NS + n, framed(ip(udp(bytes([n]) * 100)))) for n in range(10)]
    whole = write(frames, **how)
    cut = min(cut, len(whole) - 1)
    got, counts, _ = read(whole[:cut])
    assert [d.data[0] for d in got] == list(range(len(got)))
    complete = [write(frames[:n], **how) for n in range(11)]
    assert len(got) == max([n for n in range(11) if len(complete[n]) <= cut], default=0)
    between = cut in {len(part) for part in complete}
    if write is pcap:
        assert dict(counts) == ({} if between else {"recording cut short": 1})


@settings(max_examples=100, deadline=None)
@given(st.data(), files)
def test_damage_is_counted_and_never_raises(data, file):
    write, how, _ = file
    frames = [(BEGIN_NS + n, framed(ip(udp(bytes([n]) * 60)))) for n in range(5)]
    broken = bytearray(write(frames, **how))
    for at in data.draw(st.lists(st.integers(0, len(broken) - 1), min_size=1, max_size=4)):
        broken[at] = data.draw(st.integers(0, 255))
    read(bytes(broken))


def test_what_is_not_udp_is_left_alone_and_what_is_broken_is_counted():
    good = framed(ip(udp(b"good")), vlan=True)
    frames = [
        (1, bytes(12) + b"\x08\x06" + bytes(28)),  # ARP
        (2, framed(ip(bytes(20), protocol=6))),
        (3, framed(ip(udp(b"cut"))[:-2])),
        (4, good),
        (5, framed(fragments(udp(bytes(3000)))[0])),
        (6, b"short"),
    ]
    got, _, found = read(pcap(frames))
    assert [d.data for d in got] == [b"good"]
    assert dict(found.skipped) == {"not IP": 1, "not UDP": 1}
    assert dict(found.refused) == {
        "IP packet of wrong length": 1,
        "fragments without the rest": 1,
        "frame too short for its headers": 1,
    }


def test_a_foreign_line_and_a_short_snap_length_are_counted():
    _, _, found = read(pcap([(1, bytes(40))], link=105))
    assert dict(found.foreign) == {105: 1}
    short = bytearray(pcap([(1, framed(ip(udp(bytes(100)))))]))
    short[36:40] = (200).to_bytes(4, "little")  # length on the line
    _, counts, _ = read(bytes(short))
    assert dict(counts) == {"frame cut by the capture's snap length": 1}


def test_fragments_that_never_fit_are_bounded():
    frames = [(n, framed(fragments(udp(bytes(3000)), number=n)[0])) for n in range(3 * MAX_ASSEMBLIES)]
    _, _, found = read(pcap(frames))
    assert found.refused["fragments without the rest"] == 3 * MAX_ASSEMBLIES


@pytest.mark.parametrize("cut", [None, 60])
def test_a_gzipped_file(cut, tmp_path):
    frames = [(BEGIN_NS, framed(ip(udp(bytes(range(256)) * 4)))) for _ in range(3)]
    path = tmp_path / "x.pcap.gz"
    path.write_bytes(gzip.compress(pcap(frames))[:cut])
    file, _ = open_recording(path)
    counts = Counter()
    n = len(list(line_frames(file, counts)))
    assert (n, dict(counts)) == ((3, {}) if cut is None else (0, {"recording cut short": 1}))
