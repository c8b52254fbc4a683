"""Checks whether a counter that grows with time does so at the expected pace. Pure functions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.clock import NS_PER_S

WINDOWS_S = (5.0, 30.0)
SHARE = 0.01
LEAST_S = 0.5  # points closer than this, in both time and amount, are too close to measure a pace

Point = tuple[int, float]  # a time (ns), and the total amount by then
_Step = tuple[float, float]  # the same in seconds: of time, and as the seconds that the amount should take


@dataclass(frozen=True, slots=True)
class Pace:
    """An expected pace: from `low` to `high` times `unit` per second.

    `slack_s` is the tolerance of a count at any time, as seconds' worth of it, because counts are read in pieces. If
    `steady`, a deviation counts only if the median step of a window shows it: single points may be far off, as late
    packets are.
    """

    unit: float
    low: float = 1.0
    high: float = 1.0
    slack_s: float = 0.0
    steady: bool = False


@dataclass(frozen=True, slots=True)
class Off:
    """A period in which the pace was off, and the mean amount per second in it."""

    from_ns: int
    to_ns: int
    in_a_second: float


def off_pace(points: Sequence[Point], pace: Pace) -> list[Off]:
    """The periods in which the pace was over 1 % off for 5 s or, if there are none, for 30 s; merged if they touch."""
    if not points:
        return []
    kept, steps = _thinned(points, pace.unit)
    for window_s in WINDOWS_S:
        wrong = list(_windows_off(steps, pace, window_s))
        if wrong:
            spans = (_trimmed(steps, first, last, pace) for first, last in _joined(wrong))
            return [_off(kept[first], kept[last]) for first, last in spans]
    return []


def _thinned(points: Sequence[Point], unit: float) -> tuple[list[Point], list[_Step]]:
    """The points that are far enough apart to measure a pace, and the same in seconds since the first."""
    start_ns, start = points[0]
    kept, steps = [points[0]], [(0.0, 0.0)]
    for point in points:
        step = (point[0] - start_ns) / NS_PER_S, (point[1] - start) / unit
        if step[0] - steps[-1][0] >= LEAST_S or step[1] - steps[-1][1] >= LEAST_S:
            kept.append(point)
            steps.append(step)
    return kept, steps


def _surplus_s(seconds: float, amount_s: float, pace: Pace) -> float:
    """The excess over the upper limit, or the deficit below the lower limit as a negative number; 0 in between."""
    over, under = amount_s - pace.high * seconds, amount_s - pace.low * seconds
    return over if over > 0 else min(under, 0.0)


def _windows_off(steps: Sequence[_Step], pace: Pace, window_s: float) -> Iterator[tuple[int, int]]:
    """Yields the first and last point of each window in which the pace was off; linear in the number of points."""
    first = 0
    for last, (now_s, sum_s) in enumerate(steps):
        while first + 1 < last and (now_s - steps[first + 1][0] >= window_s or sum_s - steps[first + 1][1] >= window_s):
            first += 1
        seconds, amount_s = now_s - steps[first][0], sum_s - steps[first][1]
        span_s = max(seconds, amount_s)
        if span_s < window_s:
            continue
        surplus_s = _surplus_s(seconds, amount_s, pace)
        if abs(surplus_s) <= pace.slack_s + SHARE * span_s:
            continue
        sign = math.copysign(1.0, surplus_s)
        if not pace.steady or sign * statistics.median(_shares(steps[first : last + 1], pace)) > SHARE:
            yield first, last


def _shares(steps: Sequence[_Step], pace: Pace) -> Iterator[float]:
    """Yields the relative deviation of each step's pace."""
    for (before_s, before_sum_s), (after_s, after_sum_s) in pairwise(steps):
        seconds, amount_s = after_s - before_s, after_sum_s - before_sum_s
        yield _surplus_s(seconds, amount_s, pace) / max(seconds, amount_s)


def _trimmed(steps: Sequence[_Step], first: int, last: int, pace: Pace) -> tuple[int, int]:
    """Trims steps with a correct pace from both ends of a window."""
    (from_s, before_s), (to_s, after_s) = steps[first], steps[last]
    sign = math.copysign(1.0, _surplus_s(to_s - from_s, after_s - before_s, pace))
    wrong = [index for index, share in enumerate(_shares(steps[first : last + 1], pace)) if sign * share > SHARE]
    return (first + wrong[0], first + wrong[-1] + 1) if wrong else (first, last)


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Merges sorted spans that touch."""
    first, last = spans[0]
    for next_first, next_last in spans[1:]:
        if next_first > last:
            yield first, last
            first, last = next_first, next_last
        else:
            last = max(last, next_last)
    yield first, last


def _off(first: Point, last: Point) -> Off:
    seconds = max(last[0] - first[0], 1) / NS_PER_S
    return Off(first[0], last[0], (last[1] - first[1]) / seconds)
