"""The calls that the stack has now, and the conversations of those that somebody watches.

Nothing is asked for: the session service tells when a call begins, and the agents' process when agent and caller have
met, and when the agent has left. So a call costs three entries in a table, whether or not the page is open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from harness.clock import Clock, SystemClock

CallState = Literal["waiting", "live", "over"]
KEPT_OVER = 20  # calls that are over and still shown
MOST_CALLS = 10_000
Watch = Callable[[str, bool], Awaitable[None]]


@dataclass(slots=True)
class LiveCall:
    """A call, from its session on.

    Attributes:
        room: The room's name.
        agent: The agent's id.
        caller: The caller's identity in the room, as its token has it.
        since: When the session was created.
        state: `waiting` until agent and caller have met, then `live`, and `over` once the agent has left.
        until: When the agent left.
        frames: What the agent has sent, while somebody watches; see `stack/agents/frames.py`.
    """

    room: str
    agent: str
    caller: str
    since: datetime
    state: CallState = "waiting"
    until: datetime | None = None
    frames: list[Mapping[str, Any]] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """The call as the page gets it, without its frames; times in ms since the epoch."""
        return {
            "room": self.room,
            "agent": self.agent,
            "caller": self.caller,
            "state": self.state,
            "since_ms": round(self.since.timestamp() * 1000),
            "until_ms": None if self.until is None else round(self.until.timestamp() * 1000),
        }


class LiveCalls:
    """All calls of the stack.

    Args:
        watch: Has the frames of a room reported, or no longer.
        clock: The time of day.

    Attributes:
        changes: Increases with every change of a call but its frames.
        on_frame: Called with the room after a frame came.
    """

    def __init__(self, watch: Watch, clock: Clock | None = None) -> None:
        self._watch = watch
        self._clock = clock or SystemClock()
        self._calls: dict[str, LiveCall] = {}
        self._over: list[str] = []
        self._watchers: Counter[str] = Counter()
        self.changes = 0
        self.on_frame: Callable[[str], None] = lambda room: None

    # -- what happens ------------------------------------------------------------------------------------------------

    def begun(self, room: str, agent: str, caller: str) -> None:
        """A session was created; further callers of a room that its agent's callers share change nothing."""
        known = self._calls.get(room)
        if known is not None and known.state != "over":
            return
        self._forget(room)
        self._calls[room] = LiveCall(room, agent, caller, self._clock.utc())
        if len(self._calls) > MOST_CALLS:
            self._forget(next(iter(self._calls)))
        self.changes += 1

    def met(self, room: str) -> None:
        """Agent and caller are both in the room."""
        call = self._calls.get(room)
        if call is not None and call.state == "waiting":
            call.state = "live"
            self.changes += 1

    def over(self, room: str) -> None:
        """The agent has left the room for good, or never came."""
        call = self._calls.get(room)
        if call is None or call.state == "over":
            return
        call.state, call.until = "over", self._clock.utc()
        self._over.append(room)
        while len(self._over) > KEPT_OVER:
            self._forget(self._over[0])
        self.changes += 1

    def framed(self, room: str, number: int, frame: Mapping[str, Any]) -> None:
        """The agent has sent a frame, the one of this number; one that is there already changes nothing."""
        call = self._calls.get(room)
        if call is not None and number == len(call.frames):
            call.frames.append(frame)
            self.on_frame(room)

    def _forget(self, room: str) -> None:
        self._calls.pop(room, None)
        if room in self._over:
            self._over.remove(room)

    # -- what is asked -----------------------------------------------------------------------------------------------

    def find(self, room: str) -> LiveCall | None:
        """The call in that room."""
        return self._calls.get(room)

    def frames(self, room: str, start: int) -> Sequence[Mapping[str, Any]]:
        """The frames of a room that is watched, from number `start` on."""
        call = self._calls.get(room)
        return [] if call is None else call.frames[start:]

    def told(self, most: int) -> dict[str, Any]:
        """The newest calls, those that are over last, and how many are under way."""
        under_way = [call for call in self._calls.values() if call.state != "over"]
        over = [self._calls[room] for room in reversed(self._over)]
        return {
            "calls": [call.told() for call in [*reversed(under_way), *over][:most]],
            "under_way": len(under_way),
        }

    async def watch(self, room: str) -> None:
        """Starts to keep the frames of a room; each call of it takes one of `unwatch`."""
        self._watchers[room] += 1
        call = self._calls.get(room)
        if self._watchers[room] == 1 and call is not None and call.state != "over":
            await self._watch(room, True)

    async def unwatch(self, room: str) -> None:
        """Ends that."""
        self._watchers[room] -= 1
        if self._watchers[room] <= 0:
            del self._watchers[room]
            call = self._calls.get(room)
            if call is not None and call.state != "over":
                await self._watch(room, False)
