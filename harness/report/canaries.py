"""Compares a load's canaries, a few calls on the other engine that hear what a person would, with its other calls."""

from __future__ import annotations

from harness.record.summary import MetricSummary, Summary
from harness.report.numbers import metric_with_unit
from harness.text.counted import counted

SHOWN = ("turn.ttfa", "turn.ttfa_ear", "greeting.ttfa", "audio.concealed", "audio.jitter_buffer")


def canary_lines(summary: Summary | None) -> list[str]:
    """A line on the canaries' calls, and one for each metric in `SHOWN`; empty if there are no canaries."""
    canaries = summary.canaries if summary is not None else None
    if summary is None or canaries is None:
        return []
    counts = canaries.calls
    failed = "".join(f", {count} {kind}" for kind, count in sorted(canaries.failures.items()))
    lines = [f"canaries: {counts.ok} of {counted(counts.total, 'call')} ok on engine {canaries.engine}{failed}"]
    for name in SHOWN:
        metric, rest = canaries.metrics.get(name), summary.metrics.get(name)
        if isinstance(metric, MetricSummary):
            line = f"  {name} p50 {metric_with_unit(name, metric.p50)}, max {metric_with_unit(name, metric.max)}"
            if isinstance(rest, MetricSummary):
                line += f" (the rest: p50 {metric_with_unit(name, rest.p50)}, max {metric_with_unit(name, rest.max)})"
            lines.append(line)
    return lines
