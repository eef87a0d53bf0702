# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""An evaluation as JSON, and for a person."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from aegis.core.evaluation.evaluate import Evaluation, ObjectRow
from aegis.core.evaluation.measures import MEANINGS, Measure
from aegis.core.evaluation.requirements import Requirements, Row
from aegis.core.finite import finite_json
from aegis.core.types import ClassId

SHOWN_IDS = 6  # of the tracks of an object, in text


def class_name(class_id: int) -> str:
    """Return a class in words."""
    return ClassId(class_id).name if class_id < len(ClassId) else f"class {class_id}"


def seconds(found: Evaluation, scan: int) -> float:
    """Return the time of a scan since the first one [s]."""
    return float(found.scene.time_s[scan])


def as_document(found: Evaluation, rows: Sequence[Row]) -> dict[str, object]:
    """Return all of it, ready for JSON: what is not known is null."""
    document = {
        "scans": found.scans,
        "scans_outside_truth": found.left_out,
        "duration_s": found.scene.hours * 3600.0,
        "begin_ns": int(found.scene.time_ns[0]),
        "gate_m": found.gate_m,
        "dimensions": found.options.dimensions,
        "update_period_s": found.update_period_s,
        "gap_s": found.gap_s,
        "measures": {name: measure._asdict() for name, measure in found.measures.items()},
        "nees_band": [found.nees.low, found.nees.high],
        "objects": [_object(found, row) for row in found.objects],
        "confusion": {
            class_name(i): {class_name(j): int(n) for j, n in enumerate(row) if n}
            for i, row in enumerate(found.classes.confusion)
            if row.any()
        },
        "calibration": [
            {"from": low, "confidence": mean, "right": right, "n": n}
            for low, mean, right, n in found.classes.confidence
        ],
        "update_probability_by_range": [
            {"from_m": low, "to_m": high, "probability": value, "n": n} for low, high, value, n in found.by_range
        ],
        "alarms": dict(found.alarms),
        "worst_tracks": [
            {
                "track_id": one.track_id,
                "kind": one.kind.name,
                "share_of_cost": one.cost,
                "at_s": seconds(found, one.at_scan),
                "text": one.text,
            }
            for one in found.worst
        ],
        "requirements": [row._asdict() | {"verdict": row.verdict} for row in rows],
    }
    out = finite_json(document)
    assert isinstance(out, dict)
    return out


def _object(found: Evaluation, row: ObjectRow) -> dict[str, object]:
    at = found.scene.time_s[0] if not len(found.scene.time_s) else 0.0
    covered = row.coverage
    return {
        "id": row.id,
        "name": row.name,
        "class": class_name(row.class_id),
        "scans": covered.scans,
        "covered": covered.covered,
        "to_confirmation_s": covered.to_confirmation_s,
        "rms_m": row.rms_m.value,
        "rms_along_m": row.rms_along_m.value,
        "rms_across_m": row.rms_across_m.value,
        "nees": row.nees.mean,
        "nees_band": [row.nees.low, row.nees.high],
        "track_ids": row.track_ids,
        "id_changes": row.id_changes,
        "class_right": row.class_right.value,
        "class_unknown": row.class_unknown.value,
        "update_interval_s": covered.update_interval_s,
        "longest_interval_s": covered.longest_interval_s,
        "longest_gap_s": covered.longest_gap_s,
        "longest_gap_at_s": covered.gap_begin_s - at,
    }


def number(value: float) -> str:
    """Return a number to four digits; a dash where there is none."""
    return "-" if not math.isfinite(value) else f"{value:.4g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, numbers to the right."""
    width = [max(len(line[k]) for line in [head, *rows]) for k in range(len(head))]
    for line in [head, *rows]:
        cells = [
            text.ljust(w) if k == 0 else text.rjust(w) for k, (text, w) in enumerate(zip(line, width, strict=True))
        ]
        yield "  ".join(cells).rstrip()


OBJECT_HEAD = (
    "object", "class", "scans", "covered", "RMS m", "along", "across", "NEES", "ids", "changes", "confirmed s", "gap s",
    "class right", "unknown",
)  # fmt: skip


def object_cells(row: ObjectRow) -> list[str]:
    """Return the cells of an object's row, under OBJECT_HEAD."""
    covered = row.coverage
    return [
        row.name,
        class_name(row.class_id),
        str(covered.scans),
        number(covered.covered / covered.scans if covered.scans else math.nan),
        number(row.rms_m.value),
        number(row.rms_along_m.value),
        number(row.rms_across_m.value),
        number(row.nees.mean),
        str(len(row.track_ids)),
        str(row.id_changes),
        number(covered.to_confirmation_s),
        number(covered.longest_gap_s),
        number(row.class_right.value),
        number(row.class_unknown.value),
    ]


def measure_cells(name: str, measure: Measure) -> list[str]:
    """Return name, value, unit, n and meaning of a measure."""
    meaning = MEANINGS[name]
    value = number(measure.value) if measure.n else "no data"
    return [name, value, meaning.unit, str(measure.n), meaning.text]


def as_text(found: Evaluation, requirements: Requirements | None, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines for a person."""
    yield (
        f"{found.scans} scans in {found.scene.hours * 3600.0:.1f} s; a track shows an object within {found.gate_m:g} m"
        f" {'over ground' if found.options.dimensions == 2 else 'in space'}; updates expected in"
        f" {found.update_period_s:.3g} s"
        + (f"; {found.left_out} scans outside the time of the truth left out" if found.left_out else "")
    )
    yield ""
    if found.objects:
        yield from table(OBJECT_HEAD, [object_cells(row) for row in found.objects])
    else:
        yield "no object was in view"
    yield ""
    for name, measure in found.measures.items():
        cells = measure_cells(name, measure)
        yield f"{cells[0]:26} {cells[1]:>9} {cells[2]:4} n={cells[3]:<7} {cells[4]}"
    yield f"{'NEES, 95 % band':26} {number(found.nees.low)} to {number(found.nees.high)}, if scans were independent"
    if found.classes.n:
        yield ""
        told = [k for k in range(found.classes.confusion.shape[1]) if found.classes.confusion[:, k].any()]
        yield from table(
            ["class is, told", *map(class_name, told)],
            [
                [class_name(i), *(str(row[k]) for k in told)]
                for i, row in enumerate(found.classes.confusion)
                if row.any()
            ],
        )
        yield ""
        calibrated = [
            [f"{low:.1f}", f"{mean:.3f}", f"{right:.3f}", str(n)] for low, mean, right, n in found.classes.confidence
        ]
        yield from table(["probability from", "mean", "right", "n"], calibrated)
    if found.alarms:
        yield ""
        yield "alarms: " + ", ".join(f"{name} {count}" for name, count in found.alarms.most_common())
    if found.worst:
        yield ""
        for one in found.worst:
            yield (
                f"worst: track {one.track_id} {one.text}; {100 * one.cost:.0f} % of all tracks' cost, most at"
                f" {seconds(found, one.at_scan):.1f} s"
            )
    if requirements is not None:
        yield ""
        yield f"{requirements.name}" + (f" ({requirements.source})" if requirements.source else "")
        yield from table(
            ["requirement", "limit", "value", "n", "verdict"],
            [[row.measure, row.limit, number(row.value), str(row.n), row.verdict] for row in rows],
        )
