# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A bridge process for the tests: `run_bridge.py STATE_DIR NAMESPACE JSON_SETTINGS`."""

import json
import os
import sys
from pathlib import Path

from aegis.bridge.main import serve
from aegis.bridge.settings import BridgeSettings
from aegis.core.params import ConfigError
from aegis.graph.nodes import nodes_beside_bridge

state_dir, namespace, values = sys.argv[1:]
try:
    code = serve(
        BridgeSettings.load(json.loads(values), environ=os.environ),
        nodes_beside_bridge(),
        namespace=namespace,
        state_dir=Path(state_dir),
        run_id="test-run",
        epoch=3,
    )
except ConfigError as error:
    print(f"config error: {error}", file=sys.stderr)
    code = 2
sys.exit(code)
