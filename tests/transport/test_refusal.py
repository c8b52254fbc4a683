"""The words for an end that the server gave a reason for."""

from __future__ import annotations

import pytest
from livekit.protocol import models

from harness.secret import Secret
from harness.transport.refusal import ending, first_line, refused_by_reason, refused_by_status, unreachable

REASONS = models.DisconnectReason.keys()


@pytest.mark.parametrize("name", REASONS)
def test_every_reason_has_words_and_a_mend(name: str) -> None:
    what, hint, _ = ending(name)
    assert what
    assert hint
    assert name.lower() in what or name == "UNKNOWN_REASON"
    assert refused_by_reason(name).kind in ("room.refused", "room.unreachable")


def test_who_ended_it() -> None:
    by_service = {name.lower() for name in REASONS if ending(name).by_service}
    assert by_service == {"room_deleted", "room_closed", "participant_removed"}


def test_two_callers_of_one_identity_are_named_as_that() -> None:
    what, hint, by_service = ending("DUPLICATE_IDENTITY", "caller-7")
    assert what == "another participant joined with the same identity `caller-7` (duplicate_identity)"
    assert hint == "check that the session service gives each caller its own identity"
    assert not by_service


def test_a_reason_nobody_knows_is_still_told() -> None:
    assert "brand_new" in ending("BRAND_NEW").what
    assert "without a reason" in ending("").what


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("\n \n  no \x1b[31m room\r\nmore", "no [31m room"),
        ("the token the-very-token is old", "the token *** is old"),
        ("eyJhbGciOiJIUzI1NiJ9.e30.x is old", "*** is old"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_the_first_line_of_what_a_server_says(text: str, shown: str) -> None:
    assert first_line(text, Secret("the-very-token")) == shown


def test_why_a_room_was_not_joined_is_apart_from_that_it_was_not() -> None:
    limited = refused_by_status(429, b"", Secret("t"), retry_after="5")
    for failure in (limited, refused_by_reason("join_failure"), unreachable("no route")):
        assert failure.what == f"the room could not be joined: {failure.why}"
    assert limited.why == "the server answered 429 (Retry-After: 5)"
