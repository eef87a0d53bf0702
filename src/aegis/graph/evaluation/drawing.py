# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What pages of an evaluation and of a report are made of: tables, a map and charts, as text and SVG; no scripts, no network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple

import numpy as np

from aegis.core.types import Floats, Ints
from aegis.graph.evaluation.report import number

MAX_BYTES = 500_000
POINTS = 16_000  # of all lines at first; half as many until the page is small enough
MAX_ROWS = 400  # of a table
SIZE = 860.0  # of the map
MARGIN = 46.0
CHART_WIDTH, CHART_HEIGHT = 420.0, 190.0
LEFT, RIGHT = 52.0, 4.0  # of a chart, beside its plot
HOLE = 5.0  # as many times the usual step, and a line has a hole

STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:1.5rem auto;max-width:75rem;padding:0 1rem;color:#1b2430;background:#fff}
h1{font-size:1.35rem}h2{font-size:1.05rem;margin-top:1.8rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.15rem .6rem;border-bottom:1px solid #d8dee6;text-align:right;white-space:nowrap}
th:first-child,td:first-child,td.text{text-align:left}td.text{white-space:normal}
.pass{color:#0a6b2d}.FAIL,.no{color:#b3001b;font-weight:600}
.scroll{overflow-x:auto}.charts{display:flex;flex-wrap:wrap;gap:1.5rem}
svg{background:#f7f9fb;border:1px solid #d8dee6;max-width:100%;height:auto}
svg text{font:11px system-ui,sans-serif;fill:#1b2430}
.axis{fill:none}
.truth{fill:none;stroke:#7b8794;stroke-width:1.5}.gap{fill:none;stroke:#d4001f;stroke-width:3}
.unseen{fill:none;stroke:#c3cad3;stroke-dasharray:3 3}
.track{fill:none;stroke:#1f6fd1;stroke-width:1}.false{fill:none;stroke:#e07b00;stroke-width:1.5}
.double{fill:none;stroke:#8a3ffc;stroke-width:1.5}.axis{stroke:#d8dee6;stroke-width:1}.bar{fill:#1f6fd1}
.worst{fill:#fff;stroke:#1b2430}.line{fill:none;stroke:#1f6fd1;stroke-width:1.2}
.area{fill:none;stroke:#0a6b2d;stroke-dasharray:6 3}code{background:#eef1f5;padding:.1rem .3rem}
.key b{display:inline-block;width:1.6rem;height:0;border-top:3px solid;margin:0 .3rem .25rem .9rem}
"""


def whole_page(title: str, body: Callable[[int, int], Iterator[str]]) -> str:
    """Return a page of at most MAX_BYTES.

    Args:
        title: of the page.
        body: gives its lines, of about so many points in all lines, and so many rows in a table.
    """
    points, rows = POINTS, MAX_ROWS
    head = (
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style></head><body>'
    )
    while True:
        lines = ["<!doctype html>", head, f"<h1>{escape(title)}</h1>", *body(points, rows), "</body></html>"]
        page = "\n".join(lines)
        if len(page.encode()) <= MAX_BYTES or points < 10:
            return page
        points, rows = points // 2, max(rows // 2, 20)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], text: int = -1) -> Iterator[str]:
    """Yield a table; column `text` is of words. A cell that is `Html` is taken as it is."""
    yield '<div class="scroll"><table><tr>' + "".join(f"<th>{escape(cell)}" for cell in head) + "</tr>"
    for row in rows:
        cells = (
            ('<td class="text">' if k == text else "<td>") + (c if isinstance(c, Html) else escape(c))
            for k, c in enumerate(row)
        )
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</table></div>"


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def link(address: str, text: str) -> Html:
    """Return a link."""
    return Html(f'<a href="{escape(address)}">{escape(text)}</a>')


def clock(time_ns: int) -> str:
    """Return the time of day, UTC, with tenths of seconds."""
    return f"{datetime.fromtimestamp(time_ns / 1e9, UTC):%H:%M:%S.%f}"[:-5]


def utc(time_ns: int) -> str:
    """Return date and time, UTC."""
    return f"{datetime.fromtimestamp(time_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S} UTC"


def path(places: Floats, kind: str, title: str = "", style: str = "") -> str:
    """Return a line through places (N, 2) of the drawing."""
    if len(places) == 1:
        places = np.concatenate([places, places + 0.5])
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places.tolist())
    label = f"<title>{escape(title)}</title>" if title else ""
    own = f' style="{style}"' if style else ""
    return f'<path class="{kind}"{own} d="{d}">{label}</path>'


def stretches(flags: np.ndarray) -> list[Ints]:
    """Return the indices of each run of one value."""
    if not len(flags):
        return []
    return np.split(np.arange(len(flags)), np.flatnonzero(np.diff(flags)) + 1)


class Way(NamedTuple):
    """Where a track was; rows of the P that were shown."""

    track_id: int
    rows: Ints


def ways(track_id: Ints) -> list[Way]:
    """Return the rows (in their order) of each track, by the first row."""
    order = np.argsort(track_id, kind="stable")
    first = np.flatnonzero(np.diff(track_id[order], prepend=-1))
    found = [Way(int(track_id[rows[0]]), rows) for rows in np.split(order, first[1:])] if len(track_id) else []
    return sorted(found, key=lambda way: int(way.rows[0]))


def thinned(rows: Ints, stride: int) -> Ints:
    """Return every so manieth of some rows, and the last one."""
    return np.unique(np.concatenate([rows[::stride], rows[-1:]]))


class Scale:
    """From metres in `map` to the drawing, north up."""

    def __init__(self, places: Floats) -> None:
        low, high = (places.min(axis=0), places.max(axis=0)) if len(places) else (np.full(2, -1e3), np.full(2, 1e3))
        self.span = max(float((high - low).max()), 10.0) * 1.04
        self.middle = (low + high) / 2

    def __call__(self, places: Floats) -> Floats:
        """Return the places (N, 2) in the drawing of places (N, 2 or more)."""
        unit = (places[:, :2] - self.middle) / self.span + 0.5
        return np.asarray(MARGIN + np.column_stack([unit[:, 0], 1.0 - unit[:, 1]]) * (SIZE - 2 * MARGIN))


def map_of(scale: Scale, lines: Iterator[str], sensor: Floats, marks: Sequence[tuple[str, Floats]]) -> Iterator[str]:
    """Yield the map: axes, the sensor (2,), lines of the drawing, and numbered marks at places (2,) in `map`."""
    yield f'<svg viewBox="0 0 {SIZE:.0f} {SIZE:.0f}" width="{SIZE:.0f}" role="img" aria-label="Map of objects and tracks">'
    yield from _axes(scale)
    (x, y), *_ = scale(sensor[None])
    yield f'<path d="M{x - 6:.1f} {y:.1f}h12M{x:.1f} {y - 6:.1f}v12" stroke="#1b2430"><title>sensor</title></path>'
    yield from lines
    for text, place in marks:
        (x, y), *_ = scale(place[None])
        yield f'<circle class="worst" cx="{x:.1f}" cy="{y:.1f}" r="8"/><text x="{x - 3:.1f}" y="{y + 4:.1f}">{text}</text>'
    yield "</svg>"


def _axes(scale: Scale) -> Iterator[str]:
    """Yield lines at round distances, with their coordinates in kilometres or metres."""
    step = _round_step(scale.span)
    unit, factor = ("km", 1000.0) if scale.span > 2000 else ("m", 1.0)
    low = scale.middle - scale.span / 2
    for axis in (0, 1):
        for k in range(math.ceil(low[axis] / step), math.floor((low[axis] + scale.span) / step) + 1):
            place = np.array([scale.middle])
            place[0, axis] = k * step
            x, y = scale(place)[0]
            label = f"{k * step / factor:g} {unit}"
            if axis == 0:
                yield f'<path class="axis" d="M{x:.1f} {MARGIN:.0f}V{SIZE - MARGIN:.0f}"/>'
                yield f'<text x="{x:.1f}" y="{SIZE - 28:.0f}" text-anchor="middle">{label}</text>'
            else:
                yield f'<path class="axis" d="M{MARGIN:.0f} {y:.1f}H{SIZE - MARGIN:.0f}"/>'
                yield f'<text x="{MARGIN - 4:.0f}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _round_step(span: float) -> float:
    """Return 1, 2 or 5 of a power of ten, so that a span has three to seven of it."""
    step = 10.0 ** math.floor(math.log10(span / 3))
    return step * next(k for k in (1, 2, 5, 10) if span / (k * step) <= 7)


class Chart:
    """A chart from 0 to `high`, over `duration_s` seconds or anything else."""

    def __init__(
        self, high: float, unit: str, right: str, *, duration_s: float = 1.0, width: float = CHART_WIDTH
    ) -> None:
        self.high, self.duration_s, self.width = max(high, 1e-9), max(duration_s, 1e-9), width
        self.head = (
            f'<svg viewBox="0 0 {width:.0f} {CHART_HEIGHT + 30:.0f}" width="{width:.0f}">'
            f'<text x="2" y="14">{number(high)} {unit}</text><text x="2" y="{CHART_HEIGHT:.0f}">0</text>'
            f'<text x="{width - 4:.0f}" y="{CHART_HEIGHT + 24:.0f}" text-anchor="end">{right}</text>'
            f'<path class="axis" d="M{LEFT - 2:.0f} 10V{CHART_HEIGHT:.0f}H{width - RIGHT:.0f}"/>'
        )

    def place(self, time_s: Floats, value: Floats) -> Floats:
        """Return the places (N, 2) of values at times."""
        x = LEFT - 2 + (self.width - LEFT - RIGHT + 2) * time_s / self.duration_s
        return np.column_stack([x, CHART_HEIGHT - (CHART_HEIGHT - 10) * value / self.high])

    def line(self, time_s: Floats, value: Floats, points: int, *, title: str = "", style: str = "") -> Iterator[str]:
        """Yield a line of at most about so many points, the highest of each stretch; with a hole where there is no data."""
        known = np.isfinite(value)
        time_s, value = time_s[known], value[known]
        if not len(value):
            return
        stride = max(1, math.ceil(len(value) / max(points, 2)))
        begins = np.arange(0, len(value), stride)
        highest = np.maximum.reduceat(value, begins)
        step = np.diff(time_s, prepend=time_s[0])
        usual = float(np.median(step[1:])) if len(step) > 1 else 0.0
        holes = np.maximum.reduceat(step, begins) > HOLE * max(usual, 1e-9)
        for run in np.split(np.arange(len(begins)), np.flatnonzero(holes)):
            if len(run):
                yield path(self.place(time_s[begins[run]], highest[run]), "line", title, style)
