"""When calls start: in slots, one call after the other (closed model), or at a fixed rate (open model)."""

from __future__ import annotations

from dataclasses import dataclass

from harness.clock import NS_PER_S
from harness.errors import UsageError
from harness.run.request import check_above_zero


@dataclass(frozen=True, slots=True)
class Pace:
    """How many calls to make, and when.

    Attributes:
        slots: Closed model: the number of concurrent calls. Open model: how many may be alive; None for no cap.
        total: The number of calls in total.
        rate_per_min: Open model: how many calls start per minute; None for the closed model.
        repeat: Closed model: how many times each slot runs the list of scenarios.
    """

    slots: int | None
    total: int
    rate_per_min: float | None
    repeat: int

    @property
    def is_open(self) -> bool:
        """Whether calls start at a fixed rate, however many are running."""
        return self.rate_per_min is not None

    def calls_of(self, scenarios: int) -> list[int]:
        """Returns how many calls of each of so many scenarios are planned."""
        if not self.is_open:
            return [self.total // scenarios] * scenarios
        return [self.total // scenarios + (place < self.total % scenarios) for place in range(scenarios)]

    def due_ns(self, index: int) -> int:
        """Open model: returns when the call with this index (from 0) starts, in ns since the run's start."""
        if self.rate_per_min is None:
            return 0
        return round(index * 60 * NS_PER_S / self.rate_per_min)


def plan_pace(
    *, scenarios: int, calls: int | None, repeat: int, rate_per_min: float | None, duration_s: float | None
) -> Pace:
    """Returns the pace for the options of `run`.

    Raises:
        UsageError: An option is not above zero, or they contradict each other.
    """
    for name, value in (("--calls", calls), ("--repeat", repeat), ("--rate", rate_per_min), ("--duration", duration_s)):
        check_above_zero(name, value)
    if rate_per_min is None:
        if duration_s is not None:
            raise UsageError("--duration needs --rate", hint="add --rate PER_MINUTE, or use --repeat instead")
        slots = calls or 1
        return Pace(slots, slots * repeat * scenarios, None, repeat)
    if duration_s is not None and repeat != 1:
        raise UsageError("--duration and --repeat cannot be combined", hint="remove one of them")
    if duration_s is None and repeat * scenarios == 1:
        raise UsageError("--rate has no meaning for a single call", hint="add --duration, such as 5m, or --repeat N")
    total = repeat * scenarios if duration_s is None else max(1, int(rate_per_min * duration_s / 60 + 1e-9))
    return Pace(calls, total, rate_per_min, repeat)
