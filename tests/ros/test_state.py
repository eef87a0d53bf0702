"""What outlives a process: the state directory, whole files, epochs."""

import os

import pytest

from aegis.state import next_epoch, remove_leftovers, state_dir, write_atomically


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


def test_a_damaged_epoch_file_is_named(tmp_path):
    (tmp_path / "epoch_ew.json").write_text("{")
    with pytest.raises(ValueError, match=r"epoch_ew\.json: not an epoch file"):
        next_epoch(tmp_path, "ew", "a")
