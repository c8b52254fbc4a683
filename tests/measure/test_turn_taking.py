"""Who cut whom off, how long both spoke, how long neither did."""

from __future__ import annotations

import pytest

from harness.measure.turn_taking import dead_air_ns, stopped_falsely, talk_over_ns
from harness.metrics.samples import samples_of
from harness.record.result import CallResult, TurnResult
from tests.measure.timelines import CallMade, ns, voices

Spans = list[tuple[float, float | None]]


def metric(call: CallResult, name: str) -> list[float]:
    return [sample.value for sample in samples_of([call]) if sample.metric == name]


def turn_of(call: CallMade, number: int = 1) -> TurnResult:
    return call.hung_up(20_000).measured().turns[number - 1]


@pytest.mark.parametrize(
    ("spans", "talk_over"),
    [
        # The caller speaks from 3,000 to 5,000 ms.
        ([], 0),
        ([(1000, 3000), (5000, 6000)], 0),
        ([(1000, 3400)], 400),
        ([(3500, 4000), (4500, 7000)], 1000),
        ([(1000, 9000)], 2000),
        ([(4000, None)], 1000),
    ],
)
def test_talk_over_is_how_long_both_voices_are_there(spans: Spans, talk_over: float) -> None:
    assert talk_over_ns(voices(*spans), ns(3000), ns(5000), known_until_ns=ns(9000)) == talk_over * 1e6


@pytest.mark.parametrize(
    ("spans", "dead_air"),
    [
        # The caller has ended at 5,000 ms, the turn ends at 12,000 ms.
        ([], None),
        ([(3000, 4500)], None),
        ([(6000, 8000)], 1000),
        # A filler at once, then nothing for a long time, then the answer.
        ([(5300, 5800), (8000, 9000)], 2200),
        # An answer in several bursts.
        ([(6200, 6500), (6800, 7000), (7900, 8200)], 1200),
        # It spoke over the caller's end: what follows counts from its own.
        ([(4000, 6000)], 0),
        ([(4000, 6000), (6700, 7000)], 700),
        ([(6000, None)], 1000),
        ([(6000, 7000), (12_500, 13_000)], 1000),
    ],
)
def test_dead_air_is_the_longest_silence_until_the_agents_last_voice(spans: Spans, dead_air: float | None) -> None:
    expected = None if dead_air is None else dead_air * 1e6
    assert dead_air_ns(voices(*spans), ns(5000), ns(12_000)) == expected


@pytest.mark.parametrize(
    ("stop_ms", "false"), [(None, False), (4000.0, True), (5999.0, True), (6000.0, True), (6001.0, False)]
)
def test_a_stop_for_nothing_is_one_up_to_a_second_after_it(stop_ms: float | None, false: bool) -> None:
    assert stopped_falsely(stop_ms, 5000) is false


# -- edge cases, over whole timelines ----------------------------------------------------------------------------------


def test_an_agent_that_speaks_before_the_caller_has_ended_interrupts_and_has_no_ttfa() -> None:
    call = CallMade(greeting=(500, 800)).say(5000, 7000, 11_000, why="interrupted").agent(6500, 9000).hung_up(11_100)
    measured = call.measured()
    (turn,) = measured.turns
    assert (turn.interrupted, turn.ttfa_ms, turn.talk_over_ms, turn.dead_air_ms) == (True, None, 500, 0)
    assert metric(measured, "turn.interrupted") == [1]
    assert metric(measured, "turn.ttfa") == []


def test_a_backchannel_interrupts_nobody_and_is_no_answer() -> None:
    call = CallMade(greeting=(500, 800)).say(5000, 9000, 13_000).agent(6500, 7300).agent(10_000, 11_000)
    turn = turn_of(call)
    assert (turn.interrupted, turn.backchannels, turn.ttfa_ms, turn.talk_over_ms) == (False, 1, 1000, 800)


def test_a_second_of_voice_is_no_backchannel() -> None:
    call = CallMade(greeting=(500, 800)).say(5000, 9000, 13_000).agent(6500, 7500).agent(10_000, 11_000)
    turn = turn_of(call)
    assert (turn.interrupted, turn.backchannels, turn.ttfa_ms) == (True, 0, None)


def test_a_filler_is_the_agents_first_voice_and_the_wait_behind_it_is_dead_air() -> None:
    turn = turn_of(CallMade().say(3000, 5000, 11_000).agent(5300, 5700).agent(7000, 9000))
    assert (turn.ttfa_ms, turn.dead_air_ms) == (300, 1300)


def test_an_answer_in_several_bursts_is_one_answer() -> None:
    measured = CallMade().say(3000, 5000, 12_000).agent(6000, 6400).agent(7000, 7900).agent(8900, 10_000)
    turn = turn_of(measured)
    assert (turn.ttfa_ms, turn.agent_onset_ms, turn.dead_air_ms, turn.interrupted) == (1000, 6000, 1000, False)


def test_a_turn_without_an_answer_has_no_dead_air_and_interrupts_nobody() -> None:
    call = CallMade().say(3000, 5000, 20_200, why="no_reply").failure(20_200, "agent.no_reply", turn=1)
    measured = call.hung_up(20_300).measured()
    assert (measured.turns[0].dead_air_ms, measured.turns[0].talk_over_ms) == (None, 0)
    assert metric(measured, "turn.interrupted") == [0]
    assert metric(measured, "turn.dead_air") == []


def test_a_second_agents_track_is_counted_and_not_measured() -> None:
    call = CallMade().event(400, "agent.second", identity="agent-2").say(3000, 5000, 8000).agent(6000, 6500)
    measured = call.hung_up(8100).measured()
    assert (measured.agents, measured.turns[0].ttfa_ms) == (2, 1000)
    assert "2 agents were in the room; measured was agent, not agent-2" in measured.notes


def test_a_typed_turn_can_be_neither_interrupted_nor_talked_over() -> None:
    measured = CallMade().type(3000, 7000).agent(4000, 5000).hung_up(7100).measured()
    assert (measured.turns[0].talk_over_ms, measured.turns[0].dead_air_ms) == (None, 1000)
    assert metric(measured, "turn.interrupted") == []
    assert metric(measured, "turn.talk_over") == []


def cough(*agent: tuple[float, float]) -> CallResult:
    """A cough from 7,000 to 7,300 ms over the reply that set in at 6,000 ms."""
    call = CallMade().say(3000, 5000, 6100, why="barge_in")
    for span in agent:
        call.agent(*span)
    return call.barge_in(7000, 7300, 13_000, over=6000, why="no_reply_needed").hung_up(13_100).measured()


@pytest.mark.parametrize(
    ("agent", "false_stop"),
    [
        ([(6000, 10_000)], [0]),
        ([(6000, 7400)], [1]),
        ([(6000, 7400), (8200, 9000)], [1]),
        ([(6000, 7400), (7800, 9000)], [0]),
        # Already silent: the step was not exercised and says nothing.
        ([(6000, 6300)], []),
    ],
)
def test_a_false_stop_is_a_share_of_the_coughs_that_met_the_agents_voice(
    agent: list[tuple[float, float]], false_stop: list[float]
) -> None:
    measured = cough(*agent)
    assert metric(measured, "bargein.false_stop") == false_stop
    assert metric(measured, "bargein.stop") == []


def test_a_cough_is_no_turn_in_which_the_agent_could_interrupt() -> None:
    assert metric(cough((6000, 10_000)), "turn.interrupted") == [0], "of the first turn alone"


def test_what_an_unfit_turn_says_of_turn_taking_does_not_count() -> None:
    call = CallMade().say(3000, 5000, 8000).agent(6000, 6500).late(4000, 150).hung_up(8100)
    names = ("turn.interrupted", "turn.talk_over", "turn.dead_air")
    assert not any(sample.fit for sample in samples_of([call.measured()]) if sample.metric in names)
