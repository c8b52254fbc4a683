"""What is kept of a child's words is bounded and holds no secret."""

from __future__ import annotations

from harness.process.log_tail import LINE_CHARS, LINES_KEPT, LogTail
from harness.secret import Secret


def test_keys_tokens_and_named_secrets_are_masked() -> None:
    log_tail = LogTail([Secret("the-livekit-secret")])
    log_tail.add("signed with the-livekit-secret")
    log_tail.add(b"invalid token: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYWxsZXIifQ.c2lnbmF0dXJl, go on")
    log_tail.add("x-api-key: sk_0123456789abcdef")
    assert log_tail.last() == "signed with ***\ninvalid token: ***, go on\nx-api-key: ***"


def test_only_the_last_lines_are_kept_and_long_ones_are_cut() -> None:
    log_tail = LogTail()
    for number in range(LINES_KEPT + 50):
        log_tail.add(f"line {number}")
    log_tail.add("x" * 10_000)
    log_tail.add("")
    lines = log_tail.last().splitlines()
    assert len(lines) == LINES_KEPT
    assert lines[0] == "line 51"
    assert len(lines[-1]) == LINE_CHARS
    assert log_tail.last(2).splitlines() == ["line 149", lines[-1]]
