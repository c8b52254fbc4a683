from __future__ import annotations

import random
from typing import Any

import pytest

from harness.stack.tools.fill import fill
from harness.stack.tools.listed import in_words, tool_of
from tests.stack.tools.asked_of_tools import NOW


def listed(schema: Any, **more: Any) -> dict[str, Any]:
    return {"name": "look_up", "inputSchema": schema, **more}


@pytest.mark.parametrize(
    ("name", "said"),
    [("party_size", "party size"), ("partySize", "party size"), ("get-forecast", "get forecast"), ("HTTP", "http")],
)
def test_a_name_in_words(name: str, said: str) -> None:
    assert in_words(name) == said


def test_a_schema_with_references_and_null() -> None:
    schema = {
        "type": "object",
        "properties": {
            "seat": {"$ref": "#/$defs/Seat"},
            "day": {"anyOf": [{"type": "null"}, {"type": "string", "format": "date"}], "description": "The day"},
            "many": {"type": ["integer", "null"], "minimum": 1},
            "fixed": {"const": "yes"},
        },
        "$defs": {"Seat": {"enum": ["aisle", "window"], "description": "Where to sit"}},
    }
    tool = tool_of("server", listed(schema, annotations={"readOnlyHint": True, "title": "Look it up"}))
    assert tool is not None
    assert (tool.title, tool.changes, tool.required) == ("Look it up", False, [])
    seat, day, many, fixed = tool.properties
    assert (seat.kind, seat.choices, seat.description) == ("string", ("aisle", "window"), "Where to sit")
    assert (day.kind, day.form, day.description) == ("string", "date", "The day")
    assert (many.kind, many.low) == ("integer", 1.0)
    assert fixed.choices == ("yes",)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"name": "", "inputSchema": {}},
        {"name": 7, "inputSchema": {}},
        {"name": "x"},
        listed([]),
        listed({"type": "array"}),
        listed({"properties": []}),
        listed({"properties": {"a": "string"}}),
        listed({"properties": {"a": {"type": "town"}}}),
        listed({"properties": {"a": {"enum": {"b": 1}}}}),
        listed({"properties": {"a": {"enum": [[1]]}}}),
        listed({"properties": {"a": {"$ref": "http://127.0.0.1/a"}}}),
        listed({"properties": {"a": {"$ref": "#"}}}),
        listed({"properties": {"a": {"anyOf": []}}}),
        listed({"required": ["a"]}),
        listed({"required": "a"}),
        listed({"properties": {f"a{at}": {} for at in range(51)}}),
    ],
)
def test_what_is_no_tool(entry: dict[str, Any]) -> None:
    assert tool_of("server", entry) is None


def anything(rng: random.Random, depth: int = 0) -> Any:
    """A value such as a careless server might list."""
    scalars = [
        None,
        True,
        0,
        -1,
        1e300,
        float("nan"),
        "",
        "string",
        "integer",
        "date",
        "#/$defs/a",
        "(a+)+$",
        "x" * 300,
    ]
    if depth > 3 or rng.random() < 0.4:
        return rng.choice(scalars)
    if rng.random() < 0.3:
        return [anything(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    keys = [
        "type",
        "properties",
        "enum",
        "const",
        "$ref",
        "anyOf",
        "items",
        "minimum",
        "maximum",
        "format",
        "required",
        "a",
    ]
    return {rng.choice(keys): anything(rng, depth + 1) for _ in range(rng.randint(0, 4))}


def test_whatever_is_listed_nothing_fails() -> None:
    rng = random.Random(11)
    tools = 0
    for _ in range(5000):
        schema = {
            "type": "object",
            "properties": {"a": anything(rng), "date": anything(rng)},
            "$defs": {"a": anything(rng)},
        }
        tool = tool_of("server", listed(schema, description=anything(rng), annotations=anything(rng)))
        if tool is not None:
            tools += 1
            fill(tool, "look up a table for four tomorrow at seven", NOW, asked=rng.choice([None, *tool.properties]))
    assert tools > 300
