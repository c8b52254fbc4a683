"""The result of a call: one line of `calls.jsonl`. Positions are milliseconds since the caller was connected.

`docs/metrics.md` defines each field, and says which are durations (`ttfa_ms`, `echo_ms` …) and which are positions in
the call (`started_ms`, `caller_end_ms` …). A value that does not exist (no echo came, a typed turn has no WER) is null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.failures import FailureKind
from harness.record.as_text import AsText
from harness.record.ran_out import RanOut
from harness.record.role import Role
from harness.record.self_fault import SelfFaultSeen
from harness.record.unfit import Doubt, Unfit
from harness.timeline.events import Side, TurnKind

# The version of the metric definitions.
# 1: `agent.join`, `greeting.ttfa` and a greeting's `within` count from connected.
# 2: They count from our join request.
# 3: A reply is a voice and no other sound, doubtful turns are in no metric, percentiles are nearest-rank, and the WER
#    compares what was said, not how it is written.
DEFINITIONS = 3
Outcome = Literal["held", "failed", "undecided"]
StepOf = int | Literal["greeting"] | None
"""A step of a scenario: its place in the script, from 0, or the greeting; None if it is not known."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ExpectationResult(_Line):
    """A judged expectation. `value` is in ms for times; `why` is a sentence for people.

    `by_agent`: it is undecided because of what the agent did, so the harness is not at fault.
    """

    expect: str
    limit: str
    value: float | None = None
    outcome: Outcome
    why: str = ""
    place: str = ""
    by_agent: bool = False


class FailureSeen(_Line):
    """A failure that occurred. `turn` is None outside of turns; `ended` says whether it ended the script.

    `hint` says how to fix it. `fit` is false if the harness itself was late when it occurred; then the agent is not
    blamed for it.
    """

    kind: FailureKind
    what: str
    hint: str = ""
    at_ms: float | None = None
    turn: int | None = None
    ended: bool = False
    fit: bool = True


class ToolCallSeen(_Line):
    """A tool call that the agent reported. `at_ms` is when its frame was received.

    `ms` is how long it took, as the agent says. `shortened` says that arguments or result were too long: they are cut,
    and the result is then its JSON text.
    """

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    result: Any = None
    ms: float | None = None
    ok: bool = True
    at_ms: float | None = None
    shortened: bool = False


class GreetingResult(_Line):
    """The agent's first speech, before the first turn. `ttfa_ms` counts from our join request."""

    ttfa_ms: float | None = None
    onset_ms: float | None = None
    end_ms: float | None = None
    reply: str = ""
    tool_calls: list[ToolCallSeen] = Field(default_factory=list)
    fit: bool = True
    unfit_why: list[Unfit] = Field(default_factory=list)
    expectations: list[ExpectationResult] = Field(default_factory=list)


class TurnResult(_Line):
    """A turn: what the caller did, what the agent did, and how long it took.

    `step` is its place among the scenario's steps, from 0; None in lines of older versions.
    """

    turn: int
    step: int | None = None
    kind: TurnKind
    text: str
    fixture: str | None = None
    language: str = "en"
    started_ms: float | None = None
    ended_ms: float | None = None
    caller_start_ms: float | None = None
    caller_end_ms: float | None = None
    agent_onset_ms: float | None = None
    agent_stop_ms: float | None = None
    ttfa_ms: float | None = None
    awaited_ms: float | None = None
    ttfa_ear_ms: float | None = None
    first_sound_ms: float | None = None
    transcript_ms: float | None = None
    transcript: str = ""
    echo_ms: float | None = None
    reply_text_ms: float | None = None
    reply: str = ""
    tool_calls: list[ToolCallSeen] = Field(default_factory=list)
    wer: float | None = None
    wer_pair: tuple[str, str] | None = None
    interrupted: bool = False
    backchannels: int = 0
    talk_over_ms: float | None = None
    dead_air_ms: float | None = None
    own_voice_db: float | None = None
    exercised: bool | None = None
    stop_ms: float | None = None
    false_stop: bool | None = None
    ends_call_ms: float | None = None
    advice: str | None = None
    fit: bool = True
    unfit_why: list[Unfit] = Field(default_factory=list)
    ran_out: Annotated[RanOut, AsText(RanOut.read)] | None = None
    doubtful: list[Doubt] = Field(default_factory=list)
    cut: bool = False
    expectations: list[ExpectationResult] = Field(default_factory=list)

    @property
    def sure(self) -> bool:
        """Whether its numbers count: the harness was fit, and it is known whose voice was measured."""
        return self.fit and not self.doubtful

    @property
    def ours(self) -> bool:
        """Whether it is not sure for a reason other than what the agent did."""
        return not self.fit or any(not doubt.is_agents for doubt in self.doubtful)


class WaitResult(_Line):
    """A `wait` step. It is not a turn and has no row and no number, but its expectations count.

    `step` is its place among the scenario's steps, from 0; None in lines of older versions.
    """

    after_turn: int
    step: int | None = None
    started_ms: float | None = None
    ended_ms: float | None = None
    agent_spoke_ms: float | None = None
    fit: bool = True
    expectations: list[ExpectationResult] = Field(default_factory=list)


class MediaHealth(_Line):
    """The quality of the agent's audio over the whole call; None if the engine or the call cannot measure it.

    `loss` is a share of the agent's packets, `concealed` of its samples, `clipped` of the samples of its voice. Times
    are means of one value per second. A dropout is a voice that stops abruptly and then continues.
    """

    loss: float | None = None
    concealed: float | None = None
    clipped: float | None = None
    jitter_ms: float | None = None
    rtt_ms: float | None = None
    jitter_buffer_ms: float | None = None
    level_dbfs: float | None = None
    dropouts: int = 0
    dropout_ms: float = 0.0


class SinceDue(_Line):
    """When a call reached each stage, in ms since it was due to start, including the time that we held it back."""

    session_asked_ms: float | None = None
    session_answered_ms: float | None = None
    join_asked_ms: float | None = None
    agent_there_ms: float | None = None


class OwnLateness(_Line):
    """One value per second of the call: the longest event loop delay, and the delay of the latest packet."""

    lag_ms: list[float] = Field(default_factory=list)
    send_late_ms: list[float] = Field(default_factory=list)


class Remeasured(_Line):
    """How a call was measured again.

    `voices` says where the agent's voice comes from: `recording` if it was detected again in the recording, `call` if
    it is the voice detected during the call, `none` if nothing was measured again and all numbers are those of the
    call. `why` says why it is not `recording`.
    """

    voices: Literal["recording", "call", "none"]
    why: str = ""


class TrackHeard(_Line):
    """An audio track of the agent. `background`: sound besides its voice; `gone_ms` is None if it stayed."""

    identity: str
    name: str = ""
    source: str = ""
    came_ms: float | None = None
    gone_ms: float | None = None
    background: bool = False


class Handover(_Line):
    """One agent left, and another one answered from then on."""

    at_ms: float | None = None
    left: str
    followed: str


class CallResult(_Line):
    """The result of one call.

    Attributes:
        host: The machine that made it, if there are several. Times of different hosts are never compared.
        warm_up, canary, side, block: See `Role`.
        retry_of: The call that this one replaces; the replaced call is in no number.
        start_late_ms: How late it started, if it had an intended start.
        held_back_ms: How long we delayed its session request and its join; it is in no metric.
        ok: Whether it passed; None if it was cut short on request.
        self_faults: Faults that the harness found in itself.
    """

    version: Literal[1] = 1
    call: str
    scenario: str
    tags: list[str] = Field(default_factory=list)
    target: str = ""
    agent: str = ""
    room: str | None = None
    started: str
    host: str = ""
    definitions: int = DEFINITIONS
    engine: str = "sdk"
    warm_up: bool = False
    canary: bool = False
    side: Side = "run"
    block: int | None = None
    retry_of: str | None = None
    start_late_ms: float | None = None
    held_back_ms: float = 0.0
    since_due: SinceDue | None = None
    duration_ms: float = 0.0
    ok: bool | None
    failure: FailureKind | None = None
    failures: list[FailureSeen] = Field(default_factory=list)
    cut: bool = False
    session_create_ms: float | None = None
    session_retries: int = 0
    room_connect_ms: float | None = None
    agent_join_ms: float | None = None
    agents: int = 0
    tracks: list[TrackHeard] = Field(default_factory=list)
    handovers: list[Handover] = Field(default_factory=list)
    other_texts: int = 0
    junk_frames: int = 0
    other_tool_frames: int = 0
    junk_tool_frames: int = 0
    stray_tool_calls: int = 0
    stray_texts: int = 0
    altered_echoes: int = 0
    stray_speech: int = 0
    greeting: GreetingResult | None = None
    turns: list[TurnResult] = Field(default_factory=list)
    waits: list[WaitResult] = Field(default_factory=list)
    caller_voice: list[tuple[float, float]] = Field(default_factory=list)
    agent_voice: list[tuple[float, float]] = Field(default_factory=list)
    media: MediaHealth = Field(default_factory=MediaHealth)
    own: OwnLateness = Field(default_factory=OwnLateness)
    notes: list[str] = Field(default_factory=list)
    self_faults: list[Annotated[SelfFaultSeen, AsText(SelfFaultSeen.read)]] = Field(default_factory=list)
    recording: str | None = None
    remeasured: Remeasured | None = None

    @property
    def role(self) -> Role:
        """What it is in its run."""
        return Role(self.warm_up, self.canary, self.side, self.block)

    @property
    def sure_failure(self) -> FailureKind | None:
        """The failure that counts: `failure`, or one that occurred while the harness was not late; None if none did."""
        if all(seen.fit for seen in self.failures):
            return self.failure
        sure = [seen for seen in self.failures if seen.fit]
        return next((seen.kind for seen in (*(seen for seen in sure if seen.ended), *sure)), None)

    @property
    def is_sure(self) -> bool:
        """Whether everything was measured: the harness was fit, and it is known whose voice was heard."""
        turns = all(turn.sure for turn in self.turns if not turn.cut)
        greeting = self.greeting is None or self.greeting.fit
        rest = all(wait.fit for wait in self.waits) and all(seen.fit for seen in self.failures)
        return turns and greeting and rest and not self.self_faults

    @property
    def may_be_made_again(self) -> bool:
        """Whether a retry may decide more: this call was not fully measured, and nothing in it surely failed."""
        failed = any(expectation.outcome == "failed" for _, expectation in self.expectations())
        return not self.cut and not self.is_sure and self.sure_failure is None and not failed

    @property
    def reports_tool_calls(self) -> bool:
        """Whether the agent reported any tool call in this call; if not, its service may report none at all."""
        greeting = self.greeting is not None and bool(self.greeting.tool_calls)
        return greeting or self.stray_tool_calls > 0 or any(turn.tool_calls for turn in self.turns)

    def step_of(self, turn: int | None) -> StepOf:
        """Returns the step of the turn with this number."""
        return next((each.step for each in self.turns if each.turn == turn), None)

    def expectations_by_step(self) -> list[tuple[StepOf, ExpectationResult]]:
        """Returns all judged expectations with their steps."""
        greeting = [] if self.greeting is None else self.greeting.expectations
        found: list[tuple[StepOf, ExpectationResult]] = [("greeting", expectation) for expectation in greeting]
        for turn in self.turns:
            found.extend((turn.step, expectation) for expectation in turn.expectations)
        for wait in self.waits:
            found.extend((wait.step, expectation) for expectation in wait.expectations)
        return found

    def expectations(self) -> list[tuple[int | None, ExpectationResult]]:
        """Returns all judged expectations with the number of their turn (None for the greeting and the waits)."""
        found: list[tuple[int | None, ExpectationResult]] = []
        if self.greeting is not None:
            found.extend((None, expectation) for expectation in self.greeting.expectations)
        for turn in self.turns:
            found.extend((turn.turn, expectation) for expectation in turn.expectations)
        for wait in self.waits:
            found.extend((None, expectation) for expectation in wait.expectations)
        return found


def counted_calls(calls: Sequence[CallResult]) -> list[CallResult]:
    """Returns the calls that are in the run's numbers: the standing ones whose role counts."""
    return [call for call in standing(calls) if call.role.counts]


def standing(calls: Sequence[CallResult]) -> list[CallResult]:
    """Returns the calls that count: all but those that were replaced by a retry."""
    again = {call.retry_of for call in calls}
    return [call for call in calls if call.call not in again]
