"""Makes holds until the search has its answer, the time is up, or it is stopped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from harness.capacity.judge_hold import Made, judge_hold, ttfa_ms
from harness.capacity.lengths import Learned, Lengths
from harness.capacity.recovery import recovery
from harness.capacity.search import Held, Plan, Try, next_step
from harness.capacity.window import call_set_up_s, turn_length_s
from harness.clock import Clock, s_to_ns
from harness.judge.thresholds import Threshold
from harness.record.capacity import Ended, Hold, Recovery


class MakeHold(Protocol):
    """Makes a hold of `calls` concurrent calls."""

    def __call__(self, calls: int, lengths: Lengths, *, full: bool) -> Awaitable[Made]:
        """Returns when the last of the calls has ended."""
        ...


@dataclass
class Seeker:
    """A search in progress.

    Attributes:
        plan: The number of calls to start with, and the most.
        objectives: The objectives.
        learned: How long holds take.
        hold: Makes a hold.
        tell: Called with each judged hold.
        say: Prints a line.
        clock: The clock.
        max_time_s: After the first, no hold starts that would leave no time for itself and the recovery hold.
        steps: The judged holds so far.
        ttfa_ms: The fit `turn.ttfa` samples in ms, by number of calls.
        stopped: Why the search was stopped; None if it was not.
    """

    plan: Plan
    objectives: Sequence[Threshold]
    learned: Learned
    hold: MakeHold
    tell: Callable[[Hold], None]
    say: Callable[[str], None]
    clock: Clock
    max_time_s: float
    steps: list[Hold] = field(default_factory=list)
    ttfa_ms: dict[int, list[float]] = field(default_factory=dict)
    stopped: Ended | None = None

    def stop(self, why: Ended) -> None:
        """Starts no further hold; the current one is not judged."""
        self.stopped = self.stopped or why

    async def seek(self) -> Ended:
        """Runs the search, filling `steps`; returns why it ended."""
        deadline_ns = self.clock.now_ns() + s_to_ns(self.max_time_s)
        while self.stopped is None:
            following = next_step(self.plan, [Held.of(hold) for hold in self.steps])
            if not isinstance(following, Try):
                return following
            lengths = self.learned.lengths(following.calls, full=following.full)
            after_s = self.learned.lengths(self.plan.start, full=False).whole_s
            if self.steps and self.clock.now_ns() + s_to_ns(lengths.whole_s + after_s) > deadline_ns:
                return "time"
            made = await self._made(following.calls, lengths, full=following.full)
            if made is None:
                break
            step = judge_hold(len(self.steps) + 1, made, self.objectives)
            self.steps.append(step)
            self.ttfa_ms.setdefault(step.calls, []).extend(ttfa_ms(made))
            self.tell(step)
        return self.stopped or "interrupted"

    async def afterwards(self) -> Recovery | None:
        """Repeats the first step's number of calls to check whether latency recovered; None if it cannot be checked."""
        first = next((step for step in self.steps if step.ttfa.count), None)
        if first is None or self.stopped is not None or len(self.steps) < 2:
            return None
        self.say("repeating the first step, to see whether latency comes back")
        before_ms = self.ttfa_ms[first.calls]
        made = await self._made(first.calls, self.learned.lengths(first.calls, full=False), full=False)
        if made is None:
            return None
        found = recovery(first.calls, before_ms, ttfa_ms(made))
        found.step = judge_hold(len(self.steps) + 1, made, self.objectives)
        return found

    async def _made(self, calls: int, lengths: Lengths, *, full: bool) -> Made | None:
        """Makes a hold and learns its durations; returns None if the search was stopped."""
        made = await self.hold(calls, lengths, full=full)
        if self.stopped is not None:
            return None
        self.learned.saw(turn_s=turn_length_s(made.calls), call_set_up_s=call_set_up_s(made.calls))
        return made
