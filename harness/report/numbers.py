"""How numbers are written for people: rounded to what they are worth, always with their unit."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.metrics.registry import EXPECTATIONS, metric_of
from harness.record.summary import Summary, ThresholdResult
from harness.text.plain_text import one_line

MISSING = "–"  # noqa: RUF001 - a dash for "no value", as in printed tables


def milliseconds(value: float | None) -> str:
    """`1,234`, below ten `3.2`: a number of milliseconds without its unit."""
    if value is None:
        return MISSING
    return f"{value:,.0f}" if abs(value) >= 9.95 else f"{value:.1f}"


def with_ms(value: float | None) -> str:
    """`1,234 ms`; the space does not break."""
    return MISSING if value is None else f"{milliseconds(value)}\N{NO-BREAK SPACE}ms"


def seconds(value_ms: float | None) -> str:
    """A position or length of milliseconds in seconds: `12.3 s`, from a minute on `2 min 05 s`."""
    if value_ms is None:
        return MISSING
    if abs(value_ms) < 59_950:
        return f"{value_ms / 1000:.1f}\N{NO-BREAK SPACE}s"
    minutes, rest = divmod(round(value_ms / 1000), 60)
    return f"{minutes}\N{NO-BREAK SPACE}min\N{NO-BREAK SPACE}{rest:02d}\N{NO-BREAK SPACE}s"


def ratio(value: float | None) -> str:
    """`0.125`."""
    return MISSING if value is None else f"{value:.3f}"


def percent(value: float | None) -> str:
    """`4.0 %`."""
    return MISSING if value is None else f"{value * 100:.1f}\N{NO-BREAK SPACE}%"


def utc(started: str | None) -> datetime | None:
    """The moment that an ISO 8601 text names, in UTC (without an offset it is taken for UTC); None where it is none."""
    try:
        moment = datetime.fromisoformat(started or "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def time_of_day(started: str) -> str:
    """`2026-11-24 10:15:00 UTC`, or what was there where it is no time."""
    moment = utc(started)
    return one_line(started) if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def is_time(expect: str) -> bool:
    """Whether an expectation of this name has a value in milliseconds."""
    return EXPECTATIONS.get(expect) == "ms"


def expectation_value(expect: str, value: float | None) -> str:
    """An expectation's measured value with its unit."""
    if value is None:
        return MISSING
    return with_ms(value) if is_time(expect) else f"{value:.4g}"


def is_ratio(metric: str) -> bool:
    """Whether a metric (tags allowed) is a plain number rather than milliseconds; one not known is taken for a time."""
    found = metric_of(metric)
    return found is not None and found.unit == "ratio"


def level(value: float | None) -> str:
    """`-23.4 dBFS`."""
    return MISSING if value is None else f"{value:.1f}\N{NO-BREAK SPACE}dBFS"


def remeasured_lines(summary: Summary) -> list[str]:
    """What of a run that was measured again comes from where, a line each; none for one that was not."""
    counts = summary.remeasured
    if counts is None:
        return []
    return [
        f"measured again: {_calls(counts.from_recordings)} from timelines and recordings",
        *(f"  {_calls(count)} with live onsets: {one_line(why)}" for why, count in counts.live_onsets.items()),
        *(f"  {_calls(count)} not measured again: {one_line(why)}" for why, count in counts.unchanged.items()),
    ]


def _calls(count: int) -> str:
    return f"{count:,} call{'' if count == 1 else 's'}"


def is_level(metric: str) -> bool:
    """Whether a metric (tags allowed) is a level in dBFS."""
    found = metric_of(metric)
    return found is not None and found.unit == "dBFS"


def metric_value(metric: str, value: float | None) -> str:
    """A metric's value in a table: milliseconds without their unit, all else as it is."""
    if is_level(metric):
        return level(value)
    return ratio(value) if is_ratio(metric) else milliseconds(value)


def threshold_value(threshold: ThresholdResult) -> str:
    """What a threshold was judged by, in the unit of its limit."""
    metric, value = threshold.metric.metric, threshold.value
    if value is None:
        return MISSING
    if threshold.limit.aggregate == "count":
        return f"{value:,.0f}"
    if is_level(metric):
        return level(value)
    return f"{value:.4g}" if is_ratio(metric) else with_ms(value)
