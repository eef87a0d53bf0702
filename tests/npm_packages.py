# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Packages of npm, for tests that run Node."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

INSTALL_S = 240


def npm_ci(folder: Path) -> None:
    """Install what a folder's package-lock.json names; the test is skipped where there is no npm, or it reaches no registry."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no Node and npm on this machine (apt install nodejs npm)")
    command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    if done.returncode != 0 and re.search("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT", done.stderr):
        pytest.skip("no npm registry can be reached from this machine")
    assert done.returncode == 0, done.stderr
