"""The page's scripts without a browser: their unit tests in Node. What a person sees is in bridge/test_web_page.py.

Their types and style are checked by .ci/run: `npm ci && npm run types && npm run lint` in this folder.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPTS = sorted((HERE.parents[1] / "src" / "aegis" / "bridge" / "static").glob("*.js"))
OLDEST_NODE = (20, 19)  # the first that takes a .js file with imports for a module, without a package.json beside it


@pytest.fixture(scope="module")
def node() -> str:
    """The path of Node, or skip where it is absent or too old."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no Node on this machine (apt install nodejs)")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    if version < OLDEST_NODE:
        pytest.skip(f"Node {said.strip()} is older than {'.'.join(map(str, OLDEST_NODE))}")
    return found


@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.js")), ids=lambda path: path.name)
def test_units(node, path):
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^# pass [1-9]", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_types_are_checked(path):
    assert path.read_text(encoding="utf-8").startswith("// @ts-check\n")
