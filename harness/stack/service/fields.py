"""The types of the fields that clients send, and the words for what is wrong with one.

Limits keep an order to the agents' process short. Control characters are refused, since texts are spoken, printed and
logged: in single lines all of them, in longer texts all but tab and line breaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from harness.parsing.plain_words import Wording, in_plain_words
from harness.stack.service.answers import sentence

LINE_LIMIT = 200
LANGUAGE_LIMIT = 35
URL_LIMIT = 2048
GREETING_LIMIT = 5_000
PROMPT_LIMIT = 100_000

_IN_LINE = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_IN_TEXT = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"
_REFUSED_IN_LINE = re.compile(f"[{_IN_LINE}]")
_REFUSED_IN_TEXT = re.compile(f"[{_IN_TEXT}]")


def _line(value: str) -> str:
    if _REFUSED_IN_LINE.search(value):
        raise ValueError("Control characters and line breaks are not allowed.")
    return value


def _text(value: str) -> str:
    if _REFUSED_IN_TEXT.search(value):
        raise ValueError("Control characters other than tab and line breaks are not allowed.")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("This field may not be blank.")
    return value


def _schema(refused: str) -> dict[str, Any]:
    return {"pattern": rf"^[^{refused}]*[^\s{refused}][^{refused}]*$"}


def _limited(limit: int, refused: str) -> Any:
    return Field(max_length=limit, json_schema_extra=_schema(refused))


Line = Annotated[str, AfterValidator(_line), AfterValidator(_not_blank), _limited(LINE_LIMIT, _IN_LINE)]
Language = Annotated[str, AfterValidator(_line), AfterValidator(_not_blank), _limited(LANGUAGE_LIMIT, _IN_LINE)]
Url = Annotated[str, AfterValidator(_line), AfterValidator(_not_blank), _limited(URL_LIMIT, _IN_LINE)]
Greeting = Annotated[str, AfterValidator(_text), AfterValidator(_not_blank), _limited(GREETING_LIMIT, _IN_TEXT)]
Prompt = Annotated[str, AfterValidator(_text), AfterValidator(_not_blank), _limited(PROMPT_LIMIT, _IN_TEXT)]
GreetingOrNone = Annotated[
    str,
    AfterValidator(_text),
    Field(max_length=GREETING_LIMIT, json_schema_extra={"pattern": rf"^[^{_IN_TEXT}]*$"}),
]


def _of_string(error: Mapping[str, Any]) -> str:
    if error["input"] is None:
        return "This field may not be null; leave it out to inherit the agent's default."
    return "Not a valid string."


# As the contract's service says it; what is not here is said in the harness's own plain words.
_WORDING: Wording = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field.",
    "string_type": _of_string,
    "string_unicode": "Not valid Unicode.",
    "string_too_long": "No more than {max_length} characters are allowed.",
    "too_long": "No more than {max_length} characters are allowed.",  # of a string with a validator before it
    "string_too_short": "At least {min_length} characters are required.",
    "string_pattern_mismatch": "Must match the pattern '{pattern}'",
}


def wrong_fields(errors: Iterable[Mapping[str, Any]], *, whole: str = "body") -> str:
    """What is wrong with each field, each as `field:` and a sentence.

    Args:
        errors: As pydantic lists them.
        whole: What to name where an error is of no single field.
    """
    return " ".join(
        f"{'.'.join(map(str, error['loc'])) or whole}: {sentence(in_plain_words(error, _WORDING))}" for error in errors
    )
