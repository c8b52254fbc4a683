from __future__ import annotations

import pytest

from harness.stack.speech.facts import facts_of, is_instruction, sentences


def texts(prompt: str) -> list[str]:
    return [fact.text for fact in facts_of(prompt).facts]


def test_bullets_rows_and_key_value_lines_are_facts_of_their_own() -> None:
    bullets = "# Prices\n* **Tea**: 2 euros\n- Cake\n"
    lines = "Phone: 555 0100\nFax: none\n"
    table = "| Size | Price |\n|--|--|\n| Big | £3 |\n"
    prompt = f"{bullets}\n{lines}\n{table}"
    assert texts(prompt) == ["Tea: 2 euros.", "Cake.", "Phone: 555 0100.", "Fax: none.", "Big: £3."]


def test_wrapped_lines_are_one_sentence_and_single_lines_are_not() -> None:
    wrapped = "The tram stop is two minutes away on foot, on the other side\nof the bridge. We have lockers."
    assert texts(wrapped) == [
        "The tram stop is two minutes away on foot, on the other side of the bridge.",
        "We have lockers.",
    ]
    assert texts("We open at nine\nDogs are welcome") == ["We open at nine.", "Dogs are welcome."]


def test_headings_stay_with_their_facts() -> None:
    facts = facts_of("## Opening hours\nMonday: 9 to 5\n## Prices\nTea: £2").facts
    assert [(fact.heading, fact.section) for fact in facts] == [("Opening hours", 1), ("Prices", 2)]


@pytest.mark.parametrize(
    "sentence",
    [
        "You are the assistant of a cafe.",
        "You are Max, the phone assistant.",
        "Keep answers short.",
        "Speak politely.",
        "Always be friendly.",
        "Never make things up.",
        "Do not discuss politics.",
        "You should always answer in one sentence.",
        "If you do not know something, say so.",
        "If a guest asks something else, say you are not sure.",
        "Ask the caller for a name.",
        "Your tone is warm.",
        "Antworte kurz und höflich.",
        "Répondez poliment et brièvement.",
    ],
)
def test_instructions_are_no_facts(sentence: str) -> None:
    assert is_instruction(sentence)
    assert texts(f"{sentence} We open at nine.") == ["We open at nine."]


@pytest.mark.parametrize(
    "sentence",
    [
        "You can book a table by telephone.",
        "You must be at least sixteen years old.",
        "You are welcome to bring your dog.",
        "Follow the signs to the entrance.",
        "Please ask for an iron at the reception.",
        "Do not bring food into the galleries.",
        "When it rains the garden is closed.",
    ],
)
def test_facts_that_look_like_instructions_stay(sentence: str) -> None:
    assert texts(sentence) == [sentence]


def test_who_the_agent_is_can_be_told() -> None:
    assert facts_of("You are Rosa and you take calls for a clinic.").identity == "I am Rosa."
    assert facts_of("Your name is Kim. We sell hats.").identity == "My name is Kim."


def test_points_inside_a_sentence_end_none() -> None:
    assert sentences("Dr. Chen is in at 9 a.m. on Mondays. It costs 3.50 euros.") == [
        "Dr. Chen is in at 9 a.m. on Mondays.",
        "It costs 3.50 euros.",
    ]
