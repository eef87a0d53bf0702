# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Keeps processes of the graph running: starts them, restarts what dies or hangs, stops all of them together.

A child is forked, not started anew: what this process has imported need not be read again, and is in memory once. Nothing of ROS
is initialised here, and no thread of ours runs before a fork.
"""

from __future__ import annotations

import atexit
import ctypes
import faulthandler
import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from aegis.core.backoff import Backoff
from aegis.graph.watchdog import HANG_AFTER_S, START_TIMES, Watchdog
from aegis.heartbeat import Heartbeats, report_to
from aegis.state import STARTS

EXIT_CONFIG = 2  # of a process whose parameters are wrong
HEALTHY_AFTER_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0  # between restarts
STORM = 5  # deaths in a row, each soon after the start before, that are worth a sentence
STOP_DEADLINE_S = 5.0
LOOK_EVERY_S = 0.25  # a stop is heard of at once
# Between two looks, of each child only whether it is in a callback. With the watchdog's LONG_AFTER_S, one that does not return is
# told of within .3 s.
GLANCE_EVERY_S = 0.05
LONG_AGAIN_S = 60.0  # so often is it told of one child that a callback takes long
GAP_S = 1.0  # where this process itself was not running for so long, it has nothing to say about the others
# From what is said of a process that does not go on to its SIGKILL: for whoever has stopped it to let it go on, for it to write
# down where it hangs.
GRACE_S = 0.5
TELL_WHERE = signal.SIGUSR1
POLL_S = 0.02  # while children are stopping
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_SIGNALS = {signal.SIGCHLD, signal.SIGINT, signal.SIGTERM}


@dataclass(frozen=True)
class Program:
    """What a child does: returns its exit code; and what is set in its environment."""

    main: Callable[[], int]
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Child:
    name: str
    program: Program
    hang_after_s: float
    pid: int | None = None
    starts: int = 0
    started_at: float = 0.0
    failures: int = 0  # in a row, each before it was healthy
    backoff: Backoff = field(default_factory=lambda: Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S))
    restart_at: float | None = None
    kill_at: float | None = None  # it does not go on
    long_s: float = 0.0  # the callback that it has been in, which was told of
    long_told_at: float = -LONG_AGAIN_S
    long_is_told: bool = False
    heartbeats: Heartbeats = field(default_factory=Heartbeats)

    def __post_init__(self) -> None:
        self.watchdog = Watchdog(self.heartbeats, self.hang_after_s)

    def ended(self) -> int | None:
        """Return the exit code, negative where it was a signal; None while the child runs, or where it was not started."""
        if self.pid is None:
            return None
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return None
        self.pid = None
        return os.waitstatus_to_exitcode(status)

    def stopped(self) -> bool | None:
        """Return whether the child was stopped, or went on, since this was last asked; None where neither happened."""
        if self.pid is None:
            return None
        found = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WCONTINUED | os.WNOHANG)
        return None if found is None else found.si_code != os.CLD_CONTINUED


class Supervisor:
    """Runs programs until SIGINT or SIGTERM.

    What cannot start says so and ends everything: a child that in its first start exits by itself with an error within
    seconds, or with EXIT_CONFIG at any age, has a wrong parameter or a taken port, and a restart would only repeat it. What
    dies later, or is killed, is restarted, at once the first time and with a growing pause when it keeps dying. What is
    stopped by a signal, or has a loop that does not go round, is killed after a moment, and so restarted.
    """

    def __init__(
        self, programs: Mapping[str, Program], say: Callable[[str], None], *, hang_after_s: float = HANG_AFTER_S
    ) -> None:
        """Prepare.

        Args:
            programs: of each process, by its name.
            say: takes what a person should read.
            hang_after_s: how long a loop of a child may take to go round, once it has begun, and a tenth of what its start
                may take; 0 lets children hang, and stops of theirs alone.
        """
        self._children = [_Child(name, program, hang_after_s) for name, program in programs.items()]
        self._say = say
        self._hang_after_s = hang_after_s
        self._looked_ns = self._glanced_ns = self._awake_since_ns = 0

    def run(self) -> int:
        """Run to the end; return the exit code: 0 when asked to stop, else that of the child that could not start."""
        gc.collect()
        gc.freeze()  # a collection in a child would write into, and so copy, what is shared with it
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
        sys.stdout.flush()
        sys.stderr.flush()
        child.watchdog.begin()
        pid = os.fork()
        if pid == 0:
            report_to(child.heartbeats)
            os.environ[STARTS] = str(child.starts)
            os._exit(_run(child.name, child.program))
        child.pid = pid
        child.starts += 1
        child.started_at = time.monotonic()
        child.restart_at = child.kill_at = None
        child.long_s = 0.0

    def _wait(self) -> int | None:
        """Wait for a signal or a due restart, and act on it; return the exit code when all is to end."""
        due = [child.restart_at for child in self._children if child.restart_at is not None]
        timeout = max(0.0, min([GLANCE_EVERY_S, *(at - time.monotonic() for at in due)]))
        info = signal.sigtimedwait(_SIGNALS, timeout)
        if info is not None and info.si_signo in (signal.SIGINT, signal.SIGTERM):
            self._say("stopping")
            return 0
        now_ns = time.monotonic_ns()
        if now_ns - self._glanced_ns > GAP_S * 1e9:
            self._awake_since_ns = now_ns
        self._glanced_ns = now_ns
        if info is None and timeout == GLANCE_EVERY_S and now_ns - self._looked_ns < LOOK_EVERY_S * 1e9:
            for child in self._children:
                if child.pid is not None and child.kill_at is None and self._hang_after_s:
                    self._tell_of_long(child, child.pid)
            return None
        self._looked_ns = now_ns
        for child in self._children:
            if child.restart_at is not None and child.restart_at <= time.monotonic():
                self._start(child)
            code = child.ended()
            if code is not None:
                code = self._plan_restart(child, code)
            if code is not None:
                return code
            if self._hang_after_s:
                self._look_after(child)
        return None

    def _look_after(self, child: _Child) -> None:
        """Say that a child has begun not to go on, and kill it where it does not by the end of its grace."""
        if child.pid is None:
            return
        stopped = child.stopped()
        if child.kill_at is not None:
            if stopped is False:
                child.kill_at = None
                self._say(f"{child.name} goes on")
            elif time.monotonic() >= child.kill_at:
                os.kill(child.pid, signal.SIGKILL)
        elif stopped:
            self._say(f"{child.name} was stopped by a signal; it is killed in {GRACE_S:g} s unless it goes on")
            child.kill_at = time.monotonic() + GRACE_S
        else:
            age_s = child.watchdog.hangs_for_s(child.pid, self._glanced_ns, self._awake_since_ns)
            if age_s is not None:
                limit = f"now {self._hang_after_s:g} s"
                where = "in one callback"
                if child.watchdog.is_starting:
                    where, limit = "starting", f"{limit}; {START_TIMES:g} times that for a start"
                self._say(
                    f"{child.name} hangs: it has been {where} for {age_s:.1f} s, and is killed. Where it hangs:"
                    f" below. Where that was work: --hang-after ({limit})"
                )
                os.kill(child.pid, TELL_WHERE)
                child.kill_at = time.monotonic() + GRACE_S
            else:
                self._tell_of_long(child, child.pid)

    def _tell_of_long(self, child: _Child, pid: int) -> None:
        """Say once a minute that a child has been in one callback for long, and when it goes on."""
        long_s = child.watchdog.works_for_s(pid, self._glanced_ns, self._awake_since_ns) or 0.0
        before, child.long_s = child.long_s, long_s
        if long_s > before == 0.0:
            now_s = time.monotonic()
            child.long_is_told = now_s - child.long_told_at >= LONG_AGAIN_S
            if child.long_is_told:
                child.long_told_at = now_s
                self._say(
                    f"{child.name} has been in one callback for {long_s:.1f} s; it may work, or wait for a disk; it is killed"
                    f" after {self._hang_after_s:g} s"
                )
        elif long_s == 0.0 < before and child.long_is_told:
            self._say(f"{child.name} goes on, after {before:.1f} s or more")

    def _plan_restart(self, child: _Child, code: int) -> int | None:
        """Plan the restart of a child that ended; return an exit code where a restart makes no sense."""
        lived = time.monotonic() - child.started_at
        if child.starts == 1 and code > 0 and (lived < HEALTHY_AFTER_S or code == EXIT_CONFIG):
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
        if child.failures and child.failures % STORM == 0:
            self._say(
                f"{child.name} has died {child.failures} times in a row, each time within {HEALTHY_AFTER_S:g} s of its start"
            )
        child.restart_at = time.monotonic() + pause
        return None

    def _stop_all(self) -> None:
        for child in self._children:
            if child.pid is not None:
                os.kill(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_DEADLINE_S
        while any(child.pid is not None and child.ended() is None for child in self._children):
            if time.monotonic() > deadline:
                for child in self._children:
                    if child.pid is not None:
                        os.kill(child.pid, signal.SIGKILL)
                deadline = float("inf")
            time.sleep(POLL_S)


def _run(name: str, program: Program) -> int:
    """Be a child, from the fork to its exit code."""
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)  # it ends with the supervisor even when that is killed
        if os.getppid() == 1:  # it died between fork and prctl
            return 1
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.environ.update(program.environ)
        faulthandler.register(TELL_WHERE)
        libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)
        with suppress(OSError):  # only its name would be missing
            _set_command_line("aegis.graph.node", name)
        return program.main()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001 - as at the end of any program
        traceback.print_exc()
        return 1
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()


def _set_command_line(*words: str) -> None:
    """Let `ps` and /proc show these words for this process, in the place of those that the supervisor was started with.

    Raises:
        OSError: /proc does not say where they are.
    """
    fields = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
    begin, end = int(fields[45]), int(fields[46])  # arg_start and arg_end, see proc(5)
    if 0 < begin < end:
        text = b"".join(word.encode() + b"\0" for word in words)
        ctypes.memmove(begin, text.ljust(end - begin, b"\0")[: end - begin], end - begin)
