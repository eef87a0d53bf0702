# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""One running bridge: its parts, opened in the order in which they need each other, and who takes what the graph sends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from aegis.bridge.accounts.audit import Audit
from aegis.bridge.accounts.devices import Devices
from aegis.bridge.accounts.store import Accounts
from aegis.bridge.accounts.throttle import Throttle
from aegis.bridge.accounts.tickets import TicketOffice, Tickets
from aegis.bridge.accounts.tokens import Tokens
from aegis.bridge.background import running
from aegis.bridge.history.history import History
from aegis.bridge.incident.export import Incidents
from aegis.bridge.live.encoded import Body
from aegis.bridge.live.frames import EwFrame, Frame, RadarFrame
from aegis.bridge.live.loop_queue import LoopQueue
from aegis.bridge.live.nodes import GraphNodes
from aegis.bridge.live.reports import Classifier, StatusRow
from aegis.bridge.live.services import Graph, NoGraph
from aegis.bridge.live.state import LiveState
from aegis.bridge.live.status import system_status
from aegis.bridge.outputs.coast import CoastLine
from aegis.bridge.outputs.feed import Feed
from aegis.bridge.outputs.outputs import Outputs
from aegis.bridge.outputs.tiles import MapTiles
from aegis.bridge.ros_node import LoopSide, RosLink
from aegis.bridge.settings import BridgeSettings
from aegis.bridge.stream.hub import Hub, LiveStream
from aegis.bridge.stream.sweep import PlacedSector
from aegis.bridge.telemetry.sources import ACCOUNTS, HISTORY, OUTPUTS, QUEUE, REPLICAS, STREAM
from aegis.bridge.telemetry.stage_log import StageLog
from aegis.bridge.telemetry.telemetry import Telemetry
from aegis.bridge.telemetry.writer import LogWriter
from aegis.bridge.zones.drawn import DrawnZones
from aegis.core.sources import SourceWatch
from aegis.core.threat.areas import ProtectedArea
from aegis.core.types import Advice, Alarm, Detections, Signal, Threats, Tracks
from aegis.ros.messages.reports import ReceivedEvent
from aegis.ros.stages.base import StageContext

if TYPE_CHECKING:
    from aegis.bridge.replicas.replicas import Replicas


@dataclass
class Bridge:
    """The parts of one bridge, as the routes use them."""

    settings: BridgeSettings
    run_id: str
    nodes: GraphNodes
    accounts: Accounts
    tokens: Tokens
    tickets: TicketOffice
    throttle: Throttle
    devices: Devices
    zones: DrawnZones
    state: LiveState
    queue: LoopQueue
    hub: Hub
    stream: LiveStream
    history: History
    incidents: Incidents
    feed: Feed
    coast: CoastLine
    tiles: MapTiles | None
    telemetry: Telemetry
    graph: Graph
    replicas: Replicas | None = None  # where this bridge is one of several
    started_at: float = field(default_factory=time.monotonic)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: BridgeSettings,
        nodes: GraphNodes,
        context: StageContext,
        secret: bytes,
        *,
        log: LogWriter | None = None,
        join: bool = True,
        died: Callable[[], None] = lambda: None,
        ros_args: Sequence[str] = (),
        export_words: Sequence[str] = (),
    ) -> AsyncIterator[Bridge]:
        """Run a bridge until the end of the block.

        Args:
            settings: of all its parts.
            nodes: the graph's others.
            context: where it runs.
            secret: signs access tokens.
            log: where lines are logged; None logs no events.
            join: take part in the graph; otherwise nothing is received and no service is reached.
            died: called in another thread when the part in the graph ends by itself.
            ros_args: for ROS, `--ros-args` first.
            export_words: what `aegis export` is told of the graph's parameters.

        Raises:
            ConfigError: a part cannot work with these parameters.
            sqlalchemy.exc.SQLAlchemyError: the PostgreSQL that several bridges share is away.
        """
        state_dir = context.state_dir
        assert state_dir is not None
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            hub = Hub(settings.stream)
            replicas: Replicas | None = None
            if settings.replicas.is_one_of_several:
                from aegis.bridge.replicas.replicas import Replicas  # with a package that is an extra

                replicas = await enter(Replicas.open(settings.replicas, context.namespace, secret))
            accounts = await enter(
                Accounts.open(
                    state_dir,
                    settings.accounts,
                    hub.close_sessions,
                    server=settings.history.database_url.get_secret_value() if replicas else "",
                    freshness=replicas.freshness if replicas else None,
                )
            )
            zones = DrawnZones(accounts)
            history = await enter(History.open(settings.history, state_dir, decision_days=settings.accounts.audit.days))
            outputs = await enter(Outputs.open(settings.outputs, namespace=context.namespace, run_id=context.run_id))
            ready = settings.ready
            sources = SourceWatch(ready.data_silence_s, ready.stuck_after, order=("detections", "tracks", "threats"))
            if ready.first_data_s:
                sources.expect(ready.expected(), ready.first_data_s)
            state = LiveState(nodes.names, ready.stages, ready.silence_s, sources)
            telemetry = Telemetry(state, state_dir)
            stage_log = await enter(StageLog.open(log.folder, settings.log)) if log else None
            stream = LiveStream(hub, settings)
            queue = LoopQueue(asyncio.get_running_loop(), settings.queue_length)

            connect(queue, state, stream, outputs.feed, telemetry, history, stage_log)

            def detail() -> dict[str, object]:
                counts = queue.counts()
                return {
                    **hub.counts(),
                    "handover_dropped": counts["dropped"],
                    "handover_errors": counts["errors"],
                    **outputs.counts(),
                    "history": history.counts(),
                    "acknowledged": history.acknowledged(),
                }

            metrics = telemetry.metrics
            metrics.add_source(STREAM, hub.counts)
            metrics.add_source(ACCOUNTS, accounts.counts)
            metrics.add_source(QUEUE, queue.counts)
            metrics.add_source(OUTPUTS, outputs.counts)
            metrics.add_source(HISTORY, history.counts)
            if log and stage_log:
                telemetry.watch_logs(bridge=log, stages=stage_log.writer)
            graph: Graph = NoGraph()
            if join:
                side = LoopSide(
                    queue,
                    state,
                    hub,
                    history.acknowledgements,
                    detail,
                    lambda: zones.drawn,
                    lambda: history.state,
                    replicas.warnings if replicas else lambda: [],
                    replicas.names if replicas else lambda: [],
                )
                link = await enter(RosLink.open(settings, nodes, context, side, died, ros_args))
                graph, zones.on_change = link.services, link.publish_zones
            bridge = cls(
                settings=settings,
                run_id=context.run_id,
                nodes=nodes,
                accounts=accounts,
                tokens=Tokens(
                    secret, settings.accounts.jwt_algorithm, settings.accounts.access_token_s, accounts.revocations
                ),
                tickets=replicas.tickets(accounts) if replicas else Tickets(accounts.revocations),
                throttle=replicas.throttle(settings.accounts) if replicas else Throttle(settings.accounts.limits),
                replicas=replicas,
                devices=Devices(secret, settings.accounts.device_token_days * 86400.0),
                zones=zones,
                state=state,
                queue=queue,
                hub=hub,
                stream=stream,
                history=history,
                incidents=Incidents(settings.incident, history.source, export_words),
                feed=outputs.feed,
                coast=outputs.coast,
                tiles=outputs.tiles,
                telemetry=telemetry,
                graph=graph,
            )
            await enter(running(hub.run(bridge.system_status), telemetry.run()))
            if replicas:
                metrics.add_source(REPLICAS, replicas.counts)
                await enter(replicas.joined(accounts, zones, history, hub.close_all, bridge.show_acknowledgements))
            yield bridge

    @property
    def audit(self) -> Audit:
        """Where acts and refusals are written."""
        return self.accounts.audit

    def system_status(self) -> Body:
        """Return the body of a system_status message."""
        return system_status(self.state, self.hub.counts())

    def show_acknowledgements(self) -> None:
        """Show the threats anew, with who has acknowledged them by now."""
        frame = self.state.threats
        if frame is not None:
            renewed = replace(frame, revision=frame.revision + 1)
            self.state.take_threats(renewed)
            self.stream.take_threats(renewed)


def connect(
    queue: LoopQueue,
    state: LiveState,
    stream: LiveStream,
    feed: Feed,
    telemetry: Telemetry,
    history: History,
    stage_log: StageLog | None,
) -> None:
    """Connect each kind of message with its receivers: on the event loop, or in the ROS thread, where nothing is dropped."""
    age = telemetry.latency.take
    log = [stage_log.take] if stage_log else []
    queue.on(Frame[Detections], age, state.take_detections)
    queue.on(
        Frame[Tracks], age, state.take_tracks, feed.take_tracks, stream.take_tracks, in_thread=[history.put_tracks]
    )
    queue.on(
        Frame[Threats], age, state.take_threats, feed.take_threats, stream.take_threats, in_thread=[history.put_threats]
    )
    queue.on(RadarFrame, stream.take_radar_frame)
    queue.on(PlacedSector, stream.take_video)
    queue.on(EwFrame[Signal], state.take_signals, stream.take_signals)
    queue.on(EwFrame[Advice], state.take_advice, stream.take_advice)
    queue.on(EwFrame[Alarm], state.take_alarms, stream.take_alarms)
    queue.on(EwFrame[ProtectedArea], state.take_protected, stream.take_protected)
    queue.on(ReceivedEvent, state.take_event, in_thread=[history.put_event, *log])
    queue.on(list[StatusRow], state.take_status)
    queue.on(Classifier, state.take_classifier)


def bridge_of(connection: HTTPConnection) -> Bridge:
    """Return the bridge behind a request or WebSocket."""
    bridge: Bridge = connection.app.state.bridge
    return bridge
