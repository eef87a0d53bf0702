# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The example driver as an installed package, for all tests of drivers."""

import sys
from collections.abc import Iterator

import pytest
from driver_case import install_example


@pytest.fixture(scope="session", autouse=True)
def example_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("site-packages")
    install_example(folder)
    sys.path.append(str(folder))
    yield
    sys.path.remove(str(folder))
