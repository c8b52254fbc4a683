from __future__ import annotations

from pathlib import Path

from harness.stack import agents
from harness.stack.speech.vocabulary import MOST_WORDS, vocabulary

CAFE = (Path(agents.__file__).parent / "prompts" / "cafe.md").read_text(encoding="utf-8")


def test_the_words_of_facts_are_known_once_as_they_are_spelt() -> None:
    known = vocabulary(CAFE)
    assert {"weekdays", "Saturday", "Harbour", "parking"} <= {*known} | {word.lower() for word in known}
    assert len({word.lower() for word in known}) == len(known)


def test_words_that_say_nothing_and_instructions_are_left_out() -> None:
    known = vocabulary("You answer politely. # Hours\nWe are open on weekdays at 9.")
    assert known == ("open", "weekdays")


def test_a_book_of_facts_has_an_end_and_an_empty_prompt_no_words() -> None:
    assert len(vocabulary(" ".join(f"The word{number} is here." for number in range(500)))) == MOST_WORDS
    assert vocabulary("") == ()
