"""How sure outcomes make of the edge."""

from __future__ import annotations

import random

import pytest

from harness.capacity.edge import Edge, Outcome
from tests.capacity.agents import soft


def outcomes(*pairs: tuple[int, str]) -> list[Outcome]:
    """`(6, "++-")` is two holds of six calls that met the objectives and one that missed."""
    return [Outcome(calls, sign == "+") for calls, signs in pairs for sign in signs]


def test_repeated_holds_on_both_sides_of_a_sharp_edge_leave_no_other_number() -> None:
    edge = Edge(outcomes((4, "+"), (6, "++++"), (7, "----"), (8, "-")))
    assert edge.likely == 6
    assert edge.interval() == (6, 6)


def test_one_hold_on_each_side_is_not_yet_sure() -> None:
    low, high = Edge(outcomes((6, "+"), (7, "-"))).interval()
    assert low < 6 <= high


def test_one_accident_does_not_move_the_edge_and_widens_the_interval() -> None:
    sure = Edge(outcomes((6, "++++"), (7, "----")))
    doubted = Edge(outcomes((6, "+++-"), (7, "----")))
    assert doubted.likely == 6
    assert doubted.interval()[0] <= sure.interval()[0]
    low, high = doubted.interval()
    assert low <= 6 <= high


def test_a_short_hold_weighs_less() -> None:
    full = Edge([Outcome(8, met=True), Outcome(16, met=False)])
    thin = Edge([Outcome(8, met=True), Outcome(16, met=False, thin=True)])
    assert thin.chance(16) > full.chance(16)


def test_the_order_of_holds_does_not_matter() -> None:
    some = outcomes((2, "+"), (8, "-"), (5, "+-"), (4, "+"))
    assert Edge(some).interval() == Edge(some[::-1]).interval()


def test_more_calls_are_never_likelier_to_be_held() -> None:
    edge = Edge(outcomes((2, "+"), (4, "-+"), (8, "-+-")))
    chances = [edge.chance(calls) for calls in range(1, 30)]
    assert chances == sorted(chances, reverse=True)


def test_without_a_miss_the_interval_has_no_end_worth_the_name() -> None:
    low, high = Edge(outcomes((4, "++"))).interval()
    assert low >= 2
    assert high > 8


@pytest.mark.parametrize("width", [0.01, 0.1, 0.3])
def test_the_interval_holds_the_edge_as_often_as_it_says(width: float) -> None:
    rng = random.Random(7)
    inside = 0
    for _ in range(200):
        agent = soft(10.5, width, rng)
        seen = [Outcome(calls, agent(calls) == "met") for calls in (2, 4, 8, 16, 10, 12, 10, 12, 11, 10, 11)]
        low, high = Edge(seen).interval()
        inside += low <= 10 <= high
    assert inside >= 180
