from __future__ import annotations

import json
import random
from typing import Any

import pytest

from harness.stack.tools.fill import fill
from harness.stack.tools.listed import Property, Tool, tool_of
from tests.stack.tools.asked_of_tools import NOW, RESTAURANT, SERVERS, tool


def made(required: list[str], **properties: dict[str, Any]) -> Tool:
    found = tool_of("server", tool("do_it", "Does it.", required, **properties))
    assert found is not None
    return found


def filled(said: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return fill(made(list(properties), **properties), said, NOW).arguments


@pytest.mark.parametrize(
    ("said", "schema", "value"),
    [
        ("a window seat, please", {"enum": ["aisle", "window_seat"]}, "window_seat"),
        ("I pay by card", {"enum": ["CARD", "CASH"]}, "CARD"),
        ("level 2", {"type": "integer", "enum": [1, 2, 3]}, 2),
        ("no breakfast", {"type": "boolean", "description": "breakfast"}, None),
        ("forty", {"type": "integer", "maximum": 12}, None),
        ("two and a half", {"type": "integer"}, None),
        ("two and a half", {"type": "number"}, 2.5),
        ("tomorrow at nine", {"type": "string", "format": "date-time"}, "2026-11-28T09:00:00+00:00"),
        ("tomorrow", {"type": "string", "format": "date-time"}, None),
        ("at half past two", {"type": "string", "format": "time"}, "14:30"),
        ("write to ann@example.org", {"type": "string", "format": "email"}, "ann@example.org"),
        ("anything", {"type": "object"}, None),
        ("yoga and boxing", {"type": "array", "items": {"enum": ["yoga", "boxing", "judo"]}}, ["yoga", "boxing"]),
        ("four", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, 4),
    ],
)
def test_a_value_by_its_schema(said: str, schema: dict[str, Any], value: Any) -> None:
    assert filled(said, it=schema).get("it") == value


@pytest.mark.parametrize(
    ("said", "value"),
    [("with breakfast", True), ("without breakfast", False), ("I want no breakfast", False), ("two nights", None)],
)
def test_true_and_false(said: str, value: bool | None) -> None:
    assert filled(said, breakfast={"type": "boolean"}).get("breakfast") is value


def test_two_values_go_to_the_properties_that_their_words_name() -> None:
    unit = {"type": "string", "enum": ["celsius", "fahrenheit"]}
    said = "convert 20 to fahrenheit from celsius"
    assert filled(said, to=unit, value={"type": "number"}, **{"from": unit}) == {
        "from": "celsius",
        "to": "fahrenheit",
        "value": 20,
    }


def test_numbers_go_to_the_property_whose_words_are_near() -> None:
    number = {"type": "integer"}
    assert filled("three nights for two adults", guests=number, nights=number) == {"nights": 3, "guests": 2}


def test_two_days_are_taken_in_order() -> None:
    day = {"type": "string", "format": "date"}
    said = "from December 3rd until December 5th"
    assert filled(said, check_in=day, check_out=day) == {"check_in": "2026-12-03", "check_out": "2026-12-05"}


def test_nothing_is_invented() -> None:
    [_, reserve] = (tool_of("restaurant", one) for one in RESTAURANT)
    assert reserve is not None
    told = fill(reserve, "I would like to reserve a table.", NOW)
    assert told.arguments == {}
    assert [one.name for one in told.missing] == ["party_size", "date", "time", "name"]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("It's Smith, please.", "Smith"),
        ("my name is Ann Lee", "Ann Lee"),
        ("Under the name of Okafor.", "Okafor"),
        ("What are your opening hours?", None),
        ("Never mind.", None),
        ("Goodbye!", None),
    ],
)
def test_the_answer_to_a_question_for_a_name(said: str, name: str | None) -> None:
    book = made(["name"], name={"type": "string"})
    assert fill(book, said, NOW, asked=book.required[0]).arguments.get("name") == name


@pytest.mark.parametrize(("said", "value"), [("Yes, please.", True), ("no", False), ("Four", None)])
def test_the_answer_to_a_question_for_yes_or_no(said: str, value: bool | None) -> None:
    book = made(["outside"], outside={"type": "boolean"})
    assert fill(book, said, NOW, asked=book.required[0]).arguments.get("outside") is value


@pytest.mark.parametrize(
    ("said", "schema", "value"),
    [
        ("Seven.", {"type": "string", "description": "The time, HH:MM"}, "19:00"),
        ("half past six", {"type": "string", "description": "The time, HH:MM"}, "18:30"),
        ("The fifth, please.", {"type": "string", "format": "date"}, "2026-12-05"),
        ("Monday", {"type": "string", "format": "date"}, "2026-11-30"),
        ("At nine.", {"type": "string", "format": "date-time"}, "2026-11-27T09:00:00+00:00"),
        ("I don't know.", {"type": "string", "format": "date"}, None),
    ],
)
def test_the_answer_to_a_question_for_a_time(said: str, schema: dict[str, Any], value: str | None) -> None:
    book = made(["it"], it=schema)
    assert fill(book, said, NOW, asked=book.required[0]).arguments.get("it") == value


def test_what_is_known_stays() -> None:
    number = {"type": "integer"}
    book = made(["table", "guests"], table=number, guests=number)
    [_, guests] = book.required
    assert fill(book, "Six.", NOW, asked=guests, known={"table": 4}).arguments == {"table": 4, "guests": 6}


FRAGMENTS = [
    "a",
    "the",
    "table",
    "four",
    "seven",
    "at",
    "to",
    "half",
    "past",
    "quarter",
    "from",
    "no",
    "with",
    "tomorrow",
    "on",
    "friday",
    "May",
    "3",
    "12",
    ",",
    ".",
    "?",
    "name",
    "is",
    "Smith",
    "under",
    "order",
    "number",
    "AB12",
    "7",
    "7",
    "1",
    "2",
    '"',
    "\u2019",
    "'",
    "é",
    "東京",
    "twenty",
    "hundred",
    "and",
    "point",
    "minus",
    "pm",
    "in",
    "three",
    "days",
    "next",
    "week",
    "it's",
    "25:99",
    "99999999999999999999",
    "2026-13-45",
    "20th",
    "thirty",
    "first",
    "of",
    "february",
    "on",
    "the",
    "31st",
    "0",
    "\n",
    "\t",
    "\x00",
    "75",
    "to",
    "7",
]


def keeps_schema(one: Property, value: Any) -> bool:
    if one.choices:
        return value in one.choices
    if one.kind in ("integer", "number"):
        right = type(value) is int if one.kind == "integer" else type(value) in (int, float)
        return right and (one.low is None or value >= one.low) and (one.high is None or value <= one.high)
    return isinstance(value, bool) if one.kind == "boolean" else isinstance(value, str) and bool(value.strip())


def test_whatever_is_said_the_arguments_keep_the_schema() -> None:
    rng = random.Random(7)
    tools = [found for listed in SERVERS.values() for one in listed if (found := tool_of("server", one)) is not None]
    for _ in range(3000):
        said = " ".join(rng.choice(FRAGMENTS) for _ in range(rng.randint(0, 25)))
        chosen = rng.choice(tools)
        told = fill(chosen, said, NOW, asked=rng.choice([None, *chosen.properties]))
        json.dumps(told.arguments, allow_nan=False)
        for one in chosen.properties:
            if one.name in told.arguments:
                assert keeps_schema(one, told.arguments[one.name]), (said, one.name, told.arguments)
        assert all(0 <= start <= end <= len(said) for start, end in told.spans), said
