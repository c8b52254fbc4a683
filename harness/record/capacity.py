"""The model of `capacity.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.record.observed import ObservedStat
from harness.record.summary import ThresholdResult

# The objectives were met or missed; the harness was not fit to measure; the hold was mostly set-up.
HoldVerdict = Literal["met", "missed", "unfit", "set_up"]
LimitedBy = Literal["agent", "session service", "harness", "not reached"]
Blamed = Literal["agent", "session service"]
Ended = Literal["found", "max", "harness", "set_up", "first", "enough", "time", "interrupted", "fallen"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Ttfa(_Part):
    """`turn.ttfa` of the fit turns, in ms; None if there are none (p95: if there are fewer than 20)."""

    count: int = 0
    p50: float | None = None
    p95: float | None = None


class OwnState(_Part):
    """The state of the harness and its machine during a hold's window.

    `busy` is the mean share of the machine's CPU in use, by any process. `lag_ms` is the 95th percentile of the longest
    event loop delay of a process in each second. `process_cpu` is the largest share of a core that one process used.
    """

    unfit_turns: int = 0
    busy: float | None = None
    lag_ms: float | None = None
    process_cpu: float | None = None
    on_this_machine: bool = False


class Hold(_Part):
    """One step of the search: a number of concurrent calls, held for some time.

    Attributes:
        step: Its number, from 1.
        calls: The number of concurrent calls.
        full: Whether it was planned to be as long as the percentiles need, or only long enough to go to the next step.
        sure: Whether it was that long, or the objectives were missed so clearly that it could end earlier.
        started: The start time, UTC.
        set_up_s: The time until all calls were in conversation.
        window_s: The time that was judged, in which all calls were in conversation.
        talk_share: The share of the window, over all calls, that was conversation.
        turns: The number of turns that started in the window.
        failed: The share of the step's calls that failed.
        wrong: The share of its expectations that failed.
        limited_by: What caused a missed objective.
        why: The verdict in words.
        call_ids: The ids of all its calls, as in calls.jsonl.
        observed: What the agent's hosts did in its window, by query; empty if nothing was observed.
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
    observed: list[ObservedStat] = Field(default_factory=list)


class CurvePoint(_Part):
    """All holds with the same number of calls. Times in ms; shares are of all their calls and expectations."""

    calls: int
    holds: int
    met: int
    unfit: int
    turns: int
    ttfa_p50: float | None
    ttfa_p95: float | None
    failed: float | None
    wrong: float | None
    observed: list[ObservedStat] = Field(default_factory=list)


class Recovery(_Part):
    """Whether latency recovered after the last step, with as many calls as in the first step.

    `ratio` is the median TTFA after, divided by the median before, with its 95 % interval (bootstrap over turns).
    `step` is the hold after.
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
    """The number of calls that meet the objectives. `interval` is 95 %; its end is None if no limit was found."""

    calls: int
    interval: tuple[int, int | None]
    limited_by: LimitedBy
    ended: Ended
    words: str
    exit_code: int


class Capacity(_Part):
    """The complete `capacity.json`."""

    version: Literal[1] = 1
    answer: Answer
    objectives: list[str]
    turns_wanted: dict[str, int]
    curve: list[CurvePoint]
    steps: list[Hold]
    recovery: Recovery | None = None
