# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The socket that the bridge listens on, and how many connections the process may have."""

from __future__ import annotations

import logging
import resource
import socket

_log = logging.getLogger(__name__)

_OTHER_FILES = 512  # of requests, logs, databases and DDS


def allow_connections(clients: int) -> None:
    """Let the process have as many sockets as it takes clients: 1024 files are the default of many systems."""
    wanted = clients + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
    if possible < wanted:
        _log.warning(
            "this process may have %d files open: too few for stream.max_clients = %d; raise the limit (ulimit -Hn)",
            possible,
            clients,
        )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address.

    Raises:
        OSError: the port is taken, or the host is not one of this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)  # so that a second bridge fails now, and not after it has joined the graph
    except OSError:
        listener.close()
        raise
    return listener
