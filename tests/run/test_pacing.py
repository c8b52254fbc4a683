"""How many calls start, and when."""

from __future__ import annotations

from typing import Any

import pytest

from harness.clock import NS_PER_S
from harness.errors import UsageError
from harness.run.pacing import plan_pace


def pace(**given: Any) -> Any:
    return plan_pace(**{"scenarios": 1, "calls": None, "repeat": 1, "rate_per_min": None, "duration_s": None, **given})


@pytest.mark.parametrize(
    ("given", "slots", "total"),
    [
        ({}, 1, 1),
        ({"calls": 5}, 5, 5),
        ({"calls": 5, "repeat": 3, "scenarios": 2}, 5, 30),
        ({"rate_per_min": 30, "duration_s": 120}, None, 60),
        ({"rate_per_min": 30, "duration_s": 120, "scenarios": 4}, None, 60),
        ({"rate_per_min": 30, "duration_s": 120, "calls": 3}, 3, 60),
        ({"rate_per_min": 0.1, "duration_s": 600}, None, 1),
        ({"rate_per_min": 0.1, "duration_s": 5}, None, 1),
        ({"rate_per_min": 7, "duration_s": 60}, None, 7),
        ({"rate_per_min": 60, "repeat": 4, "scenarios": 2}, None, 8),
    ],
)
def test_how_many_calls(given: dict[str, Any], slots: int | None, total: int) -> None:
    planned = pace(**given)
    assert (planned.slots, planned.total, planned.is_open) == (slots, total, "rate_per_min" in given)


def test_calls_at_a_rate_start_by_absolute_deadlines() -> None:
    planned = pace(rate_per_min=90, duration_s=600)
    assert [planned.due_ns(index) for index in (0, 3, 900)] == [0, 2 * NS_PER_S, 600 * NS_PER_S]


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"calls": 0}, "--calls"),
        ({"repeat": -1}, "--repeat"),
        ({"rate_per_min": 0.0}, "--rate"),
        ({"rate_per_min": 5.0, "duration_s": 0.0}, "--duration"),
        ({"duration_s": 60.0}, "--duration"),
        ({"rate_per_min": 5.0, "duration_s": 60.0, "repeat": 2}, "--repeat"),
    ],
)
def test_options_that_contradict_each_other_are_refused(given: dict[str, Any], where: str) -> None:
    with pytest.raises(UsageError) as caught:
        pace(**given)
    assert where in str(caught.value)
    assert caught.value.hint or " must be " in caught.value.what
