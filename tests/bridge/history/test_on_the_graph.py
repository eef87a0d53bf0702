# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is said on the graph is in the history of a real bridge, and the bridge says on the graph what is acknowledged."""

import json
import time

from event_messages import event_message
from history_data import an_event


def test_what_is_said_on_the_graph_is_kept(start_bridge, publisher, wait_for):
    bridge = start_bridge()
    wait_for(publisher.matched, "the bridge listens")
    stamp_ns = publisher.send_scan(5)
    event = an_event(1, stamp_ns=stamp_ns)
    publisher.publishers["events"].publish(
        event_message(
            event.name,
            data=event.data,
            **{name: getattr(event, name) for name in ("stage", "stamp_ns", "run_id", "epoch", "sequence")},
        )
    )

    def items(path: str) -> list[dict]:
        answer = bridge.get(path)
        assert answer.status_code in (200, 503)
        return answer.json().get("items", [])

    of_site = event_message("ALARM_RAISED", stage="north/threat", stamp_ns=stamp_ns, run_id="theirs", sequence=9)
    for _ in range(2):  # as after a cut line, or of an uplink that was killed
        publisher.publishers["site_events"].publish(of_site)

    for path in ("/api/threats/history", "/api/radar/tracks/41/history", "/api/events?stage=tracking"):
        wait_for(lambda path=path: items(path), path)
        assert items(path)[0]["stamp_s"] == stamp_ns / 1e9
    assert [row["level"] for row in items("/api/threats/history?track_id=41")] == ["CRITICAL"]
    assert items("/api/radar/tracks/41/history")[0]["bearing_deg"] == 30.0
    assert items("/api/events?stage=tracking")[0]["data"] == event.data

    wait_for(lambda: items("/api/events?site=north"), "the event of another site")
    (theirs,) = items("/api/events?site=north")
    assert (theirs["site"], theirs["stage"], theirs["name"], theirs["run_id"]) == (
        "north", "north/threat", "ALARM_RAISED", "theirs"
    )  # fmt: skip
    assert [row["site"] for row in items("/api/events?stage=tracking")] == [""]
    assert items("/api/events?site=south") == []

    def said() -> dict:
        rows = [json.loads(m.detail[0]) for m in publisher.heard["status"] if list(m.stage) == ["bridge"]]
        return rows[-1] if rows else {}

    wait_for(lambda: "tracking" in said().get("acknowledged", {}), "the bridge acknowledges the event on the graph")
    assert "north/threat" not in said()["acknowledged"]  # its own uplink keeps count of it
    assert said()["acknowledged"]["tracking"] == {"run_id": "run", "epoch": 0, "first": 1, "sequence": 1, "highest": 1}
    wait_for(lambda: said()["history"]["shipped"] >= 3, "it counts")
    assert said()["history"]["database"] == "up"
    assert time.time() - said()["history"]["database_since_s"] < 60
