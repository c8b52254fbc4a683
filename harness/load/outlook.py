"""Estimates a load before it starts: how many sessions it takes, and how long it lasts at most. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.caller.prepare import Prepared
from harness.load.order import LoadPlan
from harness.text.counted import counted


@dataclass(frozen=True, slots=True)
class Outlook:
    """The least and the most sessions if all calls succeed, and the longest time in seconds without the target's start.

    If calls start in slots, a call that fails immediately makes room for the next one. Then there may be more sessions
    than `most`.
    """

    least: int
    most: int
    longest_s: float

    def __str__(self) -> str:
        sessions = counted(self.most, "session")
        if self.least != self.most:
            sessions = f"{self.least} to {self.most} sessions, by how long calls take (more if calls fail at once)"
        return f"{sessions}, at most {max(0.1, self.longest_s / 60):.1f} minutes"


def outlook(
    plan: LoadPlan,
    scenarios: Sequence[Prepared],
    *,
    call_duration_s: float | None = None,
    session_rate_per_min: float | None = None,
) -> Outlook:
    """Estimates the sessions and the duration of a plan.

    Args:
        plan: When calls start.
        scenarios: The scenarios of the calls.
        call_duration_s: For how many seconds each call loops its turns; None to play them once.
        session_rate_per_min: The most sessions to create per minute; None for no limit.

    Raises:
        ValueError: The plan has neither stages nor a number of calls.
    """
    lasting = [each.lasting(call_duration_s) for each in scenarios]
    longest = [each.longest_s() if call_duration_s is None else each.longest_looped_s() for each in lasting]
    shortest_s = max(1.0, min(each.shortest_s() for each in lasting), call_duration_s or 0.0)
    total = plan.total(len(scenarios))
    staged = plan.staged
    if staged is not None:
        whole_s = staged.lasts_s + plan.stop_timeout_s
        # The stages contain this many seconds of calls; the last call of each slot may end after them.
        least = max(staged.most, math.ceil(staged.call_seconds / max(longest)))
        most = max(least, math.ceil(staged.call_seconds / shortest_s) + staged.most)
        if session_rate_per_min is not None:
            most = min(most, max(1, math.ceil(session_rate_per_min * staged.lasts_s / 60)))
        return Outlook(min(least, most), most, whole_s)
    if total is None:
        raise ValueError("a plan without stages says how many calls it has")
    held_back_s = 60 * total / session_rate_per_min if session_rate_per_min is not None else 0.0
    if plan.rate_per_min is not None:
        return Outlook(total, total, (plan.duration_s or 0.0) + plan.stop_timeout_s)
    if plan.bursts is not None:
        return Outlook(total, total, len(plan.bursts) * max(longest) + held_back_s)
    return Outlook(total, total, plan.repeat * sum(longest) + held_back_s)
