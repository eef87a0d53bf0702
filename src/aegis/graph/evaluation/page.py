# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""An evaluation as a page: one HTML file without scripts, which asks no network for anything. A report has the same parts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from aegis.core.evaluation.evaluate import Evaluation
from aegis.core.evaluation.matching import Kind
from aegis.core.evaluation.requirements import Requirements, Row
from aegis.graph.evaluation.drawing import (
    CHART_HEIGHT,
    CHART_WIDTH,
    Chart,
    Scale,
    clock,
    map_of,
    path,
    stretches,
    table,
    thinned,
    utc,
    ways,
    whole_page,
)
from aegis.graph.evaluation.report import OBJECT_HEAD, class_name, measure_cells, number, object_cells, seconds


def as_html(found: Evaluation, requirements: Requirements | None, rows: Sequence[Row], title: str) -> str:
    """Return the page, of at most MAX_BYTES."""

    def body(points: int, most_rows: int) -> Iterator[str]:
        yield f"<p>{counted(found)} It begins at {utc(int(found.scene.time_ns[0]))}.</p>"
        if requirements is not None:
            yield from requirements_table(requirements, rows)
        yield "<h2>Map</h2>"
        yield from truth_map(found, points)
        yield "<h2>The tracks that cost most</h2>"
        yield from _worst(found)
        yield from truth_sections(found, points, most_rows)

    return whole_page(title, body)


def counted(found: Evaluation) -> str:
    """Return how was counted, in words."""
    text = (
        f"{found.scans} scans in {found.scene.hours * 3600.0:.1f} s. A track shows an object within {found.gate_m:g} m."
        f" Updates are expected in {found.update_period_s:.3g} s."
    )
    if found.left_out:
        text += f" {found.left_out} scans are outside the time of the truth and left out."
    return text


def requirements_table(requirements: Requirements, rows: Sequence[Row]) -> Iterator[str]:
    """Yield how each requirement came out."""
    source = f" ({requirements.source})" if requirements.source else ""
    yield f"<h2>Requirements: {escape(requirements.name + source)}</h2>"
    yield '<div class="scroll"><table><tr><th>measure<th>limit<th>value<th>n<th>verdict<th></tr>'
    for row in rows:
        cells = "".join(f"<td>{escape(t)}" for t in (row.measure, row.limit, number(row.value), str(row.n)))
        yield f'<tr>{cells}<td class="{row.verdict}">{row.verdict}<td class="text">{escape(row.text)}</tr>'
    yield "</table></div>"


def truth_sections(found: Evaluation, points: int, most_rows: int) -> Iterator[str]:
    """Yield what else there is to tell: ranges, GOSPA, objects, measures, classes."""
    yield '<div class="charts"><div><h2>Update probability against range</h2>'
    yield from _bars(found)
    yield "</div><div><h2>GOSPA over time</h2>"
    high = float(found.gospa_m.max())
    chart = Chart(high, "m", f"{found.scene.time_s[-1]:.0f} s", duration_s=float(found.scene.time_s[-1]))
    yield chart.head
    yield from chart.line(found.scene.time_s, found.gospa_m, points // 8)
    yield "</svg></div></div><h2>Objects</h2>"
    yield from table(OBJECT_HEAD, [object_cells(row) for row in found.objects[:most_rows]])
    if len(found.objects) > most_rows:
        yield f"<p>{len(found.objects) - most_rows} more are left out here; --json has all.</p>"
    yield "<h2>Measures</h2>"
    yield from table(
        ("measure", "value", "unit", "n", ""), [measure_cells(name, m) for name, m in found.measures.items()], text=4
    )
    if found.classes.n:
        yield "<h2>Class: is, told</h2>"
        told = [k for k in range(found.classes.confusion.shape[1]) if found.classes.confusion[:, k].any()]
        confused = [
            [class_name(i), *(str(row[k]) for k in told)] for i, row in enumerate(found.classes.confusion) if row.any()
        ]
        yield from table(("", *map(class_name, told)), confused)


def _worst(found: Evaluation) -> Iterator[str]:
    if not found.worst:
        yield "<p>There are no tracks.</p>"
        return
    rows = [
        [
            str(k), str(one.track_id), f"{seconds(found, one.at_scan):.1f} s", clock(int(found.scene.time_ns[one.at_scan])),
            f"{100 * one.cost:.0f} %", one.text,
        ]
        for k, one in enumerate(found.worst, 1)
    ]  # fmt: skip
    yield from table(("", "track", "look at", "UTC", "of all cost", ""), rows, text=5)


def truth_map(found: Evaluation, points: int) -> Iterator[str]:
    """Yield the map of objects and tracks; an object in view without a track is red."""
    scene, sensor = found.scene, np.array(found.options.sensor[:2])
    scan = np.repeat(np.arange(found.scans), [len(picture) for picture in found.pictures])
    track_id = np.concatenate([picture.track_id for picture in found.pictures])
    places = np.concatenate([picture.state[:, :2] for picture in found.pictures])
    stride = max(1, math.ceil((int(scene.there.sum()) + len(scan)) / max(points, 1)))
    scale = Scale(np.concatenate([scene.state[scene.there][:, :2], sensor[None]]))
    yield (
        '<p class="key"><b style="color:#7b8794"></b>object with a track<b style="color:#d4001f"></b>in view without a track'
        '<b style="color:#c3cad3"></b>out of view<b style="color:#1f6fd1"></b>track<b style="color:#e07b00"></b>false track'
        '<b style="color:#8a3ffc"></b>duplicate</p>'
    )
    kinds = {life.track_id: life.kind for life in found.lives}
    classes = {Kind.FALSE: "false", Kind.DUPLICATE: "double"}

    def lines() -> Iterator[str]:
        for i, name in enumerate(scene.name):
            there = np.flatnonzero(scene.there[:, i])
            state = np.where(scene.in_view[there, i], np.where(found.covered[there, i], 0, 1), 2)
            for run in stretches(state):
                kind = ("truth", "gap", "unseen")[state[run[0]]]
                # One more, so that the line has no holes; a gap keeps its ends whatever is left out.
                index = thinned(there[np.append(run, min(run[-1] + 1, len(there) - 1))], stride)
                yield path(scale(scene.state[index, i, :2]), kind, f"{name}, {seconds(found, int(index[0])):.1f} s")
        for way in ways(track_id):
            since = f"track {way.track_id}, from {seconds(found, int(scan[way.rows[0]])):.1f} s"
            kind = classes.get(kinds[way.track_id], "track")
            yield path(scale(places[thinned(way.rows, stride)]), kind, since)

    marks = [
        (str(k), places[(track_id == worst.track_id) & (scan == worst.at_scan)][0])
        for k, worst in enumerate(found.worst, 1)
    ]
    yield from map_of(scale, lines(), sensor, marks)


def _bars(found: Evaluation) -> Iterator[str]:
    if not found.by_range:
        yield "<p>no data</p>"
        return
    yield Chart(1.0, "", f"to {found.by_range[-1][1] / 1000.0:.3g} km").head
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
