"""The options of `load`: which model they mean, and which of them contradict each other."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import UsageError
from harness.load.order import LoadPlan
from harness.load.plan import LoadOptions, in_words, plan_load


def plan(engine: str = "light", **options: Any) -> LoadPlan:
    rate = options.pop("session_rate_per_min", None)
    return plan_load(LoadOptions(**options), engine=engine, session_rate_per_min=rate)


@pytest.mark.parametrize(
    ("options", "most", "total", "words"),
    [
        ({"stages": "10s:5,20s:10,5s:0"}, 10, None, "up to 10 calls at once, for 35 s (10s:5,20s:10,5s:0)"),
        ({"calls": 3}, 3, 6, "3 calls at once, 6 in all"),
        ({"calls": 3, "repeat": 2}, 3, 12, "3 calls at once, 12 in all"),
        ({"calls": 8, "duration_s": 60.0}, 8, None, "up to 8 calls at once, for 60 s (0s:8,60s:8)"),
        ({"rate_per_min": 30.0, "duration_s": 120.0}, None, 60, "60 calls at 30 a minute"),
        ({"rate_per_min": 30.0, "duration_s": 120.0, "calls": 9}, 9, 60, "60 calls at 30 a minute, at most 9 at once"),
        ({"burst": "5,10,20"}, 20, 35, "bursts of 5, 10, 20 calls"),
    ],
)
def test_each_model_is_known_by_its_options(
    options: dict[str, Any], most: int | None, total: int | None, words: str
) -> None:
    made = plan(**options)
    assert (made.most(2), made.total(2), in_words(made, 2)) == (most, total, words)


@pytest.mark.parametrize(
    ("options", "where", "what"),
    [
        ({}, "load", "the number of calls is missing"),
        ({"stages": "1m:5", "calls": 3}, "--calls", "--stages and --calls cannot be combined"),
        ({"stages": "1m:5", "rate_per_min": 3.0}, "--rate", "--stages and --rate cannot be combined"),
        ({"burst": "5", "duration_s": 3.0}, "--duration", "--burst and --duration cannot be combined"),
        ({"rate_per_min": 3.0, "duration_s": 60.0, "repeat": 2}, "--repeat", "--rate and --repeat cannot be combined"),
        ({"rate_per_min": 3.0}, "--rate", "--rate needs --duration"),
        ({"rate_per_min": 0.0, "duration_s": 60.0}, "--rate", "must be greater than 0"),
        ({"calls": 0}, "--calls", "must be greater than 0"),
        ({"calls": 3, "repeat": -1}, "--repeat", "must be greater than 0"),
        (
            {"rate_per_min": 120.0, "duration_s": 60.0, "session_rate_per_min": 30.0},
            "--session-rate",
            "120 calls per minute cannot start with 30 sessions per minute",
        ),
        ({"burst": "5,0"}, "--burst", "must be one or more numbers of calls"),
        ({"burst": "many"}, "--burst", "must be one or more numbers of calls"),
        ({"stages": "1m:5", "warm_up_s": 60.0}, "--warm-up", "must be shorter than the load, 60 s"),
        ({"calls": 3, "warm_up_s": 5.0}, "--warm-up", "needs a load with a duration"),
        ({"calls": 3, "canaries": -1}, "--canaries", "--canaries must be 0 or more"),
        ({"calls": 3, "canaries": 4}, "--canaries", "--canaries must be at most 3"),
    ],
)
def test_what_contradicts_is_refused_with_its_place_and_mend(options: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(UsageError, match=what) as refused:
        plan(**options)
    assert where in str(refused.value)
    assert refused.value.hint or " must be " in refused.value.what


def test_canaries_are_calls_on_the_other_engine() -> None:
    assert plan(calls=3, canaries=1).canaries == 1
    with pytest.raises(UsageError, match="has no effect with --engine sdk"):
        plan("sdk", calls=3, canaries=1)


def test_a_rate_of_calls_may_be_all_that_sessions_are_asked_for() -> None:
    assert plan(rate_per_min=30.0, duration_s=60.0, session_rate_per_min=30.0).rate_per_min == 30
