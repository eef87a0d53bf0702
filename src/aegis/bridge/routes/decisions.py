# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A person's decision that a stage carries out: in the audit before and after, and in history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aegis.bridge.accounts.audit_table import FAILED, OK, REQUESTED, Entry
from aegis.bridge.bridge import Bridge
from aegis.bridge.problem import ProblemError

DEADLINE_S = 5.0


@dataclass(frozen=True)
class StageDecision:
    """What was decided, and the stage's service that carries it out."""

    kind: str  # as history has it
    target_id: int
    service: str
    fields: Mapping[str, object]  # of the service's request, besides the number and the person's name
    accept: bool = True
    also: Mapping[str, object] = field(default_factory=dict)  # what history has beside the audit's detail


async def carry_out(bridge: Bridge, decision: StageDecision, entry: Entry) -> None:
    """Let the stage carry out a decision; nothing is done that is not audited.

    Args:
        bridge: has the graph, the audit and the history.
        decision: to be carried out.
        entry: of the audit, without its outcome.

    Raises:
        ProblemError: 409, the stage refuses it; 503, the stage does not answer, or the decision could not be audited before or
            kept in history after.
    """
    await bridge.audit.record_or_fail(replace(entry, outcome=REQUESTED))
    try:
        fields = {**decision.fields, "id": decision.target_id, "operator_name": entry.who}
        answer = await bridge.graph.call(decision.service, fields, DEADLINE_S)
        if not answer.success:
            raise ProblemError(409, answer.message)
    except Exception as error:
        await bridge.audit.record(replace(entry, outcome=FAILED, detail={**entry.detail, "reason": str(error)}))
        raise
    await bridge.audit.record(replace(entry, outcome=OK))
    try:
        await bridge.history.put_decision(
            kind=decision.kind,
            target_id=decision.target_id,
            who=entry.who,
            accept=decision.accept,
            detail={**decision.also, **entry.detail},
        )
    except ProblemError as error:
        done = f"{entry.action} {decision.target_id} has been carried out"
        raise ProblemError(503, f"{done}, but is not in history: {error}") from None
