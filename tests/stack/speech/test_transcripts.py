from __future__ import annotations

import pytest

from harness.stack.speech.recogniser import clean


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        (" Hello  there. ", "Hello there."),
        ("[BLANK_AUDIO]", ""),
        ("(coughing) Yes.", "Yes."),
        (". . .", ""),
        ("Thank you. Thank you. Thank you. Thank you.", "Thank you."),
        ("I am going to go to the, to the, to the, to the shop", "I am going to go to the shop"),
        ("No, no.", "No, no."),
    ],
)
def test_what_recognisers_make_up_is_taken_out(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned
