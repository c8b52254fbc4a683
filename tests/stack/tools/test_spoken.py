from __future__ import annotations

from datetime import UTC, datetime

import pytest

from harness.stack.tools.spoken import days_in, numbers_in, times_in

FRIDAY = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ("table twenty-four for two", [24, 2]),
        ("a hundred and twenty three", [123]),
        ("two thousand and five", [2005]),
        ("four five six seven", [4567]),
        ("7 7 1 2", [7712]),
        ("minus five point two degrees", [-5.2]),
        ("one and a half", [1.5]),
        ("a dozen eggs and half a dozen rolls", [12, 6]),
        ("1,200.50 euros", [1200.5]),
        ("the third time, on the 5th", []),
        ("room B2 and someone", []),
    ],
)
def test_numbers(said: str, numbers: list[float]) -> None:
    assert [one.value for one in numbers_in(said)] == numbers


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("tonight", "2026-11-27"),
        ("tomorrow evening", "2026-11-28"),
        ("the day after tomorrow", "2026-11-29"),
        ("on Monday", "2026-11-30"),
        ("on Friday", "2026-11-27"),
        ("next Friday", "2026-12-04"),
        ("in three days", "2026-11-30"),
        ("in a week", "2026-12-04"),
        ("at the weekend", "2026-11-28"),
        ("on the third of May", "2027-05-03"),
        ("December 24th", "2026-12-24"),
        ("May 3, 2028", "2028-05-03"),
        ("the twenty-first of december", "2026-12-21"),
        ("2026-12-05", "2026-12-05"),
        ("on the 5th", "2026-12-05"),
        ("February 31st", None),
        ("in May be careful", None),
    ],
)
def test_days(said: str, day: str | None) -> None:
    assert [one.value.isoformat() for one in days_in(said, FRIDAY)] == ([] if day is None else [day])


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("at 7 pm", "19:00"),
        ("at seven", "19:00"),
        ("at nine", "09:00"),
        ("at nine tonight", "21:00"),
        ("seven in the morning", "07:00"),
        ("at 19:30", "19:30"),
        ("at half past seven", "19:30"),
        ("quarter to eight in the evening", "19:45"),
        ("eight thirty tonight", "20:30"),
        ("three o'clock", "15:00"),
        ("at noon", "12:00"),
        ("midnight", "00:00"),
        ("12 a.m.", "00:00"),
        ("3.50 euros", None),
        ("for four people", None),
        ("25:99", None),
    ],
)
def test_times(said: str, at: str | None) -> None:
    assert [f"{one.value:%H:%M}" for one in times_in(said)] == ([] if at is None else [at])


def test_the_place_of_a_value_is_told() -> None:
    [day] = days_in("Free on Monday?", FRIDAY)
    assert ("Free on Monday?"[day.start : day.end], day.words) == ("on Monday", "on Monday")
