# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""ROS's linters, as `colcon test` runs them: the header of every source file, flake8 and pep257 by our configuration.

AEGIS_NIGHTLY=1 lints all of the package; else what is of ROS and what is launched.
"""

import configparser
import os
import re
import sys
import tomllib

import pytest
from built_packages import ROOT, run

HEADER = ["# Copyright 2026 Aegis maintainers", "# SPDX-License-Identifier: Apache-2.0"]
LINTED = ("src/aegis",) if os.environ.get("AEGIS_NIGHTLY") == "1" else ("src/aegis/ros", "src/aegis/ament_license.py")


def test_every_source_file_says_whose_it_is_and_by_which_licence():
    tracked = run("git", "ls-files", "--", "*.py", "*.cmake", "*CMakeLists.txt", "src/scripts", cwd=ROOT).split()
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in tracked}
    lacking = [
        name
        for name, text in texts.items()
        if text.strip() and [line for line in text.splitlines() if not line.startswith("#!")][:2] != HEADER
    ]
    assert not lacking
    assert len(texts) > 900


def test_ament_copyright_takes_our_header():
    """By its own search: the copyright's line by its expression, the rest of the comment by the words that we hand it."""
    ament = pytest.importorskip("ament_copyright.parser", reason="ament_copyright comes with ROS 2, not from PyPI")
    found = ament.parse_file(str(ROOT / "src" / "aegis" / "ament_license.py"))
    assert [str(one) for one in found.copyrights] == ["Aegis maintainers (2026)"]
    assert found.license_identifier == "apache2_spdx"
    call = "import sys; from ament_copyright.main import main; sys.exit(main(['aegis', '../launch']))"
    run(sys.executable, "-c", call, cwd=ROOT / "src")


def test_pip_and_colcon_tell_ament_copyright_the_same():
    by_pip = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    by_colcon = configparser.ConfigParser()
    by_colcon.read(ROOT / "src" / "setup.cfg", encoding="utf-8")
    lines = by_colcon["options.entry_points"]["ament_copyright.license"].split("\n")
    assert dict(re.split(r"\s*=\s*", line) for line in lines if line) == by_pip["ament_copyright.license"]


def test_flake8_has_nothing_to_say():
    pytest.importorskip("flake8", reason="pip install flake8, or the extra `test`")
    run(sys.executable, "-m", "flake8", "--jobs", "1", *LINTED, "launch", "src/scripts/aegis_node", cwd=ROOT)


def test_pep257_has_nothing_to_say():
    pytest.importorskip("pydocstyle", reason="pip install pydocstyle, or the extra `test`")
    cmake = (ROOT / "src" / "CMakeLists.txt").read_text(encoding="utf-8")
    words = re.search(r"PEP257_OPTIONS (.*)\)", cmake)[1]
    options, _, ignored = words.partition(" --add-ignore ")
    ignore = ",".join(ignored.split())
    run(sys.executable, "-m", "pydocstyle", *options.split(), "--add-ignore", ignore, *LINTED, "launch", cwd=ROOT)
