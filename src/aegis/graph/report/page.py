# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A report as a page. What a bag does not have is said in words, never by an empty chart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

import numpy as np

from aegis import __version__
from aegis.core.palette import LEVEL_HEX_ON_LIGHT
from aegis.core.types import AlarmState, ThreatLevel
from aegis.graph.evaluation.drawing import (
    Chart,
    Scale,
    clock,
    link,
    map_of,
    path,
    table,
    thinned,
    utc,
    ways,
    whole_page,
)
from aegis.graph.evaluation.page import counted, requirements_table, truth_map, truth_sections
from aegis.graph.evaluation.report import number
from aegis.graph.report.contents import LEVELS, Contents
from aegis.graph.report.report import Report, classes_told, replay_link
from aegis.graph.report.stages import COUNTS

WIDE = 860.0
CIRCLE = np.linspace(0.0, 2.0 * np.pi, 49)
COLOURS = ("#1f6fd1", "#b3001b", "#0a6b2d", "#8a3ffc", "#a84f00", "#4a5568", "#008a8a", "#c0267e", "#6b6b00", "#1b2430")
FEW = 40  # rows of what may be endless: threats, warnings


def as_page(report: Report) -> str:
    """Return the page."""

    def body(points: int, most_rows: int) -> Iterator[str]:
        contents, judged = report.contents, report.judgement
        yield from _head(report)
        if judged is not None and judged.requirements is not None:
            yield from requirements_table(judged.requirements, judged.rows)
        elif report.asked:
            yield f'<h2>Requirements</h2><p class="FAIL">Not checked, so not passed. {escape(report.not_judged)}</p>'
        yield "<h2>Map</h2>"
        yield from truth_map(judged.found, points) if judged is not None else _map(report, points)
        yield from _worst(report)
        yield from _threats(report, points // 8)
        yield from _alarms(report, most_rows)
        yield from _latencies(contents, points // 8)
        yield from _drops(contents)
        yield from _warnings(contents)
        if judged is not None:
            yield f"<h2>Held against truth</h2><p>{counted(judged.found)}</p>"
            yield from truth_sections(judged.found, points, most_rows)
        else:
            yield f"<h2>Classes</h2><p>{escape(report.not_judged)} So nobody knows which classes are right.</p>"
            told = classes_told(report)
            if told:
                yield from table(("told", "tracks"), [(name, str(n)) for name, n in told.items()])
        yield "<h2>What is in the bag</h2>"
        yield from table(("topic", "messages", "type"), [(t.name, str(t.messages), t.type) for t in contents.topics])
        yield f"<h2>Make this page again</h2><p><code>{escape(report.command)}</code></p><p>aegis {__version__}</p>"

    return whole_page(f"{report.contents.path.name}: report", body)


def _head(report: Report) -> Iterator[str]:
    contents, shown = report.contents, report.contents.shown
    yield f"<p>{escape(str(contents.path))}: {contents.duration_s:.1f} s from {utc(contents.begin_ns)}."
    if shown is not None:
        yield (
            f" {len(np.unique(shown.track_id))} tracks were shown in {len(shown.stamp_ns)} scans, at most"
            f" {int(shown.count.max())} at once."
        )
    yield "</p>"
    for text in contents.refused:
        yield f'<p class="FAIL">Not read, perhaps of another version of the messages: {escape(text)}</p>'
    if contents.damage:
        yield f'<p class="FAIL">The bag is damaged, and shown up to the damage: {escape(contents.damage)}</p>'


def _absent(what: str, topic: str) -> str:
    return f"<p>Not known: the bag has no topic <code>{topic}</code>, which tells {what}.</p>"


def _map(report: Report, points: int) -> Iterator[str]:
    contents, shown = report.contents, report.contents.shown
    if shown is None:
        yield _absent("where everything was", "tracks")
        return
    if not len(shown.track_id):
        yield f"<p>No track was confirmed in {len(shown.stamp_ns)} scans: there is nothing to draw.</p>"
        return
    stride = max(1, math.ceil(len(shown.track_id) / max(points, 1)))
    scale = Scale(np.concatenate([shown.place, np.zeros((1, 2))]))
    keys = "".join(f'<b style="color:{LEVEL_HEX_ON_LIGHT[level]}"></b>{level.name}' for level in reversed(LEVELS))
    yield f'<p class="key"><b style="color:#1f6fd1"></b>track, never listed as a threat; at its highest level{keys}</p>'

    def lines() -> Iterator[str]:
        for area in contents.areas:
            title = f"{area.kind.name.lower()} {area.name}"
            if area.outline:
                corners = np.array([*area.outline, area.outline[0]])
            elif all(map(math.isfinite, (area.x, area.y, area.radius_m))):
                corners = np.array([area.x, area.y]) + area.radius_m * np.column_stack([np.cos(CIRCLE), np.sin(CIRCLE)])
            else:
                continue
            yield path(scale(corners), "area", title)
        for name, rows in ways(shown.track_id):
            threat = contents.threats.get(name)
            style = f"stroke:{LEVEL_HEX_ON_LIGHT[ThreatLevel(threat.level)]}" if threat is not None else ""
            title = f"track {name}, from {clock(int(shown.stamp_ns[shown.scan[rows[0]]]))}"
            yield path(scale(shown.place[thinned(rows, stride)]), "track", title, style)

    marks = [(str(k), np.array(one.place)) for k, one in enumerate(report.worst, 1)]
    yield from map_of(scale, lines(), np.zeros(2), marks)


def _worst(report: Report) -> Iterator[str]:
    yield "<h2>The worst tracks</h2>"
    if not report.worst:
        yield (
            "<p>None: every track that was shown had its detections.</p>"
            if report.contents.shown is not None and len(report.contents.shown.track_id)
            else "<p>There are no tracks.</p>"
        )
        return
    yield f"<p>{report.worst_by} A link opens replay on {escape(report.bridge)}, where its history has that time."
    if report.contents.offline:
        yield " This bag was made by <code>aegis process</code>: the history of a bridge has other ids, if any."
    yield "</p>"
    begin = report.contents.begin_ns
    rows = [
        (
            str(k), link(one.link, str(one.track_id)), f"{(one.at_ns - begin) * 1e-9:.1f} s", clock(one.at_ns), one.text,
        )
        for k, one in enumerate(report.worst, 1)
    ]  # fmt: skip
    yield from table(("", "track", "look at", "UTC", ""), rows, text=4)


def _threats(report: Report, points: int) -> Iterator[str]:
    contents = report.contents
    yield "<h2>Threats over time</h2>"
    if not contents.has("threats"):
        yield _absent("what was a threat", "threats")
        return
    counts = np.array(contents.threat_counts, dtype=np.float64).reshape(-1, len(LEVELS))
    if not counts.any():
        yield f"<p>In none of {len(counts)} assessments a track was listed as a threat.</p>"
        return
    time_s = (np.array(contents.threat_stamps) - contents.begin_ns) * 1e-9
    chart = Chart(float(counts.max()), "", f"{contents.duration_s:.0f} s", duration_s=contents.duration_s, width=WIDE)
    yield '<p class="key">Tracks listed at a level:'
    yield from (f'<b style="color:{LEVEL_HEX_ON_LIGHT[level]}"></b>{level.name}' for level in reversed(LEVELS))
    yield "</p>"
    yield chart.head
    for k, level in enumerate(LEVELS):
        if counts[:, k].any():
            yield from chart.line(
                time_s, counts[:, k], points, title=level.name, style=f"stroke:{LEVEL_HEX_ON_LIGHT[level]}"
            )
    yield "</svg>"
    most = sorted(contents.threats.items(), key=lambda item: (-item[1].level, -item[1].score, item[0]))
    rows = [
        (
            link(replay_link(report.bridge, track_id, one.at_ns), str(track_id)), ThreatLevel(one.level).name,
            clock(one.at_ns), f"{number(one.score)} at {clock(one.score_ns)}", str(one.scans), one.reason,
        )
        for track_id, one in most[:FEW]
    ]  # fmt: skip
    head = (
        "track",
        "highest level",
        "first at it, UTC",
        "highest score, UTC",
        "scans at HIGH or above",
        "why that score",
    )
    yield from table(head, rows, text=5)
    yield from _more(len(most))


def _alarms(report: Report, most_rows: int) -> Iterator[str]:
    contents = report.contents
    yield "<h2>Alarms</h2>"
    if not contents.has("alarms"):
        yield _absent("which alarms were on", "alarms")
        return
    alarms, ended = contents.alarms.of_bag, contents.alarms.ended_before
    if ended:
        yield f"<p>{ended} that had ended before the bag began {'is' if ended == 1 else 'are'} left out.</p>"
    if not alarms:
        yield f"<p>No alarm was {'on' if ended else 'raised'}.</p>"
        return
    end_ns = contents.end_ns
    duration_ns = max(end_ns - contents.begin_ns, 1)
    height = 14 * min(len(alarms), FEW) + 6
    yield f'<svg viewBox="0 0 {WIDE:.0f} {height}" width="{WIDE:.0f}" role="img" aria-label="Alarms over time">'
    for k, alarm in enumerate(alarms[:FEW]):
        until = alarm.ended_ns if alarm.state is AlarmState.ENDED else end_ns
        first, last = ((at - contents.begin_ns) / duration_ns for at in (alarm.raised_ns, until))
        first, last = min(max(first, 0.0), 1.0), min(max(last, 0.0), 1.0)
        colour = "#b3001b" if alarm.priority <= 2 else "#a84f00"
        yield (
            f'<rect x="{4 + first * (WIDE - 8):.1f}" y="{4 + 14 * k}" width="{max((last - first) * (WIDE - 8), 2):.1f}"'
            f' height="10" fill="{colour}"><title>{escape(alarm.text)}</title></rect>'
        )
    yield "</svg>"
    rows = [
        (
            link(replay_link(report.bridge, a.track_id, a.raised_ns), str(a.track_id)), a.rule, a.zone, str(a.priority),
            clock(a.raised_ns) + ", was on at the begin" * contents.alarms.was_on(a),
            clock(a.ended_ns) if a.state is AlarmState.ENDED else "on",
            a.acknowledged_by or "nobody", "; ".join(filter(None, (a.text, a.note))),
        )
        for a in alarms[:most_rows]
    ]  # fmt: skip
    head = ("track", "rule", "zone", "priority", "raised, UTC", "ended", "seen by", "")
    yield from table(head, rows, text=7)
    yield from _more(len(alarms), most_rows)


def _latencies(contents: Contents, points: int) -> Iterator[str]:
    yield "<h2>Latency of the stages</h2>"
    stages = contents.stages
    if not contents.has("status"):
        yield _absent("how late each stage was", "status")
        return
    if not stages.has_latencies:
        why = ": it was made without a clock, by <code>aegis process</code>" if contents.offline else ""
        yield f"<p>Not known: no stage says in this bag how late it was{why}.</p>"
        return
    known = {name: one for name, one in stages.of.items() if np.isfinite(one.latency_p99).any()}
    high = max(float(np.nanmax(one.latency_p99)) for one in known.values()) * 1e3
    chart = Chart(high, "ms", f"{contents.duration_s:.0f} s", duration_s=contents.duration_s, width=WIDE)
    colours = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(known)}
    yield '<p class="key">From the measurement to the output, 99th percentile of a status period:'
    yield from (f'<b style="color:{colour}"></b>{escape(name)}' for name, colour in colours.items())
    yield "</p>"
    yield chart.head
    for name, one in known.items():
        time_s = (np.array(one.stamp_ns) - contents.begin_ns) * 1e-9
        yield from chart.line(
            time_s, np.array(one.latency_p99) * 1e3, points // len(known), title=name, style=f"stroke:{colours[name]}"
        )
    yield "</svg>"


def _drops(contents: Contents) -> Iterator[str]:
    yield "<h2>Stages: what came, what was dropped and why</h2>"
    if not contents.has("status"):
        yield _absent("what was dropped", "status")
        return
    yield from table(
        (
            "stage", "median latency ms", "worst 99 % ms", "worst step 99 % ms", "received", "published", "dropped",
            "objects dropped", "gaps", "errors", "restarts", "dropped by reason",
        ),
        _stage_rows(contents), text=11,
    )  # fmt: skip


def _stage_rows(contents: Contents) -> list[tuple[str, ...]]:
    rows = []
    for name, one in contents.stages.of.items():
        reasons = ", ".join(f"{reason} ({n})" for reason, n in one.reasons.most_common() if n)
        p50 = [v for v in one.latency_p50 if math.isfinite(v)]
        p99, step = (
            max((v for v in values if math.isfinite(v)), default=math.nan) for values in (one.latency_p99, one.step_p99)
        )
        rows.append(
            (
                name, number(float(np.median(p50)) * 1e3 if p50 else math.nan), number(p99 * 1e3), number(step * 1e3),
                *(str(one.counts[key]) for key in COUNTS),
                str(one.restarts), reasons or "nothing",
            )
        )  # fmt: skip
    return rows


def _warnings(contents: Contents) -> Iterator[str]:
    yield "<h2>Events at WARNING and above</h2>"
    if not contents.has("events"):
        yield _absent("what happened", "events")
        return
    if contents.events_before:
        yield f"<p>{contents.events_before} events of before the bag, which it was told again at its begin, are left out.</p>"
    if not contents.warnings:
        yield f"<p>None among {contents.events.total()} events.</p>"
        return
    rows = [
        (clock(e.stamp_ns), e.severity.name, e.stage, e.name, ", ".join(f"{k}: {v}" for k, v in e.data.items())[:300])
        for e in contents.warnings[:FEW]
    ]
    yield from table(("UTC", "severity", "stage", "event", ""), rows, text=4)
    yield from _more(len(contents.warnings))


def _more(count: int, shown: int = FEW) -> Iterator[str]:
    if count > shown:
        yield f"<p>{count - shown} more are left out here; --json has the numbers.</p>"
