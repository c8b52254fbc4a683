"""The part of a hold in which all its calls were in conversation, and what of them lies in it. Pure."""

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

HEAD_EVENTS = 60  # of a timeline: connected is among the first, whatever came before it


@dataclass(frozen=True, slots=True)
class Timed:
    """A call and when it was connected (monotonic ns; None: never); `first`: of its slot in this hold."""

    result: CallResult
    connected_ns: int | None
    on_this_machine: bool = False
    first: bool = True

    def began_ns(self, turn: TurnResult) -> int | None:
        """When a turn began."""
        if self.connected_ns is None or turn.started_ms is None:
            return None
        return self.connected_ns + round(turn.started_ms * NS_PER_MS)

    @property
    def talk_ns(self) -> tuple[int, int] | None:
        """From the start of its first turn to the end of its last; None if it had no turn."""
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
    """From when all calls talked until the first of them was to end (monotonic ns)."""

    from_ns: int
    until_ns: int

    def holds(self, turn_began_ns: int | None) -> bool:
        """Whether a turn that began then counts.

        Turns count by their start alone: to leave out those that had not ended by then would leave out the slow ones.
        """
        return turn_began_ns is not None and self.from_ns <= turn_began_ns < self.until_ns


def window_of(calls: Sequence[Timed], *, begun_ns: int, planned_ns: int, until_ns: int) -> Window:
    """The window of a hold that began at `begun_ns` and whose calls were to talk from `planned_ns` on.

    It begins when the last of the slots' first calls talked; one that never did is waited for no longer than planned.
    """
    talks = [call.talk_ns for call in calls if call.first]
    began = [talk[0] for talk in talks if talk is not None]
    from_ns = max(began, default=begun_ns)
    if len(began) < len(talks) or not began:
        from_ns = max(from_ns, min(planned_ns, until_ns))
    return Window(min(from_ns, until_ns), until_ns)


def in_window(calls: Sequence[Timed], window: Window) -> list[CallResult]:
    """The calls with those turns only that count."""
    return [
        call.result.model_copy(
            update={"turns": [turn for turn in call.result.turns if window.holds(call.began_ns(turn))]}
        )
        for call in calls
    ]


def talk_share(calls: Sequence[Timed], window: Window, slots: int) -> float:
    """How much of the window and its slots was conversation."""
    whole = (window.until_ns - window.from_ns) * slots
    talked = 0
    for call in calls:
        if (talk := call.talk_ns) is not None:
            talked += max(0, min(talk[1], window.until_ns) - max(talk[0], window.from_ns))
    return talked / whole if whole > 0 else 0.0


def turn_length_s(calls: Sequence[Timed]) -> float | None:
    """How long a turn takes, from its start to the start of the next; None if no call had two."""
    gaps: list[float] = []
    for call in calls:
        starts = [turn.started_ms for turn in call.result.turns if turn.started_ms is not None]
        gaps.extend(after - before for before, after in itertools.pairwise(starts))
    return sum(gaps) / len(gaps) / 1000 if gaps else None


def call_set_up_s(calls: Sequence[Timed]) -> float | None:
    """The longest time from a call's start to its first turn; None if no call had a turn."""
    took = [
        (call.result.session_create_ms or 0.0) + (call.result.room_connect_ms or 0.0) + call.result.turns[0].started_ms
        for call in calls
        if call.result.turns and call.result.turns[0].started_ms is not None
    ]
    return max(took) / 1000 if took else None


def read_timed(result: CallResult, timeline: Path, *, first: bool) -> Timed:
    """The call with what its timeline tells at its beginning; a timeline that cannot be read tells nothing."""
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
