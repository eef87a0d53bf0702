# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""All that is said over the connections of one node: to its fusion node, and with other nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from aegis.core.health import Health, Level
from aegis.core.params import ConfigError
from aegis.core.site import Site
from aegis.core.types import Alarm, Tracks
from aegis.sapient.edge import Edge
from aegis.sapient.ids import Identity
from aegis.sapient.link import Happening, Kind, Link
from aegis.sapient.messages import MessageError, Writer, read
from aegis.sapient.others import Others
from aegis.sapient.settings import SapientSettings, parse_endpoint
from aegis.state import kept_ids

MOST_AT_ONCE = 5000  # messages that are taken at a time; the rest waits
FUSION_NODE, EDGE_NODES, MIDDLEWARE = "fusion node", "edge nodes", "middleware"  # whom a connection is to


class Conversation:
    """Connections, and what goes over them.

    Args:
        settings: with somebody to speak to, and a site.
        folder: where identity and ids are kept; None keeps nothing.

    Raises:
        ConfigError: no site, a certificate that cannot be used, or an address that nothing can listen at.
    """

    def __init__(self, settings: SapientSettings, folder: Path | None) -> None:
        site = Site.of(settings.site)
        if site is None:
            raise ConfigError("sapient: 'site' does not say where map is")
        identity = Identity.of(settings.node_id, folder)
        ids = kept_ids(None if folder is None else folder / "sapient_track_ids.json")
        self.node_id = identity.node_id
        self.edge = Edge(settings, identity, site)
        self.others = Others(settings.fusion, Writer(identity.node_id), site, ids)
        self.refused: Counter[str] = Counter()  # messages that could not be used
        self._s = settings
        self._edge_peer: int | None = None
        self._waiting: list[Happening] = []
        self._now_ns = 0
        connect = {FUSION_NODE: settings.edge.connect, MIDDLEWARE: settings.fusion.connect}
        listen = {EDGE_NODES: settings.fusion.listen}
        self.link = Link(
            {role: parse_endpoint(url) for role, url in connect.items() if url},
            {role: parse_endpoint(url) for role, url in listen.items() if url},
            settings.tls,
        )

    def take_tracks(self, tracks: Tracks) -> None:
        """Report what is due of a picture."""
        self._send(self.edge.take_tracks(tracks, max(self._now_ns, tracks.stamp_ns)))

    def take_alarms(self, alarms: list[Alarm]) -> None:
        """Send alerts of the alarms that have changed."""
        self._send(self.edge.take_alarms(alarms, self._now_ns))

    def poll(self, now_ns: int) -> list[Tracks]:
        """Take what has come, send what is due by the clock; return others' pictures."""
        self._now_ns = now_ns
        self._waiting += self.link.happened()
        for happening in self._waiting[:MOST_AT_ONCE]:
            self._take(happening, now_ns)
        del self._waiting[:MOST_AT_ONCE]
        if self._edge_peer is not None:
            self._send(self.edge.tick(now_ns))
            if self.edge.is_overdue(now_ns):
                why = self.edge.refused or "nobody has answered"
                self.link.cut(self._edge_peer, f"registration not acknowledged: {why}")
                self._edge_peer = None
        return self.others.pictures(now_ns)

    def close(self) -> None:
        """Say goodbye and close the connections."""
        self.goodbye()
        self.link.close()

    def goodbye(self) -> None:
        """Say that this node ends; nothing is said to the fusion node after it."""
        self._send(self.edge.goodbye(self._now_ns))
        self._edge_peer = None

    def counts(self) -> Counter[str]:
        """Return what has been noted so far, by reason."""
        return self.link.counts + self.edge.counts + self.others.counts

    def detail(self) -> dict[str, object]:
        """Return who is connected, and how other nodes are."""
        edge: dict[str, object] = {}
        if self._s.edge.connect:
            edge = {
                "to": self._s.edge.connect,
                "registered": self.edge.registered,
                "stopped": not self.edge.tasks.reporting,
                "task": self.edge.tasks.active_id,
                "last_complaint": self.edge.refused,
            }
        nodes = {
            one.name: {
                "objects": len(one.source.objects),
                "reports": one.reports,
                "silent_s": round((self._now_ns - one.heard_ns) * 1e-9, 1),
                "system": one.system,
                "sensor_id": one.source.sensor_id,
            }
            for one in self.others.nodes.values()
        }
        return {"node_id": self.node_id, "edge": edge, "nodes": nodes}

    def health(self) -> Health:
        """Return a connection that is not there, or a node that is silent."""
        trouble = self.link.trouble
        if FUSION_NODE in trouble and self._edge_peer is None:
            return Health(Level.ERROR, f"no connection to the fusion node: {trouble[FUSION_NODE]}")
        if self._s.edge.connect and not self.edge.registered:
            why = self.edge.refused or "not acknowledged yet"
            return Health(Level.ERROR, f"the fusion node has not taken the registration: {why}")
        if MIDDLEWARE in trouble:
            return Health(Level.ERROR, f"no connection to the middleware: {trouble[MIDDLEWARE]}")
        if silent := self.others.silent(self._now_ns):
            return Health(Level.WARN, f"nothing is heard of {', '.join(silent)}: what it sees is not in the picture")
        return Health()

    def _send(self, messages: Iterable[bytes]) -> None:
        if self._edge_peer is not None:
            for message in messages:
                self.link.send(self._edge_peer, message)

    def _take(self, happening: Happening, now_ns: int) -> None:
        """Take something that has happened to a connection."""
        if happening.kind is Kind.MESSAGE:
            self._read(happening, now_ns)
        elif happening.kind is Kind.OPENED:
            if happening.role == FUSION_NODE:
                self._edge_peer = happening.peer
                self._send(self.edge.opened(now_ns))
        else:
            self.link.counts[f"connection closed: {happening.role}"] += 1
            self.others.closed(happening.peer)
            if happening.role == FUSION_NODE:
                self._edge_peer = None
                self.edge.closed()

    def _read(self, happening: Happening, now_ns: int) -> None:
        try:
            message = read(happening.data)
        except MessageError as error:
            self.refused[error.reason] += 1
            return
        if happening.role == FUSION_NODE:
            if happening.peer == self._edge_peer:
                self._send(self.edge.take(message, now_ns))
            return
        acknowledge = happening.role == EDGE_NODES or self._s.fusion.acknowledge
        for answer in self.others.take(message, happening.peer, now_ns, acknowledge=acknowledge):
            self.link.send(happening.peer, answer)
