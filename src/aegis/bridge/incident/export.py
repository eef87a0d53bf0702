# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis export` in a process of its own: below everything else's priority, bounded in time, memory and size, one at a time."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from aegis.bridge.incident.settings import IncidentSettings
from aegis.bridge.problem import ProblemError
from aegis.core.params import ConfigError

COMMAND = (sys.executable, "-m", "aegis", "export")
REFUSED = 2  # exit code of what cannot be exported as it was asked for
HISTORY_VARIABLE = "AEGIS_EXPORT_HISTORY"  # a database's URL has a password: not for the list of processes
_NICER = 5  # than the bridge
_AGAIN_S = 10  # after which to ask again, where one is being made
_LOOK_S = 0.5  # between looks at whether the client still waits
_MB = 10**6
_log = logging.getLogger(__name__)


class Incidents:
    """Makes zips of incidents, one at a time."""

    def __init__(self, settings: IncidentSettings, history: str, words: Sequence[str] = ()) -> None:
        """Prepare.

        Args:
            settings: bounds, and where the recording is.
            history: path or URL of the history.
            words: more of the command: which parameters the graph has.

        Raises:
            ConfigError: the recording's folder cannot be there.
        """
        recording = Path(settings.recording).absolute() if settings.recording else None
        if recording is not None and not recording.parent.is_dir():
            raise ConfigError(
                f"bridge: incident.recording '{settings.recording}': there is no folder '{recording.parent}'"
            )
        self._settings, self._history, self._words = settings, history, tuple(words)
        self._recording = recording
        self._busy = False

    def check(self, from_s: float, to_s: float) -> None:
        """Refuse a time that is none, or too long.

        Raises:
            ProblemError: 400, with what is allowed.
        """
        if from_s > to_s:
            raise ProblemError(400, "from lies after to")
        longest_s = self._settings.max_s
        if to_s - from_s > longest_s:
            raise ProblemError(
                400, f"an incident has {longest_s:g} s at most (parameter incident.max_s), not {to_s - from_s:g}"
            )

    async def make(
        self, from_s: float, to_s: float, *, site: str | None, url: str, is_gone: Callable[[], Awaitable[bool]]
    ) -> Path:
        """Make a zip; return it, alone in a folder which the caller removes with `remove`.

        Args:
            from_s, to_s: of the incident [s since 1970], which `check` has passed.
            site: latitude, longitude, altitude of `map`; None: as the parameters say.
            url: of the page that the report's links open.
            is_gone: tells whether nobody waits any more.

        Raises:
            ProblemError: 422, it cannot be exported as it was asked for; 503, another one is being made, or it took too much.
        """
        if self._busy:
            raise ProblemError(503, "another incident is being exported; ask again", retry_after=_AGAIN_S)
        self._busy = True
        folder = Path(await asyncio.to_thread(mkdtemp, prefix="aegis_incident_"))
        try:
            out = folder / "incident.zip"
            await self._run(folder, [*self._arguments(from_s, to_s, site, url), "-o", out.name], is_gone)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
            raise
        finally:
            self._busy = False
        return out

    @staticmethod
    async def remove(made: Path) -> None:
        """Remove a zip with its folder."""
        await asyncio.to_thread(shutil.rmtree, made.parent, ignore_errors=True)

    def _arguments(self, from_s: float, to_s: float, site: str | None, url: str) -> list[str]:
        bag = self._recording if self._recording is not None and self._recording.exists() else None
        given = {"--from": _iso(from_s), "--to": _iso(to_s), "--bag": bag, "--site": site, "--bridge": url}
        given["--max-mb"] = f"{self._settings.max_mb:g}"
        return [str(word) for option, value in given.items() if value is not None for word in (option, value)] + list(
            self._words
        )

    async def _run(self, folder: Path, arguments: Sequence[str], is_gone: Callable[[], Awaitable[bool]]) -> None:
        """Run the command in a folder until it has ended well.

        Raises:
            ProblemError: see `make`.
        """
        timeout_s = self._settings.timeout_s
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *arguments, cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            # What it leaves when it is killed is removed with the folder; a thread more is memory more.
            env={**os.environ, "TMPDIR": str(folder), HISTORY_VARIABLE: self._history, "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        try:
            with suppress(ProcessLookupError):  # it has ended already
                os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + _NICER)
                limit = round(self._settings.memory_mb * _MB)
                resource.prlimit(process.pid, resource.RLIMIT_DATA, (limit, limit))
                cpu_s = round(timeout_s) + 1  # it ends by itself where the bridge is killed meanwhile
                resource.prlimit(process.pid, resource.RLIMIT_CPU, (cpu_s, cpu_s))
            async with asyncio.timeout(timeout_s):
                said = await _told(process, is_gone)
        except TimeoutError:
            raise ProblemError(
                503,
                f"the export was not done within {timeout_s:g} s (parameter incident.timeout_s); ask for a shorter time",
            ) from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode == REFUSED:
            raise ProblemError(422, said.strip().rpartition("\n")[2].removeprefix("aegis export: "))
        if process.returncode != 0:
            _log.error("aegis export ended with %s: %s", process.returncode, said)
            needs = (
                "it needs more memory than incident.memory_mb allows"
                if "MemoryError" in said
                else "see the bridge's log"
            )
            raise ProblemError(503, f"the export failed: {needs}; a shorter time needs less")


async def _told(process: asyncio.subprocess.Process, is_gone: Callable[[], Awaitable[bool]]) -> str:
    """Return what a process says on standard error until its end; it ends when nobody waits for it."""
    talk = asyncio.ensure_future(process.communicate())
    try:
        while not (await asyncio.wait({talk}, timeout=_LOOK_S))[0]:
            if await is_gone():
                raise ProblemError(503, "nobody waits for the export any more")
        return (await talk)[1].decode(errors="replace")
    finally:
        talk.cancel()


def _iso(stamp_s: float) -> str:
    return datetime.fromtimestamp(stamp_s, UTC).isoformat(timespec="milliseconds")
