"""What is kept of a child's words is bounded and holds no secret."""

from __future__ import annotations

from harness.process.log_tail import LINE_CHARS, LINES_KEPT, Said
from harness.secret import Secret


def test_keys_tokens_and_named_secrets_are_masked() -> None:
    said = Said([Secret("the-livekit-secret")])
    said.add("signed with the-livekit-secret")
    said.add(b"invalid token: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYWxsZXIifQ.c2lnbmF0dXJl, go on")
    said.add("x-api-key: sk_0123456789abcdef")
    assert said.last() == "signed with ***\ninvalid token: ***, go on\nx-api-key: ***"


def test_only_the_last_lines_are_kept_and_long_ones_are_cut() -> None:
    said = Said()
    for number in range(LINES_KEPT + 50):
        said.add(f"line {number}")
    said.add("x" * 10_000)
    said.add("")
    lines = said.last().splitlines()
    assert len(lines) == LINES_KEPT
    assert lines[0] == "line 51"
    assert len(lines[-1]) == LINE_CHARS
    assert said.last(2).splitlines() == ["line 149", lines[-1]]
