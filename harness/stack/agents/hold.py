"""How many concurrent calls an agent handles, and how its replies degrade beyond that: an agent of known capacity."""

from __future__ import annotations

from collections import defaultdict

from harness.stack.agents_file import AgentSpec, PastHold

SLOWER = 3  # factor by which replies slow down with `past_hold: slow`
WRONG = "I do not know."  # every reply with `past_hold: wrong`


class RunningCalls:
    """The calls in progress per agent in this process: those that a caller has joined."""

    def __init__(self) -> None:
        self._rooms: defaultdict[str, set[str]] = defaultdict(set)

    def begun(self, agent: str, room: str) -> None:
        """Counts the call that a caller has just joined."""
        self._rooms[agent].add(room)

    def ended(self, agent: str, room: str) -> None:
        """Drops the call in that room, if there is one."""
        self._rooms[agent].discard(room)

    def past_hold(self, agent: str, spec: AgentSpec) -> PastHold | None:
        """How the agent's replies degrade now; None while it is within the calls that it `holds`."""
        if spec.holds is None or len(self._rooms[agent]) <= spec.holds:
            return None
        return spec.past_hold or "slow"


def slowed_s(delay_s: float, took_s: float) -> float:
    """The delay of a slowed reply in seconds, counted from the same moment as `delay_s`.

    Args:
        delay_s: The delay that was drawn.
        took_s: Seconds that had passed when the reply was ready: more than `delay_s` if the agent needed longer, for
            instance to be sure that the caller had ended.
    """
    return SLOWER * max(delay_s, took_s)
