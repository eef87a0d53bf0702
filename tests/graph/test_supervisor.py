"""What the supervisor does with processes that die, cannot start, or do not stop."""

import os
import signal
import subprocess
import sys
from pathlib import Path

SUPERVISE = """
import sys, os
from aegis.graph.supervisor import Supervisor
commands = {"child": [sys.executable, "-c", sys.argv[1]]}
sys.exit(Supervisor(commands, os.environ, lambda text: print(text, flush=True)).run())
"""


def start(child: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", SUPERVISE, child], stdout=subprocess.PIPE, text=True)


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
