# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Log files: whole lines, rotated, the owner's alone, and a disk that refuses them for a while."""

import json
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.bridge.telemetry.rotated_file import RotatedFile
from aegis.bridge.telemetry.settings import LogSettings
from aegis.bridge.telemetry.writer import LogWriter


def lines_of(path: Path) -> list[bytes]:
    content = path.read_bytes()
    assert content.endswith(b"\n")
    return content[:-1].split(b"\n")


@given(st.lists(st.integers(0, 120), min_size=1, max_size=60), st.integers(1, 3), st.integers(0, 59))
def test_rotation_loses_only_the_oldest_whole_files(sizes, kept, reopen_at):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.log"
        file = RotatedFile(path, max_bytes=100, kept=kept)
        written = [b"%03d" % number + b"x" * size for number, size in enumerate(sizes)]
        for number, line in enumerate(written):
            if number == reopen_at:  # as a new process would
                file.close()
                file = RotatedFile(path, max_bytes=100, kept=kept)
            file.append(line)
        file.close()
        asides = [path.with_name(f"a.log.{number}") for number in range(kept, 0, -1)]
        files = [older for older in asides if older.exists()] + [path]
        assert set(files) == set(Path(folder).iterdir())
        found = [line for one in files for line in lines_of(one)]
        assert found == written[len(written) - len(found) :]
        if len(files) <= kept:
            assert found == written
        for one in files:
            assert one.stat().st_size <= 100 or len(lines_of(one)) == 1
            assert stat.S_IMODE(one.stat().st_mode) == 0o600


def test_an_open_file_is_closed_to_others(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"old\n")
    path.chmod(0o644)
    file = RotatedFile(path, 1000, 1)
    file.append(b"new")
    file.close()
    assert lines_of(path) == [b"old", b"new"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# A file that may not grow beyond its limit takes the first part of a line, as a full disk does, and then nothing.
_FULL_DISK = """
import json, resource, signal, sys, time
from pathlib import Path
from aegis.bridge.telemetry.settings import LogSettings
from aegis.bridge.telemetry.writer import LogWriter

def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1050, unlimited[1]))
path = Path(sys.argv[1]) / "a.log"
writer = LogWriter(path.parent, LogSettings(queue_bytes=10_000), "test")
for number in range(200):
    writer.put("a.log", b"%099d" % number)  # 19.8 kB
wait_for(lambda: writer.failures >= 2)
full = path.read_bytes()
counts = [writer.written, writer.dropped, writer.waiting_bytes]
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
wait_for(lambda: writer.waiting_bytes == 0)
writer.close()
print(json.dumps([full.decode(), counts, writer.written, writer.dropped, path.read_text()]))
"""


def test_a_full_disk_holds_lines_up_and_breaks_none(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    full, (written, dropped, waiting_bytes), all_written, all_dropped, content = json.loads(done.stdout)
    assert full == "".join(f"{number:099d}\n" for number in range(10))  # 1000 of 1050 bytes: no half line
    assert written == 10
    # 10 kB may wait: 101 lines, of which the ten were written.
    assert (dropped, waiting_bytes) == (99, 91 * 99)
    assert (all_written, all_dropped) == (101, 99)
    assert content == "".join(f"{number:099d}\n" for number in range(101))
    said = done.stderr.splitlines()
    assert len([line for line in said if "cannot be written" in line]) == 1
    assert "File too large" in done.stderr
    assert any("99 log lines were dropped" in line for line in said)


def test_a_folder_that_cannot_be_made_is_tried_again(tmp_path, wait_for, caplog):
    obstacle = tmp_path / "log"
    obstacle.write_text("a file where the folder should be")
    writer = LogWriter(obstacle, LogSettings(), "test")
    writer.put("a.log", b"first")
    wait_for(lambda: writer.failures == 2, "a second attempt")
    assert caplog.text.count("cannot be written") == 1
    obstacle.unlink()
    wait_for(lambda: writer.written == 1, "written as soon as it can be")
    wait_for(lambda: "written again" in caplog.text, "and said")
    writer.close()
    assert lines_of(obstacle / "a.log") == [b"first"]


def test_what_is_lost_at_the_end_is_said(tmp_path, caplog):
    obstacle = tmp_path / "log"
    obstacle.touch()
    writer = LogWriter(obstacle, LogSettings(), "test")
    writer.put("a.log", b"one")
    writer.put("b.log", b"two")
    writer.close()
    assert "2 log lines could not be written" in caplog.text
    assert not writer._thread.is_alive()


@pytest.mark.parametrize(
    ("log_dir", "namespace", "folder"),
    [
        ("", "", "/state/log"),
        ("", "front", "/state/log"),
        ("/logs", "", "/logs"),
        ("/logs", "/front/left", "/logs/front/left"),
    ],
)
def test_where_the_files_are(log_dir, namespace, folder):
    assert LogSettings(dir=log_dir).folder(Path("/state"), namespace) == Path(folder)


def test_what_is_put_until_the_end_is_written(tmp_path, wait_for):
    writer = LogWriter(tmp_path, LogSettings(queue_bytes=10_000_000), "test")
    path = tmp_path / "a.log"
    for number in range(30_000):
        writer.put(path.name, b"%d" % number)
    wait_for(path.exists, "the thread is at it")
    writer.put(path.name, b"last")
    writer.close()
    assert lines_of(path) == [*(b"%d" % number for number in range(30_000)), b"last"]
    assert (writer.written, writer.dropped, writer.waiting_bytes) == (30_001, 0, 0)
