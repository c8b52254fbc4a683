"""A hold's verdict, and who is to blame."""

from __future__ import annotations

import pytest

from harness.capacity.judge_hold import Fitness, judge_hold, ttfa_ms
from harness.capacity.objectives import surely_missed, turns_wanted
from harness.failures import FailureKind
from harness.metrics.samples import samples_of
from harness.record.unfit import Unfit
from tests.capacity.made import made, no_session, slo, talk
from tests.judge.made import scenario

FAST = slo("turn.ttfa", "p(95)<1500ms")
FEW_FAIL = slo("calls.failed", "rate<0.01")


def test_a_hold_that_meets_all_objectives() -> None:
    hold = judge_hold(3, made(talk(1), talk(2)), [FAST, FEW_FAIL])
    assert (hold.verdict, hold.limited_by, hold.step, hold.calls) == ("met", None, 3, 2)
    assert hold.ttfa.p50 == 600
    assert hold.call_ids == ["0001-x", "0002-x"]


def test_slow_replies_are_the_agents() -> None:
    hold = judge_hold(1, made(talk(1, ttfa_ms=2000)), [FAST, FEW_FAIL])
    assert (hold.verdict, hold.limited_by) == ("missed", "agent")
    assert "turn.ttfa p(95)<1500ms was 2000" in hold.why


def test_turns_before_all_talked_and_after_the_first_was_to_end_do_not_count() -> None:
    # The second call was connected at 11 s: the window lies between 12 and 50 s.
    hold = judge_hold(1, made(talk(1, turns=12), talk(2, connected_s=11.0, turns=12)), [FAST])
    assert (hold.set_up_s, hold.window_s) == (12.0, 38.0)
    assert hold.turns == 8 + 8


def test_a_slow_turn_that_ended_after_the_window_counts() -> None:
    late = talk(1, turns=4, turn_s=15.0, ttfa_ms=9000)  # its last began at 47 s and ended at 62 s
    assert len(ttfa_ms(made(late))) == 4


@pytest.mark.parametrize(
    ("kind", "by"),
    [
        ("session.rate_limited", "session service"),
        ("room.timeout", "session service"),
        ("agent.never_joined", "agent"),
    ],
)
def test_calls_that_failed_tell_by_their_kind_who_is_the_limit(kind: FailureKind, by: str) -> None:
    hold = judge_hold(1, made(talk(1), talk(2), no_session(3, kind)), [FAST, FEW_FAIL])
    assert (hold.verdict, hold.limited_by) == ("missed", by)


def test_calls_that_never_were_are_not_held_though_the_others_were_fast() -> None:
    hold = judge_hold(1, made(talk(1), *(no_session(number) for number in range(2, 6))), [FAST])
    assert (hold.verdict, hold.limited_by) == ("missed", "session service")
    assert "only 20 % of the calls talked: session.rate_limited (4)" in hold.why


def test_no_call_at_all_is_a_miss_of_who_refused_it() -> None:
    hold = judge_hold(1, made(no_session(1, "session.unauthorized")), [FAST])
    assert (hold.verdict, hold.limited_by) == ("missed", "session service")


def test_a_step_that_was_mostly_set_up_is_none() -> None:
    calls = [talk(1, turns=2, turn_s=2.0), talk(2, connected_s=40.0, turns=1, first=False)]
    assert judge_hold(1, made(*calls), [FAST]).verdict == "set_up"


def test_late_turns_are_the_harness_whatever_the_objectives_say() -> None:
    late = {"fit": False, "unfit_why": [Unfit(kind="packet_late", figure=200)]}
    hold = judge_hold(1, made(talk(1, ttfa_ms=5000, **late)), [FAST])
    assert (hold.verdict, hold.limited_by) == ("unfit", None)


def test_a_shard_that_died_is_the_harness() -> None:
    assert judge_hold(1, made(talk(1), no_session(2, "harness.shard_died")), [FAST]).verdict == "unfit"


@pytest.mark.parametrize(
    ("fitness", "local", "verdict"),
    [
        (Fitness(busy=[0.97, 0.95]), True, "unfit"),
        (Fitness(busy=[0.97, 0.95]), False, "missed"),
        (Fitness(busy=[0.5, 0.6]), True, "missed"),
        (Fitness(lag_ms=[150.0] * 5), False, "unfit"),
        (Fitness(process_cpu=[0.99] * 5), False, "unfit"),
    ],
)
def test_a_miss_while_the_machine_had_nothing_left_is_not_the_agents(
    fitness: Fitness, local: bool, verdict: str
) -> None:
    assert judge_hold(1, made(talk(1, ttfa_ms=2000, local=local), fitness=fitness), [FAST]).verdict == verdict


def test_what_was_met_on_a_busy_machine_was_met() -> None:
    hold = judge_hold(1, made(talk(1, local=True), fitness=Fitness(busy=[0.99])), [FAST])
    assert hold.verdict == "met"


def test_figures_outside_of_the_window_are_not_taken() -> None:
    fitness = Fitness()
    fitness.take({"alive": 1, "lag_ms": 500.0, "cpu": 1.0})
    assert not fitness.lag_ms


def test_wrong_answers_are_not_held() -> None:
    wrong = {"expectations": [{"expect": "contains", "limit": "nine", "outcome": "failed"}]}
    hold = judge_hold(1, made(talk(1, **wrong)), [slo("expectations.failed", "rate<0.05")])
    assert (hold.verdict, hold.limited_by, hold.wrong) == ("missed", "agent", 1.0)


@pytest.mark.parametrize(("over", "turns", "sure"), [(1, 20, False), (2, 20, False), (3, 10, True), (20, 20, True)])
def test_a_short_hold_that_missed_by_far_is_as_good_as_a_long_one(over: int, turns: int, sure: bool) -> None:
    fast = talk(1, turns=turns - over, turn_s=1.0)
    slow = talk(2, turns=over, turn_s=1.0, ttfa_ms=9000)
    samples = list(samples_of([fast.result, slow.result]))
    assert surely_missed(FAST, samples) is sure


def test_a_hold_of_as_many_turns_as_a_full_one_is_one() -> None:
    calls = [talk(number, turns=30, turn_s=1.0) for number in range(3)]
    assert judge_hold(1, made(*calls), [FAST]).sure
    assert not judge_hold(1, made(talk(1)), [FAST]).sure


def test_turns_that_the_objective_does_not_see_make_no_full_hold() -> None:
    spoken = slo("turn.ttfa{kind:say}", "p(95)<1500ms")
    typed = [talk(number, turns=30, turn_s=1.0, kind="type") for number in range(3)]
    few = talk(9, turns=6, turn_s=1.0)
    assert judge_hold(1, made(*typed, few), [FAST]).sure
    assert not judge_hold(1, made(*typed, few), [spoken]).sure


def test_a_hold_is_longer_where_the_objective_sees_one_turn_of_ten() -> None:
    turns = [{"say": "x"}, *[{"type": "y"}] * 9]
    script = scenario(*turns)
    assert turns_wanted([FAST], [script], full=True) == 59
    assert turns_wanted([slo("turn.ttfa{kind:say}", "p(95)<1500ms")], [script], full=True) == 590


def test_thousands_of_samples_are_no_bug() -> None:
    slow = talk(1, turns=3000, turn_s=0.01, ttfa_ms=9000)
    assert surely_missed(FAST, list(samples_of([slow.result])))
    fast = talk(1, turns=3000, turn_s=0.01)
    assert not surely_missed(FAST, list(samples_of([fast.result])))


def test_without_an_objective_on_them_failures_still_are_no_success() -> None:
    silent = [talk(number, failure="agent.no_reply") for number in range(4)]
    hold = judge_hold(1, made(*silent), [FAST])
    assert (hold.verdict, hold.limited_by) == ("missed", "agent")
    assert hold.why == "4 of 4 calls failed: agent.no_reply (4)"
    wrong = {"expectations": [{"expect": "contains", "limit": "nine", "outcome": "failed"}]}
    assert judge_hold(1, made(talk(1, **wrong)), [FAST]).verdict == "missed"


def test_an_objective_on_failures_alone_decides_on_them() -> None:
    failed = [talk(1), talk(2, failure="agent.no_reply")]
    assert judge_hold(1, made(*failed), [FAST, slo("calls.failed", "rate<0.6")]).verdict == "met"
