"""Decides the next step: doubling up, then halving the gap, then repeating both sides of the edge.

Each decision is a pure function of the holds so far, so a recorded search can be replayed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.capacity.edge import Edge, Outcome
from harness.record.capacity import Hold, HoldVerdict

UP = 2.0
FINE_UP = 1.5  # instead of `UP`, once the harness was the limit at a higher number
RESOLUTION = 0.05  # relative resolution of the edge, but at least one call
REPEATS = 3  # full holds on each side of the edge
TOP_REPEATS = 2  # full holds at the most that may be held
AGAIN = 2  # how many unjudged holds, such as unfit ones, it takes before they count
MOST_HOLDS = 30
CANDIDATES = 24  # about how many numbers in a gap are compared; in a wide gap, those between are skipped

# Why the search ends: the edge is known; --max was held; the harness was the limit; a step was mostly set-up; not even
# one call was held; it has taken `MOST_HOLDS`.
Stop = Literal["found", "max", "harness", "set_up", "first", "enough"]


@dataclass(frozen=True, slots=True)
class Held:
    """What the search needs of a hold; `thin`: it was too short for its percentiles."""

    calls: int
    verdict: HoldVerdict
    thin: bool = False

    @classmethod
    def of(cls, hold: Hold) -> Held:
        """Creates it from a recorded hold."""
        return cls(hold.calls, hold.verdict, thin=not (hold.full or hold.sure))


@dataclass(frozen=True, slots=True)
class Try:
    """The next hold; `full`: as long as its percentiles need, else only long enough to go to the next step."""

    calls: int
    full: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The number of calls to start with, and the most (None: as many as this machine can drive)."""

    start: int
    most: int | None = None


def next_step(plan: Plan, holds: Sequence[Held]) -> Try | Stop:
    """Returns the next hold after these, or why the search ends."""
    if not holds:
        return Try(plan.start, full=False)
    if len(holds) >= MOST_HOLDS:
        return "enough"
    again = _again(holds)
    if again is not None:
        return again
    decided = [hold for hold in holds if hold.verdict in ("met", "missed")]
    ceiling = _ceiling(plan, holds)
    if not decided:
        return _down(holds, ceiling)
    if not any(hold.verdict == "missed" for hold in decided):
        return _up(plan, decided, ceiling)
    if not any(hold.verdict == "met" for hold in decided) and (lower := _lower(decided)) is not None:
        return lower
    return _closer(decided, ceiling)


def outcomes(holds: Sequence[Held]) -> list[Outcome]:
    """Returns the outcomes of the holds that were met or missed."""
    return [
        Outcome(hold.calls, hold.verdict == "met", hold.thin) for hold in holds if hold.verdict in ("met", "missed")
    ]


def _again(holds: Sequence[Held]) -> Try | Stop | None:
    """Repeats an unfit or set-up hold once; a step that is mostly set-up twice ends the search."""
    last = holds[-1]
    if last.verdict in ("met", "missed"):
        return None
    same = [hold for hold in holds if hold.calls == last.calls]
    if sum(hold.verdict == last.verdict for hold in same) < AGAIN:
        return Try(last.calls, full=not last.thin)
    return "set_up" if last.verdict == "set_up" else None


def _ceiling(plan: Plan, holds: Sequence[Held]) -> float:
    """Returns the most calls to hold: limited by --max, and by where the harness was unfit `AGAIN` times."""
    unfit = [hold.calls for hold in holds if hold.verdict == "unfit"]
    too_many = [calls for calls in unfit if unfit.count(calls) >= AGAIN]
    return min(plan.most or math.inf, min(too_many, default=math.inf) - 1)


def _down(holds: Sequence[Held], ceiling: float) -> Try | Stop:
    """Halves the number while no hold is decided, because the harness was not fit even for the first step."""
    least = min(hold.calls for hold in holds)
    lower = min(least // 2, int(ceiling))
    return Try(lower, full=False) if lower >= 1 else "harness"


def _up(plan: Plan, met: Sequence[Held], ceiling: float) -> Try | Stop:
    """Returns the next step while all decided holds were met: more calls, or a repeat near the ceiling."""
    highest = max(hold.calls for hold in met)
    by_harness = ceiling < (plan.most or math.inf)
    near = highest >= ceiling or (by_harness and ceiling <= highest * (1 + 4 * RESOLUTION))
    if near:
        if sum(hold.calls == highest and not hold.thin for hold in met) < TOP_REPEATS:
            return Try(highest, full=True)
        return "harness" if by_harness else "max"
    factor = FINE_UP if by_harness else UP
    higher = min(max(highest + 1, round(highest * factor)), ceiling)
    if by_harness:
        higher = min(higher, math.ceil((highest + ceiling) / 2))
    return Try(int(higher), full=higher == plan.most)


def _lower(missed: Sequence[Held]) -> Try | None:
    """Halves the number down to one call while all holds were missed; None if one call was missed `AGAIN` times."""
    lowest = min(hold.calls for hold in missed)
    if lowest > 1:
        return Try(lowest // 2, full=False)
    return Try(1, full=True) if sum(hold.calls == 1 for hold in missed) < AGAIN else None


def _closer(decided: Sequence[Held], ceiling: float) -> Try | Stop:
    """Returns a step between the sides of the edge, or repeats one of the sides."""
    edge = Edge(outcomes(decided))
    if edge.likely < 1:
        return "first" if sum(hold.calls == 1 for hold in decided) >= AGAIN else Try(1, full=True)
    below, above = sides(decided, edge)
    full = Counter(hold.calls for hold in decided if not hold.thin)
    if above is None and below is not None and full[below] < REPEATS:
        return Try(below, full=True)  # a single miss may have been an accident
    most = int(min(ceiling, UP * max(hold.calls for hold in decided)))
    room = range((below or 0) + 1, above if above is not None else most + 1)
    if room and (below is None or above is None or above - below > step(below)):
        some = room[:: max(1, len(room) // CANDIDATES)]
        return Try(min(some, key=lambda calls: (abs(edge.chance(calls) - 0.5), calls)), full=True)
    both = [calls for calls in (below, above) if calls is not None]
    repeats = [full[calls] for calls in both]
    low, high = edge.interval()
    if min(repeats) >= REPEATS and (high - low < 2 * step(edge.likely) or sum(repeats) >= 4 * REPEATS):
        return "found"
    return Try(min(both, key=lambda calls: (full[calls], calls)), full=True)


def sides(decided: Sequence[Held], edge: Edge) -> tuple[int | None, int | None]:
    """Returns the most calls tried below or at the edge, and the least tried above it; None if there are none."""
    tried = {hold.calls for hold in decided}
    below = max((calls for calls in tried if calls <= edge.likely), default=None)
    above = min((calls for calls in tried if calls > edge.likely), default=None)
    return below, above


def step(calls: int) -> int:
    """Returns the distance at which the two sides of the edge are close enough."""
    return max(1, round(calls * RESOLUTION))
