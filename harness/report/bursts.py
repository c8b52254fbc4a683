"""The bursts of a load, measured from when their calls were due, and the delays added by the harness itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.metrics.percentiles import percentile
from harness.record.call_id import burst_size
from harness.record.result import CallResult
from harness.report.numbers import with_ms
from harness.text.counted import counted

_STAGES = (
    ("session requested", "session_asked_ms"),
    ("session answered", "session_answered_ms"),
    ("join requested", "join_asked_ms"),
    ("agent joined", "agent_there_ms"),
)
HELD_BACK = "held back by the harness"
TOLD_MS = 1.0  # a shorter delay is not reported


@dataclass(frozen=True, slots=True)
class BurstRow:
    """When the `calls` calls of a burst reached one stage after they were due, or how long they were held back."""

    stage: str
    calls: int
    p50_ms: float
    p95_ms: float
    last_ms: float


@dataclass(frozen=True, slots=True)
class Burst:
    """All bursts of one size; `line` summarises how many agents joined, `rows` when each stage was reached."""

    size: int
    line: str
    rows: list[BurstRow]


def bursts(calls: Sequence[CallResult]) -> list[Burst]:
    """The bursts, grouped and sorted by size."""
    by_size: dict[int, list[CallResult]] = {}
    for call in calls:
        size = burst_size(call.call)
        if size is not None:
            by_size.setdefault(size, []).append(call)
    return [Burst(size, _line(size, members), _rows(members)) for size, members in sorted(by_size.items())]


def _line(size: int, calls: Sequence[CallResult]) -> str:
    joined = sum(call.agent_join_ms is not None for call in calls)
    never = sum(call.failure == "agent.never_joined" for call in calls)
    doubled = sum(call.agents > 1 for call in calls)
    return f"burst of {size}: an agent joined {joined} of {counted(len(calls), 'call')}, {never} never, {doubled} twice"


def _rows(calls: Sequence[CallResult]) -> list[BurstRow]:
    due = [call.since_due for call in calls if call.since_due is not None]
    stages = [(stage, [getattr(each, name) for each in due]) for stage, name in _STAGES]
    stages.append((HELD_BACK, [call.held_back_ms for call in calls if call.since_due is not None]))
    rows = []
    for stage, found in stages:
        values = [value for value in found if value is not None]
        if values:
            rows.append(BurstRow(stage, len(values), percentile(values, 50), percentile(values, 95), max(values)))
    return rows


def burst_lines(calls: Sequence[CallResult]) -> list[str]:
    """The bursts for a terminal: a line for each, and one for each of its stages."""
    lines = []
    for burst in bursts(calls):
        lines += [burst.line, f"  {'since planned start':<24}{'calls':>6}{'p50':>11}{'p95':>11}{'last':>11}"]
        for row in burst.rows:
            figures = "".join(f"{with_ms(value):>11}" for value in (row.p50_ms, row.p95_ms, row.last_ms))
            lines.append(f"  {row.stage:<24}{row.calls:>6}{figures}")
    return lines


def held_back_line(calls: Sequence[CallResult]) -> str:
    """How many calls the harness itself held back, and for how long; empty if none."""
    held = [call.held_back_ms for call in calls if call.held_back_ms >= TOLD_MS]
    if not held:
        return ""
    return (
        f"{counted(len(held), 'call')} of {len(calls)}, for {with_ms(percentile(held, 50))} (p50) to "
        f"{with_ms(max(held))}; it is in no metric"
    )
