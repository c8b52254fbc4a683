"""When calls start: in slots, one call after the other (closed model), or at a fixed rate (open model)."""

from __future__ import annotations

from dataclasses import dataclass

from harness.clock import NS_PER_S
from harness.compare.looks import FIRST_LOOK, planned_looks
from harness.errors import UsageError
from harness.run.request import check_above_zero

MAX_SESSIONS = 400


@dataclass(frozen=True, slots=True)
class Pace:
    """How many calls to make, and when.

    Attributes:
        slots: Closed model: the number of concurrent calls. Open model: how many may be alive; None for no cap.
        total: The number of calls in total, of all versions; if `looks` are planned, the most.
        rate_per_min: Open model: how many calls start per minute; None for the closed model.
        repeat: Closed model: how many times each slot runs the list of scenarios; if `looks` are planned, the most.
        versions: 2 if every call is made to two versions, in turns.
        looks: Closed model: after which repeats to look whether enough is known to stop; empty for never.
        max_time_s: Start no more calls after so many seconds; None for no limit.
    """

    slots: int | None
    total: int
    rate_per_min: float | None
    repeat: int
    versions: int = 1
    looks: tuple[int, ...] = ()
    max_time_s: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls start at a fixed rate, however many are running."""
        return self.rate_per_min is not None

    @property
    def calls_at_looks(self) -> tuple[int, ...]:
        """The calls of each scenario, to each version, that are planned at each look."""
        return tuple(repeats * (self.slots or 1) for repeats in self.looks)

    def calls_of(self, scenarios: int) -> list[int]:
        """Returns how many calls of each of so many scenarios are planned, to one version."""
        total = self.total // self.versions
        if not self.is_open:
            return [total // scenarios] * scenarios
        return [total // scenarios + (place < total % scenarios) for place in range(scenarios)]

    def due_ns(self, index: int) -> int:
        """Open model: returns when the call with this index (from 0) starts, in ns since the run's start."""
        if self.rate_per_min is None:
            return 0
        return round(index * 60 * NS_PER_S / self.rate_per_min)


def plan_pace(
    *,
    scenarios: int,
    calls: int | None,
    repeat: int | None,
    rate_per_min: float | None,
    duration_s: float | None,
    versions: int = 1,
    max_sessions: int | None = None,
    max_time_s: float | None = None,
) -> Pace:
    """Returns the pace for the options of `run`; `repeat` is None for `--repeat auto`.

    Raises:
        UsageError: An option is not above zero, or they contradict each other.
    """
    for name, value in (
        *(("--calls", calls), ("--repeat", repeat), ("--rate", rate_per_min), ("--duration", duration_s)),
        *(("--max-sessions", max_sessions), ("--max-time", max_time_s)),
    ):
        check_above_zero(name, value)
    if repeat is None:
        if rate_per_min is not None or duration_s is not None:
            raise UsageError("--repeat auto and --rate cannot be combined", hint="remove one of them")
        return _until_decided(scenarios, calls or 1, versions, max_sessions or MAX_SESSIONS, max_time_s)
    for name, value in (("--max-sessions", max_sessions), ("--max-time", max_time_s)):
        if value is not None:
            raise UsageError(f"{name} needs --repeat auto", hint="add it, or remove the option")
    if rate_per_min is None:
        if duration_s is not None:
            raise UsageError("--duration needs --rate", hint="add --rate PER_MINUTE, or use --repeat instead")
        slots = calls or 1
        return Pace(slots, slots * repeat * scenarios * versions, None, repeat, versions)
    if duration_s is not None and repeat != 1:
        raise UsageError("--duration and --repeat cannot be combined", hint="remove one of them")
    if duration_s is None and repeat * scenarios * versions == 1:
        raise UsageError("--rate has no meaning for a single call", hint="add --duration, such as 5m, or --repeat N")
    total = repeat * scenarios * versions
    if duration_s is not None:
        total = max(1, int(rate_per_min * duration_s / 60 + 1e-9))
        total += total % versions  # both versions of the last pair
    return Pace(calls, total, rate_per_min, repeat, versions)


def _until_decided(scenarios: int, slots: int, versions: int, max_sessions: int, max_time_s: float | None) -> Pace:
    each = slots * scenarios * versions  # sessions of one repeat
    most = max_sessions // each
    if most < 1:
        what = f"--max-sessions must be at least {each}, one call in each slot (got {max_sessions})"
        raise UsageError(what, hint="allow more sessions, or use fewer slots (--calls)")
    looks = planned_looks(most, first=-(-FIRST_LOOK // slots))
    return Pace(slots, most * each, None, most, versions, looks, max_time_s)
