"""Whether something that grows with time does so at the pace it should; pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.clock import NS_PER_S

WINDOWS_S = (5.0, 30.0)
SHARE = 0.01
LEAST_S = 0.5  # points nearer to one another than this, in time and by what they count, tell of no pace

Point = tuple[int, float]
"""When, and how much there had been by then."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What is expected in a second: between `low` and `high`, of something that comes at about `unit` a second.

    `slack` is by how much a count may be off whatever the time: it is read in pieces. `steady` where a pace that is off
    only counts if most points of a window say so: single points may be off by much, as packets that came late.
    """

    low: float
    high: float
    unit: float
    slack: float = 0.0
    steady: bool = False


@dataclass(frozen=True, slots=True)
class Off:
    """From when to when the pace was off, and how much there was in a second on average."""

    from_ns: int
    to_ns: int
    in_a_second: float


def off_pace(points: Sequence[Point], pace: Pace) -> list[Off]:
    """Where the pace was more than 1 % off over 5 s; or, if it nowhere was, over 30 s. Stretches that touch are one."""
    points = _thinned(points, pace)
    for window_s in WINDOWS_S:
        wrong = list(_windows_off(points, pace, window_s))
        if wrong:
            return [_off(*_trimmed(points[first : last + 1], pace)) for first, last in _joined(wrong)]
    return []


def _windows_off(points: Sequence[Point], pace: Pace, window_s: float) -> Iterator[tuple[int, int]]:
    """The first and last point of each window in which the pace was off."""
    first = 0
    for last in range(len(points)):
        while first + 1 < last and _apart_s(points[first + 1], points[last], pace) >= window_s:
            first += 1
        window = points[first : last + 1]
        if _apart_s(window[0], window[-1], pace) >= window_s and _is_off(window, pace):
            yield first, last


def _thinned(points: Sequence[Point], pace: Pace) -> list[Point]:
    kept: list[Point] = []
    for point in points:
        if not kept or _apart_s(kept[-1], point, pace) >= LEAST_S:
            kept.append(point)
    return kept


def _apart_s(one: Point, other: Point, pace: Pace) -> float:
    return max((other[0] - one[0]) / NS_PER_S, (other[1] - one[1]) / pace.unit)


def _surplus(one: Point, other: Point, pace: Pace) -> float:
    """How much more there was than there may be; below zero: less than there must be."""
    amount, seconds = other[1] - one[1], (other[0] - one[0]) / NS_PER_S
    return max(0.0, amount - pace.high * seconds) + min(0.0, amount - pace.low * seconds)


def _share(one: Point, other: Point, pace: Pace) -> float:
    return _surplus(one, other, pace) / (pace.unit * _apart_s(one, other, pace))


def _is_off(points: Sequence[Point], pace: Pace) -> bool:
    surplus = _surplus(points[0], points[-1], pace)
    if abs(surplus) <= pace.slack + SHARE * pace.unit * _apart_s(points[0], points[-1], pace):
        return False
    if not pace.steady:
        return True
    usual = statistics.median(_share(one, other, pace) for one, other in pairwise(points))
    return usual * math.copysign(1.0, surplus) > SHARE


def _trimmed(points: Sequence[Point], pace: Pace) -> tuple[Point, Point]:
    """From where to where it was off: a window also has steps beside it that were not."""
    sign = math.copysign(1.0, _surplus(points[0], points[-1], pace))
    wrong = [index for index, step in enumerate(pairwise(points)) if sign * _share(*step, pace) > SHARE]
    return (points[wrong[0]], points[wrong[-1] + 1]) if wrong else (points[0], points[-1])


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans, in order, that touch as one."""
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
