"""Estimates how long a hold takes: its set-up and its window, learned from earlier holds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.caller.prepare import Prepared
from harness.capacity.objectives import turns_wanted
from harness.judge.thresholds import Threshold

STARTS_PER_S = 5.0  # calls that join at the same time delay each other; five per second do not
SET_UP_S = 8.0  # first guess for a call: session, join and greeting
REPLY_S = 3.0  # first guess for a reply: delay and speech
LEAST_WINDOW_S, MOST_WINDOW_S = 15.0, 300.0
TALK_TO_SET_UP = 4  # a call's conversation must be at least this many times as long as its set-up
MARGIN = 1.15  # for turns that take longer with more calls
MOST_REACHED = 100_000
DRAIN_S = 5.0  # after the last turn of calls whose time is over: hang-up, measuring, pause


@dataclass(frozen=True, slots=True)
class Lengths:
    """The planned lengths of a hold, in seconds.

    Attributes:
        gap_s: Between the starts of two calls.
        set_up_s: Until all calls talk.
        window_s: The window, which follows the set-up.
        drain_s: After the window, until the last call has ended.
    """

    gap_s: float
    set_up_s: float
    window_s: float
    drain_s: float = DRAIN_S

    @property
    def whole_s(self) -> float:
        """The length of the whole hold."""
        return self.set_up_s + self.window_s + self.drain_s


class Learned:
    """The durations of turns and set-ups learned so far; first guesses come from the scenarios.

    Args:
        scenarios: The scenarios of the calls.
        objectives: The objectives.
        session_rate_per_min: The most sessions to create per minute; None for no limit.
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
        """Updates with a hold's mean duration of a turn and longest set-up of a call; None keeps the old value."""
        self._turn_s = turn_s or self._turn_s
        self._set_up_s = max(1.0, call_set_up_s) if call_set_up_s else self._set_up_s

    def lengths(self, calls: int, *, full: bool) -> Lengths:
        """Returns the lengths of a hold of `calls` calls."""
        turns = turns_wanted(self._objectives, self._models, full=full)
        window_s = MARGIN * turns * self._turn_s / calls
        window_s = max(LEAST_WINDOW_S, TALK_TO_SET_UP * self._set_up_s, window_s)
        set_up_s = (calls - 1) * self._gap_s + self._set_up_s
        return Lengths(self._gap_s, set_up_s, min(MOST_WINDOW_S, window_s), self._turn_s + DRAIN_S)

    def reached(self, start: int, most: int | None, max_time_s: float) -> int:
        """Returns how many calls doubling steps reach in that time if every step is met; 0 if none fits."""
        calls, reached, left_s = start, 0, max_time_s
        while (left_s := left_s - self.lengths(calls, full=False).whole_s) >= 0:
            reached = calls
            if reached == most or reached >= MOST_REACHED:
                break
            calls = min(2 * calls, most or 2 * calls)
        return reached


def _turn_s(prepared: Prepared) -> float:
    """Returns a guess at the duration of a turn in seconds, including waits."""
    steps = prepared.loaded.model.turns
    said_s = sum(utterance.pcm.size / 48_000 for utterance in prepared.speech if utterance is not None)
    waits_s = sum(step.wait_s for step in steps)
    turns = max(1, sum(step.kind != "wait" for step in steps))
    return (said_s + waits_s) / turns + REPLY_S + prepared.timeouts.end_silence
