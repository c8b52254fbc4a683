"""Parses and checks thresholds: a metric name with tags, and a limit that fits the metric."""

from __future__ import annotations

import math
import re

from harness.metrics.registry import EXPECTATIONS, METRICS
from harness.parsing.limits import WER_OF_1, Limit, parse_threshold
from harness.parsing.offers import NotTakenError
from harness.parsing.plain_words import nearest
from harness.record.metric_ref import MetricRef

_TAG_VALUES: dict[str, tuple[str, ...]] = {"kind": ("say", "type", "barge_in"), "expect": tuple(EXPECTATIONS)}
_NAME = re.compile(r"(?P<metric>[a-z_.]+)\s*(?:\{(?P<tags>[^{}]*)\})?")


def parse_metric(text: str) -> MetricRef:
    """Parses a metric name with optional tags.

    Raises:
        ValueError: There is no such metric or tag; the message suggests the nearest valid name.
    """
    match = _NAME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a metric; write for example turn.ttfa or turn.ttfa{{kind:say}}")
    metric = match["metric"]
    if metric not in METRICS:
        alike = nearest(metric, list(METRICS))
        hint = f"did you mean {alike!r}?" if alike else f"use one of {', '.join(METRICS)}"
        raise ValueError(f"unknown metric {metric!r}; {hint}")
    return MetricRef(metric, _tags(metric, match["tags"] or ""))


def _tags(metric: str, text: str) -> tuple[tuple[str, str], ...]:
    known = METRICS[metric].tags
    tags: list[tuple[str, str]] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key, separator, value = (piece.strip() for piece in part.partition(":"))
        if key not in known or not separator or not value:
            raise ValueError(f"{metric} has no tag {part!r}; its tags are {', '.join(f'{name}:…' for name in known)}")
        if key in dict(tags):
            raise ValueError(f"{metric} has the tag {key} twice; write it once")
        values = _TAG_VALUES.get(key)
        if values and value not in values:
            alike = nearest(value, values)
            hint = f"did you mean {alike!r}?" if alike else f"use one of {', '.join(values)}"
            raise ValueError(f"unknown {key} {value!r}; {hint}")
        tags.append((key, value))
    return tuple(tags)


def read_threshold(name: str, limit_text: str) -> tuple[MetricRef, Limit]:
    """Parses a recorded threshold without the checks of `check_threshold`, so that old runs stay readable.

    Raises:
        ValueError: The metric or tag does not exist, or the limit does not follow the grammar.
    """
    return parse_metric(name), parse_threshold(limit_text)


def check_threshold(name: str, limit_text: str | float) -> tuple[MetricRef, Limit]:
    """Parses a threshold and checks that its limit fits its metric.

    Raises:
        ValueError: The metric, tag or aggregate is unknown, the unit does not fit the metric, or the limit holds for
            every sample, or for none. Suggestions in the message are valid.
    """
    ref = parse_metric(name)

    def take(text: str | float) -> Limit:
        return _fitting(name, ref, text)

    try:
        return ref, take(limit_text)
    except NotTakenError as problem:
        raise problem.offering(take, _examples(ref.metric)) from None


def check_abortable(limit: Limit) -> None:
    """Checks that a threshold may abort a run: one that more samples can still meet must not.

    Raises:
        ValueError: It cannot be missed for good before the run has ended.
    """
    below, above = limit.op in ("<", "<="), limit.op in (">", ">=")
    later = {"count": not below, "max": not below, "min": not above}
    if later.get(limit.aggregate or "", False):
        raise ValueError(f"{limit} can still be met by later calls, so it cannot abort a run; remove abort_on_fail")


def _examples(metric: str) -> tuple[str, ...]:
    """Examples of limits for a metric."""
    if METRICS[metric].is_rate:
        return ("rate<1%", "count<5")
    return {"ms": ("p(95)<2s", "max<2s"), "dBFS": ("min>-30",), "ratio": ("avg<=30%", "max<=0.3")}[METRICS[metric].unit]


def _fitting(name: str, ref: MetricRef, text: str | float) -> Limit:
    """Parses a limit and checks that it fits the metric.

    Raises:
        NotTakenError: It does not follow the grammar, or does not fit.
    """
    limit = parse_threshold(text)
    metric = METRICS[ref.metric]
    unit = metric.unit
    of = f"{limit.aggregate}{limit.op}"
    if limit.aggregate == "count":
        if limit.is_time or limit.is_share:
            raise NotTakenError(f"{limit} counts in {'a unit of time' if limit.is_time else 'per cent'}", f"{of}5")
    elif metric.is_rate and limit.aggregate != "rate":
        amount = f"rate{limit.op}{limit.amount}"
        raise NotTakenError(f"{name} is a share", amount, f"{amount}%")
    elif limit.aggregate == "rate" and not metric.is_rate:
        amounts = [f"{limit.op}{limit.amount}{unit}" for unit in ("", "s")]
        raise NotTakenError(f"{name} has no rate", *(f"{of}{amount}" for amount in amounts for of in ("p(95)", "max")))
    elif unit == "ms" and limit.is_share:
        raise NotTakenError(f"{name} is a time, but {limit} is a percentage", f"{of}2s")
    elif unit == "ms" and not limit.is_time:
        what = f"{name} is a time, but {limit} has no unit"
        raise NotTakenError(what, *(f"{of}{limit.amount}{unit}" for unit in ("ms", "s")))
    elif unit == "dBFS" and (limit.is_time or limit.is_share):
        what = "a time" if limit.is_time else "a percentage"
        raise NotTakenError(f"{name} is a level in dBFS, written without a unit, but {limit} is {what}")
    elif unit == "ratio" and limit.is_time:
        raise NotTakenError(f"{name} is a ratio, but {limit} is a time")
    _check_can_decide(ref.metric, limit)
    return limit


def _check_can_decide(metric: str, limit: Limit) -> None:
    """Rejects a limit that holds for every sample, or for none.

    Raises:
        NotTakenError: With the reason, and with what may have been meant.
    """
    low, high = _range(metric, limit)
    between = f"{metric} lies between {low:g} and {high:g}" if math.isfinite(high) else f"{metric} is {low:g} or more"
    if not math.isfinite(low):
        between = f"{metric} is {high:g} or less"
    meant = _perhaps_per_cent(metric, limit)
    if metric == "turn.wer" and limit.aggregate != "count" and limit.value > 1:
        raise NotTakenError(f"{limit} is not a valid limit on a word error rate: {WER_OF_1}", *meant, asks=True)
    below, above = limit.op in ("<", "<="), limit.op in (">", ">=")
    value = limit.value
    always = (
        (limit.op == "<" and value > high)
        or (limit.op == "<=" and value >= high)
        or (limit.op == ">" and value < low)
        or (limit.op == ">=" and value <= low)
        or (limit.op == "!=" and not low <= value <= high)
    )
    never = (
        (limit.op == "<" and value <= low)
        or (below and value < low)
        or (limit.op == ">" and value >= high)
        or (above and value > high)
        or (limit.op == "==" and not low <= value <= high)
    )
    if always:
        raise NotTakenError(f"{limit} is always met: {between}", *meant, asks=True)
    if never:
        raise NotTakenError(f"{limit} can never be met: {between}")
    if high == 1 and limit.aggregate != "count" and (limit.op, value) == ("<", 1):
        raise NotTakenError(f"{limit} is missed only if everything fails", *meant, asks=True)


def _range(metric: str, limit: Limit) -> tuple[float, float]:
    """The smallest and largest possible value of what the limit applies to."""
    if limit.aggregate == "count" or METRICS[metric].unit == "ms" or metric == "turn.wer":
        return 0.0, math.inf
    return (-math.inf, 0.0) if METRICS[metric].unit == "dBFS" else (0.0, 1.0)


def _perhaps_per_cent(metric: str, limit: Limit) -> tuple[str, ...]:
    is_ratio = METRICS[metric].unit == "ratio" and limit.aggregate != "count"
    return (f"{limit.aggregate}{limit.op}{limit.amount}%",) if is_ratio and limit.value >= 1 else ()


def parse_threshold_option(text: str) -> tuple[str, str]:
    """Splits a threshold of the command line, `turn.ttfa: p(95)<1500ms`, into name and limit; the colon is optional.

    Raises:
        ValueError: As `check_threshold`.
    """
    match = re.fullmatch(r"\s*(?P<name>[a-z_.]+(?![a-z_.])(?:\{[^}]*\})?)\s*[:= ]?\s*(?P<limit>\S.*)", text)
    if match is None:
        raise ValueError(f"{text!r} is not a valid threshold; write for example 'turn.ttfa: p(95)<1500ms'")
    check_threshold(match["name"], match["limit"])
    return match["name"], match["limit"]
