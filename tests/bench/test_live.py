# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a benchmark has started ends with it."""

import os
import signal
import subprocess
import sys

import pytest

BENCH = """
import os, signal, sys, time
from pathlib import Path
from aegis.bench.live import running
with running([sys.executable, "-c", "import time; time.sleep(600)"], os.environ, Path(sys.argv[1])) as process:
    print(process.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("interrupt", [signal.SIG_DFL, signal.SIG_IGN])
def test_what_was_started_ends_with_who_is_told_to(tmp_path, interrupt):
    """SIGINT may be ignored by all of them: a shell's background jobs do."""
    bench = subprocess.Popen(
        [sys.executable, "-c", BENCH, str(tmp_path / "log.txt")], stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, interrupt),
    )  # fmt: skip
    pid = int(bench.stdout.readline())
    os.kill(pid, 0)
    bench.terminate()
    assert bench.wait(10) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
