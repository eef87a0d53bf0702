# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What outlives a process: the state directory, whole files, epochs, ids that are never repeated."""

import os
import subprocess
import sys

import pytest

from aegis.core.ids import LAST_ID
from aegis.state import kept_ids, next_epoch, remove_leftovers, state_dir, write_atomically


def test_each_namespace_has_its_own_directory_that_others_cannot_read(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STATE_DIR", str(tmp_path / "state"))
    a, b = state_dir(""), state_dir("/front/radar")
    assert b == a / "front" / "radar"
    assert a.stat().st_mode & 0o777 == 0o700


def test_a_failed_write_leaves_the_old_content_and_no_rubbish(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("durable", "syncs"), [(True, 1), (False, 0)])
def test_only_what_must_survive_a_power_failure_waits_for_the_disk(tmp_path, monkeypatch, durable, syncs):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    write_atomically(tmp_path / "file", b"content", durable=durable)
    assert len(synced) == syncs
    assert (tmp_path / "file").read_bytes() == b"content"


def test_leftovers_of_one_file_are_removed_and_nothing_else(tmp_path):
    for name in ("file", ".file.x1y2", ".file2.x1y2", "other"):
        (tmp_path / name).write_bytes(b"")
    remove_leftovers(tmp_path / "file")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".file2.x1y2", "file", "other"]


def test_epochs_count_the_starts_within_a_run(tmp_path):
    assert [next_epoch(tmp_path, "tracking", "a") for _ in range(3)] == [0, 1, 2]
    assert next_epoch(tmp_path, "threat", "a") == 0
    assert next_epoch(tmp_path, "tracking", "b") == 0


def test_a_new_run_repeats_no_id(tmp_path):
    path = tmp_path / "ids.json"
    first = kept_ids(path)
    given = [*first.take(3), *first.take(2)]
    assert given == [1, 2, 3, 4, 5]
    # No goodbye, as after kill -9: what matters is on disk before an id is handed out.
    assert min(kept_ids(path).take(1)) > max(given)


def test_a_killed_run_repeats_no_id(tmp_path):
    """Each run takes ids in its own process and is killed by SIGKILL in the middle of it."""
    take = (
        "import sys; from pathlib import Path; from aegis.state import kept_ids\n"
        "ids = kept_ids(Path(sys.argv[1]))\n"
        "while True: print(*ids.take(1000), flush=True)\n"
    )
    seen: list[int] = []
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", take, tmp_path / "ids"], stdout=subprocess.PIPE, text=True) as run:
            for _ in range(10):
                seen += map(int, run.stdout.readline().split())
            run.kill()
    assert len(set(seen)) == len(seen) == 40_000


def test_crossing_a_reserved_block(tmp_path):
    path = tmp_path / "ids.json"
    ids = kept_ids(path)
    seen = [i for _ in range(10) for i in ids.take(1000).tolist()]
    assert len(set(seen)) == 10_000
    assert min(kept_ids(path).take(1)) > max(seen)


def test_without_a_file_every_run_is_the_same():
    assert kept_ids(None).take(2).tolist() == kept_ids(None).take(2).tolist() == [1, 2]


def test_the_end_is_an_error_and_not_a_repetition(tmp_path):
    path = tmp_path / "ids.json"
    path.write_text(f'{{"next_id": {LAST_ID}}}')
    ids = kept_ids(path)
    assert ids.take(1).tolist() == [LAST_ID]
    with pytest.raises(OverflowError, match="used up"):
        ids.take(1)
