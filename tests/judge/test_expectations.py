"""Each kind of expectation: held, failed, undecided, with a reason that a person can act on."""

from __future__ import annotations

from typing import Any

import pytest
from made import barge_in, call, greeting, judged, scenario, turn, wait

from harness.judge.expectations import normalise
from harness.record.result import ExpectationResult, TurnResult


def of_turn(expect: dict[str, Any], result: TurnResult) -> ExpectationResult:
    """The first expectation of a step, judged in a call in which nothing failed."""
    step: dict[str, Any] = {"type": "x"} if result.kind == "type" else {"say": "x"}
    if result.kind == "barge_in":
        step["barge_in"] = "1s"
    judged_call = judged(call(result), scenario({**step, "expect": expect}))
    first = judged_call.turns[0].expectations[0]
    assert judged_call.ok is (first.outcome != "failed")
    return first


@pytest.mark.parametrize(
    ("expect", "result", "outcome", "why"),
    [
        ({"ttfa": "<2s"}, turn(), "held", ""),
        ({"ttfa": "<1s"}, turn(), "failed", "it took 1000 ms"),
        ({"ttfa": "<=1s"}, turn(), "held", ""),
        ({"ttfa": "<2s"}, turn(ttfa_ms=None), "failed", "no reply came"),
        ({"ttfa": "<2s"}, turn(ttfa_ms=None, interrupted=True), "failed", "the agent interrupted the caller"),
        ({"ttfa": "<1s"}, turn(fit=False), "undecided", "the harness was late"),
        ({"ttfa": "<2s"}, turn(fit=False, ttfa_ms=None), "undecided", "the harness was late"),
        ({"echo": "<500ms"}, turn(kind="type", echo_ms=20.0), "held", ""),
        ({"echo": "<500ms"}, turn(kind="type", echo_ms=700.0), "failed", "it took 700 ms"),
        ({"echo": "<500ms"}, turn(kind="type"), "failed", "no echo came"),
        ({"wer": "<=0.3"}, turn(wer=0.3, wer_pair=("a", "b")), "held", ""),
        ({"wer": "<=0.3"}, turn(wer=0.5, wer_pair=("when", "then")), "failed", "'when' was heard as 'then'"),
        ({"wer": "<=0.3"}, turn(), "failed", "no transcript came"),
        ({"wer": "<=0.3"}, turn(wer=0.1, fit=False), "held", ""),
        ({"wer": "<=0.3"}, turn(wer=0.9, wer_pair=("a", "b"), fit=False), "undecided", "what the agent heard"),
        ({"wer": "<=0.3"}, turn(fit=False), "undecided", "what the agent heard"),
        ({"stops_within": "<1s"}, barge_in(), "held", ""),
        ({"stops_within": "500ms"}, barge_in(), "failed", "it took 600 ms"),
        ({"stops_within": "1s"}, barge_in(stop_ms=None, agent_stop_ms=None), "failed", "did not fall silent"),
        ({"stops_within": "1s"}, barge_in(fit=False), "undecided", "the harness was late"),
        ({"stops_within": "1s"}, barge_in(exercised=False, stop_ms=None), "failed", "not exercised"),
        ({"keeps_talking": True}, barge_in(), "failed", "it stopped after 600 ms"),
        ({"keeps_talking": True}, barge_in(stop_ms=2999.0, agent_stop_ms=5999.0), "failed", "it stopped after"),
        ({"keeps_talking": True}, barge_in(stop_ms=3001.0, agent_stop_ms=6001.0), "held", ""),
        ({"keeps_talking": True}, barge_in(stop_ms=None, agent_stop_ms=None), "held", ""),
        ({"keeps_talking": True}, barge_in(fit=False), "undecided", "the harness was late"),
        (
            {"keeps_talking": True},
            barge_in(exercised=False, stop_ms=None, agent_stop_ms=None),
            "failed",
            "not exercised",
        ),
        ({"ends_call": True}, turn(ends_call_ms=300.0), "held", ""),
        ({"ends_call": True}, turn(), "failed", "the agent did not end the call"),
        ({"ends_call": True}, turn(fit=False), "undecided", "what the agent heard"),
        ({"ends_call": "<2s"}, turn(ends_call_ms=300.0), "held", ""),
        ({"ends_call": "<2s"}, turn(ends_call_ms=2300.0), "failed", "it took 2300 ms"),
        ({"ends_call": "<2s"}, turn(), "failed", "the agent did not end the call"),
        ({"ends_call": "<2s"}, turn(ends_call_ms=2300.0, fit=False), "undecided", "the harness was late"),
        ({"reply": {"contains": "at NINE"}}, turn(), "held", ""),
        ({"reply": {"contains": "ten"}}, turn(), "failed", "We open at nine."),
        ({"reply": {"contains": "ten"}}, turn(reply=""), "failed", "no reply text came"),
        ({"reply": {"contains_any": ["ten", "nine"]}}, turn(), "held", ""),
        ({"reply": {"contains_any": ["ten", "eight"]}}, turn(), "failed", "We open at nine."),
        ({"reply": {"contains": "it's"}}, turn(reply="It\u2019s\u00a0 open."), "held", ""),
        ({"reply": {"contains": "two words"}}, turn(reply="Two\n  words"), "held", ""),
        ({"reply": {"matches": "(?i)WE OPEN"}}, turn(), "held", ""),
        ({"reply": {"matches": "WE OPEN"}}, turn(), "failed", "We open at nine."),
        ({"reply": {"matches": ".*"}}, turn(reply=""), "failed", "no reply text came"),
        ({"reply": {"contains": "nine"}}, turn(fit=False), "held", ""),
        ({"reply": {"contains": "ten"}}, turn(fit=False), "undecided", "what the agent heard"),
        ({"reply": {"contains": "ten"}}, turn(fit=False, reply=""), "undecided", "what the agent heard"),
    ],
)
def test_an_expectation_of_a_turn(expect: dict[str, Any], result: TurnResult, outcome: str, why: str) -> None:
    found = of_turn(expect, result)
    assert (found.outcome, why in found.why) == (outcome, True), found.why
    assert found.place.startswith("s.yaml:turns.0.expect.")


@pytest.mark.parametrize("ttfa_ms", [500.0, 9000.0, None])
def test_a_greeting_at_which_we_were_late_is_not_judged(ttfa_ms: float | None) -> None:
    heard = greeting(ttfa_ms, reply="Hello, Blue Cafe." if ttfa_ms else "")
    heard.fit = False
    script = scenario({"say": "x"}, greeting={"within": "2s", "reply": {"contains": "Blue Cafe"}})
    result = judged(call(greeting=heard), script)
    assert result.greeting is not None
    words = "held" if ttfa_ms else "undecided"
    assert [one.outcome for one in result.greeting.expectations] == ["undecided", words]
    assert result.ok


def test_a_barge_in_that_came_late_by_our_own_fault_is_neither_a_pass_nor_a_failure() -> None:
    silent = barge_in(2, exercised=False, stop_ms=None, agent_stop_ms=None, fit=False)
    expect = {"stops_within": "1s", "reply": {"contains": "nine"}}
    result = judged(call(silent), scenario({"say": "a"}, {"say": "x", "barge_in": "1s", "expect": expect}))
    assert [one.outcome for _, one in result.expectations()] == ["undecided", "undecided"]
    assert result.ok


def test_a_barge_in_that_was_not_exercised_is_never_a_pass() -> None:
    silent = barge_in(exercised=False, stop_ms=None, agent_stop_ms=None)
    for expect in ({"ttfa": "<9s"}, {"reply": {"contains": "nine"}}):
        found = of_turn(expect, silent)
        assert (found.outcome, "not exercised" in found.why) == ("failed", True)


@pytest.mark.parametrize(("fit", "outcome", "ok"), [(True, "failed", False), (False, "undecided", True)])
def test_a_barge_in_of_which_nothing_is_expected_is_expected_to_be_one(fit: bool, outcome: str, ok: bool) -> None:
    silent = barge_in(2, exercised=False, stop_ms=None, agent_stop_ms=None, fit=fit)
    result = judged(call(silent), scenario({"say": "a"}, {"say": "x", "barge_in": "1s"}))
    assert [(one.expect, one.outcome) for _, one in result.expectations()] == [("exercised", outcome)]
    assert result.ok is ok
    met = judged(call(barge_in(2)), scenario({"say": "a"}, {"say": "x", "barge_in": "1s"}))
    assert met.expectations() == []


def test_each_text_of_contains_is_an_expectation_of_its_own() -> None:
    script = scenario({"say": "x", "expect": {"reply": {"contains": ["nine", "ten"]}}})
    result = judged(call(turn()), script)
    assert [(one.limit, one.outcome) for one in result.turns[0].expectations] == [("nine", "held"), ("ten", "failed")]
    assert not result.ok


@pytest.mark.parametrize(
    ("expect", "ttfa_ms", "outcome"),
    [
        ({"within": "<1s"}, 500.0, "held"),
        ({"within": "<1s"}, 1500.0, "failed"),
        ({"within": "<1s"}, None, "failed"),
        ({"reply": {"contains": "blue cafe"}}, 500.0, "held"),
        ({"reply": {"contains": "red cafe"}}, 500.0, "failed"),
    ],
)
def test_an_expectation_of_the_greeting(expect: dict[str, Any], ttfa_ms: float | None, outcome: str) -> None:
    result = judged(call(greeting=greeting(ttfa_ms)), scenario({"say": "x"}, greeting=expect))
    assert result.greeting is not None
    assert [one.outcome for one in result.greeting.expectations] == [outcome]
    assert result.ok is (outcome == "held")


@pytest.mark.parametrize(
    ("expect", "spoke_ms", "outcome"),
    [
        ({"agent_silent": True}, None, "held"),
        ({"agent_silent": True}, 1200.0, "failed"),
        ({"agent_speaks": "<2s"}, 1200.0, "held"),
        ({"agent_speaks": "<1s"}, 1200.0, "failed"),
        ({"agent_speaks": "<2s"}, None, "failed"),
    ],
)
def test_an_expectation_of_a_wait(expect: dict[str, Any], spoke_ms: float | None, outcome: str) -> None:
    script = scenario({"say": "x"}, {"wait": "1s"}, {"wait": "9s", "expect": expect})
    result = judged(call(turn(), waits=[wait(0.0), wait(spoke_ms)]), script)
    assert result.waits[0].expectations == []
    assert [one.outcome for one in result.waits[1].expectations] == [outcome]


@pytest.mark.parametrize("expect", [{"agent_silent": True}, {"agent_speaks": "<1s"}])
@pytest.mark.parametrize("spoke_ms", [None, 500.0, 1200.0])
def test_a_wait_at_which_we_were_late_is_not_judged(expect: dict[str, Any], spoke_ms: float | None) -> None:
    result = judged(call(waits=[wait(spoke_ms, fit=False)]), scenario({"wait": "9s", "expect": expect}))
    assert [one.outcome for one in result.waits[0].expectations] == ["undecided"]
    assert result.ok


def test_a_wait_that_was_broken_off_is_not_judged() -> None:
    script = scenario({"wait": "9s", "expect": {"agent_silent": True}})
    result = judged(call(waits=[wait(None, ended_ms=None)]), script)
    assert result.waits[0].expectations == []


def test_steps_that_were_never_begun_are_not_judged() -> None:
    script = scenario({"say": "x", "expect": {"ttfa": "<2s"}}, {"say": "y", "expect": {"ttfa": "<2s"}})
    result = judged(call(turn(), failure="agent.left"), script)
    assert [expectation.outcome for _, expectation in result.expectations()] == ["held"]
    assert result.ok is False


def test_undecided_is_neither_held_nor_failed() -> None:
    result = judged(call(turn(fit=False)), scenario({"say": "x", "expect": {"ttfa": "<1ms"}}))
    assert result.ok is True


def test_a_cut_call_has_its_finished_turns_judged_and_is_neither_ok_nor_failed() -> None:
    script = scenario(*({"say": "x", "expect": {"ttfa": "<2s"}} for _ in range(2)))
    result = judged(call(turn(), turn(2, cut=True, ttfa_ms=None), cut=True, ok=None), script)
    assert [len(one.expectations) for one in result.turns] == [1, 0]
    assert result.ok is None


def test_judging_twice_gives_the_same() -> None:
    script = scenario({"say": "x", "expect": {"ttfa": "<2s", "reply": {"contains": "nine"}}})
    once = judged(call(turn()), script)
    assert judged(once.model_copy(deep=True), script) == once


def test_each_round_of_looped_turns_is_judged_by_the_step_it_follows() -> None:
    script = scenario({"say": "a", "expect": {"ttfa": "<1s"}}, {"say": "b", "expect": {"ttfa": "<3s"}})
    rounds = [turn(number, ttfa_ms=2000.0) for number in range(1, 6)]
    result = judged(call(*rounds), script)
    outcomes = [one.outcome for _, one in result.expectations()]
    assert outcomes == ["failed", "held", "failed", "held", "failed"]


@pytest.mark.parametrize(
    ("wanted", "wrote"),
    [
        ("nine-thirty", "At nine\u2011thirty."),
        ("nine-thirty", "At nine\u2013thirty."),
        ("nine\u2014thirty", "At nine-thirty."),
        ("every day", "every\r\nday"),
        ("every day", "every \u00a0 day"),
        ("every day", "ev\u00adery d\u200bay"),
        ("caf\u00e9", "Cafe\u0301"),
        ("cafe\u0301", "Caf\u00e9"),
        ("don't", "We don\u2019t."),
        ("\uff19\uff1a\uff13\uff10", "at 9:30"),
    ],
)
def test_a_reply_is_looked_at_as_a_reader_sees_it(wanted: str, wrote: str) -> None:
    assert normalise(wanted) in normalise(wrote)


@pytest.mark.parametrize(("wanted", "wrote"), [("resign", "re-sign"), ("cafe", "Caf\u00e9"), ("every day", "everyday")])
def test_a_reply_with_other_letters_is_another(wanted: str, wrote: str) -> None:
    assert normalise(wanted) not in normalise(wrote)
