# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The web page without a browser: the unit tests of its scripts, and that what is shipped is what its sources build.

What a person sees is in bridge/test_web_page.py. Types and style are checked by .ci/run.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from npm_packages import npm_ci

REPOSITORY = Path(__file__).parents[2]
SOURCES = REPOSITORY / "src" / "page"
SHIPPED = REPOSITORY / "src" / "aegis" / "bridge" / "static"
OLDEST_NODE = (20, 19)  # as Vite asks for
RUN_S = 120


def run(*command: str, cwd: Path, timeout: float = RUN_S) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """A copy of the page's sources with its packages, those of the checkout where it has them."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("no Node and npm on this machine (apt install nodejs npm)")
    said = run(node, "--version", cwd=SOURCES).stdout
    if tuple(map(int, re.findall(r"\d+", said)[:2])) < OLDEST_NODE:
        pytest.skip(f"Node {said.strip()} is older than {'.'.join(map(str, OLDEST_NODE))}")
    copy = tmp_path_factory.mktemp("src") / "page"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("node_modules"))
    installed, packages = SOURCES / "node_modules", copy / "node_modules"
    lock = (SOURCES / "package-lock.json").stat().st_mtime
    if (installed / ".package-lock.json").exists() and (installed / ".package-lock.json").stat().st_mtime >= lock:
        packages.symlink_to(installed)
        return copy
    npm_ci(copy)
    return copy


def test_units(page):
    done = run("npm", "test", "--", "--reporter=tap-flat", cwd=page)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall("^ok ", done.stdout, re.MULTILINE)) > 30


def test_what_is_shipped_is_what_the_sources_build(page):
    """Byte for byte, on any machine; `cd src/page && npm ci && npm run build` makes it so."""
    done = run("npm", "run", "build", cwd=page)
    assert done.returncode == 0, done.stdout + done.stderr
    built = page.parent / "aegis" / "bridge" / "static"
    names = {path.name for path in built.iterdir()}
    assert names == {path.name for path in SHIPPED.iterdir()}
    assert [name for name in sorted(names) if (built / name).read_bytes() != (SHIPPED / name).read_bytes()] == []


def test_what_is_shipped_is_small():
    """300 kB gzipped is the bound without a map; this is less even as it lies on disk."""
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 300_000
