"""What is asked for is checked where it is made, whoever asks: a command line or a locustfile."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import UsageError
from harness.run.reading import make_request
from harness.run.request import Request
from harness.target.target import Target
from tests.prepared import prepared

TARGET = Target("embedded", "embedded")


@pytest.mark.parametrize("name", ["session_rate_per_min", "call_duration_s"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_a_rate_or_a_duration_that_cannot_be_followed_is_refused(name: str, value: float) -> None:
    numbers: dict[str, Any] = {name: value}
    with pytest.raises(UsageError, match="must be greater than 0"):
        Request(name="x", scenarios=[], target=TARGET, seed=1, **numbers)


def test_a_run_is_named_after_its_only_scenario() -> None:
    one = [prepared("parking").loaded]
    assert make_request(one, TARGET, several="suite").name == "parking"
    assert make_request([*one, prepared("hours").loaded], TARGET, several="suite").name == "suite"


def test_a_seed_is_kept_or_chosen() -> None:
    scenarios = [prepared("parking").loaded]
    assert make_request(scenarios, TARGET, several="suite", seed=0).seed == 0
    assert make_request(scenarios, TARGET, several="suite").seed != make_request(scenarios, TARGET, several="s").seed


def test_thresholds_of_the_options_are_added() -> None:
    request = make_request([prepared("x").loaded], TARGET, several="suite", thresholds=["calls.failed: rate<=0.5"])
    assert [str(each.ref) for each in request.thresholds] == ["calls.failed"]
