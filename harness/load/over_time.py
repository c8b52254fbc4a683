"""A load over time, for the web page shown while it runs: TTFA, calls alive and failures per slice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.metrics.percentiles import percentile

MOST_SLICES = 30
FIRST_SLICE_S = 10.0


@dataclass
class Slice:
    """The data of one interval of time; `alive` is the most calls that ran at once."""

    ttfa_ms: list[float] = field(default_factory=list)
    alive: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def taken_in(self, other: Slice) -> Slice:
        """Returns both slices merged."""
        return Slice(self.ttfa_ms + other.ttfa_ms, max(self.alive, other.alive), self.failures + other.failures)

    def ttfa(self, share: float) -> float | None:
        """Returns a percentile of its TTFA in ms, by nearest rank; None without samples."""
        return percentile(self.ttfa_ms, share) if self.ttfa_ms else None


class OverTime:
    """The slices of a load since the first call, of ten seconds each. Their length doubles whenever 30 are exceeded.

    Times are in seconds since the load began.
    """

    def __init__(self) -> None:
        self.slice_s = FIRST_SLICE_S
        self.slices: list[Slice] = []

    def at(self, at_s: float) -> Slice:
        """Returns the slice that contains a time, extending the slices if needed."""
        while at_s >= MOST_SLICES * self.slice_s:
            self.slice_s *= 2
            odd = [*self.slices[1::2], Slice()]
            self.slices = [even.taken_in(other) for even, other in zip(self.slices[::2], odd, strict=False)]
        number = int(max(0.0, at_s) // self.slice_s)
        self.slices += [Slice() for _ in range(number + 1 - len(self.slices))]
        return self.slices[number]
