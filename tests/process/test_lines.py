"""What processes say to each other arrives as it was said, errors with all that a person needs."""

from __future__ import annotations

import pytest

from harness.errors import (
    AgentFailure,
    ConfigError,
    HarnessError,
    KnowledgeError,
    Place,
    ScenarioError,
    SeveralErrors,
    StackError,
    UsageError,
)
from harness.process.lines import error_in, error_message, line_of, message_in


@pytest.mark.parametrize("text", ["caf\u00e9 \U0001f600", "a\u2028b\nc", "\ud800", '"\\'])
def test_a_message_is_one_line_of_ascii_and_is_read_as_it_was(text: str) -> None:
    line = line_of({"text": text})
    assert line.isascii()
    assert line.count("\n") == 1
    assert message_in(line) == message_in(line.encode()) == {"text": text}


@pytest.mark.parametrize("line", ["", "words", "[1]", "3", b"\xff{"])
def test_what_is_no_object_is_no_message(line: str | bytes) -> None:
    assert message_in(line) is None


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("there is no agent x", where=Place("agents.yaml", 3, 5), hint="name one of demo, light"),
        ScenarioError("this is no turn", where=Place("s.yaml", 7)),
        KnowledgeError("the PDF is encrypted", where="a.pdf", hint="save it without a password"),
        StackError("the agents fell"),
        UsageError("0 is no number above zero", where="--calls"),
    ],
)
def test_an_error_has_its_kind_its_place_and_its_hint(error: HarnessError) -> None:
    told = error_in(message_in(line_of(error_message(error))) or {})
    assert type(told) is type(error)
    assert (str(told), told.exit_code) == (str(error), error.exit_code)


def test_several_errors_are_all_told() -> None:
    several = SeveralErrors([UsageError("one", where="a"), ConfigError("two", where="b", hint="mend it")])
    told = error_in(error_message(several))
    assert (type(told), str(told)) == (SeveralErrors, str(several))


def test_an_error_that_does_not_cross_processes_is_one_of_the_stack() -> None:
    told = error_in(error_message(AgentFailure("agent.left", "it left")))
    assert isinstance(told, StackError)
    assert "it left" in str(told)
