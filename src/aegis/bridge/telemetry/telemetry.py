# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Metrics of the bridge and the graph: counts, latencies, the event loop, the machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aegis.bridge.live.state import LiveState
from aegis.bridge.telemetry.graph import graph_counts, stage_counts
from aegis.bridge.telemetry.latency import StageLatency
from aegis.bridge.telemetry.loop_lag import LoopLag
from aegis.bridge.telemetry.machine import Machine
from aegis.bridge.telemetry.metrics import Metrics
from aegis.bridge.telemetry.sources import GRAPH, LOG, PROCESS, STAGE
from aegis.bridge.telemetry.writer import LogWriter


class Telemetry:
    """The parts of one bridge; other components connect their counts with `metrics.add_source`."""

    def __init__(self, state: LiveState, state_dir: Path) -> None:
        self.metrics = Metrics()
        self.latency = StageLatency(self.metrics.registry)
        self.loop_lag = LoopLag(self.metrics.registry)
        self.machine = Machine(state_dir)
        self.metrics.add_source(STAGE, lambda: stage_counts(state))
        self.metrics.add_source(GRAPH, lambda: graph_counts(state))
        self.metrics.add_source(PROCESS, lambda: {"threads": self.machine.threads()})

    def watch_logs(self, **writers: LogWriter) -> None:
        """Export the counts of the writers of log files, by name."""
        self.metrics.add_source(
            LOG,
            lambda: {
                "waiting_bytes": {name: writer.waiting_bytes for name, writer in writers.items()},
                "written_lines": {name: writer.written for name, writer in writers.items()},
                "dropped_lines": {name: writer.dropped for name, writer in writers.items()},
                "write_errors": {name: writer.failures for name, writer in writers.items()},
            },
        )

    async def run(self) -> None:
        """Watch the loop and the machine until cancelled."""
        await asyncio.gather(self.loop_lag.run(), self.machine.run())
