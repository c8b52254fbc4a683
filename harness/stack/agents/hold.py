"""How many calls at once an agent holds, and what becomes of its replies past that: an agent of known capacity."""

from __future__ import annotations

from collections import defaultdict

from harness.stack.agents_file import AgentSpec, PastHold

SLOWER = 3
"""So many times as long takes a reply of `past_hold: slow`."""
WRONG = "I do not know."
"""Every reply of `past_hold: wrong`."""


class RunningCalls:
    """The calls of each agent that run in the process: those in which a caller is."""

    def __init__(self) -> None:
        self._rooms: defaultdict[str, set[str]] = defaultdict(set)

    def begun(self, agent: str, room: str) -> None:
        """A caller has come to the agent in that room."""
        self._rooms[agent].add(room)

    def ended(self, agent: str, room: str) -> None:
        """The call in that room is over, if there was one."""
        self._rooms[agent].discard(room)

    def past_hold(self, agent: str, spec: AgentSpec) -> PastHold | None:
        """How the agent replies now; None: as ever, for it holds what runs."""
        if spec.holds is None or len(self._rooms[agent]) <= spec.holds:
            return None
        return spec.past_hold or "slow"


def slowed_s(delay_s: float, took_s: float) -> float:
    """The delay of a slow reply (s), from the same moment as `delay_s`.

    Args:
        delay_s: The delay that was chosen.
        took_s: What had passed when the reply was ready: more than `delay_s` where the agent needed longer, as one that
            waits to be sure of the caller's end does.
    """
    return SLOWER * max(delay_s, took_s)
