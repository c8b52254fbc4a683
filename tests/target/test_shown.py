from __future__ import annotations

import pytest

from harness.secret import Secret
from harness.target.shown import holds_key, shown_text, shown_url


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("two\r\nlines\tand \x1b[1mbold", "two lines and [1mbold"),
        ("turned\u202e text", "turned text"),
        ("the key sk_live_abc is wrong", "the key *** is wrong"),
        ("task_id is missing", "task_id is missing"),
        ("token eyJhbGciOi.eyJ2aWRlbyI.c2ln sent", "token *** sent"),
        ("x" * 60, "x" * 39 + "…"),
        ("", ""),
    ],
)
def test_foreign_text_is_made_fit_to_be_shown(text: str, shown: str) -> None:
    assert shown_text(text, limit=40) == shown


def test_a_key_without_the_usual_prefix_is_masked_before_the_cut() -> None:
    secret = Secret("0123456789")
    assert "01234" not in shown_text("x" * 35 + "0123456789", limit=40, secrets=(None, secret))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:word@x.example:8443/a/?q=1#f", "https://x.example:8443/a/"),
        ("/only/a/path?q=1", "/only/a/path"),
        ("https://[broken", "an address that cannot be read"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert shown_url(url) == shown


@pytest.mark.parametrize(("text", "holds"), [("sk_live", True), ("?k=sk_1", True), ("desk_top", False), ("", False)])
def test_a_key_is_known_by_its_prefix(text: str, holds: bool) -> None:
    assert holds_key(text) is holds
