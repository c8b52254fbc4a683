"""What is exposed to Prometheus and under which names: made from the registry of metrics, so neither lacks the other's.

Names follow Prometheus's own rules (prometheus.io, "Metric and label naming"): base units, `_total` for counters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from harness.failures import FailureKind
from harness.metrics.metric import Metric
from harness.metrics.registry import METRICS

PREFIX = "voice_"
CALL_OUTCOMES = ("ok", "failed", "cut")
FAILURE_KINDS: tuple[str, ...] = get_args(FailureKind)
Kind = Literal["counter", "gauge", "histogram"]
# Seconds. What an agent takes to answer, with the limits that people set; and what networks and event loops take.
_ANSWERS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 30.0)
_NETWORK = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_RATIOS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
_DBFS = (-60.0, -50.0, -40.0, -35.0, -30.0, -25.0, -20.0, -15.0, -10.0, -5.0, 0.0)
_OF_NETWORK = frozenset({"audio.jitter", "audio.rtt", "audio.jitter_buffer", "harness.lag", "harness.send_late"})


@dataclass(frozen=True, kw_only=True)
class Family:
    """One metric as Prometheus has it.

    Attributes:
        name: Its name; a histogram's series are `NAME_bucket`, `NAME_sum` and `NAME_count`.
        kind: Its type.
        meaning: A short description.
        labels: The names of its labels.
        buckets: A histogram's upper bounds.
        of: The metric of the registry that it exposes; empty if it is no metric of the registry.
        per_unit: What a sample of the registry is multiplied with.
    """

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    of: str = ""
    per_unit: float = 1.0

    @property
    def series(self) -> tuple[str, ...]:
        """The names that queries may use. A histogram of negative values has no sum, by the OpenMetrics standard."""
        if self.kind != "histogram":
            return (self.name,)
        ends = ("bucket", "count") if self.buckets[0] < 0 else ("bucket", "count", "sum")
        return tuple(f"{self.name}_{end}" for end in ends)


ALIVE = Family(name=f"{PREFIX}calls_alive", kind="gauge", meaning="calls that run, in whatever role")
CALLS = Family(
    name=f"{PREFIX}calls_total",
    kind="counter",
    meaning="calls that ended, by `outcome`: ok, failed, cut",
    labels=("scenario", "outcome"),
)
FAILURES = Family(
    name=f"{PREFIX}call_failures_total",
    kind="counter",
    meaning="calls that ended with a failure, by its `kind` (docs/failures.md)",
    labels=("scenario", "kind"),
)
RETRIED = Family(
    name=f"{PREFIX}calls_retried_total",
    kind="counter",
    meaning="calls that another one replaced (`--retry-unfit`); they stay counted in the others",
    labels=("scenario",),
)


def happened(metric: Metric) -> Family:
    """The counter of a rate's samples in which it happened."""
    return Family(
        name=f"{_name(metric)}_total",
        kind="counter",
        meaning=metric.meaning,
        labels=metric.tags,
        of=metric.name,
    )


def counted_in(metric: Metric) -> Family:
    """The counter of all of a rate's samples: what `happened` is a share of."""
    return Family(
        name=f"{_name(metric)}_samples_total",
        kind="counter",
        meaning=f"all samples of `{metric.name}`, which its counter is a share of",
        labels=metric.tags,
        of=metric.name,
    )


def distribution(metric: Metric) -> Family:
    """The histogram of a metric that is no rate."""
    buckets: tuple[float, ...]
    match metric.unit:
        case "ms":
            end, per_unit, buckets = "_seconds", 0.001, _NETWORK if metric.name in _OF_NETWORK else _ANSWERS
        case "ratio":
            end, per_unit, buckets = "_ratio", 1.0, _RATIOS
        case "dBFS":
            end, per_unit, buckets = "_dbfs", 1.0, _DBFS
    return Family(
        name=f"{_name(metric).removesuffix(end)}{end}",
        kind="histogram",
        meaning=metric.meaning,
        labels=metric.tags,
        buckets=buckets,
        of=metric.name,
        per_unit=per_unit,
    )


def _name(metric: Metric) -> str:
    return PREFIX + metric.name.replace(".", "_")


def families_of(metric: Metric) -> tuple[Family, ...]:
    """How a metric is exposed: a rate as two counters, everything else as a histogram."""
    return (happened(metric), counted_in(metric)) if metric.is_rate else (distribution(metric),)


def _all() -> Iterator[Family]:
    yield from (ALIVE, CALLS, FAILURES, RETRIED)
    for metric in METRICS.values():
        yield from families_of(metric)


FAMILIES: Mapping[str, Family] = {family.name: family for family in _all()}
