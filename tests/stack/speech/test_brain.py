from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.stack import agents
from harness.stack.speech import Speech
from harness.stack.speech.brain import answer
from harness.stack.speech.phrases import not_heard
from tests.stack.speech.asked import GAPS, QUESTIONS

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROMPTS = Path(__file__).parent / "prompts"
CAFE = Path(agents.__file__).parent / "prompts" / "cafe.md"


def prompt(name: str) -> str:
    return (CAFE if name == "cafe" else PROMPTS / f"{name}.md").read_text(encoding="utf-8")


def language(name: str) -> str:
    return name[-2:] if name[-3] == "-" else "en"


@pytest.mark.parametrize(
    ("name", "question", "expected"), [(n, q, e) for n, asked in QUESTIONS.items() for q, e in asked]
)
async def test_a_question_gets_the_fact_of_the_prompt_or_none(
    speech: Speech, name: str, question: str, expected: str | None
) -> None:
    told = await answer(prompt(name), question, speech.rank, language=language(name))
    if expected is None:
        assert told is None
    else:
        assert re.search(expected, told or "")


@pytest.mark.parametrize(("name", "question", "expected"), GAPS)
async def test_what_is_not_found_is_said_not_to_be_known(
    speech: Speech, name: str, question: str, expected: str
) -> None:
    told = await answer(prompt(name), question, speech.rank)
    assert told is None, f"move it to QUESTIONS, with {expected}"


async def test_everything_about_something_is_a_long_answer(speech: Speech) -> None:
    told = await answer(prompt("cafe"), "Please tell me everything about the cafe.", speech.rank)
    assert len((told or "").split()) > 60


async def test_no_instruction_is_ever_spoken(speech: Speech) -> None:
    for name in ("dentist", "museum", "gym", "hotel", "vet"):
        told = await answer(prompt(name), "Please tell me everything you know.", speech.rank)
        assert not re.search(r"(?i)answer|polite|friendly|upbeat|politics|advice|invent|tone|brief", told or "")


async def test_silence_and_an_empty_prompt_get_an_answer_too(speech: Speech) -> None:
    assert await answer(prompt("cafe"), " ... ", speech.rank) == not_heard("en")
    assert await answer("", "When do you open?", speech.rank) is None


async def test_a_fact_can_be_overridden_by_another_prompt(speech: Speech) -> None:
    told = await answer("We open at noon. Dogs stay outside.", "When do you open?", speech.rank)
    assert told == "We open at noon."
