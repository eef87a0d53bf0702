# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What an event says: its name, its severity, and the JSON of its data."""

import json
from dataclasses import dataclass, fields
from typing import Annotated, get_type_hints

import pytest

from aegis.core import events
from aegis.core.events import EVENTS, Event, Severity
from aegis.core.types import Advice, AdviceState, Signal, SignalKind, ThreatLevel

NAN = float("nan")
SIGNAL = Signal(1, SignalKind.NOISE_JAMMING, 0.5, NAN, 12.5, float("inf"), 0.99, "noise 12 dB up", sensor="bow")
ADVICE = Advice(2, 0, 1, "FREQUENCY_HOP", 1, "it is jammed", NAN, 8_000, AdviceState.PROPOSED)
THREAT = (7, None, ThreatLevel.HIGH, 0.625, "closing")
CASES = [
    (events.ScanStarted(3, driver="ars548"), "RADAR_SCAN_STARTED", "INFO", '{"sequence": 3, "driver": "ars548"}'),
    (
        events.ScanStarted(3, scenario="calm", frequency_hz=9.4e9), "RADAR_SCAN_STARTED", "INFO",
        '{"sequence": 3, "scenario": "calm", "frequency_hz": 9.4e9}',
    ),
    (events.DetectionRunning(4), "DETECTION_RUNNING", "DEBUG", '{"sequence": 4}'),
    (
        events.TargetsClassified(4, 3, {"BIRD": 1, "DRONE": 2}), "DETECTION_TARGETS_CLASSIFIED", "INFO",
        '{"sequence": 4, "detections": 3, "classes": {"BIRD": 1, "DRONE": 2}}',
    ),
    (events.DetectionFailed("KeyError: 1"), "DETECTION_ERROR", "ERROR", '{"error": "KeyError: 1"}'),
    (
        events.TrackingUpdated(5, 2, [1, 9]), "TRACKING_UPDATED", "INFO",
        '{"sequence": 5, "tracks": 2, "confirmed": [1, 9], "reset": false}',
    ),
    (
        events.TrackingReset(5, 0, [], reordered=True), "TRACKING_UPDATED", "WARNING",
        '{"sequence": 5, "tracks": 0, "confirmed": [], "reset": true, "reordered": true, "reason": "time went backwards"}',
    ),
    (events.TrackLost(7), "TRACKING_LOST", "INFO", '{"track_id": 7}'),
    (
        events.ThreatLevelChanged(*THREAT), "THREAT_LEVEL_CHANGED", "INFO",
        '{"track_id": 7, "before": null, "level": "HIGH", "score": 0.625, "reason": "closing"}',
    ),
    (
        events.ThreatCritical(7, ThreatLevel.LOW, ThreatLevel.CRITICAL, 1.0, "near"), "THREAT_CRITICAL", "WARNING",
        '{"track_id": 7, "before": "LOW", "level": "CRITICAL", "score": 1.0, "reason": "near"}',
    ),
    (
        events.EwDetection(**vars(SIGNAL)), "EW_DETECTION", "WARNING",
        '{"id": 1, "kind": "NOISE_JAMMING", "bearing": 0.5, "bearing_sigma": null, "power_db": 12.5, "frequency": null,'
        ' "confidence": 0.99, "evidence": "noise 12 dB up", "track_id": 0, "emitter": "", "x": null, "y": null, "xx": null,'
        ' "xy": null, "yy": null, "sensor": "bow"}',
    ),
    (
        events.EwResponseTriggered(**vars(ADVICE)), "EW_RESPONSE_TRIGGERED", "WARNING",
        '{"id": 2, "track_id": 0, "signal_id": 1, "technique": "FREQUENCY_HOP", "priority": 1, "rationale": "it is jammed",'
        ' "expected_benefit_db": null, "valid_until_ns": 8000, "state": "PROPOSED", "decided_by": ""}',
    ),
    (
        events.EwAdviceWithdrawn(**vars(ADVICE)), "EW_ADVICE_WITHDRAWN", "INFO",
        '{"id": 2, "track_id": 0, "signal_id": 1, "technique": "FREQUENCY_HOP", "priority": 1, "rationale": "it is jammed",'
        ' "expected_benefit_db": null, "valid_until_ns": 8000, "state": "PROPOSED", "decided_by": ""}',
    ),
    (events.DriverFailed("ti_raw", "no route"), "PIPELINE_ERROR", "ERROR", '{"driver": "ti_raw", "message": "no route"}'),
    (events.ThreatsBroadcast(40, 2), "BROADCAST_THREATS", "INFO", '{"messages": 40, "clients": 2}'),
]  # fmt: skip


@pytest.mark.parametrize(("event", "name", "severity", "data"), CASES, ids=lambda value: type(value).__name__)
def test_name_severity_and_data(event, name, severity, data):
    assert (event.name, event.severity) == (name, Severity[severity])
    assert json.loads(json.dumps(event.data(), allow_nan=False)) == json.loads(data)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_says_when_it_is_told_and_what_its_fields_mean(kind):
    assert not kind.__doc__.startswith(kind.__name__)  # which a dataclass writes where nobody else did
    assert kind.severity in Severity
    hints = get_type_hints(kind, include_extras=True)
    for f in fields(kind):
        (meaning,) = hints[f.name].__metadata__
        assert meaning


def test_a_new_event_is_listed_and_a_rare_one_is_not_expected():
    @dataclass(frozen=True)
    class AntennaStuck(Event):
        """The antenna does not turn."""

        name = "RADAR_ANTENNA_STUCK"
        severity = Severity.ERROR
        ordinary = False
        azimuth_deg: Annotated[float, "where [deg]"]

    assert events._kinds(Event)[-1] is AntennaStuck
    assert AntennaStuck(12.0).data() == {"azimuth_deg": 12.0}


def test_the_events_of_the_original_design_are_ordinary():
    """tests/graph/test_whole_graph.py waits for all of these."""
    assert {kind.name for kind in EVENTS if kind.ordinary} >= {
        "RADAR_SCAN_STARTED", "RADAR_SCAN_COMPLETE", "RADAR_TARGETS_DETECTED", "DETECTION_RUNNING",
        "DETECTION_TARGETS_CLASSIFIED", "DETECTION_ERROR", "TRACKING_RUNNING", "TRACKING_UPDATED", "TRACKING_LOST",
        "THREAT_ASSESSMENT_RUNNING", "THREAT_LEVEL_CHANGED", "THREAT_CRITICAL", "EW_DETECTION", "EW_RESPONSE_TRIGGERED",
        "EW_COUNTERMEASURE", "PIPELINE_CYCLE_COMPLETE", "PIPELINE_ERROR", "BROADCAST_RADAR_FRAME", "BROADCAST_THREATS",
        "BROADCAST_SYSTEM_STATUS",
    }  # fmt: skip
