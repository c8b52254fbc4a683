"""An answer that comes late is not the next turn's fast one; an agent that pauses has not stopped."""

from __future__ import annotations

import pytest

from harness.record.result import TurnResult
from harness.record.unfit import DoubtKind
from tests.measure.timelines import CallMade


def kinds(turn: TurnResult) -> list[DoubtKind]:
    return [doubt.kind for doubt in turn.doubtful]


def two_turns(call: CallMade) -> tuple[TurnResult, TurnResult]:
    first, second = call.hung_up(40_000).measured().turns
    return first, second


def silent_first() -> CallMade:
    """Nothing comes within 5 s of turn 1; 210 ms after the text of turn 2 a voice sets in."""
    call = CallMade().say(3000, 5000, 10_000, why="no_reply")
    return call.type(10_300, 16_000).agent(10_510, 13_000)


def test_after_a_turn_without_a_reply_the_next_first_voice_is_doubtful() -> None:
    _, second = two_turns(silent_first())
    assert second.ttfa_ms == 210
    assert kinds(second) == ["late_answer"]
    assert "turn 1" in str(second.doubtful[0])
    assert not second.ours


def test_it_stays_doubtful_until_the_agent_has_caught_up() -> None:
    call = silent_first().type(17_000, 23_000).agent(17_200, 19_000).hung_up(24_000)
    assert [kinds(turn) for turn in call.measured().turns] == [[], ["late_answer"], ["late_answer"]]


def test_two_texts_tell_that_the_voice_is_this_turns() -> None:
    call = silent_first().text(10_200, "reply", "We open at nine.").text(10_400, "reply", "Yes, behind the house.")
    assert kinds(two_turns(call)[1]) == []


@pytest.mark.parametrize(
    "frames", [["We open at nine."], ["We open", "We open at nine."], ["We", " open", " at nine."]]
)
def test_one_text_does_not_in_however_many_frames(frames: list[str]) -> None:
    call = silent_first()
    for number, frame in enumerate(frames):
        call.text(10_400 + 20 * number, "reply", frame)
    assert kinds(two_turns(call)[1]) == ["late_answer"]


@pytest.mark.parametrize(("heard_ms", "doubts"), [(12_300, []), (13_000, ["late_answer"])])
def test_a_transcript_before_the_voice_tells_that_it_answers_what_was_said(heard_ms: float, doubts: list[str]) -> None:
    call = CallMade().say(3000, 5000, 10_000, why="no_reply").say(10_300, 12_000, 18_000).agent(12_800, 15_000)
    call.text(heard_ms, "transcript", "When do you open?")
    assert kinds(two_turns(call)[1]) == doubts


def test_a_long_silence_tells_that_nothing_older_comes() -> None:
    call = CallMade().say(3000, 5000, 10_000, why="no_reply").wait(10_100, 26_000)
    call.type(26_100, 31_000).agent(26_800, 28_000)
    assert kinds(two_turns(call)[1]) == []


def test_a_turn_that_was_only_put_off_owes_its_answer() -> None:
    call = CallMade().type(2500, 3900).agent(3000, 3500).text(3010, "reply", "Of course.")
    call.type(4000, 6600).agent(4600, 5000)  # "One moment", which it does not write
    call.type(6700, 9000).agent(6900, 8000).text(6890, "reply", "We open at nine.").hung_up(9500)
    assert [kinds(turn) for turn in call.measured().turns] == [[], [], ["older_answer"]]
    assert call.measured().turns[2].ours, "no failure of the agent's has brought it about"


def test_a_greeting_that_comes_after_turn_1_began_is_no_reply_to_it() -> None:
    call = CallMade(greeting=None).type(5500, 9000).agent(6174, 7200).agent(7534, 8000).hung_up(9500)
    (turn,) = call.measured().turns
    assert kinds(turn) == ["older_answer"]
    assert "greeting" in str(turn.doubtful[0])
    wanted = (
        CallMade(greeting=None).failure(5310, "agent.no_greeting").type(5500, 9000).agent(6174, 7200).agent(7534, 8000)
    )
    assert kinds(wanted.hung_up(9500).measured().turns[0]) == ["late_answer"]
    told = CallMade(greeting=None).type(5500, 9000).agent(6174, 7200)
    told.text(5400, "reply", "Welcome.").text(6000, "reply", "At nine.")
    assert kinds(told.hung_up(9500).measured().turns[0]) == []


@pytest.mark.parametrize("writes", [False, True])
def test_a_transcript_of_a_part_does_not_tell_whose_answer_it_is(writes: bool) -> None:
    """A late answer while turn 2 is spoken, with an interim transcript before the caller's end."""
    call = CallMade().say(3000, 5000, 10_000, why="no_reply").say(11_000, 12_000, 16_000)
    call.text(11_500, "transcript", "And on").agent(12_200, 13_500)
    if writes:
        call.text(12_190, "reply", "We open at nine.")
    assert kinds(call.hung_up(17_000).measured().turns[1]) == ["late_answer"]


def test_the_newest_of_several_answers_is_owed() -> None:
    call = CallMade()
    for start in (3000, 13_000, 23_000):
        call.say(start, start + 2000, start + 7000, why="no_reply")
    call.say(31_000, 32_000, 36_000).agent(32_200, 33_500)
    assert kinds(call.hung_up(37_000).measured().turns[3]) == ["late_answer"]


def test_an_agent_that_writes_each_sentence_as_it_says_it_may_have_paused() -> None:
    call = talked_over(writes=True, caller_end=9300)
    call.text(10_530, "reply", "The second sentence.").text(13_070, "reply", "The third one.")
    assert kinds(call.hung_up(18_000).measured().turns[1]) == ["stop_or_pause"]


def test_the_same_words_said_again_are_a_new_reply() -> None:
    call = CallMade().type(7000, 8000, why="barge_in").barge_in(10_000, 10_300, 17_000, over=8000)
    call.agent(8000, 11_300).agent(12_000, 13_800)
    call.text(7900, "reply", "One moment, please.").text(11_950, "reply", "One moment, please.")
    assert call.hung_up(18_000).measured().turns[1].stop_ms == 1300


# -- stopped, or paused ----------------------------------------------------------------------------------------------


def talked_over(*, writes: bool, caller_end: float = 12_000) -> CallMade:
    """Sentences 540 ms apart, from 8,000 to 15,080 ms; the caller speaks over them from 9,000 on."""
    call = CallMade().type(7000, 8000, why="barge_in").barge_in(9000, caller_end, 17_000, over=8000)
    for sentence in range(3):
        call.agent(8000 + 2540 * sentence, 10_000 + 2540 * sentence)
    return call.text(7900, "reply", "A long answer.") if writes else call


def test_an_agent_that_never_listened_did_not_stop_within_a_second() -> None:
    turn = talked_over(writes=True).hung_up(18_000).measured().turns[1]
    assert (turn.stop_ms, kinds(turn)) == (6080, [])
    turn = talked_over(writes=False).hung_up(18_000).measured().turns[1]
    assert turn.stop_ms is not None
    assert turn.stop_ms > 2000


def test_one_that_goes_on_with_the_same_answer_after_a_cough_kept_talking() -> None:
    turn = talked_over(writes=True, caller_end=9300).hung_up(18_000).measured().turns[1]
    assert (turn.stop_ms, kinds(turn)) == (6080, [])


def test_where_it_writes_nothing_a_short_pause_after_a_cough_cannot_be_told_from_a_stop() -> None:
    turn = talked_over(writes=False, caller_end=9300).hung_up(18_000).measured().turns[1]
    assert kinds(turn) == ["stop_or_pause"]
    assert "540 ms" in str(turn.doubtful[0])


def test_one_that_writes_a_new_answer_has_stopped() -> None:
    call = CallMade().type(7000, 8000, why="barge_in").barge_in(10_000, 10_300, 15_000, over=8000)
    call.agent(8000, 10_200).agent(10_900, 13_000).text(7900, "reply", "A long").text(10_850, "reply", "Sorry?")
    turn = call.hung_up(18_000).measured().turns[1]
    assert (turn.stop_ms, turn.ttfa_ms, kinds(turn)) == (200, 600, [])


def test_an_mm_hmm_while_the_caller_speaks_on_is_no_going_on() -> None:
    call = CallMade().type(7000, 8000, why="barge_in").barge_in(10_000, 14_000, 18_000, over=8000)
    call.agent(8000, 10_400).agent(12_000, 12_400).agent(15_000, 17_000).text(7900, "reply", "A long")
    turn = call.text(15_010, "reply", "Yes.").hung_up(19_000).measured().turns[1]
    assert turn.stop_ms == 400


def test_the_next_sentence_of_the_old_answer_is_no_new_one_where_the_agent_transcribes() -> None:
    """It never listened, and writes each sentence as it says it."""
    call = talked_over(writes=True).text(10_530, "reply", "The second sentence.")
    call.text(13_070, "reply", "The third one.").text(2000, "transcript", "Hello.")
    turn = call.hung_up(18_000).measured().turns[1]
    assert turn.stop_ms == 6080
