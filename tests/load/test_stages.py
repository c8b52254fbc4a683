"""How many calls are alive when, and what cannot be followed is refused."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.load.stages import parse_stages, steady


@pytest.mark.parametrize(
    ("elapsed_s", "calls"),
    [
        (-1, 0),
        (0, 0),
        (30, 5),
        (60, 10),
        (120, 20),
        (270, 35),
        (420, 50),
        (450, 25),
        (479.9, 0),
        (480, None),
        (1e6, None),
    ],
)
def test_each_stage_goes_in_a_line_from_the_last_number_to_its_own(elapsed_s: float, calls: int | None) -> None:
    stages = parse_stages("2m:20, 5m:50,1m:0")
    assert stages.calls_at(elapsed_s) == calls
    assert (stages.most, stages.lasts_s) == (50, 480)


def test_a_stage_without_time_is_a_jump() -> None:
    stages = parse_stages("0s:8,10s:8,0s:0,5s:0")
    assert [stages.calls_at(second) for second in (0, 9.9, 10, 14.9, 15)] == [8, 8, 0, 0, None]


def test_so_many_calls_for_so_long() -> None:
    stages = steady(3, 60)
    assert [stages.calls_at(second) for second in (0, 59.9, 60)] == [3, 3, None]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "stage 1 is not valid: ''"),
        ("2m", "stage 1 is not valid: '2m'"),
        ("2m:x", "stage 1 is not valid: '2m:x'"),
        ("2m:5,3:5", "stage 2 is not valid: '3:5'"),
        ("2m:-5", "the calls of stage 1 must be 0 or more (got -5)"),
        ("2m:0,1m:0", "every stage has 0 calls"),
        ("0s:5", "every stage lasts 0 s"),
        ("0s:5,0s:9,1m:9", "stages 1 and 2 both last 0 s: stage 1 would never run"),
    ],
)
def test_stages_that_contradict_are_refused_with_their_place(text: str, what: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_stages(text)
    assert (refused.value.what, refused.value.where) == (what, "--stages")
    assert "2m:20,5m:50,1m:0" in (refused.value.hint or "")
