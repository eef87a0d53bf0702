# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A recording held against truth from where it is: on a topic of the bag, or in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aegis.core.evaluation.evaluate import Evaluation, Options, Recording, evaluate
from aegis.core.evaluation.requirements import Requirements, Row, check
from aegis.graph.config import Parameters
from aegis.graph.evaluation.recording import options_of
from aegis.graph.evaluation.truth_files import read_truth, site_of


@dataclass(frozen=True)
class Judgement:
    """What came out, and how each requirement did."""

    found: Evaluation
    requirements: Requirements | None
    rows: Sequence[Row]

    @property
    def passed(self) -> bool:
        """Tell whether every requirement holds."""
        return all(row.passed for row in self.rows)


def with_truth_of(
    recording: Recording, path: Path, parameters: Parameters, site: str | None, offset_s: float
) -> tuple[Recording, str]:
    """Return a recording with the truth of a file, and a sentence about that file.

    Raises:
        ConfigError, ValueError: the file cannot be read, or needs a site.
    """
    said = read_truth(path, site=site_of(site, parameters), near_ns=recording.middle_ns, offset_s=offset_s)
    return replace(recording, objects=said.objects, span_ns=said.span_ns), str(said)


def options_for(parameters: Parameters, requirements: Requirements | None, **given: float | int | None) -> Options:
    """Return how to count, by the parameters, the requirements and what was given besides.

    Raises:
        ConfigError: a parameter is wrong.
    """
    options = options_of(parameters, **given)
    if requirements is None:
        return options
    return replace(
        options, gate_m=options.gate_m or requirements.gate_m, update_period_s=requirements.update_period_s,
        gap_s=requirements.gap_s,
    )  # fmt: skip


def judge(recording: Recording, options: Options, requirements: Requirements | None) -> Judgement:
    """Hold a recording against its truth.

    Raises:
        ValueError: no picture is within the time of the truth.
    """
    found = evaluate(recording, options)
    return Judgement(found, requirements, check(requirements, found.measures) if requirements is not None else ())
