# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""One bridge process: the socket and uvicorn on the main thread; the bridge itself is in `bridge.py`."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from aegis.bridge.accounts.secret import load_secret
from aegis.bridge.accounts.store import ADMINISTRATOR
from aegis.bridge.app import create_app
from aegis.bridge.background import running
from aegis.bridge.bridge import Bridge
from aegis.bridge.database import reason_of
from aegis.bridge.http.listener import allow_connections, listen
from aegis.bridge.http.protocol import Loop
from aegis.bridge.http.protocol import protocol_class as http_protocol_class
from aegis.bridge.live.nodes import OWN_NAME, GraphNodes
from aegis.bridge.replicas.settings import check_replicas, node_name
from aegis.bridge.settings import BridgeSettings, check_exposure, check_tls_files
from aegis.bridge.stream.ws_protocol import protocol_class
from aegis.bridge.telemetry.log import bridge_log
from aegis.bridge.telemetry.writer import LogWriter
from aegis.ros.stages.base import StageContext

_log = logging.getLogger(__name__)

EXIT_FAILED, EXIT_CONFIG = 1, 2
_SHUTDOWN_S = 2
_GC_AFTER = 20_000  # new objects, those of some dozen pictures, before they are looked through for garbage in circles
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
    export_words: Sequence[str] = (),
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
        export_words: what `aegis export` is told of the graph's parameters.

    Raises:
        ConfigError: the settings would expose the bridge, the signing key cannot be used, or a part cannot work with them.
    """
    check_exposure(settings)
    check_tls_files(settings.tls)
    secret = load_secret(settings.accounts, state_dir, reachable_on="" if settings.loopback else settings.host)
    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        print(
            f"aegis bridge: cannot listen on {settings.host} port {settings.port}: {error.strerror or error}; choose another"
            " with API_PORT or the parameter 'port'",
            file=sys.stderr,
        )
        return EXIT_CONFIG
    check_replicas(settings.replicas, settings.history.database_url.get_secret_value())
    label = node_name(settings.replicas, OWN_NAME)
    if settings.replicas.is_one_of_several:  # its history and logs are its own; keys and the rest are the graph's
        state_dir = state_dir / label
        state_dir.mkdir(exist_ok=True, mode=0o700)
    context = StageContext(run_id, epoch, state_dir, True, namespace, label)
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    with listener, bridge_log(settings.log.folder(state_dir, namespace), settings.log) as log:
        allow_connections(settings.stream.max_clients)
        with asyncio.Runner(loop_factory=Loop) as runner:
            try:
                return runner.run(_run(settings, nodes, context, secret, listener, log, ros_args, export_words))
            except SQLAlchemyError as error:
                print(
                    f"aegis bridge: the accounts in PostgreSQL cannot be reached: {reason_of(error)}", file=sys.stderr
                )
                return EXIT_FAILED


async def _run(
    settings: BridgeSettings,
    nodes: GraphNodes,
    context: StageContext,
    secret: bytes,
    listener: socket.socket,
    log: LogWriter,
    ros_args: Sequence[str],
    export_words: Sequence[str],
) -> int:
    """Open the bridge, and serve it until a signal, or until it has left the graph by itself; return the exit code."""
    # A signal that comes before uvicorn looks for them. It raises the one that stopped it once more, when all is over.
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: signals.append(number))
    loop, lost = asyncio.get_running_loop(), asyncio.Event()

    def died() -> None:
        loop.call_soon_threadsafe(lost.set)

    parts = Bridge.open(
        settings, nodes, context, secret, log=log, died=died, ros_args=ros_args, export_words=export_words
    )
    async with parts as bridge:
        password = bridge.accounts.ensure_administrator()
        if password is not None:
            _print_password(password)
        if signals:
            return 0
        server = uvicorn.Server(server_config(settings, create_app(bridge)))
        scheme = "https" if settings.tls.certificate else "http"
        host, port = listener.getsockname()[:2]
        # All that is loaded by now stays: to look through it for garbage again and again held everybody up for 0.1 s.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GC_AFTER, *gc.get_threshold()[1:])
        _log.info("the bridge is on %s://%s:%d", scheme, f"[{host}]" if ":" in host else host, port)
        async with running(_stop(server, lost)):
            await server.serve(sockets=[listener])
        return EXIT_FAILED if lost.is_set() or not server.started else 0


async def _stop(server: uvicorn.Server, lost: asyncio.Event) -> None:
    """Stop the server when the bridge has left the graph."""
    await lost.wait()
    server.should_exit = True


def server_config(settings: BridgeSettings, app: FastAPI) -> uvicorn.Config:
    """Return how uvicorn serves the application."""
    return uvicorn.Config(
        app,
        http=http_protocol_class(settings.requests.timeout_s),
        ws=protocol_class(settings.stream.send_buffer_bytes),
        ws_max_size=settings.stream.max_message_bytes,
        ws_per_message_deflate=False,  # 2 to 3 times the CPU
        lifespan="off",  # the bridge is open around the server
        log_config=None,
        access_log=False,
        # Of anybody else X-Forwarded-For is ignored: a client could choose the address that its logins are counted by.
        proxy_headers=bool(settings.requests.trusted_proxies),
        forwarded_allow_ips=list(settings.requests.trusted_proxies),
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        ssl_certfile=settings.tls.certificate or None,
        ssl_keyfile=settings.tls.key or None,
    )


def _print_password(password: str) -> None:
    print(
        f"\n  Aegis: first start. Log in as '{ADMINISTRATOR}' with the password\n\n      {password}\n\n"
        f"  It is shown this once; `aegis users reset-password {ADMINISTRATOR}` makes a new one.\n",
        file=sys.stderr,
        flush=True,
    )
