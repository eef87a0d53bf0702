"""One bridge process: uvicorn on the main thread, the graph in a thread beside it."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from aegis.bridge.accounts.devices import Devices
from aegis.bridge.accounts.secret import load_secret
from aegis.bridge.accounts.store import ADMINISTRATOR, Accounts
from aegis.bridge.accounts.throttle import Throttle
from aegis.bridge.accounts.tokens import Tokens
from aegis.bridge.app import create_app
from aegis.bridge.bridge import Bridge
from aegis.bridge.history.history import History
from aegis.bridge.http.listener import allow_connections, listen
from aegis.bridge.http.protocol import LOOP
from aegis.bridge.http.protocol import protocol_class as http_protocol_class
from aegis.bridge.live.acknowledgements import Acknowledgements
from aegis.bridge.live.handover import Handover
from aegis.bridge.live.nodes import GraphNodes
from aegis.bridge.outputs.outputs import Outputs
from aegis.bridge.ros_node import Outlets, RosLink
from aegis.bridge.settings import BridgeSettings, check_exposure
from aegis.bridge.stream.hub import Hub
from aegis.bridge.stream.ws_protocol import protocol_class
from aegis.bridge.telemetry.log import bridge_log
from aegis.bridge.telemetry.sources import HANDOVER, HISTORY, OUTPUTS
from aegis.bridge.telemetry.stage_log import StageLog
from aegis.bridge.telemetry.writer import LogWriter
from aegis.core.params import ConfigError
from aegis.ros.stages.base import StageContext

_log = logging.getLogger(__name__)

EXIT_FAILED = 1
_SHUTDOWN_S = 2
# Two threads share the interpreter; at the default of 5 ms a frame waits that long for a thread that computes.
_SWITCH_INTERVAL_S = 0.001


def serve(
    settings: BridgeSettings,
    nodes: GraphNodes,
    *,
    namespace: str = "",
    state_dir: Path,
    run_id: str = "",
    epoch: int = 0,
    ros_args: Sequence[str] = (),
) -> int:
    """Run the bridge until SIGINT or SIGTERM; return the exit code.

    Args:
        settings: the bridge's parameters.
        nodes: the graph's others.
        namespace: of the graph to show.
        state_dir: where accounts and the signing key are kept.
        run_id: one start of the whole graph.
        epoch: how often the bridge has been started within the run.
        ros_args: for ROS, `--ros-args` first.

    Raises:
        ConfigError: the settings would expose the bridge, the signing key cannot be used, or an output cannot work.
    """
    check_exposure(settings)
    for name in ("tls_certificate", "tls_key"):
        path = getattr(settings, name)
        if path and not Path(path).is_file():
            raise ConfigError(f"bridge: {name} '{path}' is not a file")
    secret = load_secret(settings, state_dir)
    outputs = Outputs(settings, namespace=namespace, run_id=run_id)
    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        print(
            f"aegis bridge: cannot listen on {settings.host} port {settings.port}: {error.strerror or error}; choose another"
            " with API_PORT or the parameter 'port'",
            file=sys.stderr,
        )
        return EXIT_FAILED
    context = StageContext(run_id, epoch, state_dir, True, namespace)
    with listener, bridge_log(settings.log_folder(state_dir, namespace), settings) as log:
        allow_connections(settings.ws_max_clients)
        return _serve(settings, nodes, listener, secret, state_dir, context, outputs, log, ros_args)


def _serve(
    settings: BridgeSettings,
    nodes: GraphNodes,
    listener: socket.socket,
    secret: bytes,
    state_dir: Path,
    context: StageContext,
    outputs: Outputs,
    log: LogWriter,
    ros_args: Sequence[str],
) -> int:
    accounts = Accounts(state_dir, settings)
    password = accounts.ensure_administrator()
    if password is not None:
        print(
            f"\n  Aegis: first start. Log in as '{ADMINISTRATOR}' with the password\n\n      {password}\n\n"
            f"  It is shown this once; `aegis users reset-password {ADMINISTRATOR}` makes a new one.\n",
            file=sys.stderr,
            flush=True,
        )
    bridge = Bridge(
        settings=settings,
        nodes=nodes,
        tokens=Tokens(secret, settings.jwt_algorithm, settings.access_token_s, accounts.mirror),
        accounts=accounts,
        throttle=Throttle(settings),
        devices=Devices(secret, settings.device_token_days * 86400.0),
        hub=Hub(settings),
        state_dir=state_dir,
        acknowledgements=Acknowledgements(state_dir),
        history=History(settings, state_dir),
        run_id=context.run_id,
        feed=outputs.feed,
    )
    failed = False

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        handover = Handover(loop, bridge.deliver, settings.handover_length)
        stage_log = StageLog(log.folder, settings)
        bridge.telemetry.metrics.add_source(HANDOVER, handover.counts)
        bridge.telemetry.metrics.add_source(OUTPUTS, outputs.counts)
        bridge.telemetry.metrics.add_source(HISTORY, bridge.history.counts)
        bridge.telemetry.watch_logs(bridge=log, stages=stage_log.writer)

        def counts() -> dict[str, Any]:
            return {
                **bridge.stream_counts(),
                "handover_dropped": handover.dropped.total(),
                "handover_errors": handover.errors,
                **outputs.counts(),
            }

        def died() -> None:
            nonlocal failed
            failed = True
            server.should_exit = True

        def take(topic: str, item: Any) -> None:
            handover.put(topic, item)
            if topic == "events":
                stage_log.take(item)

        outlets = Outlets(
            put=take,
            counts=counts,
            history=bridge.history,
            acknowledged=bridge.acknowledgements,
            asked_for=bridge.latest.asked_for,
            listened_to=lambda: len(bridge.hub) > 0,
        )
        link = RosLink(settings, nodes, context, outlets, died, ros_args)
        bridge.graph = link.services
        bridge.history.start()
        link.start()
        outputs.start()
        housekeeping = [
            asyncio.create_task(work)
            for work in (bridge.hub.run(lambda _: bridge.system_status()), bridge.telemetry.run(), accounts.watch())
        ]
        try:
            scheme = "https" if settings.tls else "http"
            host, port = listener.getsockname()[:2]
            # All that is loaded by now stays: to look through it for garbage again and again held everybody up for 0.1 s.
            gc.collect()
            gc.freeze()
            _log.info("the bridge is on %s://%s:%d", scheme, f"[{host}]" if ":" in host else host, port)
            yield
        finally:
            for task in housekeeping:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await outputs.stop()
            await loop.run_in_executor(None, link.stop)
            await loop.run_in_executor(None, stage_log.writer.close)
            await loop.run_in_executor(None, bridge.history.close)
            await loop.run_in_executor(None, accounts.close)

    app = create_app(bridge, lifespan)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            loop=LOOP,
            http=http_protocol_class(settings.request_timeout_s),
            ws=protocol_class(settings.ws_send_buffer_bytes),
            ws_max_size=settings.ws_max_message_bytes,
            ws_per_message_deflate=False,  # 2 to 3 times the CPU
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # X-Forwarded-For would let anybody choose the address that logins are counted by
            server_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_S,
            ssl_certfile=settings.tls_certificate or None,
            ssl_keyfile=settings.tls_key or None,
        )
    )
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    # uvicorn raises the signal that stopped it once more; by then all is closed, and ending is what was asked for.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listener])
    return EXIT_FAILED if failed or not server.started else 0
