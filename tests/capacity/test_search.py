"""The search, against agents of a known capacity."""

from __future__ import annotations

import random

import pytest

from harness.capacity.edge import Edge
from harness.capacity.search import MOST_HOLDS, Held, Plan, Try, next_step, outcomes, sides
from tests.capacity.agents import on_a_machine_for, searched, sharp, soft, with_accidents


def found(holds: list[Held]) -> tuple[int, tuple[int, int]]:
    """The most calls held, and the interval."""
    decided = [hold for hold in holds if hold.verdict in ("met", "missed")]
    edge = Edge(outcomes(decided))
    return sides(decided, edge)[0] or 0, edge.interval()


@pytest.mark.parametrize("holds", [1, 2, 3, 5, 6, 7, 11, 16, 23])
@pytest.mark.parametrize("start", [1, 2, 8])
def test_a_sharp_edge_is_found_to_the_call(holds: int, start: int) -> None:
    why, made = searched(sharp(holds), start=start)
    assert why == "found"
    calls, (low, high) = found(made)
    assert calls == holds
    assert low <= holds <= high <= low + 1
    assert len(made) <= 20


def test_both_sides_of_the_edge_are_held_again_and_at_full_length() -> None:
    _, made = searched(sharp(6))
    for calls in (6, 7):
        assert sum(hold.calls == calls and not hold.thin for hold in made) >= 3


def test_a_large_edge_is_found_to_a_twentieth_in_a_few_holds() -> None:
    why, made = searched(sharp(150))
    calls, (low, high) = found(made)
    assert why == "found"
    assert 140 <= calls <= 150
    assert low <= 150 <= high
    assert len(made) <= 24


def test_accidents_do_not_lead_astray() -> None:
    rng = random.Random(3)
    for _ in range(40):
        _, made = searched(with_accidents(sharp(6), 0.05, rng))
        calls, (low, high) = found(made)
        assert 5 <= calls <= 7
        assert low <= 6 <= high


@pytest.mark.parametrize("width", [0.05, 0.1, 0.3])
def test_a_soft_edge_is_found_and_said_to_be_soft(width: float) -> None:
    rng = random.Random(5)
    inside = 0
    for _ in range(40):
        _, made = searched(soft(10.5, width, rng))
        _, (low, high) = found(made)
        inside += low <= 10 <= high
    assert inside >= 36


def test_it_always_ends() -> None:
    rng = random.Random(9)
    for _ in range(40):
        _, made = searched(lambda _calls: rng.choice(("met", "missed", "unfit")))
        assert len(made) <= MOST_HOLDS


def test_an_agent_that_holds_all_that_is_asked_for_is_asked_for_no_more() -> None:
    why, made = searched(sharp(1000), most=10)
    assert why == "max"
    assert max(hold.calls for hold in made) == 10
    assert sum(hold.calls == 10 and not hold.thin for hold in made) == 2


def test_max_may_be_where_the_search_begins() -> None:
    assert next_step(Plan(3, 3), []) == Try(3, full=False)
    assert searched(sharp(9), start=3, most=3)[0] == "max"


def test_the_limit_of_the_harness_is_found_and_is_not_the_agents() -> None:
    why, made = searched(on_a_machine_for(22, sharp(1000)))
    assert why == "harness"
    most = max(hold.calls for hold in made if hold.verdict == "met")
    assert 18 <= most <= 22


def test_an_edge_beneath_the_limit_of_the_harness_is_found() -> None:
    why, made = searched(on_a_machine_for(20, sharp(15)))
    assert why == "found"
    assert found(made)[0] == 15


def test_one_unfit_hold_is_an_accident() -> None:
    seen: list[int] = []

    def hiccup(calls: int) -> str:
        seen.append(calls)
        return "unfit" if len(seen) == 3 else sharp(6)(calls)

    why, made = searched(hiccup)  # type: ignore[arg-type] # the words are verdicts
    assert why == "found"
    assert found(made)[0] == 6


def test_a_machine_that_drives_nothing_says_so() -> None:
    why, made = searched(on_a_machine_for(0, sharp(9)), start=4)
    assert why == "harness"
    assert min(hold.calls for hold in made) == 1


def test_an_agent_that_does_not_hold_one_call_is_tried_twice_with_one() -> None:
    why, made = searched(sharp(0), start=4)
    assert why == "first"
    assert [hold.calls for hold in made] == [4, 2, 1, 1]


def test_steps_that_are_mostly_set_up_are_no_answer() -> None:
    why, made = searched(lambda _: "set_up")
    assert why == "set_up"
    assert len(made) == 2
