"""The shape of `capacity.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.record.summary import ThresholdResult

HoldVerdict = Literal["met", "missed", "unfit", "set_up"]
"""Of a hold: the objectives were met, or missed; the harness was not fit to say; it was mostly set-up."""
LimitedBy = Literal["agent", "session service", "harness", "not reached"]
Blamed = Literal["agent", "session service"]
Ended = Literal["found", "max", "harness", "set_up", "first", "enough", "time", "interrupted", "fallen"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Ttfa(_Part):
    """`turn.ttfa` of the fit turns, in ms; None where there are none (p95: fewer than 20)."""

    count: int = 0
    p50: float | None = None
    p95: float | None = None


class OwnState(_Part):
    """How the harness and its machine fared in a hold's window.

    `busy` is the mean share of the machine's CPU that was in use, by anyone; `lag_ms` the 95th percentile of the
    longest delay of a process's event loop in each second; `process_cpu` the most of a core that one of them used.
    """

    unfit_turns: int = 0
    busy: float | None = None
    lag_ms: float | None = None
    process_cpu: float | None = None
    on_this_machine: bool = False


class Hold(_Part):
    """So many calls at once, for a time.

    Attributes:
        step: Its number, from 1.
        calls: How many at once.
        full: It was to be as long as the percentiles need; else only long enough to step on.
        sure: It was as long, or so much was missed that it needed no longer.
        started: UTC.
        set_up_s: Until all calls were in conversation.
        window_s: The time that was judged: all calls in conversation.
        talk_share: Of the window and its calls, how much was conversation.
        turns: How many turns began in the window.
        failed: The share of the step's calls that failed.
        wrong: The share of its expectations that failed.
        limited_by: Who is to blame, where an objective was missed.
        why: The verdict in words.
        call_ids: All its calls, as in calls.jsonl.
    """

    step: int
    calls: int
    full: bool
    sure: bool = False
    started: str
    set_up_s: float
    window_s: float
    talk_share: float
    turns: int
    verdict: HoldVerdict
    limited_by: Blamed | None = None
    why: str = ""
    ttfa: Ttfa = Field(default_factory=Ttfa)
    failed: float | None = None
    wrong: float | None = None
    objectives: list[ThresholdResult] = Field(default_factory=list)
    failures: dict[str, int] = Field(default_factory=dict)
    own: OwnState = Field(default_factory=OwnState)
    call_ids: list[str] = Field(default_factory=list)


class CurvePoint(_Part):
    """All holds of one number of calls; times in ms, shares of all their calls and expectations."""

    calls: int
    holds: int
    met: int
    unfit: int
    turns: int
    ttfa_p50: float | None
    ttfa_p95: float | None
    failed: float | None
    wrong: float | None


class Recovery(_Part):
    """Whether latency came back after the last step, with as many calls as in the first.

    `ratio` is of the median TTFA after and before, with its 95 % interval (bootstrap over turns). `step` is the hold
    after.
    """

    calls: int
    before_ms: float | None
    after_ms: float | None
    ratio: float | None = None
    interval: tuple[float, float] | None = None
    came_back: bool | None = None
    why: str = ""
    step: Hold | None = None


class Answer(_Part):
    """How many calls are held. `interval` is of 95 %; its end is None where no limit was found."""

    calls: int
    interval: tuple[int, int | None]
    limited_by: LimitedBy
    ended: Ended
    words: str
    exit_code: int


class Capacity(_Part):
    """All of it."""

    version: Literal[1] = 1
    answer: Answer
    objectives: list[str]
    turns_wanted: dict[str, int]
    curve: list[CurvePoint]
    steps: list[Hold]
    recovery: Recovery | None = None
