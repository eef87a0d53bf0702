# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""For the tests of the Foxglove stage: one on each of both servers."""

import importlib.util

import pytest

from aegis.bench.live import free_port
from aegis.foxglove.settings import FoxgloveSettings
from aegis.foxglove.stage import FoxgloveStage
from aegis.ros.stages.base import StageContext


@pytest.fixture(params=["sdk", "websocket"])
def serve(request):
    if request.param == "websocket" and importlib.util.find_spec("foxglove_websocket") is None:
        pytest.skip("the package foxglove-websocket is not installed (extra foxglove-websocket)")
    stages = []

    def make(**settings):
        values = {"sink": request.param, "port": free_port(), **settings}
        stages.append(FoxgloveStage(FoxgloveSettings(**values), StageContext()))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()
