"""A run's numbers as Prometheus metrics: each call that ended is added once."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics import MetricWrapperBase

from harness.metrics.metric import ExpectationMetric, TurnMetric
from harness.metrics.registry import METRICS
from harness.metrics.samples import Sample, samples_of
from harness.record.result import CallResult
from harness.record.settings import RunSettings
from harness.scenario.model import Scenario
from harness.telemetry.families import (
    ALIVE,
    CALL_OUTCOMES,
    CALLS,
    FAILURES,
    FAMILIES,
    RETRIED,
    Family,
    counted_in,
    distribution,
    families_of,
    happened,
)
from harness.text.plain_text import one_line

MOST_SCENARIOS = 50
OTHERS = "(others)"
_LABEL_CHARS = 100


class Exposition:
    """The metrics of one run, in a registry of their own.

    Attributes:
        registry: What is served. It has no metrics of the exporting process.
    """

    def __init__(self) -> None:
        # A series for each series, which Prometheus does not need. The library has no type for this function.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._made = {family.name: _made(family, self.registry) for family in FAMILIES.values()}
        self._labels: dict[str, str] = {}

    def begin(self, settings: RunSettings) -> None:
        """Begins each series that calls will surely add to at 0: Prometheus takes no rate of a first value."""
        for name, entry in settings.scenarios.items():
            scenario = self._label(name)
            for outcome in CALL_OUTCOMES:
                self._counter(CALLS, scenario, outcome)
            kinds = {step.kind for step in Scenario.model_validate(entry.model).turns}
            for metric in METRICS.values():
                if isinstance(metric, ExpectationMetric):
                    continue
                of_kinds = sorted(kinds & set(metric.kinds)) if isinstance(metric, TurnMetric) else [None]
                for family in families_of(metric):
                    for kind in of_kinds:
                        self._made[family.name].labels(*([scenario] if kind is None else [scenario, kind]))

    def alive(self, calls: int) -> None:
        """Sets how many calls run."""
        gauge = self._made[ALIVE.name]
        assert isinstance(gauge, Gauge)  # noqa: S101 - made by its family's kind
        gauge.set(calls)

    def add(self, call: CallResult) -> None:
        """Adds a call that ended, if it is one of those that count."""
        if not call.role.counts:
            return
        scenario = self._label(call.scenario)
        outcome = "cut" if call.cut else "ok" if call.ok else "failed"
        self._counter(CALLS, scenario, outcome).inc()
        if call.failure is not None and not call.cut:
            self._counter(FAILURES, scenario, str(call.failure)).inc()
        if call.retry_of is not None:
            self._counter(RETRIED, scenario).inc()
        self._add_samples(samples_of([call]))

    def _add_samples(self, samples: Iterable[Sample]) -> None:
        for sample in samples:
            if not sample.fit or sample.censored:  # a censored one is only a lower bound
                continue
            metric = METRICS[sample.metric]
            tags = {"scenario": self._label(sample.scenario), "kind": sample.kind, "expect": sample.expect}
            values = tuple(tags[tag] for tag in metric.tags)
            if metric.is_rate:
                self._counter(counted_in(metric), *values).inc()
                self._counter(happened(metric), *values).inc(sample.value)
            else:
                family = distribution(metric)
                histogram = self._made[family.name].labels(*values)
                assert isinstance(histogram, Histogram)  # noqa: S101 - made by its family's kind
                histogram.observe(sample.value * family.per_unit)

    def _counter(self, family: Family, *values: str) -> Counter:
        counter = self._made[family.name].labels(*values)
        assert isinstance(counter, Counter)  # noqa: S101 - made by its family's kind
        return counter

    def _label(self, scenario: str) -> str:
        """Returns the label of a scenario; from the 51st on they share one, so that the number of series is bounded."""
        if scenario not in self._labels:
            is_full = len(self._labels) >= MOST_SCENARIOS
            self._labels[scenario] = OTHERS if is_full else one_line(scenario)[:_LABEL_CHARS]
        return self._labels[scenario]


def _made(family: Family, registry: CollectorRegistry) -> MetricWrapperBase:
    match family.kind:
        case "gauge":
            return Gauge(family.name, family.meaning, family.labels, registry=registry)
        case "counter":
            return Counter(family.name, family.meaning, family.labels, registry=registry)
        case "histogram":
            return Histogram(family.name, family.meaning, family.labels, registry=registry, buckets=family.buckets)
