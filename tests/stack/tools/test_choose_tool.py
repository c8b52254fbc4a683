from __future__ import annotations

import pytest

from harness.stack.speech.meaning import Meaning
from harness.stack.tools.choose import choose
from harness.stack.tools.listed import Tool, tool_of
from tests.stack.tools.asked_of_tools import GAPS, HELD_OUT, NOW, SERVERS, TUNED, Asked


@pytest.fixture(scope="module")
def meaning() -> Meaning:
    return Meaning()


async def chosen(meaning: Meaning, server: str, said: str) -> tuple[str | None, object]:
    async def rank(question: str, sentences: list[str]) -> list[float]:
        return meaning.rank(question, sentences)

    tools = [tool_of(server, listed) for listed in SERVERS[server]]
    choice = await choose([tool for tool in tools if isinstance(tool, Tool)], said, rank, NOW)
    if choice is None:
        return None, {}
    missing = choice.filled.missing
    return choice.tool.name, missing[0].name if missing else choice.filled.arguments


@pytest.mark.parametrize(
    ("server", "asked"),
    [(server, one) for part in (TUNED, HELD_OUT) for server, asked in part.items() for one in asked],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
async def test_the_tool_and_its_arguments_or_none(meaning: Meaning, server: str, asked: Asked) -> None:
    said, name, arguments = asked
    assert await chosen(meaning, server, said) == (name, arguments)


@pytest.mark.parametrize(("server", "said", "name"), GAPS)
async def test_what_is_not_found_calls_nothing(meaning: Meaning, server: str, said: str, name: str) -> None:
    assert await chosen(meaning, server, said) == (None, {}), f"move it to HELD_OUT, with {name}"


def test_a_third_of_what_is_asked_fits_no_tool() -> None:
    for part in (TUNED, HELD_OUT):
        names = [name for asked in part.values() for _, name, _ in asked]
        assert names.count(None) >= len(names) / 3


async def test_no_tools_and_no_words_choose_nothing(meaning: Meaning) -> None:
    async def rank(question: str, sentences: list[str]) -> list[float]:
        return meaning.rank(question, sentences)

    assert await choose([], "Is table four free?", rank, NOW) is None
    tool = tool_of("restaurant", SERVERS["restaurant"][0])
    assert isinstance(tool, Tool)
    assert await choose([tool], " ... ", rank, NOW) is None


async def test_a_tool_that_changes_something_needs_its_verb(meaning: Meaning) -> None:
    asked = "Is my appointment of Peter Lind on the 3rd of December?"
    assert (await chosen(meaning, "dentist", asked))[0] != "cancel_appointment"
