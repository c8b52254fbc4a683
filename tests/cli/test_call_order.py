"""`call` says and types in the order of its command line, which option parsers forget."""

from __future__ import annotations

import pytest

from harness.cli.call import steps_in_order
from harness.errors import UsageError


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--say", "a", "--type", "b", "--say", "c"], [("say", "a"), ("type", "b"), ("say", "c")]),
        (["--type=b", "--target", "x", "--say=a"], [("type", "b"), ("say", "a")]),
        (["--type", "--say", "--say", "a"], [("type", "--say"), ("say", "a")]),
        (["--type", "say", "--say", "type"], [("type", "say"), ("say", "type")]),
        ([], []),
    ],
)
def test_the_order_is_that_of_the_command_line(argv: list[str], expected: list[tuple[str, str]]) -> None:
    say = [text for kind, text in expected if kind == "say"]
    typed = [text for kind, text in expected if kind == "type"]
    assert steps_in_order(["voice-harness", "call", *argv], say, typed) == expected


def test_an_order_that_cannot_be_told_is_refused() -> None:
    with pytest.raises(UsageError, match="is not clear"):
        steps_in_order(["voice-harness", "call"], ["a"], ["b"])
