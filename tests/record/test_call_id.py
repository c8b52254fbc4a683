"""A call's id names its burst in a form that the reports read again."""

from __future__ import annotations

import pytest

from harness.record.call_id import burst_size, call_id


@pytest.mark.parametrize(
    ("burst", "worker", "expected"),
    [
        (None, None, "0007-smoke"),
        (None, 2, "w2-0007-smoke"),
        (20, None, "b20-0007-smoke"),
        (20, 12, "w12-b20-0007-smoke"),
    ],
)
def test_an_id_names_the_worker_and_the_burst(burst: int | None, worker: int | None, expected: str) -> None:
    made = call_id(7, "smoke", burst=burst, worker=worker)
    assert made == expected
    assert burst_size(made) == burst


@pytest.mark.parametrize("scenario", ["b20-0001-x", "w1-b20-0001-x", "b5-x"])
def test_a_scenario_whose_name_looks_like_a_burst_is_none(scenario: str) -> None:
    assert burst_size(call_id(10_000, scenario)) is None
    assert burst_size(call_id(1, scenario, worker=1)) is None
