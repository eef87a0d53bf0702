# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the supervisor does with processes that die, cannot start, or do not stop."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from aegis.graph import supervisor

SUPERVISE = """
import sys
from aegis.graph import supervisor
from aegis.graph.supervisor import Program, Supervisor
supervisor.HEALTHY_AFTER_S = float(sys.argv[3])
programs = {"child": Program(lambda: exec(sys.argv[1], {}) or 0, {"OF_THE_CHILD": "here"})}
say = lambda text: print(text, flush=True)
sys.exit(Supervisor(programs, say, hang_after_s=float(sys.argv[2])).run())
"""


def start(
    child: str, hang_after_s: float = 0.0, healthy_after_s: float = supervisor.HEALTHY_AFTER_S, **streams: object
) -> subprocess.Popen:
    words = [sys.executable, "-c", SUPERVISE, child, str(hang_after_s), str(healthy_after_s)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, **streams)


def stop(process: subprocess.Popen) -> str:
    """Stop the supervisor; return what it has said."""
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    return out + (errors or "")


def test_a_child_that_cannot_start_ends_everything_with_its_code():
    process = start("import sys; sys.exit(5)")
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 5
    assert "child could not start (exit code 5)" in out


def test_a_killed_child_is_restarted_and_one_that_keeps_dying_is_given_pauses(tmp_path: Path, wait_for):
    starts = tmp_path / "starts"
    child = f"import os, signal; open({str(starts)!r}, 'a').write('x'); os.kill(os.getpid(), signal.SIGKILL)"
    process = start(child)
    try:
        wait_for(lambda: starts.exists() and len(starts.read_text()) >= 4, "three restarts")
    finally:
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    lines = [line for line in out.splitlines() if "was killed by SIGKILL" in line]
    assert lines[0].endswith("restarting it")  # at once
    assert lines[1].endswith("in 0.25 s")
    assert lines[2].endswith("in 0.5 s")


def test_a_child_that_will_not_stop_is_killed(tmp_path: Path, wait_for):
    pid_file = tmp_path / "pid"
    child = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"open({str(pid_file)!r}, 'w').write(str(os.getpid()) + ' ');\nwhile True: time.sleep(1)"
    )
    process = start(child)
    wait_for(lambda: pid_file.exists() and pid_file.read_text().endswith(" "), "the child")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert not os.path.exists(f"/proc/{int(pid_file.read_text())}")


def test_a_child_has_an_environment_and_a_name_of_its_own_and_no_input(tmp_path: Path, wait_for):
    found = tmp_path / "found"
    child = (
        "import os, sys, time;"
        f"file = open({str(found)!r}, 'w');"
        "print(os.getpid(), os.getsid(0), os.environ['OF_THE_CHILD'], repr(sys.stdin.read()), 'end', file=file, flush=True);"
        "time.sleep(60)"
    )
    process = start(child)
    try:
        wait_for(lambda: found.exists() and "end" in found.read_text(), "the child")
        pid, session, variable, read, _ = found.read_text().split()
        assert (session, variable, read) == (pid, "here", "''")
        assert Path(f"/proc/{pid}/comm").read_text().strip() == "child"
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        assert words[:2] == [b"aegis.graph.node", b"child"]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_children_end_with_a_supervisor_that_is_killed(tmp_path: Path, wait_for):
    pid_file = tmp_path / "pid"
    child = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid()) + ' '); time.sleep(60)"
    process = start(child)
    wait_for(lambda: pid_file.exists() and pid_file.read_text().endswith(" "), "the child")
    process.kill()
    process.communicate(timeout=20)
    wait_for(lambda: not os.path.exists(f"/proc/{int(pid_file.read_text())}"), "the end of the child")


def test_an_exception_in_a_child_is_shown_and_is_a_failed_start():
    process = start("raise RuntimeError('broken')", stderr=subprocess.PIPE)
    out, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "RuntimeError: broken" in errors
    assert "child could not start (exit code 1)" in out
