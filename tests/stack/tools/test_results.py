from __future__ import annotations

import json

import pytest

from harness.stack.tools import phrases
from harness.stack.tools.listed import Property
from harness.stack.tools.plan import MOST_FRAME_BYTES, CallMade
from harness.stack.tools.results import MOST_SPOKEN_CHARS, cut, keeps_word, spoken


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Yes. Table 4 is free. It is round. It is by the sea.", "Yes. Table 4 is free. It is round."),
        ("**Free**: [table 4](http://127.0.0.1/4)", "Free : table 4."),
        ('{"table": 4, "is_free": true, "seats": [2, 4]}', "table: 4. is free: yes. seats: 2, 4."),
        ('["one", "two"]', "one. two."),
        ("{not json", "{not json."),
        ("table\x00 4\x1b[2J", "table 4 [2J."),
        (" \n ", ""),
        ("...", ""),
    ],
)
def test_what_is_spoken_of_a_result(text: str, said: str) -> None:
    assert spoken(text) == said


def test_a_sentence_without_an_end_is_cut() -> None:
    assert len(spoken("word " * 1000)) <= MOST_SPOKEN_CHARS + 1


def test_a_cut_keeps_characters_whole() -> None:
    assert cut("äöü", 3) == "ä"


@pytest.mark.parametrize(
    ("schema", "structured", "kept"),
    [
        (None, None, True),
        ({"type": "object"}, None, False),
        ({"required": ["a"]}, {"b": 1}, False),
        ({"properties": {"a": {"type": "number"}}}, {"a": "1"}, False),
        ({"properties": {"a": {"type": "integer"}}}, {"a": True}, False),
        ({"properties": {"a": {"type": "string", "pattern": "(a+)+$"}}}, {"a": "a" * 40 + "b"}, True),
    ],
)
def test_an_output_schema_that_is_kept_or_not(schema: object, structured: object, kept: bool) -> None:
    assert keeps_word(schema, structured) is kept


def test_a_frame_fits_into_a_packet() -> None:
    frame = CallMade("tool", {"city": "Oslo"}, '"\n' * 5000, 12.5, ok=True, answer="").frame()
    assert len(json.dumps(frame, ensure_ascii=False).encode()) <= MOST_FRAME_BYTES
    assert list(frame) == ["type", "name", "arguments", "result", "ms", "ok"]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Error executing tool reserve: Table 3 is taken.", "I'm sorry, that did not work. Table 3 is taken."),
        ("Traceback (most recent call last): x", "I'm sorry, that did not work."),
        ("1 error\ntable\n  less than 8 [type=le]", "I'm sorry, that did not work."),
        ("", "I'm sorry, that did not work."),
    ],
)
def test_the_reason_of_a_failure_is_said_if_it_is_meant_for_people(reason: str, said: str) -> None:
    assert phrases.failed(reason, "en") == said


def test_it_asks_in_the_words_of_the_schema_and_in_the_agents_language() -> None:
    seats = Property("party_size", "integer", "How many people.")
    assert phrases.ask(seats, "en-GB") == "For that I need to know this: how many people."
    assert phrases.ask(Property("party_size", "integer"), "de") == "Dafür muss ich noch etwas wissen: party size."
    kind = Property("kind", "string", "Kind of class", choices=("yoga", "judo"))
    assert phrases.ask(kind, "pt").endswith("kind of class (yoga, judo).")
