"""No key gets into a run's files, nor to a child process."""

from __future__ import annotations

from typing import Any

import pytest

from harness.secret import Secret, forget_keys, without_keys, without_secrets

KEY = "sk_live_0123456789abcdef"
OTHER = Secret("another-services-key")
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (f"the key {KEY}.", "the key ***."),
        (f"https://x.example/?token={TOKEN}&a=1", "https://x.example/?token=***&a=1"),
        ("it is another-services-key!", "it is ***!"),
        ({"sk_name": [1, None, ("a", KEY)]}, {"sk_name": [1, None, ["a", "***"]]}),
        ("0001-sk_pozdrav", "0001-sk_pozdrav"),
        ("task_A1234567890123", "task_A1234567890123"),
        (2.5, 2.5),
    ],
)
def test_what_is_written_holds_no_secret_and_is_else_as_it_was(data: Any, kept: Any) -> None:
    assert without_secrets(data, [None, OTHER]) == kept


def test_a_key_that_is_a_common_word_does_not_spoil_what_is_written() -> None:
    assert without_secrets("0001-smoke-test", [Secret("test"), Secret("")]) == "0001-smoke-test"


def test_a_long_text_that_begins_like_a_key_everywhere_is_masked_in_a_moment() -> None:
    like_keys = "sk_" * 300_000  # its square would take hours
    assert without_secrets(like_keys) == like_keys
    assert without_secrets(f"a {like_keys}A b") == "a *** b"


def test_children_inherit_no_key_and_all_else() -> None:
    rest = {"PATH": "/home/sk_user/bin:/bin", "LANG": "C", "EMPTY": ""}
    environment = {**rest, "A": KEY, "B": f" {KEY}\n", "C": "another-services-key", "D": "sk_short"}
    assert without_keys(environment) == {**rest, "C": "another-services-key"}
    forget_keys(environment, OTHER)
    assert environment == rest
    forget_keys(environment, None)
    assert environment == rest
