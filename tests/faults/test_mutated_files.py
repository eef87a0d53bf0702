# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameter files and bags with anything changed in them: read, or refused with the file's name; never another exception."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from amounts import amount

from aegis.core.params import ConfigError
from aegis.graph.config import Parameters
from aegis.graph.nodes import ALL_NODES
from aegis.graph.play import Played, _messages, playable
from aegis.ros.bag import BagError, serialize, typestore
from aegis.ros.messages.reports import StageStatus, status_to_msg
from aegis.ros.split_bag import SplitBag, Splitting

CONFIG = Path(__file__).resolve().parents[2] / "config"
FILES = sorted(path.name for path in CONFIG.glob("*.yaml"))
STATUS = "aegis_msgs/msg/PipelineStatus"
WORDS = ["", "~", "-1", "0", "1e400", ".nan", ".inf", "true", "[]", "{}", "[1, [2]]", "{a: {b: 1}}", "'x", "*a", "&a 1",
         "!!python/none",
         "\t", "99999999999999999999", "2026-02-30", "\x00", "\u2028", "- -", "? 1", "ros__parameters:", "<<: 1"]  # fmt: skip
LONGEST_S = 10.0  # for one file, on a busy machine


def with_other_bytes(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 9)):
        at = rng.randrange(len(changed))
        kind = rng.randrange(4)
        if kind == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            del changed[at : at + rng.randrange(1, 40)]
        else:
            changed[at:at] = rng.randbytes(rng.randrange(1, 9))
        if not changed:
            break
    return bytes(changed)


def with_other_words(data: bytes, rng: random.Random) -> bytes:
    """Return YAML with values, keys and indentation changed: what is well formed gets further than broken bytes."""
    lines = data.decode().splitlines()
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(lines))
        kind = rng.randrange(5)
        key, colon, _ = lines[at].partition(":")
        if kind < 2 and colon:
            lines[at] = f"{key}: {rng.choice(WORDS)}"
        elif kind == 2:
            lines[at] = " " * rng.randrange(9) + lines[at].lstrip()
        elif kind == 3:
            lines[at], lines[at - 1] = lines[at - 1], lines[at]
        else:
            lines.insert(at, rng.choice(lines))
    return "\n".join(lines).encode()


def try_all(cases: int, change: Callable[[random.Random], bytes], path: Path, read: Callable[[Path], bool]) -> float:
    """Return the share that was read; the others were refused."""
    good = 0
    for seed in range(cases):
        path.write_bytes(change(random.Random(f"{path.name} {seed}")))
        begin = time.monotonic()
        try:
            good += read(path)
        except Exception as error:
            raise AssertionError(f"{path.name}, seed {seed}: {type(error).__name__}: {error}") from error
        assert time.monotonic() - begin < LONGEST_S, f"{path.name}, seed {seed}"
    return good / cases


def reads_parameters(path: Path) -> bool:
    refusal = ""
    try:
        parameters = Parameters.read(path)
        parameters.check(ALL_NODES)
        for node in ALL_NODES:
            parameters.settings(node, environ={})
    except ConfigError as error:
        refusal = str(error)
    assert not refusal or str(path) in refusal, f"the file is not named: {refusal}"
    return not refusal


@pytest.mark.parametrize("name", FILES)
def test_parameter_files(name, tmp_path):
    data = (CONFIG / name).read_bytes()
    assert reads_parameters(CONFIG / name)
    cases = amount(20, nightly=10_000 // len(FILES) + 1)
    try_all(cases, lambda rng: with_other_bytes(data, rng), tmp_path / name, reads_parameters)
    read = try_all(cases, lambda rng: with_other_words(data, rng), tmp_path / name, reads_parameters)
    assert read < 1, "nothing was refused"


def test_bags(tmp_path):
    types = typestore()
    rows = [StageStatus(f"stage {k}", *[float(k)] * 5, *[k] * 6, "{}") for k in range(60)]
    sent = [
        (k * 10**9, serialize(status_to_msg([row], run_id="r", stamp_ns=k), STATUS, types))
        for k, row in enumerate(rows)
    ]
    bag = SplitBag(tmp_path / "bag", ["status"], Splitting())
    for time_ns, data in sent:
        bag.write("status", time_ns, data)
    bag.close()
    whole = (tmp_path / "bag" / "bag_0.mcap").read_bytes()

    def plays_what_was_sent(path: Path) -> bool:
        done, refusal, played = Played(), "", []
        try:
            played = [(t, data) for t, _, data in _messages(path, playable(path, ["status"]), 0.0, done)]
        except BagError as error:
            refusal = str(error)
        assert not refusal or str(path) in refusal, f"the file is not named: {refusal}"
        assert set(played) <= set(sent), "what was never sent is played"
        assert played == sent or refusal or done.damage or done.warnings, "messages are missing, and nothing is said"
        return not refusal

    path = tmp_path / "changed.mcap"
    path.write_bytes(whole)
    assert plays_what_was_sent(path)
    read = try_all(amount(300, nightly=10_000), lambda rng: with_other_bytes(whole, rng), path, plays_what_was_sent)
    assert 0 < read < 1
