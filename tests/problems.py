# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What components of the bridge refuse, by the status that a client then gets."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aegis.bridge.problem import ProblemError


@contextmanager
def refused(status: int, match: str | None = None) -> Iterator[pytest.ExceptionInfo[ProblemError]]:
    """Expect a refusal with a status, and what its text says."""
    with pytest.raises(ProblemError, match=match) as refusal:
        yield refusal
    assert refusal.value.status == status
