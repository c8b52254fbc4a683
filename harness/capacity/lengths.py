"""How long a hold takes: its set-up, its window, and what is learned of both as holds go by. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.caller.prepare import Prepared
from harness.capacity.objectives import turns_wanted
from harness.judge.thresholds import Threshold

STARTS_PER_S = 5.0  # calls that join at once hinder each other; five a second do not
SET_UP_S = 8.0  # of a call, session, join and greeting, before anything is known
REPLY_S = 3.0  # of an agent, delay and speech, before anything is known
LEAST_WINDOW_S, MOST_WINDOW_S = 15.0, 300.0
TALK_TO_SET_UP = 4  # a call's conversation should last this multiple of its set-up
MARGIN = 1.15  # for turns that take longer with more calls
MOST_REACHED = 100_000
DRAIN_S = 5.0  # of calls whose time is over, after their last turn: the hang-up, the numbers, the pause


@dataclass(frozen=True, slots=True)
class Lengths:
    """Of a hold that is to come, in seconds: `set_up_s` until all calls talk, then the window."""

    gap_s: float
    set_up_s: float
    window_s: float
    drain_s: float = DRAIN_S

    @property
    def whole_s(self) -> float:
        """All of it."""
        return self.set_up_s + self.window_s + self.drain_s


class Learned:
    """What turns and set-up have taken so far; first guesses come from the scenarios.

    Args:
        scenarios: What the calls follow.
        objectives: What must hold.
        session_rate_per_min: The most sessions to request per minute; None for no limit.
    """

    def __init__(
        self, scenarios: Sequence[Prepared], objectives: Sequence[Threshold], session_rate_per_min: float | None
    ) -> None:
        self._objectives = objectives
        self._models = [prepared.loaded.model for prepared in scenarios]
        self._gap_s = max(1 / STARTS_PER_S, 60 / session_rate_per_min if session_rate_per_min else 0.0)
        self._set_up_s = SET_UP_S
        self._turn_s = sum(map(_turn_s, scenarios)) / len(scenarios)

    def saw(self, *, turn_s: float | None, call_set_up_s: float | None) -> None:
        """Takes in what a hold showed: of a turn the mean, of a call's set-up the longest."""
        self._turn_s = turn_s or self._turn_s
        self._set_up_s = max(1.0, call_set_up_s) if call_set_up_s else self._set_up_s

    def lengths(self, calls: int, *, full: bool) -> Lengths:
        """The lengths of a hold of `calls` calls."""
        turns = turns_wanted(self._objectives, self._models, full=full)
        window_s = MARGIN * turns * self._turn_s / calls
        window_s = max(LEAST_WINDOW_S, TALK_TO_SET_UP * self._set_up_s, window_s)
        set_up_s = (calls - 1) * self._gap_s + self._set_up_s
        return Lengths(self._gap_s, set_up_s, min(MOST_WINDOW_S, window_s), self._turn_s + DRAIN_S)

    def reached(self, start: int, most: int | None, max_time_s: float) -> int:
        """How many calls at once steps that double come to in that time, were each of them held; 0: not one step."""
        calls, reached, left_s = start, 0, max_time_s
        while (left_s := left_s - self.lengths(calls, full=False).whole_s) >= 0:
            reached = calls
            if reached == most or reached >= MOST_REACHED:
                break
            calls = min(2 * calls, most or 2 * calls)
        return reached


def _turn_s(prepared: Prepared) -> float:
    """A guess at what a turn takes, waits in it."""
    steps = prepared.loaded.model.turns
    said_s = sum(utterance.pcm.size / 48_000 for utterance in prepared.speech if utterance is not None)
    waits_s = sum(step.wait_s for step in steps)
    turns = max(1, sum(step.kind != "wait" for step in steps))
    return (said_s + waits_s) / turns + REPLY_S + prepared.timeouts.end_silence
