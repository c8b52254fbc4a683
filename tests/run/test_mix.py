"""Scenarios by weight: the shares are kept at all times, not by chance."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.errors import UsageError
from harness.run.mix import mix_of, parse_weight


def test_a_path_may_have_a_weight() -> None:
    assert parse_weight("a.yaml=70") == ("a.yaml", 70)
    assert parse_weight("a=b/c.yaml=30%") == ("a=b/c.yaml", 30)
    assert parse_weight("a.yaml") == ("a.yaml", None)


@pytest.mark.parametrize("weight", ["0", "-1", "x", "", "inf", "nan"])
def test_what_is_no_weight_is_refused(weight: str) -> None:
    with pytest.raises(UsageError):
        parse_weight(f"a.yaml={weight}")


@pytest.mark.parametrize("weights", [(70, 20), (70, 40), (1, 1), (100, 0.5)])
def test_weights_that_do_not_add_up_are_refused(weights: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="add up to"):
        mix_of(weights)


def test_weights_for_some_only_are_refused() -> None:
    with pytest.raises(UsageError, match="others do not"):
        mix_of([70, None])


def test_without_weights_each_has_its_turn() -> None:
    mix = mix_of([None, None, None])
    assert [mix.pick(index) for index in range(6)] == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("weights", [(70, 30), (50, 50), (99, 1), (33.3, 33.3, 33.4), (10, 20, 70)])
def test_at_any_time_each_has_its_share_within_one_call(weights: tuple[float, ...]) -> None:
    mix = mix_of(weights)
    counts: Counter[int] = Counter()
    for index in range(500):
        counts[mix.pick(index)] += 1
        for which, weight in enumerate(weights):
            assert abs(counts[which] - weight / 100 * (index + 1)) <= 1.1
