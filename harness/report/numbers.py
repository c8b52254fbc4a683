"""Formats numbers for people: rounded to their precision, always with the unit."""

from __future__ import annotations

from typing import Literal

from harness.metrics.registry import EXPECTATIONS, metric_of
from harness.record.summary import Summary, ThresholdResult
from harness.record.times import utc
from harness.text.plain_text import one_line

ShownUnit = Literal["ms", "percent", "ratio", "dBFS", "none"]
_WRITTEN_PLAIN = ("turn.wer", "wer")  # ratios that are no shares: a word error rate can be over 1
MISSING = "–"  # noqa: RUF001 - a dash for "no value", as in printed tables


def milliseconds(value: float | None) -> str:
    """`1,234`, or `3.2` below ten: a number of milliseconds without its unit."""
    if value is None:
        return MISSING
    return f"{value:,.0f}" if abs(value) >= 9.95 else f"{value:.1f}"


def with_ms(value: float | None) -> str:
    """`1,234 ms`, with a no-break space."""
    return MISSING if value is None else f"{milliseconds(value)}\N{NO-BREAK SPACE}ms"


def seconds(value_ms: float | None) -> str:
    """A number of milliseconds in seconds: `12.3 s`, or `2 min 05 s` from a minute on."""
    if value_ms is None:
        return MISSING
    if abs(value_ms) < 59_950:
        return f"{value_ms / 1000:.1f}\N{NO-BREAK SPACE}s"
    minutes, rest = divmod(round(value_ms / 1000), 60)
    return f"{minutes}\N{NO-BREAK SPACE}min\N{NO-BREAK SPACE}{rest:02d}\N{NO-BREAK SPACE}s"


def percent(value: float | None) -> str:
    """`4.0 %`; below 0.95 % two significant digits (`0.042 %`), so that a small share is not shown as none."""
    if value is None:
        return MISSING
    shown = value * 100
    small = 0 < abs(shown) < 0.95
    return f"{f'{shown:.2g}' if small and abs(shown) >= 0.001 else f'{shown:.1f}'}\N{NO-BREAK SPACE}%"


def ratio(metric: str, value: float | None) -> str:
    """A ratio as all reports show it: a share in percent, a word error rate as it is written in limits (`0.125`)."""
    if value is None:
        return MISSING
    return f"{value:.3f}" if is_written_plain(metric) else percent(value)


def is_written_plain(metric: str) -> bool:
    """Whether a metric (tags allowed) is a ratio that is not shown in percent."""
    return metric.partition("{")[0] in _WRITTEN_PLAIN


def shown_in(metric: str, unit: str | None) -> ShownUnit:
    """The unit in which a metric's or an expectation's values are shown, by its name and the unit of its values."""
    if unit == "ratio":
        return "ratio" if is_written_plain(metric) else "percent"
    return "ms" if unit == "ms" else "dBFS" if unit == "dBFS" else "none"


def time_of_day(started: str) -> str:
    """`2026-11-24 10:15:00 UTC`, or the text unchanged if it is not a time."""
    moment = utc(started)
    return one_line(started) if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def is_time(expect: str) -> bool:
    """Whether an expectation of this name has a value in milliseconds."""
    return EXPECTATIONS.get(expect) == "ms"


def expectation_value(expect: str, value: float | None) -> str:
    """An expectation's measured value with its unit."""
    if value is None:
        return MISSING
    if is_time(expect):
        return with_ms(value)
    return ratio(expect, value) if EXPECTATIONS.get(expect) == "ratio" else f"{value:.4g}"


def is_ratio(metric: str) -> bool:
    """Whether a metric (tags allowed) is a ratio; False for an unknown metric."""
    found = metric_of(metric)
    return found is not None and found.unit == "ratio"


def plain(value: float | None) -> str:
    """A number of unknown unit with at most four significant digits: `0.1429`, `1.5`, `12,340`."""
    return MISSING if value is None else f"{float(f'{value:.4g}'):,.15g}"


def level(value: float | None) -> str:
    """`-23.4 dBFS`."""
    return MISSING if value is None else f"{value:.1f}\N{NO-BREAK SPACE}dBFS"


def remeasured_lines(summary: Summary) -> list[str]:
    """Lines on the sources of a re-measured run's numbers; empty if it was not re-measured."""
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
    """A metric's value in a table: milliseconds without their unit, ratios and levels with theirs."""
    if is_level(metric):
        return level(value)
    return ratio(metric, value) if is_ratio(metric) else milliseconds(value)


def metric_with_unit(metric: str, value: float | None) -> str:
    """A metric's value with its unit."""
    if is_level(metric) or is_ratio(metric):
        return metric_value(metric, value)
    return with_ms(value)


def threshold_value(threshold: ThresholdResult) -> str:
    """The value that a threshold was judged by, in the unit of its limit: `rate<1%` in percent, `rate<0.01` plain."""
    metric, value, limit = threshold.metric.metric, threshold.value, threshold.limit
    if value is None:
        return MISSING
    if limit.aggregate == "count":
        return f"{value:,.0f}"
    if is_level(metric):
        return level(value)
    if is_ratio(metric):
        return percent(value) if limit.is_share else f"{value:.4g}"
    return with_ms(value)
