# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: headless Chromium without a GPU, before a real bridge process that is fed through DDS.

The time of script a frame is that of all callbacks (of the stream, of drawing, of timers) from one drawing to the next, by the
clock: what else the machine does counts, but not in the means by the thread's CPU time beside it. The page draws when something has
come, and when its lists are refreshed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from aegis.bench import BenchmarkError, Row
from aegis.bench.bridge import HZ, PASSWORD, USER, bridge_of

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

TRACKS = (1000, 5000)
WARM_UP_S, MEASURE_S = 5.0, 20.0
TRAILS_FULL_S = 65.0  # trails are a minute long: before that the page has to grow
DEADLINE_MS = 60_000
WIDTH, HEIGHT = 1920, 1080
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
# Times every callback of the page; runs before its scripts.
PROBE = (Path(__file__).with_name("page_probe.js")).read_text(encoding="utf-8")


def run(runs: int, minutes: float = 10.0) -> Iterator[Row]:
    """Measure each size of picture `runs` times, and the memory over some minutes once; yield a row each.

    Raises:
        BenchmarkError: there is no playwright or no Chromium, or the page shows nothing.
    """
    _browser()
    for tracks in TRACKS:
        yield _row(tracks, runs, minutes)


def _row(tracks: int, runs: int, minutes: float) -> Row:
    seen: list[dict[str, Any]] = []
    heap: list[float] = []
    cpu: list[list[float]] = []  # ms a frame, by the main thread's own clock
    for k in tqdm(range(runs), unit="run", desc=f"{tracks} tracks", disable=None):
        with bridge_of(tracks) as (port, _, _), _page(port) as page:
            begin = time.monotonic()
            _pass(page, WARM_UP_S)
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            before = _cpu_s(session)
            page.evaluate("probe.clear()")
            _pass(page, MEASURE_S)
            seen.append(page.evaluate("probe.seen()"))
            cpu.append(
                [
                    (after - b) * 1e3 / max(seen[-1]["frames"], 1)
                    for after, b in zip(_cpu_s(session), before, strict=True)
                ]
            )
            session.detach()
            if k == runs - 1 and minutes > 0.0:
                _pass(page, TRAILS_FULL_S - (time.monotonic() - begin))
                heap = [_heap_mb(page)]
                _pass(page, minutes * 60.0)
                heap.append(_heap_mb(page))
    if not any(one["frames"] for one in seen):
        raise BenchmarkError("the page has drawn nothing")
    script = [np.percentile(one["script_ms"], [50, 95, 100]) for one in seen]
    p50, p95, worst = np.median(script, axis=0)
    long_tasks = [task for one in seen for task in one["long_ms"]]
    return {
        "bench": "page",
        "tracks": tracks,
        "hz": HZ,
        "script_p50_ms": round(float(p50), 2),
        "script_p95_ms": round(float(p95), 2),
        "script_p95_min_ms": round(float(min(one[1] for one in script)), 2),
        "script_p95_max_ms": round(float(max(one[1] for one in script)), 2),
        "script_max_ms": round(float(worst), 1),
        "script_cpu_ms": round(float(np.median(cpu, axis=0)[0]), 2),
        "main_thread_cpu_ms": round(float(np.median(cpu, axis=0)[1]), 2),
        "drawn_hz": round(float(np.median([one["frames"] / one["seconds"] for one in seen])), 2),
        "received_hz": round(float(np.median([one["messages"] / one["seconds"] for one in seen])), 2),
        "long_tasks": len(long_tasks),
        "longest_task_ms": round(max(long_tasks, default=0.0), 1),
        "seconds": round(sum(one["seconds"] for one in seen), 1),
        "heap_minutes": minutes,
        "heap_first_mb": heap[0] if heap else None,
        "heap_last_mb": heap[1] if heap else None,
        "scope": seen[-1]["scope"],
        "runs": runs,
        "load": round(os.getloadavg()[0], 1),
        "cores": len(os.sched_getaffinity(0)),
    }


def _browser() -> str:
    """Return the path of the system's Chromium.

    Raises:
        BenchmarkError: there is none, or nothing to drive it with.
    """
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError as error:
        raise BenchmarkError("playwright is not installed: pip install 'aegis[bench]'") from error
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        raise BenchmarkError(
            "no Chromium on this machine: apt install chromium, or name one in the environment, CHROMIUM=PATH"
        )
    return found


@contextlib.contextmanager
def _page(port: int) -> Iterator[Page]:
    """Open the page, sign in, and wait until it shows a picture.

    Raises:
        BenchmarkError: the page shows no picture.
    """
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright, contextlib.ExitStack() as stack:
        try:
            browser = playwright.chromium.launch(executable_path=_browser(), args=list(ARGUMENTS))
            stack.callback(browser.close)
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.set_default_timeout(DEADLINE_MS)
            page.add_init_script(PROBE)
            page.goto(f"http://127.0.0.1:{port}")
            page.fill("#username", USER)
            page.fill("#password", PASSWORD)
            page.click("#login button")
            page.wait_for_selector("body[data-connection='live'][data-picture='fresh']")
        except Error as error:
            raise BenchmarkError(f"the page shows no picture: {error}") from error
        yield page


def _pass(page: Page, seconds: float) -> None:
    """Let so many seconds pass, or none."""
    page.wait_for_timeout(max(0.0, seconds) * 1e3)


def _cpu_s(session: CDPSession) -> tuple[float, float]:
    """Return the CPU time of the page's main thread in its scripts, and in all that it did [s]."""
    values = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return values["ScriptDuration"], values["TaskDuration"]


def _heap_mb(page: Page) -> float:
    """Return the JavaScript heap that is in use after collecting garbage [MB]."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
    session.detach()
    return round(float(used), 2)
