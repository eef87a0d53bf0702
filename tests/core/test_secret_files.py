# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Secrets in files."""

import pytest

from aegis.core.params import ConfigError
from aegis.secret_files import read_secret_files


def test_a_file_is_the_variable_without_its_line_end(tmp_path):
    path = tmp_path / "jwt"
    path.write_text(" two words\n")
    environ = {"JWT_SECRET_FILE": str(path), "REDIS_URL": "redis://here", "HOME": "/"}
    read_secret_files(environ)
    assert environ == {"JWT_SECRET": " two words", "REDIS_URL": "redis://here", "HOME": "/"}


@pytest.mark.parametrize(
    ("content", "more", "why"),
    [
        (None, {}, "No such file"),
        (b"\n", {}, "empty"),
        (b"\xff", {}, "no text"),
        (b"x", {"DATABASE_URL": "y"}, "one of them"),
    ],
)
def test_what_is_wrong_is_said_with_the_variables_name(tmp_path, content, more, why):
    path = tmp_path / "url"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"DATABASE_URL_FILE.*{why}"):
        read_secret_files({"DATABASE_URL_FILE": str(path), **more})
