"""Judges the expectations of a scenario in a measured call."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Literal, Protocol

from harness.judge.tool_calls import judge_tools
from harness.measure.turn_taking import stopped_falsely
from harness.parsing.limits import Limit
from harness.record.result import CallResult, ExpectationResult, GreetingResult, Outcome, TurnResult, WaitResult
from harness.scenario.expect import Expect, Greeting, Reply
from harness.scenario.model import Scenario
from harness.text.as_read import as_read

LATE = "the harness was late: its times cannot be trusted"
LATE_WORDS = "the harness was late: what the agent heard cannot be trusted"
NOT_EXERCISED = "not exercised: the agent was already silent"
_QUOTES = str.maketrans(
    {**dict.fromkeys("\u2018\u2019\u201b\u02bc\u2032", "'"), **dict.fromkeys("\u201c\u201d\u201f\u2033", '"')}
)


class Places(Protocol):
    """Finds the place in a file where an expectation is written."""

    def __call__(self, *keys: str | int) -> str:
        """Returns file, line and column of the value under these keys."""
        ...


def judge_call(
    result: CallResult, scenario: Scenario, places: Places, *, reports_tool_calls: bool = False
) -> CallResult:
    """Judges the call's expectations, sets `ok` in place and returns the call.

    Steps that were never started are not judged. If the call looped its turns, every round is judged.

    Args:
        result: The measured call.
        scenario: Its scenario.
        places: Finds where an expectation is written.
        reports_tool_calls: Whether other calls show that the agent reports its tool calls.
    """
    reported = reports_tool_calls or result.reports_tool_calls
    greeting = scenario.greeting
    if result.greeting is not None and greeting and not result.cut:
        _judge_greeting(result.greeting, greeting, places)
    steps = list(enumerate(scenario.turns))
    turn_steps = [(index, step) for index, step in steps if step.kind != "wait"]
    wait_steps = [(index, step) for index, step in steps if step.kind == "wait"]
    for turn in (turn for turn in result.turns if not turn.cut):
        index, step = turn_steps[(turn.turn - 1) % len(turn_steps)]
        turn.step = index  # which lines of older versions lack
        tools = judge_tools(
            step.expect.calls_tool or [],
            turn,
            result,
            places("turns", index, "expect", "calls_tool"),
            reported=reported,
        )
        _judge_turn(turn, step.expect, places, index, tools if reported else [])
        if not reported:  # undecided whatever else is doubtful in the turn, and no reason to leave that out
            turn.expectations += tools
    for wait, (index, step) in zip(result.waits, cycle(wait_steps), strict=False):
        wait.step = index
        _judge_wait(wait, step.expect, places, index)
    if result.cut:
        return result
    held = all(expectation.outcome != "failed" for _, expectation in result.expectations())
    result.ok = result.failure is None and held
    return result


def _judge_greeting(greeting: GreetingResult, expect: Greeting, places: Places) -> None:
    greeting.expectations = []
    if expect.within is not None:
        place = places("greeting", "within")
        greeting.expectations.append(
            _time("within", expect.within.limit, greeting.ttfa_ms, "no greeting came", place, fit=greeting.fit)
        )
    if expect.reply is not None:
        greeting.expectations.extend(_judge_reply(expect.reply, greeting.reply, places, ("greeting", "reply")))
    if not greeting.fit:
        _doubt_words(greeting.expectations)


def _judge_turn(
    turn: TurnResult, expect: Expect, places: Places, index: int, tools: Sequence[ExpectationResult]
) -> None:
    """Judges a turn; `tools` are what is decided about its tool calls."""
    turn.expectations = []
    keys: tuple[str | int, ...] = ("turns", index, "expect")
    no_reply = "the agent interrupted the caller" if turn.interrupted else "no reply came"
    no_stop = "the agent did not fall silent"
    if expect.ttfa is not None:
        turn.expectations.append(
            _time("ttfa", expect.ttfa.limit, turn.ttfa_ms, no_reply, places(*keys, "ttfa"), fit=turn.sure)
        )
    if expect.echo is not None:
        turn.expectations.append(
            _time("echo", expect.echo.limit, turn.echo_ms, "no echo came", places(*keys, "echo"), fit=not turn.ours)
        )
    if expect.wer is not None:
        turn.expectations.append(_wer(expect.wer.limit, turn, places(*keys, "wer")))
    if expect.stops_within is not None:
        stop_ms = turn.stop_ms if turn.exercised else None
        place = places(*keys, "stops_within")
        turn.expectations.append(
            _time("stops_within", expect.stops_within.limit, stop_ms, no_stop, place, fit=turn.sure)
        )
    if expect.keeps_talking:
        turn.expectations.append(_keeps_talking(turn, places(*keys, "keeps_talking")))
    if expect.ends_call is not None:
        turn.expectations.append(_ends_call(expect.ends_call.limit, turn, places(*keys, "ends_call")))
    if expect.reply is not None:
        turn.expectations.extend(_judge_reply(expect.reply, turn.reply, places, (*keys, "reply")))
    turn.expectations.extend(tools)
    if not turn.sure:
        _doubt_words(turn.expectations)
    if turn.doubtful:
        for expectation in turn.expectations:
            if expectation.outcome == "undecided":
                expectation.why, expectation.by_agent = str(turn.doubtful[0]), not turn.ours
    _known_to_be_late(turn, expect)
    if turn.exercised is False:
        _not_exercised(turn, places("turns", index))


def _known_to_be_late(turn: TurnResult, expect: Expect) -> None:
    """Fails a `ttfa` that is certainly too long.

    If the first voice may be an older answer, this turn's answer came at that time or later. So a measured time over
    the limit is a failure in any case.
    """
    if not turn.fit or turn.ttfa_ms is None or not all(doubt.is_of_time for doubt in turn.doubtful):
        return
    for expectation in turn.expectations:
        limit = expect.ttfa.limit if expect.ttfa is not None and expectation.expect == "ttfa" else None
        if limit is not None and limit.op in ("<", "<=") and not limit.holds(turn.ttfa_ms):
            what = f"it took {turn.ttfa_ms:.0f} ms" + (" or longer" if turn.doubtful else "")
            expectation.outcome, expectation.why, expectation.by_agent = "failed", what, False


def _doubt_words(expectations: Sequence[ExpectationResult]) -> None:
    """Makes failed expectations undecided: missing or wrong words may have been caused by our own late packets."""
    for expectation in expectations:
        if expectation.outcome == "failed":
            expectation.outcome, expectation.why = "undecided", LATE_WORDS


def _not_exercised(turn: TurnResult, place: str) -> None:
    """Never lets a barge-in that met a silent agent pass, even if the step has no expectations."""
    if not turn.expectations:
        turn.expectations = [ExpectationResult(expect="exercised", limit="true", outcome="held", place=place)]
    for expectation in turn.expectations:
        if not turn.sure:
            # The agent is not to blame for it either.
            expectation.outcome, expectation.why = "undecided", str(turn.doubtful[0]) if turn.doubtful else LATE
        elif expectation.outcome != "undecided":
            expectation.outcome, expectation.why = "failed", NOT_EXERCISED


def _judge_wait(wait: WaitResult, expect: Expect, places: Places, index: int) -> None:
    wait.expectations = []
    if wait.ended_ms is None:
        return
    keys: tuple[str | int, ...] = ("turns", index, "expect")
    spoke_ms = wait.agent_spoke_ms
    if expect.agent_silent:
        why = "" if spoke_ms is None else f"the agent spoke {spoke_ms / 1000:.1f} s into the wait"
        outcome: Outcome = "held" if spoke_ms is None else "failed"
        if not wait.fit:
            outcome, why = "undecided", LATE
        place = places(*keys, "agent_silent")
        wait.expectations.append(
            ExpectationResult(
                expect="agent_silent", limit="true", value=spoke_ms, outcome=outcome, why=why, place=place
            )
        )
    if expect.agent_speaks is not None:
        place = places(*keys, "agent_speaks")
        wait.expectations.append(
            _time("agent_speaks", expect.agent_speaks.limit, spoke_ms, "the agent said nothing", place, fit=wait.fit)
        )


def _time(
    name: str, limit: Limit, value_ms: float | None, missing: str, place: str, *, fit: bool = True
) -> ExpectationResult:
    result = ExpectationResult(expect=name, limit=str(limit), value=value_ms, outcome="held", place=place)
    if not fit:
        result.outcome, result.why = "undecided", LATE
    elif value_ms is None:
        result.outcome, result.why = "failed", missing
    elif not limit.holds(value_ms):
        result.outcome, result.why = "failed", f"it took {value_ms:.0f} ms"
    return result


def _wer(limit: Limit, turn: TurnResult, place: str) -> ExpectationResult:
    result = ExpectationResult(expect="wer", limit=str(limit), value=turn.wer, outcome="held", place=place)
    if turn.wer is None:
        result.outcome, result.why = "failed", "no transcript came"
    elif not limit.holds(turn.wer):
        reference, hypothesis = turn.wer_pair or ("", "")
        result.outcome, result.why = "failed", f"{turn.wer:.2f}: {reference!r} was heard as {hypothesis!r}"
    return result


def _ends_call(wanted: Literal[True] | Limit, turn: TurnResult, place: str) -> ExpectationResult:
    missing = "the agent did not end the call"
    if wanted is not True:
        return _time("ends_call", wanted, turn.ends_call_ms, missing, place, fit=turn.sure)
    outcome: Outcome = "held" if turn.ends_call_ms is not None else "failed"
    why = "" if turn.ends_call_ms is not None else missing
    return ExpectationResult(
        expect="ends_call", limit="true", value=turn.ends_call_ms, outcome=outcome, why=why, place=place
    )


def _keeps_talking(turn: TurnResult, place: str) -> ExpectationResult:
    result = ExpectationResult(expect="keeps_talking", limit="true", outcome="held", place=place)
    if not turn.sure:
        result.outcome, result.why = "undecided", LATE_WORDS
    elif not turn.exercised:
        result.outcome, result.why = "failed", "the step did not come to talking over the agent"
    elif stopped_falsely(turn.agent_stop_ms, turn.caller_end_ms):
        result.outcome, result.why, result.value = "failed", f"it stopped after {turn.stop_ms:.0f} ms", turn.stop_ms
    return result


def normalise(text: str) -> str:
    """Returns the text in the form used to compare replies: `as_read`, NFKC, plain quotes, case folded."""
    folded = unicodedata.normalize("NFKC", as_read(text.translate(_QUOTES))).casefold()
    return as_read(folded)


def _judge_reply(reply: Reply, text: str, places: Places, keys: tuple[str | int, ...]) -> list[ExpectationResult]:
    said = normalise(text)
    results = []

    def add(name: str, limit: str, *, holds: bool) -> None:
        why = "" if holds else (f"the agent wrote: {text[:200]!r}" if text else "no reply text came")
        outcome: Outcome = "held" if holds else "failed"
        results.append(ExpectationResult(expect=name, limit=limit, outcome=outcome, why=why, place=places(*keys, name)))

    for wanted in reply.contains or []:
        add("contains", wanted, holds=bool(text) and normalise(wanted) in said)
    if reply.contains_any is not None:
        found = any(normalise(wanted) in said for wanted in reply.contains_any)
        add("contains_any", " | ".join(reply.contains_any), holds=bool(text) and found)
    if reply.matches is not None:
        add("matches", reply.matches, holds=bool(text) and re.search(reply.matches, text) is not None)
    return results


def places_of(table: Mapping[str, str]) -> Places:
    """Returns the `Places` of a recorded table that maps dotted keys to places."""

    def place(*keys: str | int) -> str:
        return table.get(".".join(str(key) for key in keys), "")

    return place
