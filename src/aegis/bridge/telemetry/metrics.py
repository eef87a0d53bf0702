# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The bridge's metrics for Prometheus, in a registry of its own."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from aegis.bridge.telemetry.sources import Measure, Read, Source, Value

_log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """What is observed here, and what the components count."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sources: dict[str, Source] = {}
        self._read: dict[str, Read] = {}
        self._failed: Counter[str] = Counter()
        self._requests = Histogram(
            "aegis_http_request_seconds",
            "Time from a request's head to the end of its answer.",
            ["method", "route", "status"],
            buckets=_REQUEST_BUCKETS_S,
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    def add_source(self, source: Source, read: Read) -> None:
        """Export what a component counts.

        Args:
            source: its name and the keys.
            read: returns the counts by key; called on the event loop at every scrape, so it is quick. A key that it leaves
                out, and a value that is not finite, is unknown and not exported.

        Raises:
            ValueError: the component is there already.
        """
        if source.name in self.sources:
            raise ValueError(f"the counts of '{source.name}' are exported already")
        self.sources[source.name], self._read[source.name] = source, read

    def observe_request(self, method: str, route: str, status: int | None, seconds: float) -> None:
        """Take a request; `route` is the template of its path, `status` is None where the client was gone before the answer."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, "none" if status is None else status).observe(seconds)

    def read(self) -> dict[str, Mapping[str, Value]]:
        """Return what the components count now, by name; one that fails is left out and counted."""
        counts = {}
        for name, read in self._read.items():
            try:
                counts[name] = read()
            except Exception:  # noqa: BLE001 - the others are still to be exported
                self._failed[name] += 1
                _log.exception("the counts of '%s' could not be read", name)
        return counts

    def text(self, counts: Mapping[str, Mapping[str, Value]]) -> bytes:
        """Return everything in Prometheus' text format 0.0.4; takes milliseconds, and may run in any thread.

        Args:
            counts: of the components, as `read` returned them.
        """
        return generate_latest(_Scrape(self, counts))

    def families(self, counts: Mapping[str, Mapping[str, Value]]) -> Iterator[Metric]:
        """Yield what the components count as Prometheus' families."""
        cut = GaugeMetricFamily("aegis_metrics_cut_series", "Series left out, of too many.", labels=["source"])
        failed = CounterMetricFamily("aegis_metrics_source_errors", "Failures to read counts.", labels=["source"])
        for source in self.sources.values():
            left_out = 0
            for key, value in counts.get(source.name, {}).items():
                if key in source.measures:
                    family, more = _family(source.family(key), source.measures[key], value)
                    left_out += more
                    yield family
            cut.add_metric([source.name], left_out)
            failed.add_metric([source.name], self._failed[source.name])
        yield cut
        yield failed


class _Scrape(Collector):
    """One scrape: what was observed, and what the components counted."""

    def __init__(self, metrics: Metrics, counts: Mapping[str, Mapping[str, Value]]) -> None:
        self._metrics = metrics
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics.registry.collect()
        yield from self._metrics.families(self._counts)


def _family(name: str, measure: Measure, value: Value) -> tuple[Metric, int]:
    """Return a family, and how many series it has no place for."""
    kind = CounterMetricFamily if measure.kind == "counter" else GaugeMetricFamily
    family = kind(name, measure.help, labels=measure.labels)
    series = _series(value)
    for labels, number in series[: measure.most]:
        if math.isfinite(number):
            family.add_metric((labels,) if isinstance(labels, str) else labels, number)
    return family, max(0, len(series) - measure.most)


def _series(value: Value) -> list[tuple[str | tuple[str, ...], float]]:
    """Return the labels and the number of each series of a count."""
    if value is None:
        return []
    if isinstance(value, str):
        return [(value, 1.0)]
    if isinstance(value, Mapping):
        return list(value.items())
    return [((), value)]
