"""What an agent answers, by its prompt and its documents; the models are real."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from harness.errors import KnowledgeError
from harness.stack.agents.answer import Knowledge
from harness.stack.agents.voices import Voices
from harness.stack.agents_file import AgentSpec
from harness.stack.speech.phrases import unknown
from tests.stack.knowledge.pdf import pdf_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("cache")]
PROMPT = "You are the voice of the Harbour Office. We open at nine on weekdays."
PAPER = ["Berths", "A berth costs 30 euros a night. It must be booked by telephone.", "The office opens at noon."]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def voices(cache: Path) -> AsyncIterator[Voices]:
    voices = Voices()
    yield voices
    await voices.close()


@pytest.fixture
def spec(tmp_path: Path) -> AgentSpec:
    path = tmp_path / "berths.pdf"
    path.write_bytes(pdf_of([["Harbour rules."], PAPER]))
    return AgentSpec(prompt=PROMPT, greeting="", ear="none", documents=[str(path)])


async def test_the_prompt_comes_first_then_a_document_then_not_known(voices: Voices, spec: AgentSpec) -> None:
    await voices.warm(spec)
    prompt = await voices.answer("When do you open?", spec)
    assert (prompt.text, prompt.knowledge) == ("We open at nine on weekdays.", None)
    document = await voices.answer("How much is a berth?", spec)
    assert document.text == "A berth costs 30 euros a night."
    assert document.parts == [document.text]
    assert isinstance(document.knowledge, Knowledge)
    assert (document.knowledge.document, document.knowledge.place) == ("berths.pdf", "page 2, Berths")
    nothing = await voices.answer("Do you sell bicycles?", spec)
    assert (nothing.text, nothing.knowledge) == (unknown("en"), None)
    hello = await voices.answer("Hello.", spec)
    assert hello.knowledge is None


async def test_a_document_that_is_gone_does_not_end_the_call(
    voices: Voices, spec: AgentSpec, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(spec.documents[0]).unlink()
    answer = await voices.answer("How much is a berth?", spec)
    assert answer.text == unknown("en")
    assert "there is no such file" in capsys.readouterr().err
    with pytest.raises(KnowledgeError, match="there is no such file"):
        await voices.warm(spec)


async def test_a_prompt_of_the_session_keeps_the_documents(voices: Voices, spec: AgentSpec) -> None:
    changed = spec.overridden({"system_prompt": "We sell tea."})
    answer = await voices.answer("How much is a berth?", changed)
    assert answer.knowledge is not None
