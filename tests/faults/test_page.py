# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""docs/faults.md names tests: each of them is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_page_names_is_there():
    text = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    named, file = [], ""
    for found in re.finditer(r"`(tests/[\w/]+\.py)?::(test_\w+)`", text):
        file = found[1] or file
        named.append((file, found[2]))
    assert len(named) > 40
    missing = [one for one in named if f"def {one[1]}(" not in (ROOT / one[0]).read_text(encoding="utf-8")]
    assert missing == []
