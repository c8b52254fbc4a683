"""From timelines made by hand to the numbers of a call."""

from __future__ import annotations

import json

import pytest

from harness.measure.call import measure_call
from harness.metrics.samples import samples_of
from harness.record.result import CallResult, TurnResult
from harness.record.unfit import Unfit
from tests.events import typed
from tests.measure.timelines import MEDIA, CallMade


def one_turn(**late: float) -> TurnResult:
    """A spoken turn from 3,000 to 9,000 ms, answered at 6,000 ms."""
    call = CallMade().say(3000, 5000, 9000).agent(6000, 7500)
    if late:
        call.late(late["at"], late["by"], count=int(late.get("count", 1)))
    return call.hung_up(9100).measured().turns[0]


def metrics(call: CallResult) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for sample in samples_of([call]):
        found.setdefault(sample.metric, []).append(sample.value)
    return found


def test_a_good_call_has_every_number() -> None:
    call = CallMade().text(600, "reply", "Hello.")
    call.say(3000, 5000, 8000).agent(6000, 6500, ear=6040).text(5400, "transcript", "When do you open?")
    call.text(5900, "reply", "At nine.")
    call.type(8100, 11_000).text(8120, "echo", "Hello?").agent(9000, 9500)
    measured = (
        call.event(9600, "second", sent=50, send_late_ms=1.5, lag_ms=2.5, heard=48_000).hung_up(11_100).measured()
    )
    assert (measured.ok, measured.failure, measured.room, measured.tags) == (True, None, "room-1", ["smoke"])
    assert (measured.session_create_ms, measured.room_connect_ms, measured.agent_join_ms) == (100, 240, 540)
    assert measured.duration_ms == 11_500
    assert measured.greeting is not None
    greeting = measured.greeting
    assert (greeting.ttfa_ms, greeting.onset_ms, greeting.end_ms) == (740, 500, 1500)  # the first from the join request
    spoken, typed = measured.turns
    assert (spoken.ttfa_ms, spoken.ttfa_ear_ms, spoken.transcript_ms, spoken.reply_text_ms) == (1000, 1040, 400, 900)
    assert (spoken.wer, spoken.fit, spoken.interrupted, spoken.exercised) == (0, True, False, None)
    assert (typed.ttfa_ms, typed.echo_ms, typed.transcript_ms, typed.wer) == (900, 20, None, None)
    assert measured.caller_voice == [(3000, 5000)]
    assert measured.agent_voice == [(500, 1500), (6000, 6500), (9000, 9500)]
    found = metrics(measured)
    assert found["turn.ttfa"] == [1000, 900]
    assert found["harness.lag"] == [2.5]
    assert found["harness.send_late"] == [1.5]
    assert found["calls.failed"] == [0]


def test_a_call_that_never_came_about_has_its_failure_and_no_turns() -> None:
    events = [
        {"t": 1, "event": "call.started", "call": "c", "scenario": "x", "agent": "a", "target": "t", "utc": "2030"},
        {"t": 2, "event": "session.requested"},
        {"t": 3, "event": "failure", "kind": "session.timeout", "what": "late", "turn": None, "ended": True},
        {"t": 4, "event": "call.ended"},
    ]
    from harness.measure.call import measure_call

    call = measure_call(typed(events))
    assert (call.ok, call.failure, call.turns, call.greeting, call.room) == (False, "session.timeout", [], None, None)


def test_an_agent_that_interrupts_has_no_ttfa() -> None:
    call = CallMade(greeting=(500, 800)).say(5000, 7000, 11_000, why="interrupted").agent(6000, 9000)
    turn = call.hung_up(11_100).measured().turns[0]
    assert (turn.interrupted, turn.ttfa_ms, turn.agent_onset_ms) == (True, None, None)


def test_a_reply_that_goes_on_belongs_to_the_old_turn_and_advises_a_longer_silence() -> None:
    call = CallMade().say(3000, 5000, 8000).agent(5500, 6000)
    call.say(8200, 10_000, 14_000).agent(8500, 9000).agent(10_800, 12_000)
    first, second = call.hung_up(14_100).measured().turns
    assert (first.ttfa_ms, first.advice) == (500, None)
    assert (second.interrupted, second.ttfa_ms) == (False, 800)
    assert second.advice is not None
    assert "end_silence" in second.advice


def test_a_text_typed_while_the_agent_speaks_is_answered_by_the_first_onset_after_500_ms_of_silence() -> None:
    call = CallMade().say(3000, 5000, 5500, why="barge_in").agent(5400, 7000).type(6000, 11_000)
    turn = call.agent(7300, 8000).agent(8600, 9000).hung_up(11_100).measured().turns[1]
    assert turn.ttfa_ms == 2600


def test_a_reply_after_the_turns_end_is_not_its_reply() -> None:
    call = CallMade().say(3000, 5000, 20_200, why="no_reply").failure(20_200, "agent.no_reply", turn=1)
    measured = call.agent(20_500, 21_000).hung_up(21_100).measured()
    assert (measured.turns[0].ttfa_ms, measured.ok, measured.failure) == (None, False, "agent.no_reply")
    assert measured.failures[0].turn == 1


def test_a_reply_that_came_too_late_gives_no_ttfa_though_the_turn_waited_for_its_end() -> None:
    call = CallMade().say(3000, 5000, 23_000, why="no_reply").failure(23_000, "agent.no_reply", turn=1)
    assert call.agent(20_100, 22_000).hung_up(23_100).measured().turns[0].ttfa_ms is None


def test_a_barge_in_stops_the_agent_and_is_answered_after_the_stop() -> None:
    call = CallMade().say(3000, 5000, 6000, why="barge_in").agent(5900, 8300)
    call.barge_in(7400, 9000, 13_000, over=5900).agent(10_000, 11_000)
    turn = call.hung_up(13_100).measured().turns[1]
    assert (turn.exercised, turn.stop_ms, turn.agent_stop_ms, turn.ttfa_ms) == (True, 900, 8300, 1000)


def test_a_breath_under_500_ms_is_no_stop() -> None:
    call = CallMade().say(3000, 5000, 6000, why="barge_in").agent(5900, 7800)
    call.barge_in(7400, 9000, 13_000, over=5900).agent(8200, 8600).agent(10_000, 11_000)
    assert call.hung_up(13_100).measured().turns[1].stop_ms == 1200


@pytest.mark.parametrize(
    ("noise_dbfs", "doubtful"),
    [(None, [0, 0]), (-62.0, [0, 0]), (-41.0, [0, 0]), (-39.0, [0, 1]), (-34.0, [1, 2])],
)
def test_edges_of_a_voice_that_hardly_stands_over_its_noise_are_doubtful(
    noise_dbfs: float | None, doubtful: list[int]
) -> None:
    """An end from 20 dB on, an onset from 15 dB on."""
    call = CallMade().say(3000, 5000, 6000, why="barge_in").agent(5900, 8300, noise_dbfs=noise_dbfs)
    call.barge_in(7400, 9000, 13_000, over=5900).agent(10_000, 11_000, noise_dbfs=noise_dbfs)
    measured = call.hung_up(13_100).measured()
    assert [len(turn.doubtful) for turn in measured.turns] == doubtful
    assert {doubt.kind for turn in measured.turns for doubt in turn.doubtful} <= {"noise"}


@pytest.mark.parametrize("over", [None, 5900])
def test_a_barge_in_that_meets_a_silent_agent_is_not_exercised(over: float | None) -> None:
    call = CallMade().say(3000, 5000, 6000, why="barge_in").agent(5900, 6300)
    call.barge_in(7400, 9000, 13_000, over=over).agent(10_000, 11_000)
    measured = call.hung_up(13_100).measured()
    turn = measured.turns[1]
    assert (turn.exercised, turn.stop_ms, turn.ttfa_ms) == (False, None, 1000)
    assert "bargein.stop" not in metrics(measured)


def test_an_agent_that_talks_on_over_the_caller_has_no_stop() -> None:
    call = CallMade().say(3000, 5000, 6000, why="barge_in").agent(5900)
    turn = call.barge_in(7400, 9000, 70_000, over=5900).hung_up(70_100).measured().turns[1]
    assert (turn.exercised, turn.stop_ms, turn.ttfa_ms) == (True, None, None)


def test_a_mute_call_is_told_by_its_own_name() -> None:
    call = CallMade(greeting=None).failure(5310, "agent.no_greeting")
    call.say(6000, 7000, 22_200, why="no_reply").failure(22_200, "agent.no_reply", turn=1)
    measured = call.hung_up(22_300).measured()
    assert measured.failure == "agent.no_audio"
    assert [failure.kind for failure in measured.failures] == ["agent.no_audio", "agent.no_greeting", "agent.no_reply"]


def test_a_mute_call_that_stops_at_its_first_failure_is_told_by_its_own_name_too() -> None:
    call = CallMade(greeting=None).say(6000, 7000, 22_200, why="no_reply").failure(22_200, "agent.no_reply", ended=True)
    assert call.hung_up(22_300).measured().failure == "agent.no_audio"


def test_one_sound_of_the_agent_makes_a_silent_turn_no_mute_call() -> None:
    call = CallMade().say(6000, 7000, 22_200, why="no_reply").failure(22_200, "agent.no_reply", turn=1)
    assert call.hung_up(22_300).measured().failure == "agent.no_reply"


def test_the_kind_that_ended_the_script_is_the_calls_failure() -> None:
    call = CallMade().say(3000, 5000, 20_200, why="no_reply").failure(20_200, "agent.no_reply", turn=1)
    call.say(20_300, 21_000, 22_000, why="failed").failure(22_000, "agent.left", ended=True)
    measured = call.hung_up(22_100).measured()
    assert measured.failure == "agent.left"
    assert [failure.kind for failure in measured.failures] == ["agent.no_reply", "agent.left"]


@pytest.mark.parametrize("kind", ["agent.left", "room.lost"])
def test_the_turn_in_which_the_agent_or_the_room_was_lost_keeps_its_row_without_times(kind: str) -> None:
    call = CallMade().type(3000, 4500, why="failed").text(3020, "echo", "Hello?").agent(3800)
    measured = call.failure(4500, kind, ended=True).hung_up(4600).measured()
    turn = measured.turns[0]
    assert (turn.turn, turn.text, turn.ttfa_ms, turn.echo_ms, turn.reply_text_ms) == (1, "Hello?", None, None, None)
    assert not turn.cut
    assert "turn.ttfa" not in metrics(measured)


@pytest.mark.parametrize("kind", ["agent.left", "agent.gone_silent"])
def test_a_turn_whose_reply_had_ended_keeps_its_times_though_the_agent_left_in_it(kind: str) -> None:
    call = CallMade().type(3000, 4500, why="failed").agent(3800, 4400).failure(4500, kind, ended=True)
    measured = call.hung_up(4600).measured()
    assert (measured.failure, measured.turns[0].ttfa_ms) == (kind, 800)


def test_a_cut_call_is_neither_ok_nor_failed_and_of_its_running_turn_the_onset_counts() -> None:
    call = CallMade().say(3000, 5000, 8000).agent(6000, 6500).say(8200, 9000, 9500, why="cut").agent(9300)
    measured = call.event(9500, "cut").hung_up(9600).measured()
    assert (measured.ok, measured.failure, measured.cut) == (None, None, True)
    assert [turn.cut for turn in measured.turns] == [False, True]
    found = metrics(measured)
    assert found["turn.ttfa"] == [1000, 300]
    assert "calls.failed" not in found


def test_a_call_that_took_too_long_is_failed_not_cut() -> None:
    call = CallMade().say(3000, 5000, 300_000, why="cut").failure(300_000, "agent.call_too_long", ended=True)
    measured = call.hung_up(300_100).measured()
    assert (measured.ok, measured.cut, measured.failure) == (False, False, "agent.call_too_long")
    assert not measured.turns[0].cut


def test_the_greeting_is_what_was_said_until_the_caller_stopped_waiting_for_it() -> None:
    call = CallMade(greeting=None).wait(5400, 12_400).agent(7000, 8000).hung_up(12_500)
    measured = call.measured()
    assert measured.greeting is not None
    assert measured.greeting.ttfa_ms is None
    assert measured.stray_speech == 1
    assert measured.waits[0].agent_spoke_ms == 1600


def test_a_greeting_that_is_not_awaited_is_not_measured() -> None:
    call = CallMade(greeting=None, awaited=False).say(600, 2000, 5000).agent(2500, 3000)
    measured = call.hung_up(5100).measured()
    assert measured.greeting is None
    assert measured.turns[0].ttfa_ms == 500


def test_what_the_agent_says_in_a_wait_is_counted_and_belongs_to_no_turn() -> None:
    call = CallMade().say(3000, 5000, 8000).agent(6000, 6500).wait(8000, 12_000).agent(9000, 9500).agent(10_500, 11_000)
    measured = call.hung_up(12_100).measured()
    assert measured.stray_speech == 2
    assert measured.waits[0].agent_spoke_ms == 1000
    assert measured.turns[0].ttfa_ms == 1000


def test_an_agent_that_already_speaks_when_the_wait_begins_speaks_at_once() -> None:
    call = CallMade().say(3000, 5000, 6100).agent(6000, 9000).wait(6100, 12_000)
    assert call.hung_up(12_100).measured().waits[0].agent_spoke_ms == 0


@pytest.mark.parametrize(("lasts_ms", "doubts"), [(250, []), (500, ["sound"])])
def test_a_reply_that_may_have_been_taken_for_a_sound_is_not_held_against_the_agent(
    lasts_ms: float, doubts: list[str]
) -> None:
    call = CallMade().type(3000, 20_000, why="no_reply").text(3200, "reply", "At nine.").agent(3800)
    call.event(3800 + lasts_ms, "agent.end", began=None, sound=True)
    measured = call.failure(20_000, "agent.no_reply", turn=1).hung_up(20_100).measured()
    (turn,), (failure,) = measured.turns, measured.failures
    assert (turn.ttfa_ms, [doubt.kind for doubt in turn.doubtful]) == (None, doubts)
    assert (failure.kind, failure.fit) == ("agent.no_reply", not doubts)
    assert ("taken for a sound" in failure.what) is bool(doubts)


def test_second_agents_and_junk_are_counted_and_are_no_failures() -> None:
    call = CallMade().event(200, "agent.second", identity="other").event(600, "text.junk", why="not JSON")
    measured = call.say(3000, 5000, 8000).agent(6000, 6500).hung_up(8100).measured()
    assert (measured.agents, measured.junk_frames, measured.ok) == (2, 1, True)
    assert len(measured.notes) == 2


# -- fit to measure --------------------------------------------------------------------------------------------------


def test_a_turn_is_fit_up_to_one_percent_of_packets_over_20_ms_late() -> None:
    # From 2,900 to 9,000 ms: 610 packets.
    assert one_turn(at=4000, by=25, count=6).fit
    unfit = one_turn(at=4000, by=25, count=7)
    assert not unfit.fit
    assert "left over 20 ms late" in str(unfit.unfit_why[0])


def test_one_late_packet_in_a_short_typed_turn_does_not_make_it_unfit() -> None:
    def typed(count: int) -> TurnResult:
        call = CallMade().type(3000, 3350).agent(3200, 3300).late(3100, 25, count=count)
        return call.hung_up(4000).measured().turns[0]

    assert typed(2).fit
    assert not typed(3).fit


def test_a_turn_that_was_cut_says_how_long_its_reply_was_awaited() -> None:
    call = CallMade().type(9600).event(12_000, "cut").hung_up(12_100)
    turn = call.measured().turns[0]
    assert (turn.cut, turn.ttfa_ms, turn.awaited_ms) == (True, None, 2400)


def test_one_packet_over_100_ms_late_is_enough() -> None:
    assert one_turn(at=4000, by=100).fit
    assert not one_turn(at=4000, by=100.1).fit


def test_lateness_outside_of_the_turn_is_not_held_against_it() -> None:
    assert one_turn(at=2800, by=500).fit
    assert one_turn(at=9001, by=500).fit


@pytest.mark.parametrize(("read_late_ms", "fit"), [(10, True), (10.1, False), (900, False)])
def test_our_own_reading_counts_at_the_onset_of_the_reply(read_late_ms: float, fit: bool) -> None:
    call = CallMade().say(3000, 5000, 9000).agent(6000, 7500, read_late_ms=read_late_ms).hung_up(9100)
    turn = call.measured().turns[0]
    assert turn.fit is fit
    assert fit or "our own reading lagged" in str(turn.unfit_why[0])


def test_a_lag_that_did_not_touch_the_onset_is_told_and_decides_nothing() -> None:
    call = CallMade().say(3000, 5000, 9000).agent(6000, 7500).lag(5900, 500)
    call.agent(8000, 8500, read_late_ms=300)
    assert call.hung_up(9100).measured().turns[0].fit


@pytest.mark.parametrize(("server_gone_from_s", "unfit"), [(9, [True, False]), (11, [False, False])])
def test_a_connection_is_away_since_the_last_media_that_came(server_gone_from_s: int, unfit: list[bool]) -> None:
    """The first turn ends at 9 s; that the connection is lost is noticed at 10.5 s."""
    call = CallMade().say(3000, 5000, 9000).agent(6000, 7500)
    for second in range(1, 11):
        received = 50 if second < server_gone_from_s else 0
        call.event(1000 * second, "media", **{**MEDIA, "received": received})
    call.event(10_500, "room.reconnecting", why="signal").event(12_000, "room.reconnected", how="resumed")
    measured = call.type(13_000, 16_000).agent(14_000, 15_000).hung_up(16_100).measured()
    assert [Unfit(kind="line_away", figure=4000) in turn.unfit_why for turn in measured.turns] == unfit
    assert [turn.fit for turn in measured.turns] == [not each for each in unfit]


def test_an_overflow_makes_its_turn_unfit() -> None:
    call = CallMade().say(3000, 5000, 9000).agent(6000, 7500).event(4000, "heard.overflow").hung_up(9100)
    turn = call.measured().turns[0]
    assert not turn.fit
    assert turn.unfit_why == [Unfit(kind="overflow")]


def test_an_unfit_turn_is_left_out_of_the_times_and_counted() -> None:
    call = CallMade().say(3000, 5000, 9000).agent(6000, 7500).late(4000, 150).text(5300, "transcript", "When?")
    samples = list(samples_of([call.hung_up(9100).measured()]))
    timed = {
        "turn.ttfa",
        "turn.first_sound",
        "turn.transcript",
        "turn.dead_air",
        "turn.talk_over",
        "turn.interrupted",
        "turn.wer",
    }
    assert {sample.metric for sample in samples if not sample.fit} == timed
    assert [sample.value for sample in samples if sample.metric == "turns.unfit"] == [1.0]


@pytest.mark.parametrize("ended", [False, True])
def test_a_silence_in_a_turn_at_which_we_were_late_is_told_apart(ended: bool) -> None:
    call = CallMade().say(3000, 5000, 20_000, why="no_reply").failure(20_000, "agent.no_reply", turn=1)
    late = CallMade().say(3000, 5000, 20_000, why="no_reply").late(4000, 150)
    late.failure(20_000, "agent.no_reply", turn=None if ended else 1, ended=ended)
    assert [seen.fit for seen in call.hung_up(20_100).measured().failures] == [True]
    result = late.hung_up(20_100).measured()
    (seen,) = result.failures
    assert (seen.kind, seen.fit, seen.turn, seen.ended) == ("agent.no_reply", False, 1, ended)
    assert "not held against the agent" in seen.what
    assert (result.failure, result.sure_failure, result.ok) == ("agent.no_reply", None, False)


def test_what_went_wrong_beside_it_decides_as_ever() -> None:
    call = CallMade().say(3000, 5000, 20_000, why="no_reply").late(4000, 150)
    call.failure(20_000, "agent.no_reply", turn=1)
    call.say(21_000, 23_000, 38_000, why="no_reply").failure(38_000, "agent.no_reply", turn=2)
    call.begun(38_100, ended=38_200).failure(38_200, "agent.left", ended=True)
    result = call.hung_up(38_300).measured()
    assert [(seen.kind, seen.fit) for seen in result.failures] == [
        ("agent.no_reply", False),
        ("agent.no_reply", True),
        ("agent.left", True),
    ]
    assert (result.failure, result.sure_failure) == ("agent.left", "agent.left")


@pytest.mark.parametrize(("late_at", "fit"), [(400, False), (2400, True)])
def test_the_greeting_is_unfit_where_we_were_late_up_to_its_onset(late_at: float, fit: bool) -> None:
    greeting = CallMade(greeting=(1500, 3000)).late(late_at, 150).hung_up(9000).measured().greeting
    assert greeting is not None
    assert (greeting.fit, greeting.onset_ms) == (fit, 1500)
    samples = samples_of([CallMade(greeting=(1500, 3000)).late(late_at, 150).hung_up(9000).measured()])
    assert [sample.fit for sample in samples if sample.metric == "greeting.ttfa"] == [fit]


def test_a_greeting_is_unfit_where_it_was_read_late() -> None:
    call = CallMade(greeting=None)
    call.agent(1500, 3000, read_late_ms=80)
    greeting = call.hung_up(9000).measured().greeting
    assert greeting is not None
    assert greeting.unfit_why == [Unfit(kind="read_late", figure=80)]


@pytest.mark.parametrize("both", [False, True])
def test_a_mute_call_is_ours_where_all_its_silences_are(both: bool) -> None:
    call = CallMade(greeting=None).late(2000, 150).failure(5310, "agent.no_greeting")
    call.say(6000, 7000, 22_000, why="no_reply").failure(22_000, "agent.no_reply", turn=1)
    if both:
        call.late(6500, 150)
    result = call.hung_up(22_100).measured()
    assert [seen.kind for seen in result.failures] == ["agent.no_audio", "agent.no_greeting", "agent.no_reply"]
    assert (result.failure, result.sure_failure) == ("agent.no_audio", None if both else "agent.no_audio")


def test_a_result_is_the_same_after_a_trip_through_its_line() -> None:
    call = CallMade().say(3000, 5000, 8000).agent(6000, 6500).wait(8000, 9000).hung_up(9100).measured()
    line = call.model_dump_json()
    assert CallResult.model_validate_json(line) == call
    assert {"call", "scenario", "room", "started", "ok", "failure", "turns"} <= json.loads(line).keys()


def test_what_we_hold_back_ourselves_is_told_and_in_no_number() -> None:
    due_ms, held = -1000, {"session.requested": 600.0, "room.connecting": 90.0}
    call, plain = CallMade().hung_up(2000), CallMade().hung_up(2000).measured()
    events = call.entries()
    for event in events:
        if event["event"] == "call.started":
            event["due"] = event["t"] + round((due_ms + 400) * 1e6)
        if event["event"] in held:
            event["held_back_ms"] = held[event["event"]]
    measured = measure_call(typed(events))
    assert (measured.held_back_ms, measured.start_late_ms) == (690, 600)
    since = measured.since_due
    assert since is not None
    assert (since.session_asked_ms, since.session_answered_ms) == (650, 750)
    assert (since.join_asked_ms, since.agent_there_ms) == (760, 1300)
    assert metrics(measured) == metrics(plain)
    assert (plain.held_back_ms, plain.since_due) == (0, None)
