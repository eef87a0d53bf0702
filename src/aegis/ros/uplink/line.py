# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The line between sites: a session of zenoh, opened in the background and again and again until it is there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import zenoh
from zenoh.handlers import Callback

from aegis.core.param_names import Leaf, Values
from aegis.core.params import ConfigError
from aegis.core.uplink.settings import UplinkSettings
from aegis.core.yaml_text import parse_yaml

T = TypeVar("T")

RETRY_S = 0.5
_JOIN_S = 5.0
_SEND_BUFFER_BYTES = 65536  # of the kernel: what waits there is older than what comes after it, and nothing can pass it
# Nobody is looked for: who talks with whom is said. A line that carries nothing is given up and made anew in seconds.
_DEFAULTS: dict[str, object] = {
    "scouting/multicast/enabled": False,
    "scouting/gossip/enabled": False,
    "connect/timeout_ms": {"router": -1, "peer": -1, "client": 0},
    "connect/exit_on_failure": {"router": False, "peer": False, "client": True},
    "connect/retry": {"period_init_ms": 250, "period_max_ms": 1000, "period_increase_factor": 2},
    "transport/unicast/open_timeout": 3000,
    "transport/unicast/accept_timeout": 3000,
    "transport/link/tx/lease": 4000,
    "transport/shared_memory/enabled": False,  # two ends on one machine are a test of the line, which it would go round
    "transport/link/tcp/so_sndbuf": _SEND_BUFFER_BYTES,
    "transport/link/tls/so_sndbuf": _SEND_BUFFER_BYTES,
}


class Line:
    """A session of zenoh and what is declared in it."""

    def __init__(self, settings: UplinkSettings) -> None:
        """Check the configuration.

        Raises:
            ConfigError: zenoh's configuration is wrong.
        """
        self._config = _configured(settings)
        self._session: zenoh.Session | None = None
        self._stopped = threading.Event()
        self._declare: list[Callable[[zenoh.Session], object]] = []
        self._declared: list[object] = []
        self._thread = threading.Thread(target=self._open, name="uplink line", daemon=True)
        self._calls = threading.Condition()
        self._open_calls = 0  # callbacks that zenoh has
        self._ending: list[threading.Thread] = []  # of those that it has given back
        self.refused = ""  # why it is not open

    def on_open(self, declare: Callable[[zenoh.Session], object]) -> None:
        """Declare something as soon as the session is there; before `start`."""
        self._declare.append(declare)

    def start(self) -> None:
        """Begin to open it."""
        self._thread.start()

    @property
    def session(self) -> zenoh.Session | None:
        """The session; None while there is none."""
        return self._session

    def links(self) -> list[str]:
        """Return the other ends that it is connected to now."""
        session = self._session
        return (
            [] if session is None or self._stopped.is_set() else sorted(str(link.dst) for link in session.info.links())
        )

    def put(self, key: str, payload: bytes, attachment: bytes | None, *, urgent: bool) -> bool:
        """Send; return whether there was a session. What the line cannot take is dropped: its receiver asks again."""
        session = self._session
        if session is None or self._stopped.is_set():
            return False
        session.put(
            key,
            payload,
            attachment=attachment,
            congestion_control=zenoh.CongestionControl.DROP,
            priority=zenoh.Priority.REAL_TIME if urgent else zenoh.Priority.DATA_LOW,
        )
        return True

    def subscribe(self, key: str, take: Callable[[str, bytes, bytes | None], None]) -> None:
        """Take what others send on keys, from the start on: (key, payload, attachment), in a thread of zenoh's."""

        def taken(sample: zenoh.Sample) -> None:
            take(str(sample.key_expr), sample.payload.to_bytes(), _attached(sample))

        self.on_open(lambda s: s.declare_subscriber(key, self._callback(taken), allowed_origin=zenoh.Locality.REMOTE))

    def serve(self, key: str, take: Callable[[zenoh.Query], None]) -> None:
        """Take questions, from the start on, in a thread of zenoh's; each is answered by `reply`, or dropped."""
        self.on_open(lambda s: s.declare_queryable(key, self._callback(take), complete=True))

    def ask(
        self,
        key: str,
        begin: int,
        timeout_s: float,
        take: Callable[[bytes, bytes | None], None],
        ended: Callable[[], None],
    ) -> bool:
        """Ask for a page; return whether there is a session.

        `take` is called with (payload, attachment) of the answer, if there is one, and then `ended`; in a thread of zenoh's.
        """
        session = self._session
        if session is None or self._stopped.is_set():
            return False

        def taken(reply: zenoh.Reply) -> None:
            if (sample := reply.ok) is not None:
                take(sample.payload.to_bytes(), _attached(sample))

        session.get(
            f"{key}?from={begin}",
            self._callback(taken, ended),
            timeout=timeout_s,
            consolidation=zenoh.ConsolidationMode.NONE,
            # The answer's too. It waits for the line, as who has asked waits for it.
            congestion_control=zenoh.CongestionControl.BLOCK,
            priority=zenoh.Priority.DATA,
        )
        return True

    def reply(self, query: zenoh.Query, payload: bytes, attachment: bytes) -> None:
        """Answer a question."""
        query.reply(query.key_expr, payload, attachment=attachment)

    def close(self) -> None:
        """Close the session."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        session, self._session = self._session, None
        self._declared.clear()
        if session is not None:
            session.close()  # type: ignore[no-untyped-call]
        with self._calls:
            self._calls.wait_for(lambda: not self._open_calls, _JOIN_S)
        for thread in self._ending:
            thread.join(_JOIN_S)

    def _callback(self, call: Callable[[T], object], ended: Callable[[], None] | None = None) -> Callback[T]:
        """Return a callback for zenoh, which gives each a thread: one that outlived the interpreter would abort the process."""

        def over() -> None:
            if ended is not None:
                ended()
            with self._calls:
                self._open_calls -= 1
                self._ending = [t for t in self._ending if t.is_alive()] + [threading.current_thread()]
                self._calls.notify()

        with self._calls:
            self._open_calls += 1
        return Callback(call, over)

    def _open(self) -> None:
        while not self._stopped.is_set():
            try:
                session = zenoh.open(self._config)
            except zenoh.ZError as error:
                self.refused = str(error).partition(" at /")[0].strip()
                self._stopped.wait(RETRY_S)
                continue
            self.refused = ""
            self._declared = [declare(session) for declare in self._declare]
            self._session = session
            return


def _configured(settings: UplinkSettings) -> zenoh.Config:
    config = zenoh.Config()
    given = {
        **_DEFAULTS,
        "mode": settings.mode,
        "listen/endpoints": list(settings.listen),
        "connect/endpoints": list(settings.connect),
    }
    sources = dict.fromkeys(given, "uplink")
    if settings.zenoh:
        own = _file(Path(settings.zenoh))
        given |= own
        sources |= dict.fromkeys(own, settings.zenoh)
    for key, value in given.items():
        try:
            config.insert_json5(key, json.dumps(value))
        except zenoh.ZError as error:
            raise ConfigError(f"{sources[key]}: zenoh refuses '{key}' = {value!r}: {error}") from None
    return config


def _attached(sample: zenoh.Sample) -> bytes | None:
    return None if sample.attachment is None else sample.attachment.to_bytes()


def _file(path: Path) -> dict[str, object]:
    """Return zenoh's own configuration by key.

    Raises:
        ConfigError: it cannot be read, or is no mapping.
    """
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path}: a mapping of zenoh's configuration is expected")
    return dict(_leaves(content))


def _leaves(content: Mapping[str, Leaf | Values], above: str = "") -> list[tuple[str, object]]:
    out: list[tuple[str, object]] = []
    for key, value in content.items():
        name = f"{above}/{key}" if above else str(key)
        # Access control is one thing: each of its keys alone is none that zenoh takes.
        if isinstance(value, Mapping) and key != "access_control":
            out += _leaves(value, name)
        else:
            out.append((name, value))
    return out
