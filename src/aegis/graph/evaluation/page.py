"""An evaluation as a page: one HTML file without scripts, which asks no network for anything."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape

import numpy as np

from aegis.core.evaluation.evaluate import Evaluation
from aegis.core.evaluation.matching import Kind
from aegis.core.evaluation.requirements import Requirements, Row
from aegis.core.types import Floats
from aegis.graph.evaluation.report import OBJECT_HEAD, class_name, measure_cells, number, object_cells, seconds

MAX_BYTES = 500_000
POINTS = 16_000  # of all lines at first; half as many until the page is small enough
MAX_ROWS = 400  # of objects
SIZE = 860.0  # of the map
MARGIN = 46.0
CHART_WIDTH, CHART_HEIGHT = 420.0, 190.0

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
.key b{display:inline-block;width:1.6rem;height:0;border-top:3px solid;margin:0 .3rem .25rem .9rem}
"""


def as_html(found: Evaluation, requirements: Requirements | None, rows: Sequence[Row], title: str) -> str:
    """Return the page, of at most MAX_BYTES."""
    points, objects = POINTS, MAX_ROWS
    while True:
        page = "\n".join(_lines(found, requirements, rows, title, points, objects))
        if len(page.encode()) <= MAX_BYTES or points < 10:
            return page
        points, objects = points // 2, max(objects // 2, 20)


def _lines(
    found: Evaluation, requirements: Requirements | None, rows: Sequence[Row], title: str, points: int, objects: int
) -> Iterator[str]:
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style></head><body>'
    yield f"<h1>{escape(title)}</h1>"
    begin = datetime.fromtimestamp(int(found.scene.time_ns[0]) / 1e9, UTC)
    yield (
        f"<p>{found.scans} scans in {found.scene.hours * 3600.0:.1f} s from {begin:%Y-%m-%d %H:%M:%S} UTC. A track shows an"
        f" object within {found.gate_m:g} m. Updates are expected in {found.update_period_s:.3g} s."
    )
    if found.left_out:
        yield f" {found.left_out} scans are outside the time of the truth and left out."
    yield "</p>"
    if requirements is not None:
        source = f" ({requirements.source})" if requirements.source else ""
        yield f"<h2>Requirements: {escape(requirements.name + source)}</h2>"
        yield '<div class="scroll"><table><tr><th>measure<th>limit<th>value<th>n<th>verdict<th></tr>'
        for row in rows:
            cells = "".join(f"<td>{escape(t)}" for t in (row.measure, row.limit, number(row.value), str(row.n)))
            yield f'<tr>{cells}<td class="{row.verdict}">{row.verdict}<td class="text">{escape(row.text)}</tr>'
        yield "</table></div>"
    yield "<h2>Map</h2>"
    yield from _map(found, points)
    yield "<h2>The tracks that cost most</h2>"
    yield from _worst(found)
    yield '<div class="charts"><div><h2>Update probability against range</h2>'
    yield from _bars(found)
    yield "</div><div><h2>GOSPA over time</h2>"
    yield from _over_time(found, points // 8)
    yield "</div></div><h2>Objects</h2>"
    yield from _table(OBJECT_HEAD, [object_cells(row) for row in found.objects[:objects]])
    if len(found.objects) > objects:
        yield f"<p>{len(found.objects) - objects} more are left out here; --json has all.</p>"
    yield "<h2>Measures</h2>"
    yield from _table(
        ("measure", "value", "unit", "n", ""), [measure_cells(name, m) for name, m in found.measures.items()], text=4
    )
    if found.classes.n:
        yield "<h2>Class: is, told</h2>"
        told = [k for k in range(found.classes.confusion.shape[1]) if found.classes.confusion[:, k].any()]
        confused = [
            [class_name(i), *(str(row[k]) for k in told)] for i, row in enumerate(found.classes.confusion) if row.any()
        ]
        yield from _table(("", *map(class_name, told)), confused)
    yield "</body></html>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], text: int = -1) -> Iterator[str]:
    """Yield a table; column `text` is of words."""
    yield '<div class="scroll"><table><tr>' + "".join(f"<th>{escape(cell)}" for cell in head) + "</tr>"
    for row in rows:
        cells = (f'<td class="text">{escape(c)}' if k == text else f"<td>{escape(c)}" for k, c in enumerate(row))
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</table></div>"


def _worst(found: Evaluation) -> Iterator[str]:
    if not found.worst:
        yield "<p>There are no tracks.</p>"
        return
    rows = []
    for k, one in enumerate(found.worst, 1):
        at = datetime.fromtimestamp(int(found.scene.time_ns[one.at_scan]) / 1e9, UTC)
        rows.append(
            [
                str(k), str(one.track_id), f"{seconds(found, one.at_scan):.1f} s", f"{at:%H:%M:%S.%f}"[:-5],
                f"{100 * one.cost:.0f} %", one.text,
            ]
        )  # fmt: skip
    yield from _table(("", "track", "look at", "UTC", "of all cost", ""), rows, text=5)


class _Scale:
    """From metres in `map` to the drawing, north up."""

    def __init__(self, places: Floats) -> None:
        low, high = (places.min(axis=0), places.max(axis=0)) if len(places) else (np.full(2, -1e3), np.full(2, 1e3))
        self.span = max(float((high - low).max()), 10.0) * 1.04
        self.middle = (low + high) / 2

    def __call__(self, places: Floats) -> Floats:
        unit = (places[:, :2] - self.middle) / self.span + 0.5
        return np.asarray(MARGIN + np.column_stack([unit[:, 0], 1.0 - unit[:, 1]]) * (SIZE - 2 * MARGIN))


def _path(places: Floats, kind: str, title: str = "") -> str:
    """Return a line through places of the drawing."""
    if len(places) == 1:
        places = np.concatenate([places, places + 0.5])
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    label = f"<title>{escape(title)}</title>" if title else ""
    return f'<path class="{kind}" d="{d}">{label}</path>'


def _stretches(flags: np.ndarray) -> list[np.ndarray]:
    """Return the indices of each run of one value."""
    if not len(flags):
        return []
    return np.split(np.arange(len(flags)), np.flatnonzero(np.diff(flags)) + 1)


def _map(found: Evaluation, points: int) -> Iterator[str]:
    scene, sensor = found.scene, np.array([found.options.sensor[:2]])
    tracks: dict[int, list[tuple[int, float, float, int]]] = {}
    for s, (picture, one) in enumerate(zip(found.pictures, found.matches, strict=True)):
        for name, (x, y), kind in zip(
            picture.track_id.tolist(), picture.state[:, :2].tolist(), one.kind.tolist(), strict=True
        ):
            tracks.setdefault(name, []).append((s, x, y, kind))
    total = int(scene.there.sum()) + sum(map(len, tracks.values()))
    stride = max(1, math.ceil(total / max(points, 1)))
    scale = _Scale(np.concatenate([scene.state[scene.there][:, :2], sensor]))
    yield (
        '<p class="key"><b style="color:#7b8794"></b>object with a track<b style="color:#d4001f"></b>in view without a track'
        '<b style="color:#c3cad3"></b>out of view<b style="color:#1f6fd1"></b>track<b style="color:#e07b00"></b>false track'
        '<b style="color:#8a3ffc"></b>duplicate</p>'
    )
    yield f'<svg viewBox="0 0 {SIZE:.0f} {SIZE:.0f}" width="{SIZE:.0f}" role="img" aria-label="Map of objects and tracks">'
    yield from _axes(scale)
    (x, y), *_ = scale(sensor)
    yield f'<path d="M{x - 6:.1f} {y:.1f}h12M{x:.1f} {y - 6:.1f}v12" stroke="#1b2430"><title>sensor</title></path>'
    for i, name in enumerate(scene.name):
        there = np.flatnonzero(scene.there[:, i])
        state = np.where(scene.in_view[there, i], np.where(found.covered[there, i], 0, 1), 2)
        for run in _stretches(state):
            kind = ("truth", "gap", "unseen")[state[run[0]]]
            # One more, so that the line has no holes; a gap keeps its ends whatever is left out.
            index = there[np.append(run, min(run[-1] + 1, len(there) - 1))]
            index = np.unique(np.concatenate([index[::stride], index[-1:]]))
            yield _path(scale(scene.state[index, i, :2]), kind, f"{name}, {seconds(found, int(index[0])):.1f} s")
    kinds = {life.track_id: life.kind for life in found.lives}
    classes = {Kind.FALSE: "false", Kind.DUPLICATE: "double"}
    for name, places in tracks.items():
        rows = np.array(places)[:, 1:3]
        thinned = np.concatenate([rows[::stride], rows[-1:]])
        since = f"track {name}, from {seconds(found, places[0][0]):.1f} s"
        yield _path(scale(thinned), classes.get(kinds[name], "track"), since)
    for k, worst in enumerate(found.worst, 1):
        at = [place for place in tracks[worst.track_id] if place[0] == worst.at_scan]
        (x, y), *_ = scale(np.array([at[0][1:3]]))
        yield f'<circle class="worst" cx="{x:.1f}" cy="{y:.1f}" r="8"/><text x="{x - 3:.1f}" y="{y + 4:.1f}">{k}</text>'
    yield "</svg>"


def _axes(scale: _Scale) -> Iterator[str]:
    """Yield lines at round distances, with their coordinates in kilometres or metres."""
    step = 10.0 ** math.floor(math.log10(scale.span / 3))
    step *= next(k for k in (1, 2, 5, 10) if scale.span / (k * step) <= 7)
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


def _chart(high: float, unit: str, right: str) -> Iterator[str]:
    """Yield the head of a chart from 0 to `high`."""
    yield (
        f'<svg viewBox="0 0 {CHART_WIDTH:.0f} {CHART_HEIGHT + 30:.0f}" width="{CHART_WIDTH:.0f}">'
        f'<text x="2" y="14">{number(high)} {unit}</text><text x="2" y="{CHART_HEIGHT:.0f}">0</text>'
        f'<text x="{CHART_WIDTH - 4:.0f}" y="{CHART_HEIGHT + 24:.0f}" text-anchor="end">{right}</text>'
        f'<path class="axis" d="M50 10V{CHART_HEIGHT:.0f}H{CHART_WIDTH - 4:.0f}"/>'
    )


def _bars(found: Evaluation) -> Iterator[str]:
    if not found.by_range:
        yield "<p>no data</p>"
        return
    yield from _chart(1.0, "", f"to {found.by_range[-1][1] / 1000.0:.3g} km")
    width = (CHART_WIDTH - 60) / len(found.by_range)
    for k, (low, high, value, n) in enumerate(found.by_range):
        text = f"{low:.0f} to {high:.0f} m: {number(value)}, {n} scans"
        height = (CHART_HEIGHT - 10) * (value if math.isfinite(value) else 0.0)
        if n:
            yield (
                f'<rect class="bar" x="{52 + k * width:.1f}" y="{CHART_HEIGHT - height:.1f}" width="{width - 2:.1f}"'
                f' height="{height:.1f}"><title>{text}</title></rect>'
            )
        else:
            yield f'<text x="{52 + (k + 0.3) * width:.1f}" y="{CHART_HEIGHT - 4:.0f}">-<title>no data</title></text>'
    yield "</svg>"


def _over_time(found: Evaluation, points: int) -> Iterator[str]:
    high = max(float(found.gospa_m.max()), 1e-9)
    yield from _chart(high, "m", f"{found.scene.time_s[-1]:.0f} s")
    stride = max(1, math.ceil(found.scans / max(points, 2)))
    x = 50 + (CHART_WIDTH - 54) * found.scene.time_s / max(float(found.scene.time_s[-1]), 1e-9)
    y = CHART_HEIGHT - (CHART_HEIGHT - 10) * found.gospa_m / high
    yield _path(np.column_stack([x, y])[::stride], "line")
    yield "</svg>"
