"""The failures of a call as its result lists them: in which turn each was, and whether it is held against the agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, get_args

from harness.failures import HINT_IF_LATE, HINTS, FailureKind
from harness.measure.times import Position
from harness.record.result import FailureSeen, GreetingResult, TurnResult
from harness.timeline.events import AgentJoined, Failed
from harness.timeline.spans import CallSpans

# Failures that a late harness can cause: the agent misses speech with gaps, and a full receive queue hears nothing.
HEARD_AS_SILENCE: tuple[FailureKind, ...] = ("agent.no_reply", "agent.no_greeting")
NOT_HELD = "the harness was late itself here, so this is not held against the agent"
NO_CPU_LEFT = "the agent shares this machine, which had no CPU left here, so this is not held against it"


def failures_seen(
    spans: CallSpans, greeting: GreetingResult | None, turns: Sequence[TurnResult], position: Position
) -> list[FailureSeen]:
    """The failures of a call, in their order; one for a mute agent comes first."""
    late: dict[int | None, str] = {turn.turn: _not_held(turn) for turn in turns if not turn.fit}
    doubtful = {turn.turn: turn.doubtful[0] for turn in turns if turn.doubtful and turn.ours}
    if greeting is not None and not greeting.fit:
        late[None] = NOT_HELD
    seen = [
        FailureSeen(
            kind=cast(FailureKind, event.kind),
            what=event.what,
            hint=event.hint,
            at_ms=position(event.t_ns),
            turn=event.turn or _turn_ended_by(spans, event),
            ended=event.ended,
        )
        for event in spans.failures
        if event.kind in get_args(FailureKind)
    ]
    for failure in seen:
        if failure.kind in HEARD_AS_SILENCE and failure.turn in late:
            failure.fit, failure.what, failure.hint = False, f"{failure.what}; {late[failure.turn]}", HINT_IF_LATE
        elif failure.kind in HEARD_AS_SILENCE and failure.turn in doubtful:
            failure.fit, failure.what = False, f"{failure.what}; {doubtful[failure.turn]}"
    if _was_mute(spans, seen):
        # One failure for a mute call, ahead of one per silent turn.
        what = "not one voiced moment of the agent in the whole call"
        fit = any(failure.fit for failure in seen)
        mute = FailureSeen(
            kind="agent.no_audio",
            what=what if fit else f"{what}; {NOT_HELD}",
            hint=HINTS["agent.no_audio"] if fit else HINT_IF_LATE,
            ended=any(failure.ended for failure in seen),
            fit=fit,
        )
        return [mute, *seen]
    return seen


def _not_held(turn: TurnResult) -> str:
    return NO_CPU_LEFT if all(why.kind == "no_cpu_left" for why in turn.unfit_why) else NOT_HELD


def _turn_ended_by(spans: CallSpans, failure: Failed) -> int | None:
    """The turn that was in progress when a failure ended the script."""
    if not failure.ended:
        return None
    ends = ("failed", "no_reply") if failure.kind == "agent.no_reply" else ("failed",)
    failed = [turn.turn for turn in spans.turns if turn.why in ends]
    return failed[-1] if failed else None


def _was_mute(spans: CallSpans, seen: Sequence[FailureSeen]) -> bool:
    return (
        AgentJoined in spans.first
        and not spans.voices
        and any(failure.kind in HEARD_AS_SILENCE for failure in seen)
        and all(failure.kind in HEARD_AS_SILENCE for failure in seen)
    )
