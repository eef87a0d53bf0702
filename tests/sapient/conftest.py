# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A node's identity and parameters."""

import pytest
from sapient_messages import OURS, SITE

from aegis.sapient.ids import Identity
from aegis.sapient.settings import SapientSettings


@pytest.fixture
def identity() -> Identity:
    return Identity(OURS, 1_690_000_000_000)


@pytest.fixture
def settings():
    def make(**given) -> SapientSettings:
        values = {"site": (SITE.latitude_deg, SITE.longitude_deg, SITE.altitude_m), "edge.connect": "tcp://127.0.0.1:1"}
        return SapientSettings.load({**values, **given})

    return make
