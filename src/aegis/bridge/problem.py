# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The one error of all components that refuses a request; `http/problems.py` makes the response of it."""

from __future__ import annotations

from collections.abc import Mapping


class ProblemError(Exception):
    """A request is refused. The message is for the client; the cause is for the log."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        retry_after: int | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """Make an error.

        Args:
            status: of HTTP.
            detail: in words.
            retry_after: when to come back [s].
            extra: what else is in the body.
        """
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after
        self.extra = dict(extra or {})


def no_data(topic: str, stage: str = "") -> ProblemError:
    """Make the error: nothing was received on a topic yet, or not from one stage."""
    detail = f"nothing has been heard on '{topic}' {f'from {stage} ' if stage else ''}yet"
    return ProblemError(503, detail, retry_after=1, extra={"waiting_for": topic})


def silent(topic: str, for_s: float) -> ProblemError:
    """Make the error: what came regularly does not come any more. The last of it is not shown as if it were new."""
    detail = f"nothing has been heard on '{topic}' for {for_s:.1f} s; it came regularly before"
    return ProblemError(503, detail, retry_after=1, extra={"waiting_for": topic})


def no_service(service: str, why: str) -> ProblemError:
    """Make the error: a service of the graph does not answer."""
    return ProblemError(503, f"service '{service}' {why}", retry_after=1, extra={"waiting_for": service})


def no_history(detail: str) -> ProblemError:
    """Make the error: the history database does not answer."""
    return ProblemError(503, detail, retry_after=5, extra={"waiting_for": "database"})
