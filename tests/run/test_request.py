"""What is asked for is checked where it is made, whoever asks: a command line or a locustfile."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import UsageError
from harness.run.request import Request
from harness.target.target import Target


@pytest.mark.parametrize("name", ["session_rate_per_min", "call_duration_s"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_a_rate_or_a_duration_that_cannot_be_followed_is_refused(name: str, value: float) -> None:
    numbers: dict[str, Any] = {name: value}
    with pytest.raises(UsageError, match="must be greater than 0"):
        Request(name="x", scenarios=[], target=Target("embedded", "embedded"), seed=1, **numbers)
