# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How much is tried by tests that generate what they try: little each time, all of it where AEGIS_NIGHTLY is set."""

import os


def amount(usual: int, nightly: int) -> int:
    """Return how many cases to try now."""
    return nightly if os.environ.get("AEGIS_NIGHTLY") else usual
