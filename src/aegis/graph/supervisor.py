"""Keeps the processes of `aegis up` running: starts them, restarts what dies, stops all of them together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aegis.core.backoff import Backoff

HEALTHY_AFTER_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0  # between restarts
STOP_DEADLINE_S = 5.0
_PR_SET_PDEATHSIG = 1
_SIGNALS = {signal.SIGCHLD, signal.SIGINT, signal.SIGTERM}


@dataclass
class _Child:
    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    started_at: float = 0.0
    failures: int = 0  # in a row, each before it was healthy
    backoff: Backoff = field(default_factory=lambda: Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S))
    restart_at: float | None = None


class Supervisor:
    """Runs commands until SIGINT or SIGTERM.

    What cannot start says so and ends everything: a child that exits by itself with an error within its first seconds
    has a wrong parameter or a taken port, and a restart would only repeat it. What dies later, or is killed, is
    restarted, at once the first time and with a growing pause when it keeps dying.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        environ: Mapping[str, str],
        say: Callable[[str], None],
        own: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Prepare.

        Args:
            commands: name of each process to its command.
            environ: environment of all.
            say: takes what a person should read.
            own: name of a process to what is set in its environment besides.
        """
        self._children = [_Child(name, c, {**environ, **(own or {}).get(name, {})}) for name, c in commands.items()]
        self._say = say

    def run(self) -> int:
        """Run to the end; return the exit code: 0 when asked to stop, else that of the child that could not start."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            for child in self._children:
                self._start(child)
            code: int | None = None
            while code is None:
                code = self._wait()
            return code
        finally:
            self._stop_all()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _start(self, child: _Child) -> None:
        child.process = subprocess.Popen(
            child.command, env=child.environ, stdin=subprocess.DEVNULL, preexec_fn=_in_child, start_new_session=True
        )
        child.starts += 1
        child.started_at = time.monotonic()
        child.restart_at = None

    def _wait(self) -> int | None:
        """Wait for a signal or a due restart, and act on it; return the exit code when all is to end."""
        due = [child.restart_at for child in self._children if child.restart_at is not None]
        # A signal that arrives while another is pending is merged with it, hence the upper bound.
        timeout = max(0.0, min([1.0, *(at - time.monotonic() for at in due)]))
        info = signal.sigtimedwait(_SIGNALS, timeout)
        if info is not None and info.si_signo in (signal.SIGINT, signal.SIGTERM):
            self._say("stopping")
            return 0
        for child in self._children:
            if child.restart_at is not None and child.restart_at <= time.monotonic():
                self._start(child)
            elif child.process is not None and child.process.poll() is not None:
                code = self._ended(child, child.process.returncode)
                if code is not None:
                    return code
        return None

    def _ended(self, child: _Child, code: int) -> int | None:
        """Plan the restart of a child that ended; return an exit code where a restart makes no sense."""
        lived = time.monotonic() - child.started_at
        child.process = None
        if child.starts == 1 and code > 0 and lived < HEALTHY_AFTER_S:
            self._say(f"{child.name} could not start (exit code {code}); see its message above")
            return code
        if lived >= HEALTHY_AFTER_S:
            child.failures = 0
            child.backoff.reset()
        else:
            child.failures += 1
        pause = child.backoff.pause_s() if child.failures > 1 else 0.0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._say(f"{child.name} {how} after {lived:.1f} s; restarting it" + (f" in {pause:g} s" if pause else ""))
        child.restart_at = time.monotonic() + pause
        return None

    def _stop_all(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_DEADLINE_S
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _in_child() -> None:
    """Between fork and exec: take signals again, and end with the supervisor even when that is killed."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() == 1:  # it died between fork and prctl
        os._exit(1)
