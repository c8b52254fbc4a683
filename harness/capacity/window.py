"""The window of a hold in which all its calls were in conversation, and the turns in it. Pure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.clock import NS_PER_MS
from harness.record.result import CallResult, TurnResult
from harness.timeline.codec import event_of
from harness.timeline.events import RoomConnected, SessionCreated

HEAD_EVENTS = 60  # how many events of a timeline to read: `RoomConnected` is among the first


@dataclass(frozen=True, slots=True)
class Timed:
    """A call and when it was connected (monotonic ns; None: never); `first`: it is the first of its slot."""

    result: CallResult
    connected_ns: int | None
    on_this_machine: bool = False
    first: bool = True

    def began_ns(self, turn: TurnResult) -> int | None:
        """Returns when a turn began (monotonic ns); None if unknown."""
        if self.connected_ns is None or turn.started_ms is None:
            return None
        return self.connected_ns + round(turn.started_ms * NS_PER_MS)

    @property
    def talk_ns(self) -> tuple[int, int] | None:
        """From its first turn's start to its last turn's end (monotonic ns); None if it has no turn."""
        if self.connected_ns is None or not self.result.turns:
            return None
        starts = [turn.started_ms for turn in self.result.turns if turn.started_ms is not None]
        ends = [turn.ended_ms for turn in self.result.turns if turn.ended_ms is not None]
        if not starts:
            return None
        last_ms = max([*starts, *ends])
        return (
            self.connected_ns + round(min(starts) * NS_PER_MS),
            self.connected_ns + round(last_ms * NS_PER_MS),
        )


@dataclass(frozen=True, slots=True)
class Window:
    """From when all calls talked until their planned end (monotonic ns)."""

    from_ns: int
    until_ns: int

    def holds(self, turn_began_ns: int | None) -> bool:
        """Returns whether a turn that began at this time counts.

        Only its start matters: leaving out turns that end after the window would leave out the slow ones.
        """
        return turn_began_ns is not None and self.from_ns <= turn_began_ns < self.until_ns


def window_of(calls: Sequence[Timed], *, begun_ns: int, planned_ns: int, until_ns: int) -> Window:
    """Returns the window of a hold that began at `begun_ns` and whose calls should talk from `planned_ns` on.

    It starts when the first call of every slot talks. If one never does, it starts at `planned_ns` at the earliest.
    """
    talks = [call.talk_ns for call in calls if call.first]
    began = [talk[0] for talk in talks if talk is not None]
    from_ns = max(began, default=begun_ns)
    if len(began) < len(talks) or not began:
        from_ns = max(from_ns, min(planned_ns, until_ns))
    return Window(min(from_ns, until_ns), until_ns)


def in_window(calls: Sequence[Timed], window: Window) -> list[CallResult]:
    """Returns the calls with only the turns that began in the window."""
    return [
        call.result.model_copy(
            update={"turns": [turn for turn in call.result.turns if window.holds(call.began_ns(turn))]}
        )
        for call in calls
    ]


def talk_share(calls: Sequence[Timed], window: Window, slots: int) -> float:
    """Returns the share of the window, over all slots, that was conversation (0 to 1)."""
    whole = (window.until_ns - window.from_ns) * slots
    talked = 0
    for call in calls:
        if (talk := call.talk_ns) is not None:
            talked += max(0, min(talk[1], window.until_ns) - max(talk[0], window.from_ns))
    return talked / whole if whole > 0 else 0.0


def turn_length_s(calls: Sequence[Timed]) -> float | None:
    """Returns the mean time from one turn's start to the next in seconds; None if no call has two turns."""
    gaps: list[float] = []
    for call in calls:
        starts = [turn.started_ms for turn in call.result.turns if turn.started_ms is not None]
        gaps.extend(after - before for before, after in itertools.pairwise(starts))
    return sum(gaps) / len(gaps) / 1000 if gaps else None


def call_set_up_s(calls: Sequence[Timed]) -> float | None:
    """Returns the longest time from a call's start to its first turn in seconds; None if no call has a turn."""
    took = [
        (call.result.session_create_ms or 0.0) + (call.result.room_connect_ms or 0.0) + call.result.turns[0].started_ms
        for call in calls
        if call.result.turns and call.result.turns[0].started_ms is not None
    ]
    return max(took) / 1000 if took else None


def read_timed(result: CallResult, timeline: Path, *, first: bool) -> Timed:
    """Reads the beginning of a call's timeline; an unreadable timeline counts as never connected."""
    connected_ns, local = None, False
    try:
        with timeline.open(encoding="utf-8") as lines:
            for _, line in zip(range(HEAD_EVENTS), lines, strict=False):
                event = event_of(json.loads(line))
                if isinstance(event, SessionCreated):
                    local = event.on_this_machine
                if isinstance(event, RoomConnected):
                    connected_ns = event.t_ns
                    break
    except (OSError, ValueError):
        connected_ns = None
    return Timed(result, connected_ns, local, first)
