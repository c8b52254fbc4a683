"""Goes from hold to hold until the search has its answer, the time is up, or somebody stops it."""

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
    """Holds a number of concurrent calls."""

    def __call__(self, calls: int, lengths: Lengths, *, full: bool) -> Awaitable[Made]:
        """To the end of the last of them."""
        ...


@dataclass
class Seeker:
    """A search under way.

    Attributes:
        plan: Where it begins, and the most.
        objectives: What must hold.
        learned: How long holds take.
        hold: Makes one.
        tell: Called with each judged hold.
        say: Takes a line for a person.
        clock: The only reader of time.
        max_time_s: When it is up no further hold begins; the one after the last step has its room in it.
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
        """Begins no further hold; the one that runs is not judged."""
        self.stopped = self.stopped or why

    async def seek(self) -> Ended:
        """The search, to its end; `steps` are what it saw."""
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
        """Repeats the first step to see whether latency recovers; None if that cannot be decided."""
        first = next((step for step in self.steps if step.ttfa.count), None)
        if first is None or self.stopped is not None or len(self.steps) < 2:
            return None
        self.say("as many calls as in the first step once more: does latency come back?")
        before_ms = self.ttfa_ms[first.calls]
        made = await self._made(first.calls, self.learned.lengths(first.calls, full=False), full=False)
        if made is None:
            return None
        found = recovery(first.calls, before_ms, ttfa_ms(made))
        found.step = judge_hold(len(self.steps) + 1, made, self.objectives)
        return found

    async def _made(self, calls: int, lengths: Lengths, *, full: bool) -> Made | None:
        """Makes a hold and learns from it; None if it was stopped."""
        made = await self.hold(calls, lengths, full=full)
        if self.stopped is not None:
            return None
        self.learned.saw(turn_s=turn_length_s(made.calls), call_set_up_s=call_set_up_s(made.calls))
        return made
